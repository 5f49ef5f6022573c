package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"spotter/models/eval"
	"spotter/models/zoo"
)

const (
	evalPictures    = "web/samples"
	evalAnnotations = "models/eval/testdata/pictures/instances.json"
)

// commandLine runs a command line and gives its exit code, output and errors.
func commandLine(args ...string) (code int, out, errs string) {
	var o, e bytes.Buffer
	code = dispatch(args, &o, &e)
	return code, o.String(), e.String()
}

// evaluate runs the eval command on the sample pictures; it gives what was printed and
// the results that were written.
func evaluate(t *testing.T, args ...string) (text string, results []eval.Found) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "results.json")
	code, out, errs := commandLine(append([]string{"eval", "--images", evalPictures, "--annotations", evalAnnotations, "--out", file}, args...)...)
	if code != 0 {
		t.Fatalf("eval %v exits with %d: %s", args, code, errs)
	}
	if !strings.Contains(errs, "images/s") {
		t.Errorf("eval %v says no speed: %q", args, errs)
	}
	data, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(data, &results)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out, results
}

// TestEvalAgreesWithPycocotools measures two networks on the sample pictures and holds the
// printed numbers against pycocotools' of the same command's results
// (models/eval/testdata/pictures/make.py).
func TestEvalAgreesWithPycocotools(t *testing.T) {
	var expected map[string]struct {
		SHA256     string
		Detections int
		BBox, Segm []float64
	}
	data, err := os.ReadFile("models/eval/testdata/pictures/expected.json")
	if err == nil {
		err = json.Unmarshal(data, &expected)
	}
	if err != nil {
		t.Fatal(err)
	}
	for id, want := range expected {
		weights, err := zoo.Find(id).Data()
		if err != nil {
			t.Fatal(err)
		}
		if sum := sha256.Sum256(weights); hex.EncodeToString(sum[:]) != want.SHA256 {
			t.Errorf("%s has other weights than the expectations: run make.py in models/eval/testdata/pictures", id)
			continue
		}
		text, results := evaluate(t, "--model", id, "--jobs", "2")
		if len(results) != want.Detections {
			t.Errorf("%s: %d detections, want %d", id, len(results), want.Detections)
		}
		lines := strings.Split(text, "\n")[1:]
		for i := range want.BBox {
			words := strings.Fields(lines[i])
			got := words[len(words)-1:]
			kinds := [][]float64{want.BBox}
			if want.Segm != nil {
				got, kinds = words[len(words)-2:], append(kinds, want.Segm)
			}
			for k, kind := range kinds {
				if g := three(kind[i]); got[k] != g {
					t.Errorf("%s: %q, pycocotools has %s", id, lines[i], g)
				}
			}
		}
	}
}

// three decimals, or the dash that stands for nothing to measure.
func three(v float64) string {
	if v == -1 {
		return "-"
	}
	return fmt.Sprintf("%.3f", v)
}

// TestEvalModuleAgreesWithTheReference compares boxes, scores and masks' sizes.
func TestEvalModuleAgreesWithTheReference(t *testing.T) {
	args := []string{"--model", "yolov5n-mnv4s-seg", "--first", "2", "--conf", "0.01", "--classes=false"}
	text, got := evaluate(t, args...)
	_, want := evaluate(t, append(args, "--reference")...)
	if len(got) != len(want) || len(got) == 0 {
		t.Fatalf("%d detections, the reference has %d", len(got), len(want))
	}
	for i, w := range want {
		g := got[i]
		far := g.Image != w.Image || g.Category != w.Category || math.Abs(g.Score-w.Score) > 1e-4
		for k := range w.Box {
			far = far || math.Abs(g.Box[k]-w.Box[k]) > 0.05
		}
		if far || math.Abs(float64(inside(t, &g)-inside(t, &w))) > 20 {
			t.Errorf("detection %d is %+v, the reference has %+v", i, g, w)
		}
	}
	if strings.Contains(text, "class ") {
		t.Errorf("the table by class is printed:\n%s", text)
	}
}

func inside(t *testing.T, f *eval.Found) int {
	t.Helper()
	runs, err := f.Mask.Runs()
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for i := 1; i < len(runs); i += 2 {
		n += runs[i]
	}
	return n
}

func TestEvalWithoutMasks(t *testing.T) {
	text, results := evaluate(t, "--model", "yolov5n-mnv4s-seg", "--masks=false", "--first", "1", "--max", "3")
	if strings.Contains(text, "masks") || len(results) > 3 || len(results) == 0 || results[0].Mask != nil {
		t.Errorf("%d results\n%s", len(results), text)
	}
}

func TestEvalNamesWhatIsWrong(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return file
	}
	set := func(picture string, w, h int, class string) string {
		return fmt.Sprintf(`{"images":[{"id":1,"file_name":%q,"width":%d,"height":%d}],"categories":[{"id":1,"name":%q}],"annotations":[]}`, picture, w, h, class)
	}
	write("text.jpg", "this is text")
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"--annotations", evalAnnotations}, 2, "--images and --annotations"},
		{[]string{"--images", evalPictures, "--annotations", evalAnnotations, "--conf", "2"}, 2, "between 0 and 1"},
		{[]string{"--images", evalPictures, "--annotations", evalAnnotations, "--jobs", "0"}, 2, "--jobs"},
		{[]string{"--images", dir, "--annotations", evalAnnotations}, 1, "lacks 4 of 4 pictures"},
		{[]string{"--images", evalPictures, "--annotations", "go.mod"}, 1, "instances JSON"},
		{[]string{"--images", evalPictures, "--annotations", dir + "/none.json"}, 1, "no such file"},
		{[]string{"--images", evalPictures, "--annotations", write("size.json", set("cat.jpg", 20, 30, "cat"))}, 1, "451x300 pixels, its annotations are for 20x30"},
		{[]string{"--images", dir, "--annotations", write("text.json", set("text.jpg", 20, 30, "cat"))}, 1, "this is no picture"},
		{[]string{"--images", evalPictures, "--annotations", write("zebu.json", set("cat.jpg", 451, 300, "zebu"))}, 1, "is a category"},
		{[]string{"--images", evalPictures, "--annotations", evalAnnotations, "--model", "models/classifier/testdata/tiny.pt"}, 1, "is a classifier"},
	} {
		code, _, errs := commandLine(append([]string{"eval"}, c.args...)...)
		if code != c.code || !strings.Contains(errs, c.want) {
			t.Errorf("eval %v exits with %d: %s; want %d and %q", c.args, code, errs, c.code, c.want)
		}
	}
	if code, out, _ := commandLine("eval", "--help"); code != 0 || !strings.Contains(out, "Usage: spotter eval") {
		t.Errorf("help exits with %d: %s", code, out)
	}
}

// TestShareStopsAfterAnError: what has begun ends, the rest is not begun.
func TestShareStopsAfterAnError(t *testing.T) {
	var begun, done atomic.Int64
	boom := errors.New("boom")
	err := share(1, 1000, func(_, i int) error {
		begun.Add(1)
		if i == 10 {
			return boom
		}
		return nil
	}, func() { done.Add(1) })
	if !errors.Is(err, boom) || begun.Load() != 11 || done.Load() != 11 {
		t.Errorf("error %v, %d begun, %d done", err, begun.Load(), done.Load())
	}
	done.Store(0)
	if err := share(3, 7, func(_, _ int) error { return nil }, func() { done.Add(1) }); err != nil || done.Load() != 7 {
		t.Errorf("error %v, %d of 7 done", err, done.Load())
	}
}
