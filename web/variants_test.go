package web

import (
	"runtime"
	"strings"
	"testing"

	"spotter/models/detect"
)

// without makes the browser refuse a probe that holds these bytes, given in hex.
func without(hex string) string {
	return `{
		const validate = WebAssembly.validate;
		WebAssembly.validate = (bytes) => {
			const text = Array.from(new Uint8Array(bytes), (b) => b.toString(16).padStart(2, "0")).join("");
			return !text.includes("` + hex + `") && validate(bytes);
		};
	}`
}

const (
	relaxedMadd  = "fd8502" // f32x4.relaxed_madd
	atomicLoad   = "fe1002" // i32.atomic.load
	oneCore      = `Object.defineProperty(navigator, "hardwareConcurrency", {get: () => 1});`
	blindWorkers = `
		const Real = Worker;
		globalThis.Worker = class extends Real {
			set onmessage(take) {
				super.onmessage = ({data}) => take({data: data.kind === "ready" ? {...data, readsPictures: false} : data});
			}
		};`
	whyScript     = `[...document.querySelectorAll("#facts div")].find((d) => d.firstChild.textContent === "Why").lastChild.textContent`
	variantScript = `document.querySelector("#stage").dataset.variant`
)

// TestTheFastestFormRuns: the page picks by what the browser can do, says which form
// runs and why, and every form finds what the reference finds.
func TestTheFastestFormRuns(t *testing.T) {
	ref := want(t, detect.FromImage(samplePicture(t, "astronaut")), 0.1)
	for _, c := range []struct {
		name, variant, why string
		view               view
	}{
		{"all", "simd+relaxed+threads", "all of it", view{}},
		{"no relaxed SIMD", "simd+threads", "no relaxed SIMD", view{before: without(relaxedMadd)}},
		{"no threads", "simd+relaxed", "no WebAssembly threads", view{before: without(atomicLoad)}},
		{"neither", "simd", "no WebAssembly threads", view{before: without(atomicLoad) + without(relaxedMadd)}},
		{"one core", "simd+relaxed", "one core", view{before: oneCore}},
		{"not isolated", "simd+relaxed", "not cross-origin isolated", view{insecure: true, expects: "origin was untrustworthy"}},
		{"asked for", "simd", "asked for in the address", view{path: "?variant=simd"}},
		{"one thread asked for", "simd+relaxed+threads", "One thread", view{path: "?threads=1"}},
		{"workers that can't read pictures", "simd+relaxed+threads", "all of it", view{before: blindWorkers}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := openReady(t, c.view)
			if got := eval[string](p, variantScript); got != c.variant {
				t.Errorf("%s runs, want %s", got, c.variant)
			}
			if got := eval[string](p, whyScript); !strings.Contains(got, c.why) {
				t.Errorf("the page says why: %q", got)
			}
			p.set("confidence", "value", 0.1)
			compare(t, c.variant, p.sample("astronaut").Detections, ref, 0.1)
		})
	}
}

// TestThreadsCanBeChanged goes to one thread and back, and finds the same each time.
func TestThreadsCanBeChanged(t *testing.T) {
	ref := want(t, detect.FromImage(samplePicture(t, "portrait")), 0.25)
	p := openReady(t, view{})
	if runtime.NumCPU() < 2 { // then there is nothing to choose, and the page must not offer it
		if !eval[bool](p, "document.querySelector('#threads-row').hidden") {
			t.Error("threads are offered on one core")
		}
		return
	}
	for _, n := range []string{"1", "2", "1"} {
		p.set("threads", "value", n)
		p.wait("document.querySelector('#facts').textContent.includes('" + map[string]string{"1": "one thread", "2": "2 threads"}[n] + "')")
		got := p.sample("portrait")
		compare(t, n+" threads", got.Detections, ref, 0.25)
	}
}
