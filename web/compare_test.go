package web

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"spotter/models/detect"
	"spotter/models/load"
	"spotter/models/zoo"
	native "spotter/wasm/run"
)

// other is a network that sees what the page's first one does not.
const other = "picodet-s-416"

var otherModel = sync.OnceValues(func() (*load.Model, error) { return zoo.Find(other).Open(load.Options{}) })

// twoModels is the tests' site with a second model.
var twoModels = sync.OnceValues(func() (Site, error) {
	first, err := compiledModel()
	if err != nil {
		return nil, err
	}
	m, err := otherModel()
	if err != nil {
		return nil, err
	}
	second, err := Compile(other, m)
	if err != nil {
		return nil, err
	}
	c, err := builtCompiler()
	if err != nil {
		return nil, err
	}
	return Build(Options{Models: []Model{first, second}, Compiler: c})
})

// openTwo opens a page with two models.
func openTwo(t *testing.T, v view) *tab {
	t.Helper()
	s, err := twoModels()
	if err != nil {
		t.Fatal(err)
	}
	v.site, v.before = NewHandler(s), countWorkers+v.before
	return openReady(t, v)
}

// otherFinds is what the second model finds when it runs natively.
func otherFinds(t *testing.T, picture *detect.Picture, confidence float32) []pageDetection {
	t.Helper()
	m, err := otherModel()
	if err != nil {
		t.Fatal(err)
	}
	e := nativeEngine(t, m)
	if err := e.Feed(picture.Pix, picture.W, picture.H); err != nil {
		t.Fatal(err)
	}
	if err := e.Infer(); err != nil {
		t.Fatal(err)
	}
	results, err := e.Detect(native.DetectOptions{Conf: confidence, IoU: 0.45, Max: 300})
	if err != nil {
		t.Fatal(err)
	}
	var list []pageDetection
	for _, r := range results {
		list = append(list, pageDetection{ClassID: r.Class, Label: m.Graph.Classes[r.Class], Score: r.Score, Box: r.Box})
	}
	return list
}

// differences pairs boxes of one class that overlap by half, the closest first, and gives
// the tags of each list as the card shows them.
func differences(a, b []pageDetection) map[string][]string {
	type pair struct {
		i, j int
		iou  float32
	}
	var pairs []pair
	for i := range a {
		for j := range b {
			if iou := detect.IOU(a[i].Box, b[j].Box); a[i].Label == b[j].Label && iou >= 0.5 {
				pairs = append(pairs, pair{i, j, iou})
			}
		}
	}
	slices.SortStableFunc(pairs, func(x, y pair) int {
		if x.iou > y.iou {
			return -1
		}
		return 1
	})
	tags := map[string][]string{}
	inA, inB := map[int]bool{}, map[int]bool{}
	for _, p := range pairs {
		if !inA[p.i] && !inB[p.j] {
			inA[p.i], inB[p.j] = true, true
			tags["both"] = append(tags["both"], fmt.Sprintf("%s %.0f%% | %.0f%%", a[p.i].Label, 100*a[p.i].Score, 100*b[p.j].Score))
		}
	}
	for i, d := range a {
		if !inA[i] {
			tags["onlyA"] = append(tags["onlyA"], fmt.Sprintf("%s %.0f%%", d.Label, 100*d.Score))
		}
	}
	for j, d := range b {
		if !inB[j] {
			tags["onlyB"] = append(tags["onlyB"], fmt.Sprintf("%s %.0f%%", d.Label, 100*d.Score))
		}
	}
	return tags
}

// compared waits until B shows a picture and gives the tags of a list.
func (p *tab) compared(list string) []string {
	p.t.Helper()
	p.wait("document.querySelector('#compare-status')?.hidden && !document.querySelector('#compare-b canvas').hidden")
	return eval[[]string](p, fmt.Sprintf("[...document.querySelectorAll('#compare-%s li')].map((e) => e.textContent)", list))
}

// compareWith makes B another model and waits for what it finds.
func (p *tab) compareWith(id string) {
	p.t.Helper()
	p.compared("both")
	p.set("compare-model", "value", fmt.Sprintf("%q", id))
	p.compared("both")
}

// TestTwoModelsSideBySide: each shows what it finds in the picture, the card where they
// differ; closed, the second one is gone.
func TestTwoModelsSideBySide(t *testing.T) {
	p := openTwo(t, view{})
	found := p.sample("astronaut").Detections
	alone := p.engines()
	p.click("#compare")
	if got := len(p.compared("both")); got != len(found) || len(p.compared("onlyA"))+len(p.compared("onlyB")) > 0 {
		t.Errorf("the same model with the same settings agrees on %d of %d", got, len(found))
	}
	if n := p.engines(); n != alone+1 {
		t.Errorf("%d engines run, %d before", n, alone)
	}
	p.compareWith(other)
	if n := p.engines(); n != alone+1 {
		t.Errorf("with another model %d engines run", n)
	}
	wanted := differences(found, otherFinds(t, detect.FromImage(samplePicture(t, "astronaut")), 0.25))
	for _, list := range []string{"onlyA", "both", "onlyB"} {
		if got := p.compared(list); !slices.Equal(got, wanted[list]) {
			t.Errorf("%s: %v, want %v", list, got, wanted[list])
		}
	}
	if len(wanted["onlyB"]) == 0 || len(wanted["both"]) == 0 {
		t.Errorf("the models don't differ enough for the test to show anything: %v", wanted)
	}
	for side, n := range map[string]int{"a": len(found), "b": len(wanted["both"]) + len(wanted["onlyB"])} {
		if text := p.text("#compare-" + side + "-figures"); !strings.HasSuffix(text, fmt.Sprintf("ms a picture · %d found", n)) || strings.HasPrefix(text, "0 ms") {
			t.Errorf("%s says %q, %d are found", side, text, n)
		}
	}
	p.screenshot("compare")
	p.click("#compare-close")
	p.wait("!document.querySelector('#compare-card') && !document.querySelector('#compare-b')")
	p.wait(fmt.Sprintf("workers.started - workers.ended === %d", alone))
	before := eval[int](p, "found.length")
	p.click("[data-name=portrait]")
	p.next(before)
	if focus := eval[string](p, "document.querySelector('#compare').ariaPressed"); focus != "false" {
		t.Errorf("the button is pressed: %s", focus)
	}
}

