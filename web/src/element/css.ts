// The element's own style: a constructed sheet, which strict policies allow.

export const css = `
:host {
  display: block;
  position: relative;
  color-scheme: dark;
  contain: content;
  border-radius: var(--spotter-radius, 0.75rem);
  background: var(--spotter-background, #101418);
  color: var(--spotter-color, #f4f6f8);
  font: 500 0.9375rem/1.4 var(--spotter-font, system-ui, sans-serif);
}
:host([hidden]) { display: none; }
.stage { position: relative; width: 100%; height: 100%; aspect-ratio: 4 / 3; overflow: hidden; }
canvas { position: absolute; inset: 0; width: 100%; height: 100%; object-fit: contain; }
canvas[hidden] { display: none; }
video { position: absolute; width: 1px; height: 1px; opacity: 0; pointer-events: none; }
.cover { position: absolute; inset: 0; display: grid; place-content: center; justify-items: center; gap: 0.75rem; padding: 1rem; text-align: center; }
.cover[hidden], .controls[hidden], button[hidden] { display: none; }
.error, .loading { background: rgb(8 11 15 / 78%); }
.message { margin: 0; max-width: 26rem; }
.hint { margin: 0; max-width: 26rem; opacity: 0.8; }
progress { width: 12rem; max-width: 80%; accent-color: var(--spotter-accent, #56b4e9); }
.controls { position: absolute; inset: auto 0 0; display: flex; flex-wrap: wrap; gap: 0.5rem; padding: 0.5rem; justify-content: center; }
button {
  min-height: 2.75rem; padding: 0 1rem; border: 1px solid rgb(255 255 255 / 28%); border-radius: 2rem;
  background: rgb(16 20 24 / 82%); color: inherit; font: inherit; cursor: pointer;
}
button:hover { background: rgb(44 52 60 / 90%); }
button:focus-visible { outline: 3px solid var(--spotter-accent, #56b4e9); outline-offset: 2px; }
.overlay { position: absolute; inset: 0; pointer-events: none; }
.quiet { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
`;
