package web

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"spotter/models/detect"
)

// record keeps what the page finds, for tests to read as found.
const record = `
	globalThis.found = [];
	globalThis.last = null;
	document.addEventListener("detections", ({detail}) => (last = detail, found.push({
		width: detail.width, height: detail.height, detections: detail.detections, timings: detail.timings,
		masks: detail.masks && {width: detail.masks.width, height: detail.masks.height},
	})));`

// pageResult is one of found.
type pageResult struct {
	Width, Height int
	Detections    []pageDetection
	Timings       map[string]float64
	Masks         *struct{ Width, Height int }
}

type pageDetection struct {
	ClassID int
	Label   string
	Score   float32
	Box     [4]float32
}

// openReady opens the page with record on and waits for the model.
func openReady(t *testing.T, v view) *tab {
	t.Helper()
	v.before = record + v.before
	p := open(t, v)
	p.wait("document.querySelector('#stage').dataset.ready")
	return p
}

// sample opens a sample picture and returns what is found in it.
func (p *tab) sample(name string) pageResult {
	p.t.Helper()
	before := eval[int](p, "found.length")
	p.click(fmt.Sprintf("[data-name=%s]", name))
	return p.next(before)
}

// next waits for a result beyond the first n and returns the newest.
func (p *tab) next(n int) pageResult {
	p.t.Helper()
	p.wait(fmt.Sprintf("found.length > %d", n))
	return eval[pageResult](p, "found.at(-1)")
}

// set moves a slider or ticks a box as a person would see it: value and event.
func (p *tab) set(id, property string, value any) {
	p.t.Helper()
	eval[bool](p, fmt.Sprintf(`(() => {
		const e = document.getElementById(%q);
		e.%s = %v;
		e.dispatchEvent(new Event("input", {bubbles: true}));
		return e.dispatchEvent(new Event("change", {bubbles: true}));
	})()`, id, property, value))
}

func TestLanguageFollowsTheBrowserAndTheSwitch(t *testing.T) {
	p := open(t, view{language: "zh-CN"})
	if got := p.text("h1"); got != "把摄像头对准任何东西。" {
		t.Errorf("a Chinese browser reads %q", got)
	}
	if lang := eval[string](p, "document.documentElement.lang"); lang != "zh-CN" {
		t.Errorf("the page's language is %s", lang)
	}
	p.click("[data-language=en]")
	if got := p.text("h1"); got != "Point your camera at something." {
		t.Errorf("after the switch it reads %q", got)
	}
	p.do(chromedp.Reload())
	if got := p.text("h1"); got != "Point your camera at something." {
		t.Errorf("after a new visit it reads %q", got)
	}
	if pressed := eval[string](p, "document.querySelector('[data-language=en]').ariaPressed"); pressed != "true" {
		t.Errorf("the switch says %s", pressed)
	}
}

func TestSlidersAndSwitches(t *testing.T) {
	p := openReady(t, view{})
	first := p.sample("astronaut")
	p.set("confidence", "value", 0.05)
	p.wait("found.length > 1")
	more := p.next(1)
	if len(more.Detections) <= len(first.Detections) {
		t.Errorf("confidence 0.05 finds %d, 0.25 finds %d", len(more.Detections), len(first.Detections))
	}
	if more.Timings["infer"] != 0 {
		t.Errorf("the network ran anew for another threshold (%v ms)", more.Timings["infer"])
	}
	if text := p.text("#confidence-value"); text != "5%" {
		t.Errorf("the slider says %q", text)
	}
	p.set("iou", "value", 0.9)
	if wide := p.next(2); len(wide.Detections) <= len(more.Detections) {
		t.Errorf("overlap 0.9 leaves %d boxes, 0.45 leaves %d", len(wide.Detections), len(more.Detections))
	}
	p.set("show-masks", "checked", false)
	if without := p.next(3); without.Masks != nil || more.Masks == nil {
		t.Errorf("masks: %v with, %v without", more.Masks, without.Masks)
	}
}

func TestSwitchesChangeThePicture(t *testing.T) {
	p := openReady(t, view{})
	p.sample("astronaut")
	image := func() string { return eval[string](p, "document.querySelector('#canvas').toDataURL()") }
	full := image()
	for _, id := range []string{"show-boxes", "show-labels"} {
		p.click("#" + id)
		if image() == full {
			t.Errorf("#%s changes nothing", id)
		}
		p.click("#" + id)
		if image() != full {
			t.Errorf("#%s does not come back", id)
		}
	}
}

func TestClassFilter(t *testing.T) {
	p := openReady(t, view{})
	first := p.sample("astronaut")
	if len(first.Detections) == 0 || first.Detections[0].Label != "person" {
		t.Fatalf("no person in %v", first)
	}
	p.do(chromedp.SendKeys(chromedp.CSS("#classes-search"), "pers"))
	if rows := eval[int](p, "document.querySelectorAll('#classes li:not([hidden])').length"); rows != 1 {
		t.Fatalf("the search leaves %d classes", rows)
	}
	p.click("#classes li:not([hidden]) input")
	for _, d := range p.next(1).Detections {
		if d.Label == "person" {
			t.Errorf("person is off and still found: %v", d)
		}
	}
	if text := p.text("#classes-count"); text != "79 of 80 on" {
		t.Errorf("the count says %q", text)
	}
	p.click("#classes-all")
	if again := p.next(2); len(again.Detections) != len(first.Detections) {
		t.Errorf("%d boxes with all on again, %d before", len(again.Detections), len(first.Detections))
	}
	p.do(chromedp.SendKeys(chromedp.CSS("#classes-search"), "qqq"))
	p.wait("!document.querySelector('#classes-nothing').hidden")
}

