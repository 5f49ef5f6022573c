package parity

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"spotter/bench"
	"spotter/models"
	"spotter/models/export"
	"spotter/models/load"
	"spotter/models/zoo"
)

// patience is how long one comparison may take; machines that run tests are slow and busy.
const patience = 2 * time.Minute

const (
	dir        = ".."
	formats    = "../../models/golden/testdata/formats/"
	pretrained = "../../models/weights/picodet-s-416.onnx"
	coffee     = "../../web/samples/coffee.jpg"
)

// result mirrors what the page puts at window.parityResult.
type result struct {
	Error    string
	Source   string
	Task     string
	Features []string
	Maps     []struct {
		Name                string
		Shape               [3]int
		Largest, Deviations number
	}
	Boxes struct {
		Spotter, Onnxruntime []struct {
			Box   [4]float64
			Score float64
			Label string
		}
		Matched int
	}
	Times struct {
		Spotter, Onnxruntime struct{ Minimum, Median float64 }
	}
}

// number is NaN where JSON, which has none, says null.
type number float64

func (n *number) UnmarshalJSON(text []byte) error {
	if string(text) == "null" {
		*n = number(math.NaN())
		return nil
	}
	return json.Unmarshal(text, (*float64)(n))
}

// openBrowser starts one with a tab.
func openBrowser(t *testing.T) context.Context {
	t.Helper()
	flags := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.Flag("disable-gpu", true),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true))
	if os.Geteuid() == 0 {
		flags = append(flags, chromedp.NoSandbox)
	}
	if path := os.Getenv("CHROME"); path != "" {
		flags = append(flags, chromedp.ExecPath(path))
	}
	alloc, cancel := chromedp.NewExecAllocator(t.Context(), flags...)
	t.Cleanup(cancel)
	tab, cancelTab := chromedp.NewContext(alloc)
	t.Cleanup(cancelTab)
	if err := chromedp.Do(tab); err != nil {
		t.Fatalf("no browser starts (name one in CHROME): %v", err)
	}
	return tab
}

// chosen is a file that is chosen in the page.
type chosen struct{ field, path string }

// compared serves the page with those options, waits until it is ready, chooses files, runs
// a script in it and returns the outcome.
func compared(t *testing.T, tab context.Context, o Options, script string, files ...chosen) (r result) {
	t.Helper()
	if err := bench.Install(t.Context(), dir, t.Output()); err != nil {
		t.Fatal(err)
	}
	o.Dir = dir
	handler, err := Handler(o)
	if err != nil {
		t.Fatal(err)
	}
	served := httptest.NewServer(handler)
	defer served.Close()
	ctx, cancel := context.WithTimeout(tab, patience)
	defer cancel()
	if err := chromedp.Do(ctx, chromedp.Navigate(served.URL), chromedp.WaitVisible("body[data-ready]")); err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		path, err := filepath.Abs(f.path)
		if err != nil {
			t.Fatal(err)
		}
		if err := chromedp.Do(ctx, chromedp.SetUploadFiles(f.field, []string{path})); err != nil {
			t.Fatal(err)
		}
	}
	const outcome = `(async () => {
		while (!window.parityResult) await new Promise((done) => setTimeout(done, 50));
		return { ...window.parityResult, said: document.getElementById('status').textContent };
	})()`
	raw, err := chromedp.Run(ctx, chromedp.Evaluate[[]byte](script+";"+outcome, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatal(err)
	}
	var page struct {
		result
		Said string
	}
	if err := json.Unmarshal(raw, &page); err != nil {
		t.Fatal(err)
	}
	if page.Error != page.Said {
		t.Errorf("the page says %q, its result %q", page.Said, page.Error)
	}
	return page.result
}

// press submits the form.
const press = `document.getElementById('form').requestSubmit()`

func TestEnginesAgree(t *testing.T) {
	tab := openBrowser(t)
	for _, c := range []struct {
		model, source string
		confidence    float64
	}{
		// Untrained: hundreds of boxes, of which the weak are so many and so thin that rounding
		// decides which of them suppress each other.
		{formats + "best.pt", "no ONNX", 0.5},
		{formats + "model-op17.onnx", "added as outputs", 0.25},
		{pretrained, "the file itself", 0.25},
	} {
		t.Run(filepath.Base(c.model), func(t *testing.T) {
			r := compared(t, tab, Options{Model: c.model, Pictures: []string{coffee}, Confidence: c.confidence}, "")
			checkAgreement(t, r)
			if !strings.Contains(r.Source, c.source) {
				t.Errorf("onnxruntime-web ran something else: %q, want %q in it", r.Source, c.source)
			}
		})
	}
}

// TestExportedFiles: onnxruntime-web takes what `spotter export` writes, boxes among its
// outputs or not.
func TestExportedFiles(t *testing.T) {
	tab := openBrowser(t)
	m, err := zoo.Find("yolov5n-mnv4s-seg").Open(load.Options{})
	if err != nil {
		t.Fatal(err)
	}
	decoded, weights, err := export.Decoded(m.Graph, m.Weights)
	if err != nil {
		t.Fatal(err)
	}
	for name, g := range map[string]*models.Graph{"raw": m.Graph, "decoded": decoded} {
		var data bytes.Buffer
		file := filepath.Join(t.TempDir(), name+".onnx")
		if err := errors.Join(export.ONNX(&data, g, weights, m.Meta), os.WriteFile(file, data.Bytes(), 0o600)); err != nil {
			t.Fatal(err)
		}
		r := compared(t, tab, Options{Model: file, Pictures: []string{"../../web/samples/portrait.jpg"}, Confidence: 0.25}, "")
		checkAgreement(t, r)
		if r.Task != "segment" || len(r.Maps) != 4 {
			t.Errorf("%s: task %q, %d maps", name, r.Task, len(r.Maps))
		}
	}
}

