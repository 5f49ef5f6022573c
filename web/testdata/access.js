// What access_test.go asks of the page as it is shown: lists of sentences, empty when all is well.

globalThis.access = (() => {
  const controls = "a[href], button, input, select, textarea, summary, [tabindex='0']";
  const top = () => [...document.querySelectorAll("dialog")].find((d) => d.open) ?? document.body;
  const named = (e) => e.outerHTML.replace(/\s+/g, " ").slice(0, 110);
  const shown = (e) => e.checkVisibility({ opacityProperty: true, visibilityProperty: true }) && !e.closest(".sr");
  /** Rows behind the first few of a long list look like those. */
  const repeated = (e) => {
    const row = e.closest("li, tr");
    return row !== null && [...row.parentElement.children].indexOf(row) > 4;
  };
  const within = (selector) => [...top().querySelectorAll(selector)].filter((e) => shown(e) && !e.matches(".skip:not(:focus)") && !repeated(e));
  /** What a finger hits for a control: its label counts, too. */
  const target = (e) => e.labels?.[0]?.contains(e) ? e.labels[0] : e;
  /** Covered on purpose: the notice lies over the stage, and scrolled lists show a part. */
  const covered = (e) => !e.closest("#notice") && e.closest("#stage") && !document.querySelector("#notice").hidden;

  /** Whether the middle of an element is what one sees and hits there. */
  function hit(e) {
    if (getComputedStyle(e).pointerEvents === "none") return "";
    e.scrollIntoView({ block: "center", inline: "center" });
    const r = e.getBoundingClientRect();
    const at = document.elementFromPoint(r.x + r.width / 2, r.y + r.height / 2);
    if (at?.closest(".menu-list")) return ""; // a menu lies over what is below it
    return at && (e.contains(at) || at.contains(e) || target(e).contains(at)) ? "" : at ? named(at) : "nothing";
  }

  function sideways() {
    const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
    const list = wide > 0 ? [`the page scrolls sideways by ${wide}`] : [];
    for (const e of within("*")) {
      const r = e.getBoundingClientRect();
      if (r.width && !e.closest("svg, .table-scroll, .layers-maps, #stage") && (r.left < -1 || r.right > innerWidth + 1)) {
        list.push(`reaches from ${Math.round(r.left)} to ${Math.round(r.right)} of ${innerWidth}: ${named(e)}`);
      }
    }
    return list;
  }

  function clipped() {
    return within("*").flatMap((e) => {
      if (![...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()) || covered(e)) return [];
      const { overflowX, overflowY, display } = getComputedStyle(e);
      if (display === "inline") return [];
      const [x, y] = [e.scrollWidth - e.clientWidth, e.scrollHeight - e.clientHeight];
      const cut = (overflowX !== "auto" && x > 1) || (overflowY !== "auto" && overflowY !== "visible" && y > 1);
      return cut ? [`text is cut by ${x} and ${y}: ${named(e)}`] : [];
    });
  }

  function hidden() {
    const texts = within("h1, h2, h3, p, label, span, b, dt, dd, th, summary, option").filter((e) => e.textContent.trim() && e.getClientRects().length);
    const list = [...new Set([...texts, ...within(controls)])].filter((e) => !covered(e)).flatMap((e) => {
      const by = hit(e);
      return by ? [`${named(e)} lies under ${by}`] : [];
    });
    scrollTo(0, 0);
    return list;
  }

  /** What an element scrolls or floats in. */
  function plane(e) {
    for (let at = e; at; at = at.parentElement) {
      const { overflowY, position } = getComputedStyle(at);
      if (overflowY === "auto" || position === "fixed" || at.matches(".menu-list")) return at;
    }
    return null;
  }

  /** Controls that meet each other's area. */
  function overlaps() {
    const list = within(controls).filter((e) => !covered(e) && !e.hasAttribute("tabindex")).map((e) => [e, target(e).getBoundingClientRect()]);
    return list.flatMap(([a, p], i) => list.slice(0, i).flatMap(([b, q]) => {
      const [w, h] = [Math.min(p.right, q.right) - Math.max(p.left, q.left), Math.min(p.bottom, q.bottom) - Math.max(p.top, q.top)];
      return w > 1 && h > 1 && !a.contains(b) && !b.contains(a) && plane(a) === plane(b) ? [`${named(a)} overlaps ${named(b)}`] : [];
    }));
  }

  /** Targets below 24 pixels, and main ones below 44. */
  function small() {
    return within(controls).filter((e) => !e.hasAttribute("tabindex")).flatMap((e) => {
      const r = target(e).getBoundingClientRect();
      const least = e.matches(".dock-main .button, .primary:not(.small)") ? 44 : 24;
      const line = e.matches("p a"); // links in sentences have the line's height
      return !line && Math.min(r.width, r.height) < least ? [`${Math.round(r.width)} x ${Math.round(r.height)}, want ${least}: ${named(e)}`] : [];
    });
  }

  const layout = () => [sideways, clipped, hidden, overlaps, small].flatMap((look) => look().slice(0, 5));

  /** What runs or would run when something changes. */
  function moving() {
    const list = document.getAnimations().map((a) => `moves: ${named(a.effect.target)}`);
    for (const e of document.querySelectorAll("*")) {
      for (const pseudo of [null, "::before", "::after"]) {
        const { animationName, transitionDuration } = getComputedStyle(e, pseudo);
        if (animationName !== "none" || /[1-9]/.test(transitionDuration)) list.push(`may move: ${named(e)}`);
      }
    }
    return list;
  }

  /** Controls that the Tab key must lead to, in the order of the document; of the top dialog where one is open. */
  function stops() {
    return [...top().querySelectorAll(controls)].filter((e) => shown(e) && e.tabIndex >= 0 && !e.disabled);
  }

  /** The focused control with what is wrong about it. */
  function focus() {
    const e = document.activeElement;
    const { outlineStyle, outlineWidth } = getComputedStyle(e);
    const at = stops().indexOf(e);
    const r = e.getBoundingClientRect();
    const wrong = [];
    if (outlineStyle === "none" || Number.parseFloat(outlineWidth) < 2) wrong.push("no ring");
    if (r.bottom < 1 || r.top > innerHeight - 1) wrong.push("out of sight");
    const seen = document.elementFromPoint(Math.min(Math.max(r.x + r.width / 2, 0), innerWidth - 1), Math.min(Math.max(r.y + r.height / 2, 0), innerHeight - 1));
    if (seen && !e.contains(seen) && !seen.contains(e) && !target(e).contains(seen)) wrong.push(`covered by ${named(seen)}`);
    return { at, wrong: wrong.map((w) => `${w}: ${named(e)}`) };
  }

  return { layout, moving, focus, stops: () => stops().length, name: (i) => named(stops()[i]) };
})();