// TestWaysIn: a picture comes in by drop, by paste and by the file chooser alike.
func TestWaysIn(t *testing.T) {
	ref := want(t, detect.FromImage(samplePicture(t, "portrait")), 0.25)
	p := openReady(t, view{})
	drop(p, "portrait.jpg", "image/jpeg", sampleFile(t, "portrait"))
	compare(t, "dropped", p.next(0).Detections, ref, 0.25)
	eval[bool](p, `(async () => {
		const blob = await (await fetch(document.querySelector("[data-name=portrait]").dataset.sample)).blob();
		const clipboard = new DataTransfer();
		clipboard.items.add(new File([blob], "image.jpg", {type: blob.type}));
		return document.dispatchEvent(new ClipboardEvent("paste", {clipboardData: clipboard}));
	})()`)
	compare(t, "pasted", p.next(1).Detections, ref, 0.25)
	file := filepath.Join(t.TempDir(), "portrait.jpg")
	if err := os.WriteFile(file, sampleFile(t, "portrait"), 0o600); err != nil {
		t.Fatal(err)
	}
	eval[bool](p, "document.querySelector('#file-input').hidden = false, true") // the chooser itself is the system's
	p.do(chromedp.SendKeys(chromedp.CSS("#file-input"), file))
	compare(t, "chosen", p.next(2).Detections, ref, 0.25)
}

func TestKeyboard(t *testing.T) {
	p := openReady(t, view{})
	focus := func() string {
		return eval[string](p, "document.activeElement.id || document.activeElement.className || document.activeElement.dataset.language")
	}
	p.do(chromedp.KeyEvent(kb.Tab))
	if got := focus(); got != "skip" {
		t.Errorf("the first stop is %q", got)
	}
	p.do(chromedp.KeyEvent(kb.Enter))
	if got := focus(); got != "stage" {
		t.Errorf("the skip link leads to %q", got)
	}
	order := []string{"camera", "file", "folder", "compare", "sample", "sample", "sample", "sample", "confidence"}
	for _, want := range order {
		p.do(chromedp.KeyEvent(kb.Tab))
		if got := focus(); got != want {
			t.Errorf("Tab leads to %q, want %q", got, want)
		}
		if ring := eval[string](p, "getComputedStyle(document.activeElement).outlineStyle"); ring != "solid" {
			t.Errorf("%q shows no ring around it (%s)", want, ring)
		}
	}
	p.do(chromedp.KeyEvent(kb.ArrowRight))
	if text := p.text("#confidence-value"); text != "30%" {
		t.Errorf("the arrow key moves the slider to %q", text)
	}
	eval[bool](p, "document.querySelector('[data-name=portrait]').focus() ?? true")
	p.do(chromedp.KeyEvent(kb.Enter))
	p.next(0)
}

func TestScreenReadersHear(t *testing.T) {
	p := openReady(t, view{language: "zh-CN"})
	p.sample("astronaut")
	p.wait("document.querySelector('#live').textContent.includes('人')")
	label := eval[string](p, "document.querySelector('#canvas').getAttribute('aria-label')")
	if !strings.Contains(label, "人") {
		t.Errorf("the canvas is labelled %q", label)
	}
	unnamed := eval[[]string](p, `[...document.querySelectorAll("button, input, select, [role=group], canvas")]
		.filter((e) => e.checkVisibility() && !e.ariaLabel && !e.getAttribute("aria-labelledby") && !e.textContent.trim()
			&& !(e.labels && e.labels.length)).map((e) => e.outerHTML.slice(0, 80))`)
	if len(unnamed) > 0 {
		t.Errorf("without a name: %v", unnamed)
	}
}

// TestWindowsOfAllWidths: nothing sticks out sideways, and nothing that a finger is to
// hit is too small, from narrow phones to wide screens.
func TestWindowsOfAllWidths(t *testing.T) {
	for name, v := range map[string]view{
		"narrow":         {width: 320, height: 640},
		"narrow-chinese": {width: 320, height: 640, language: "zh-CN"},
		"phone-dark":     {width: 390, height: 844, scale: 1.5, dark: true},
		"tablet":         {width: 768, height: 1024},
		"picture":        {width: 1280, height: 860},
		"chinese-dark":   {width: 1280, height: 860, dark: true, language: "zh-CN"},
		"wide":           {width: 1920, height: 1080},
	} {
		t.Run(name, func(t *testing.T) {
			p := openReady(t, v)
			p.set("confidence", "value", 0.4)
			p.sample("portrait")
			if wide := eval[int](p, "document.documentElement.scrollWidth"); wide > v.width {
				t.Errorf("the page is %d pixels wide", wide)
			}
			small := eval[[]string](p, `[...document.querySelectorAll("button, select, label.switch, #classes label")]
				.filter((e) => e.checkVisibility() && Math.min(e.offsetWidth, e.offsetHeight) < 24)
				.map((e) => e.outerHTML.slice(0, 80))`)
			if len(small) > 0 {
				t.Errorf("smaller than 24 pixels: %v", small)
			}
			if screenshots != "" { // a few more runs, for figures of code that browsers have compiled well
				for range 8 {
					p.sample("portrait")
				}
			}
			p.screenshot(name)
		})
	}
}
