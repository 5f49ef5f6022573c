package web

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"spotter/models/detect"
	"spotter/models/golden"
	"spotter/models/load"
	"spotter/wasm"
)

// namedFile is one of several files that fall onto the page together.
type namedFile struct {
	Name string `json:"name"`
	Data string `json:"data"`
}

// dropTogether lets several files fall onto the page.
func (p *tab) dropTogether(files ...namedFile) {
	p.t.Helper()
	list, err := json.Marshal(files)
	p.must(err)
	eval[bool](p, `(() => {
		const files = new DataTransfer();
		for (const {name, data} of `+string(list)+`) {
			files.items.add(new File([Uint8Array.from(atob(data), (c) => c.charCodeAt(0))], name));
		}
		return document.querySelector("#stage").dispatchEvent(
			new DragEvent("drop", {dataTransfer: files, bubbles: true, cancelable: true}));
	})()`)
}

func named(name string, data []byte) namedFile {
	return namedFile{name, base64.StdEncoding.EncodeToString(data)}
}

// compiledBest is golden's best.pt, compiled natively for golden's size.
func compiledBest(t *testing.T, o wasm.Options) (*wasm.Output, *golden.FormatExpectation) {
	t.Helper()
	e, err := golden.Formats()
	if err != nil {
		t.Fatal(err)
	}
	m, err := load.Open("best.pt", readFile(t, formatsDir, "best.pt"), load.Options{Width: e.Width, Height: e.Height})
	if err != nil {
		t.Fatal(err)
	}
	o.Task = m.Task
	c, err := wasm.Compile(m.Graph, m.Weights, o)
	if err != nil {
		t.Fatal(err)
	}
	return c, e
}

// TestCompiledFilesComeBack drops a module and its weights: they run, compute what the
// network computes, and are kept like any other model.
func TestCompiledFilesComeBack(t *testing.T) {
	c, e := compiledBest(t, wasm.Options{})
	p := openReady(t, view{before: base64Script})
	p.exchanged(func() { p.dropTogether(named("best.bin", c.Weights), named("best.wasm", c.Module)) })
	p.computesGolden(e)
	eval[bool](p, "window.before = true, location.reload(), true")
	p.eventually("!window.before && globalThis.spotter?.manifest() && document.querySelector('#stage').dataset.ready")
	p.click("#model-choose")
	p.wait("document.querySelectorAll('#picker-list li').length === 2")
	if text := p.text("#picker-list li:nth-child(2)"); !strings.Contains(text, "best.wasm") {
		t.Errorf("the picker offers %q", text)
	}
	p.exchanged(func() { p.click("#picker-list li:nth-child(2) .picker-model") })
	p.computesGolden(e)
	p.click("#model-choose")
	p.wait("document.querySelector('#picker-list li:nth-child(2) [aria-pressed=true]')")
	p.screenshot("picker-compiled")
	p.click("#picker-list li:nth-child(2) > button:last-child")
	p.wait("document.querySelectorAll('#picker-list li').length === 1 && document.querySelector('#picker-clear').disabled")
}

// computesGolden holds what the running model computes of golden's picture against PyTorch's values.
func (p *tab) computesGolden(e *golden.FormatExpectation) {
	p.t.Helper()
	before := eval[int](p, "found.length")
	drop(p, "picture.png", "image/png", goldenPicture(p.t, e))
	p.next(before)
	m, err := load.Open("best.pt", readFile(p.t, formatsDir, "best.pt"), load.Options{Width: e.Width, Height: e.Height})
	p.must(err)
	rows, err := detect.Decode(&m.Graph.Head, p.outputs())
	p.must(err)
	if err := golden.CompareDecoded(rows.Data, rows.Columns()); err != nil {
		p.t.Error(err)
	}
}

// TestHalvesAndWrongPairsAreToldOf: each says what is missing or wrong, in both
// languages, and leaves what runs alone.
func TestHalvesAndWrongPairsAreToldOf(t *testing.T) {
	c, _ := compiledBest(t, wasm.Options{})
	other := bytes.Clone(c.Weights)
	other[100] ^= 1
	p := openReady(t, view{expects: "The network in this file can't run"})
	for _, f := range []struct {
		files            []namedFile
		english, chinese string
	}{
		{[]namedFile{named("best.wasm", c.Module)}, "drop the .bin file together with it", "还需要它的权重"},
		{[]namedFile{named("best.bin", c.Weights)}, "drop the .wasm file together with it", "还需要该模块"},
		{[]namedFile{named("best.wasm", c.Module), named("other.bin", other)}, "do not belong together", "与权重不匹配"},
		{[]namedFile{named("best.wasm", c.Module), named("short.bin", other[:999])}, "do not belong together", "与权重不匹配"},
		{[]namedFile{named("thing.wasm", []byte("\x00asm\x01\x00\x00\x00")), named("best.bin", c.Weights)}, "no module that Spotter compiled", "不是由 Spotter 编译的模块"},
	} {
		p.dropTogether(f.files...)
		if code := p.notice(); code != "bad-network" {
			t.Errorf("the notice tells of %s", code)
		}
		if text := p.text("#notice-detail"); !strings.Contains(text, f.english) || !strings.Contains(text, f.files[0].Name) {
			t.Errorf("it says %q, want %q", text, f.english)
		}
		p.click("[data-language=zh]")
		if text := p.text("#notice-detail"); !strings.Contains(text, f.chinese) {
			t.Errorf("it says %q, want %q", text, f.chinese)
		}
		p.click("[data-language=en]")
		p.click("#notice-close")
	}
	p.sample("astronaut")
}

// TestModulesOfOtherBrowsersAreToldOf: one with threads says so where there are none.
func TestModulesOfOtherBrowsersAreToldOf(t *testing.T) {
	c, _ := compiledBest(t, wasm.Options{Threads: true})
	p := openReady(t, view{before: without(atomicLoad), expects: "The network in this file can't run"})
	p.dropTogether(named("best.wasm", c.Module), named("best.bin", c.Weights))
	p.notice()
	if text := p.text("#notice-detail"); !strings.Contains(text, "threads") {
		t.Errorf("it says %q", text)
	}
}
