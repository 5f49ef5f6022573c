package web

import (
	"fmt"
	"image"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/heapprofiler"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"golang.org/x/image/draw"

	"spotter/models/detect"
)

// TestWaysToBringAFolder: the choosers of newer and of older browsers find the same pictures.
func TestWaysToBringAFolder(t *testing.T) {
	dir := t.TempDir()
	fill(t, dir, map[string][]byte{
		"cat.jpg": sampleFile(t, "cat"), "a/b/portrait.jpg": sampleFile(t, "portrait"), "a/notes.txt": []byte("notes"),
	})
	p := openReady(t, view{})
	found := func(way string) {
		t.Helper()
		p.batchAt("ready")
		if lead := p.text("#batch-lead"); !strings.HasPrefix(lead, "2 pictures; 1 other files") {
			t.Errorf("%s: the card says %q", way, lead)
		}
		p.click("#batch-start")
		p.batchAt("done")
		_, data := p.saved("#batch-download")
		names := []string{}
		for _, e := range entriesIn(t, unzip(t, data)) {
			names = append(names, e.File)
		}
		if !slices.Equal(names, []string{"a/b/portrait.jpg", "cat.jpg"}) {
			t.Errorf("%s: %v", way, names)
		}
		p.click("#batch-close")
	}
	// The chooser itself is the system's; the browser's own file system gives it a folder.
	eval[bool](p, `(async () => {
		const root = await navigator.storage.getDirectory();
		const deep = await (await root.getDirectoryHandle("a", {create: true})).getDirectoryHandle("b", {create: true});
		const write = async (folder, name, content) => {
			const to = await (await folder.getFileHandle(name, {create: true})).createWritable();
			await to.write(content);
			await to.close();
		};
		const sample = async (name) => (await fetch(document.querySelector("[data-name=" + name + "]").dataset.sample)).blob();
		await write(root, "cat.jpg", await sample("cat"));
		await write(deep, "portrait.jpg", await sample("portrait"));
		await write(await root.getDirectoryHandle("a"), "notes.txt", "notes");
		globalThis.showDirectoryPicker = async () => root;
		return true;
	})()`)
	p.click("#folder")
	found("a handle")
	eval[bool](p, "delete globalThis.showDirectoryPicker, document.querySelector('#folder-input').hidden = false, true")
	p.do(chromedp.SendKeys(chromedp.CSS("#folder-input"), dir))
	found("an input")
}

// TestBatchLeavesTheStageAlone: both look through one engine, each at its own pictures.
func TestBatchLeavesTheStageAlone(t *testing.T) {
	dir := t.TempDir()
	fill(t, dir, map[string][]byte{"1.jpg": sampleFile(t, "coffee"), "2.jpg": sampleFile(t, "cat")})
	p := openReady(t, view{})
	p.sample("portrait")
	p.dropFiles(dir)
	p.batchAt("ready")
	p.click("#batch-start")
	p.batchAt("done")
	before := eval[int](p, "found.length")
	p.set("confidence", "value", 0.4)
	ref := want(t, detect.FromImage(samplePicture(t, "portrait")), 0.4)
	compare(t, "after a batch", p.next(before).Detections, ref, 0.4)
	before = eval[int](p, "found.length")
	p.click("#batch-thumbs li:last-child button")
	ref = want(t, detect.FromImage(samplePicture(t, "coffee")), 0.4)
	compare(t, "a thumbnail", p.next(before).Detections, ref, 0.4)
}

// TestModelChangesUnderABatch: results of two models are not mixed; those of the first stay.
func TestModelChangesUnderABatch(t *testing.T) {
	dir := t.TempDir()
	files := map[string][]byte{}
	for i := range 1000 {
		files[fmt.Sprintf("%03d.jpg", i)] = sampleFile(t, "portrait")
	}
	fill(t, dir, files)
	p := openReady(t, view{})
	p.dropFiles(dir)
	p.batchAt("ready")
	p.click("#batch-start")
	p.wait("document.querySelectorAll('#batch-thumbs button').length > 2")
	p.exchanged(func() { drop(p, "best.pt", "", readFile(t, formatsDir, "best.pt")) })
	p.batchAt("done")
	if figures := p.text("#batch-figures"); !strings.HasPrefix(figures, "Stopped after ") || !strings.Contains(figures, "the model was exchanged.") {
		t.Errorf("the figures say %q", figures)
	}
	_, data := p.saved("#batch-download")
	for _, e := range entriesIn(t, unzip(t, data)) {
		if e.Model != "yolov5n-mnv4s-seg-f16" {
			t.Errorf("%s was looked at by %s", e.File, e.Model)
		}
	}
}

