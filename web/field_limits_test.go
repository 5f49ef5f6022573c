package web

import (
	"runtime"
	"strings"
	"testing"

	"spotter/models/detect"
)

// TestLittleMemory: in a browser that gives WebAssembly little memory, a picture that has no room
// is looked at in a smaller form, and an input that is too large is refused with words; what ran
// before goes on.
func TestLittleMemory(t *testing.T) {
	p := openReady(t, view{camera: smallMemory, expects: "no memory"})
	eval[bool](p, `(async () => {
		const sample = await createImageBitmap(await (await fetch(document.querySelector("[data-name=astronaut]").dataset.sample)).blob());
		const canvas = new OffscreenCanvas(4608, 4608);
		canvas.getContext("2d").drawImage(sample, 0, 0, canvas.width, canvas.height);
		const files = new DataTransfer();
		files.items.add(new File([await canvas.convertToBlob({type: "image/jpeg"})], "large.jpg", {type: "image/jpeg"}));
		return document.querySelector("#stage").dispatchEvent(new DragEvent("drop", {dataTransfer: files, bubbles: true, cancelable: true}));
	})()`)
	got := p.next(0)
	best := want(t, detect.FromImage(samplePicture(t, "astronaut")), 0.25)[0]
	for i := range best.Box {
		best.Box[i] *= 9
	}
	if own := nearest(best, got.Detections); got.Width != 4608 || own < 0.9 {
		t.Errorf("in a picture %d wide, boxes overlap the reference's by %.3f: %v", got.Width, own, got.Detections)
	}
	p.bring("best.pt", readFile(t, formatsDir, "best.pt"))
	eval[bool](p, "(spotter.resize(3200, 3200).catch((error) => globalThis.refused = error.code), true)")
	p.wait("globalThis.refused === 'memory'")
	n := eval[int](p, "found.length")
	p.sample("portrait")
	p.next(n)
}

// TestNoSIMD: on a processor without the instructions the page says what to do.
func TestNoSIMD(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		return // every processor of this kind has them
	}
	p := open(t, view{camera: oldCPU, language: "zh-CN"})
	if code := p.notice(); code != "unsupported" {
		t.Errorf("the notice tells of %s", code)
	}
	if text := p.text("#notice-text"); !strings.Contains(text, "WebAssembly SIMD") {
		t.Errorf("it says %q", text)
	}
}

// TestBrowsersThatLackThings: pictures and camera work without what only some browsers have, in
// page and workers alike.
func TestBrowsersThatLackThings(t *testing.T) {
	ref := want(t, detect.FromImage(samplePicture(t, "astronaut")), 0.25)
	for name, lacking := range map[string]string{
		"no OffscreenCanvas":              "delete globalThis.OffscreenCanvas;",
		"no VideoFrame":                   "delete globalThis.VideoFrame;",
		"neither":                         "delete globalThis.OffscreenCanvas; delete globalThis.VideoFrame;",
		"none of what is newer than SIMD": newer,
	} {
		t.Run(name, func(t *testing.T) {
			p := openReady(t, view{before: lacking, worker: lacking})
			compare(t, name, p.sample("astronaut").Detections, ref, 0.25)
			p.click("#camera")
			p.goesOn()
			last := p.next(eval[int](p, "found.length"))
			if last.Width != videoWidth || last.Height != videoHeight {
				t.Errorf("frames are %dx%d", last.Width, last.Height)
			}
			p.wait("found.at(-1).detections.some((d) => d.label === 'person')")
		})
	}
}

// newer takes away what came into browsers after WebAssembly SIMD.
const newer = `
	for (const name of ["OffscreenCanvas", "VideoFrame", "BroadcastChannel", "SharedArrayBuffer"]) delete globalThis[name];
	const {prototype} = globalThis.Navigator ?? WorkerNavigator;
	for (const name of ["locks", "wakeLock", "permissions", "storage"]) delete prototype[name];
	if (globalThis.HTMLVideoElement) delete HTMLVideoElement.prototype.requestVideoFrameCallback;`
