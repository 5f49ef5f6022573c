package web

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// asked waits for the dialog of questions and returns the labels of its fields.
func (p *tab) asked() string {
	p.t.Helper()
	p.wait("document.querySelector('#questions').open")
	return eval[string](p, "[...document.querySelectorAll('#questions label')].map((l) => l.innerText).join('|')")
}

// TestQuestionsOfAClassifier: its classes have no names in the file; the page asks for
// them, shows them with what it finds, and offers them again to be changed.
func TestQuestionsOfAClassifier(t *testing.T) {
	p := openReady(t, view{})
	p.exchanged(func() { drop(p, "tiny.pt", "", readFile(t, "../models/classifier/testdata/tiny.pt")) })
	if got := p.asked(); got != "Names of the classes" {
		t.Errorf("it asks for %q", got)
	}
	if text := p.text("#questions"); !strings.Contains(text, "One a line, 10 in all") || !strings.Contains(text, "tiny runs by these guesses") {
		t.Errorf("it says %q", text)
	}
	if value := eval[string](p, "document.querySelector('#ask-classes').value"); value != "" {
		t.Errorf("10 classes of something are taken for %.60q", value)
	}
	p.screenshot("questions-classifier")
	p.exchanged(func() {
		p.do(chromedp.SendKeys(chromedp.CSS("#ask-classes"), "apple\npear, plum"))
		p.click("#questions [type=submit]")
	})
	if got := eval[string](p, "spotter.manifest().classes.slice(0, 4).join()"); got != "apple,pear,plum,3" {
		t.Errorf("the classes are %s", got)
	}
	if got := p.sample("cat"); len(got.Detections) == 0 || got.Detections[0].Label == "" {
		t.Errorf("found: %v", got.Detections)
	}
	p.click("#model-choose")
	p.wait("document.querySelectorAll('#picker-list li').length === 2")
	p.do(chromedp.KeyEvent(kb.Escape))
	p.wait("!document.querySelector('#picker').open")
}

// TestQuestionsOfAHead: what an ONNX file's outputs were taken for can be changed; a
// choice that fits nothing is asked for again with the reason, and the first runs again.
func TestQuestionsOfAHead(t *testing.T) {
	p := openReady(t, view{})
	p.bring("yolov5.onnx", readFile(t, "../models/onnx/testdata/yolov5.onnx"))
	before := eval[string](p, "JSON.stringify(spotter.manifest().head)")
	p.click("#model-answer")
	if got := p.asked(); !strings.Contains(got, "What the outputs are") {
		t.Errorf("it asks for %q", got)
	}
	if text := p.text("#questions-fields"); !strings.Contains(text, "YOLOv5: decoded rows of box") {
		t.Errorf("it says %q", text)
	}
	if guess := eval[string](p, "document.querySelector('#ask-head').value"); guess != "yolov5" {
		t.Errorf("the guess is %q", guess)
	}
	p.screenshot("questions-head")
	p.set("ask-head", "value", "'yolox'")
	p.click("#questions [type=submit]")
	p.wait("document.querySelector('#questions-lead').textContent.includes('before this is known')")
	if text := p.text("#questions-fields"); !strings.Contains(text, "it is no yolox head") {
		t.Errorf("it says %q", text)
	}
	p.set("ask-head", "value", "'yolov5'")
	p.exchanged(func() { p.click("#questions [type=submit]") })
	if after := eval[string](p, "JSON.stringify(spotter.manifest().head)"); after != before {
		t.Errorf("the head is %s, was %s", after, before)
	}
}

// TestQuestionsInChinese: labels, help and reasons alike; Escape calls off.
func TestQuestionsInChinese(t *testing.T) {
	p := openReady(t, view{language: "zh-CN"})
	p.bring("yolov5.onnx", readFile(t, "../models/onnx/testdata/yolov5.onnx"))
	before := eval[string](p, "document.querySelector('#stage').dataset.ready")
	p.click("#model-answer")
	p.asked()
	if text := p.text("#questions"); english.MatchString(text) || !strings.Contains(text, "已解码的各行") {
		t.Errorf("it says %q", text)
	}
	p.do(chromedp.KeyEvent(kb.Escape))
	p.wait("!document.querySelector('#questions').open")
	if got := eval[string](p, "document.querySelector('#stage').dataset.ready"); got != before || !eval[bool](p, "document.querySelector('#notice').hidden") {
		t.Error("calling off changes what runs")
	}
}