// TestTwoSettingsSideBySide: B has a confidence, an overlap and an input of its own.
func TestTwoSettingsSideBySide(t *testing.T) {
	p := openTwo(t, view{})
	p.sample("astronaut")
	p.click("#compare")
	agreed := len(p.compared("both"))
	p.set("compare-confidence", "value", 0.05)
	p.wait("document.querySelectorAll('#compare-onlyB li').length > 0")
	if got := p.compared("both"); len(got) != agreed || len(p.compared("onlyA")) > 0 {
		t.Errorf("a lower confidence of B changes what both find: %v", got)
	}
	p.set("confidence", "value", 0.05) // A's
	p.wait("document.querySelectorAll('#compare-onlyB li').length === 0")
	if own := p.text(".compare-side .help"); own != "192 × 192 · confidence 5% · overlap 45%" {
		t.Errorf("A says %q", own)
	}
	p.set("compare-size", "value", 96)
	p.wait("document.querySelectorAll('#compare-onlyA li').length > 0")
	p.compared("both")
	if a, b := eval[int](p, "spotter.manifest().width"), eval[string](p, "document.querySelector('#compare-size').value"); a != 192 || b != "96" {
		t.Errorf("A's input is %d wide, B's %s", a, b)
	}
	before := eval[int](p, "found.length")
	p.set("classes-search", "value", `"person"`)
	p.click("#classes li:not([hidden]) input")
	p.next(before)
	for _, list := range []string{"onlyA", "both", "onlyB"} {
		for _, tag := range p.compared(list) {
			if strings.HasPrefix(tag, "person") {
				t.Errorf("%s has %q, though people are off", list, tag)
			}
		}
	}
}

// TestComparingLive: both sides show the very same frame of the camera, whatever happens to the models.
func TestComparingLive(t *testing.T) {
	p := openTwo(t, view{before: `
		globalThis.frames = {same: 0, other: 0, kinds: new Set()};
		const small = new OffscreenCanvas(64, 64).getContext("2d", {willReadFrequently: true});
		const pixels = (canvas) => {
			small.drawImage(canvas, 0, 0, 64, 64);
			return small.getImageData(0, 0, 64, 64).data.join();
		};
		document.addEventListener("detections", () => {
			const [a, b] = ["#picture canvas", "#compare-b canvas"].map((s) => document.querySelector(s));
			if (!b || b.hidden || a.width !== b.width) return;
			const shown = pixels(a);
			frames[shown === pixels(b) ? "same" : "other"]++;
			frames.kinds.add(shown);
		});`})
	for _, id := range []string{"show-boxes", "show-labels", "show-masks"} {
		p.click("#" + id)
	}
	p.click("#camera")
	p.next(0)
	p.click("#compare")
	p.compareWith(other)
	p.wait("frames.same > 5 && frames.kinds.size > 1")
	if n := eval[int](p, "frames.other"); n > 0 {
		t.Errorf("%d times the sides showed different frames", n)
	}
	p.exchanged(func() { drop(p, "best.pt", "", readFile(t, formatsDir, "best.pt")) })
	before := eval[int](p, "frames.same")
	p.wait(fmt.Sprintf("frames.same > %d", before+3))
	if name := p.text(".compare-side .model-name"); name != "best" {
		t.Errorf("A is called %q", name)
	}
	p.click("#compare-close")
	p.click("#compare") // now with what was brought in the list
	p.wait("[...document.querySelectorAll('#compare-model option')].some((o) => o.textContent.startsWith('best.pt'))")
	stored := eval[string](p, "[...document.querySelectorAll('#compare-model option')].find((o) => o.textContent.startsWith('best.pt')).value")
	p.compareWith(stored)
	p.click("#stop")
	p.wait("document.querySelector('#compare-b canvas').hidden")
	p.click("#compare-close")
}

// TestComparingInWindowsOfAllWidths: side by side, or one above the other where there is no room.
func TestComparingInWindowsOfAllWidths(t *testing.T) {
	for name, v := range map[string]view{
		"compare-narrow":       {width: 320, height: 720},
		"compare-dark-chinese": {width: 1280, height: 860, dark: true, language: "zh-CN"},
	} {
		t.Run(name, func(t *testing.T) {
			p := openTwo(t, v)
			p.sample("portrait")
			p.click("#compare")
			p.compareWith(other)
			if wide := eval[int](p, "document.documentElement.scrollWidth"); wide > v.width {
				t.Errorf("the page is %d pixels wide", wide)
			}
			stacked := eval[bool](p, `(() => {
				const [a, b] = ["#picture", "#compare-b"].map((s) => document.querySelector(s).getBoundingClientRect());
				return a.bottom <= b.top && a.left === b.left;
			})()`)
			if stacked != (v.width < 620) {
				t.Errorf("one above the other: %v", stacked)
			}
			p.screenshot(name)
			eval[bool](p, "document.querySelector('#compare-card').scrollIntoView(), true")
			p.screenshot(name + "-card")
		})
	}
}