// TestHalfFloats: a network that takes and gives float16 runs too, and the page says why it
// is further off. Half floats carry 11 bits, so a sum of a few dozen is off by a few thousandths.
func TestHalfFloats(t *testing.T) {
	tab := openBrowser(t)
	r := compared(t, tab, Options{Model: "../../models/onnx/testdata/yolov5-half.onnx", Pictures: []string{coffee}, Confidence: 0.4}, "")
	if r.Error != "" || len(r.Maps) != 3 {
		t.Fatalf("%d maps were compared: %s", len(r.Maps), r.Error)
	}
	for _, m := range r.Maps {
		if !(m.Deviations <= 5e-3 && m.Deviations >= 1e-5) {
			t.Errorf("%s is off by %v standard deviations", m.Name, m.Deviations)
		}
	}
	if len(r.Boxes.Spotter) == 0 || r.Boxes.Matched < len(r.Boxes.Spotter)/2 {
		t.Errorf("%d boxes match of %d", r.Boxes.Matched, len(r.Boxes.Spotter))
	}
	if !strings.Contains(r.Source, "half floats") {
		t.Errorf("%q does not say that it computes with half floats", r.Source)
	}
}

// TestClassifier compares the classes, which have no boxes.
func TestClassifier(t *testing.T) {
	tab := openBrowser(t)
	r := compared(t, tab, Options{Model: "../../models/onnx/testdata/classifier.onnx", Pictures: []string{coffee}}, "")
	checkAgreement(t, r)
	if r.Task != "classify" || r.Boxes.Matched != 5 {
		t.Errorf("task %q, %d classes match, want 5 of a classifier", r.Task, r.Boxes.Matched)
	}
}

// TestFilesChosenInThePage come before those of the command line.
func TestFilesChosenInThePage(t *testing.T) {
	tab := openBrowser(t)
	noPicture := formats + "best.pt"
	model, picture := chosen{"#model", formats + "state_dict.pt"}, chosen{"#picture", coffee}
	checkAgreement(t, compared(t, tab, Options{Pictures: []string{noPicture}, Confidence: 0.5}, press, model, picture))
	other := chosen{"#yaml", "../../models/yaml/yolov5s.yaml"}
	if r := compared(t, tab, Options{}, press, model, picture, other); !strings.Contains(r.Error, "state_dict.pt") {
		t.Errorf("parameters with another network's YAML: %q", r.Error)
	}
}

func checkAgreement(t *testing.T, r result) {
	t.Helper()
	if r.Error != "" {
		t.Fatal(r.Error)
	}
	if len(r.Maps) == 0 {
		t.Fatal("no maps were compared")
	}
	same := true
	for _, m := range r.Maps {
		if !(m.Deviations <= 1e-3) {
			t.Errorf("%s %v is off by %v standard deviations", m.Name, m.Shape, m.Deviations)
		}
		same = same && m.Largest == 0
	}
	if same {
		t.Error("every map is equal to the bit, as if one engine had been compared with itself")
	}
	b := r.Boxes
	if len(b.Spotter) == 0 || len(b.Spotter) != len(b.Onnxruntime) || b.Matched != len(b.Spotter) {
		t.Errorf("%d boxes match of %d and %d", b.Matched, len(b.Spotter), len(b.Onnxruntime))
	}
	for name, times := range map[string]struct{ Minimum, Median float64 }{"spotter": r.Times.Spotter, "onnxruntime": r.Times.Onnxruntime} {
		if times.Minimum <= 0 || times.Median < times.Minimum {
			t.Errorf("%s: minimum %v ms, median %v ms", name, times.Minimum, times.Median)
		}
	}
	t.Logf("%d maps, %d boxes, %+v", len(r.Maps), b.Matched, r.Times)
}

func TestErrorsAreSentences(t *testing.T) {
	tab := openBrowser(t)
	broken := filepath.Join(t.TempDir(), "broken.onnx")
	whole, err := os.ReadFile(formats + "model-op17.onnx")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(broken, whole[:len(whole)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		options Options
		want    string
	}{
		"no picture":     {Options{Model: formats + "model-op17.onnx"}, "There is no picture"},
		"no model":       {Options{Pictures: []string{coffee}}, "There is no model"},
		"broken model":   {Options{Model: broken, Pictures: []string{coffee}}, "onnx"},
		"broken picture": {Options{Model: formats + "model-op17.onnx", Pictures: []string{broken}}, "can’t be read"},
	} {
		t.Run(name, func(t *testing.T) {
			r := compared(t, tab, c.options, press)
			if !strings.Contains(strings.ToLower(r.Error), strings.ToLower(c.want)) {
				t.Errorf("the page says %q, want %q in it", r.Error, c.want)
			}
			t.Log(r.Error)
		})
	}
}

func TestMissingFileIsSaid(t *testing.T) {
	if _, err := Handler(Options{Dir: dir, Model: "nowhere.pt"}); err == nil || !strings.Contains(err.Error(), "nowhere.pt") {
		t.Errorf("a missing model gives %v", err)
	}
}