// TestBatchKeepsMemoryFlat: what thousands of pictures leave behind lies outside of the page's memory,
// but for the zip's directory, of which fflate keeps 1 to 1.7 kB a file.
func TestBatchKeepsMemoryFlat(t *testing.T) {
	dir := t.TempDir()
	files := map[string][]byte{}
	small := image.NewRGBA(image.Rect(0, 0, 96, 64))
	draw.ApproxBiLinear.Scale(small, small.Bounds(), samplePicture(t, "cat"), image.Rect(0, 0, 450, 300), draw.Src, nil)
	for i := range 1000 {
		files[fmt.Sprintf("%04d.jpg", i)] = encoded(t, small)
	}
	fill(t, dir, files)
	p := openReady(t, view{})
	p.set("confidence", "value", 0.05)
	p.dropFiles(dir)
	p.batchAt("ready")
	p.click("#batch-start")
	// after gives the least of a few looks: in between, the picture in work is there as well.
	after := func(pictures int) float64 {
		least := math.Inf(1)
		for range 4 {
			for done := 0; done < pictures; {
				done = eval[int](p, "document.querySelector('#batch-bar').value")
				p.wait(fmt.Sprintf("document.querySelector('#batch-bar').value > %d", min(done+30, pictures)))
			}
			least = min(least, p.heap())
			pictures += 10
		}
		return least
	}
	const from, to = 150, 650
	first, last := after(from), after(to)
	if each := (last - first) / (to - from); each > 2500 {
		t.Errorf("%.0f bytes of each picture stay in memory: %.0f kB after %d, %.0f kB after %d", each, first/1e3, from, last/1e3, to)
	}
	if thumbs := eval[int](p, "document.querySelectorAll('#batch-thumbs button').length"); thumbs > 36 {
		t.Errorf("%d thumbnails are kept", thumbs)
	}
	p.click("#batch-cancel")
	p.batchAt("done")
}

// heap is the page's memory in bytes, without what is garbage.
func (p *tab) heap() float64 {
	p.t.Helper()
	call(p, heapprofiler.CollectGarbage, cdp.Empty{})
	return call(p, runtime.GetHeapUsage, cdp.Empty{}).UsedSize
}

// TestBatchInWindowsOfAllWidths: nothing sticks out, and everything has a name and a size.
func TestBatchInWindowsOfAllWidths(t *testing.T) {
	dir := oddFolder(t)
	for name, v := range map[string]view{
		"batch-narrow":       {width: 320, height: 720},
		"batch-dark-chinese": {width: 1280, height: 860, dark: true, language: "zh-CN"},
		"batch-phone":        {width: 390, height: 844, scale: 1.5, dark: true},
	} {
		t.Run(name, func(t *testing.T) {
			p := openReady(t, v)
			p.dropFiles(dir)
			p.batchAt("ready")
			p.screenshot(name + "-ready")
			p.click("#batch-start")
			p.batchAt("done")
			if wide := eval[int](p, "document.documentElement.scrollWidth"); wide > v.width {
				t.Errorf("the page is %d pixels wide", wide)
			}
			odd := eval[[]string](p, `[...document.querySelectorAll("#batch :is(button, a, summary, label)")].filter((e) => e.checkVisibility()
				&& (Math.min(e.offsetWidth, e.offsetHeight) < 24 || !(e.ariaLabel || e.textContent.trim()))).map((e) => e.outerHTML.slice(0, 80))`)
			if len(odd) > 0 {
				t.Errorf("too small or without a name: %v", odd)
			}
			p.screenshot(name)
			p.click("[data-language=en]")
			if figures := p.text("#batch-figures"); !strings.HasPrefix(figures, "All 10 pictures are done.") {
				t.Errorf("in English it says %q", figures)
			}
		})
	}
}
