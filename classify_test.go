package main

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"spotter/models"
	"spotter/models/classifier"
	"spotter/models/detect"
	"spotter/models/golden"
	"spotter/models/load"
	"spotter/models/reference"
	"spotter/wasm"
	"spotter/wasm/run"
	"spotter/wasm/show"
)

// tinyClassifier is a state_dict of timm with 10 classes.
const tinyClassifier = "models/classifier/testdata/tiny.pt"

// TestClassifyAgreesWithTheReference compares the command's classes and scores.
func TestClassifyAgreesWithTheReference(t *testing.T) {
	data, err := os.ReadFile(tinyClassifier)
	if err != nil {
		t.Fatal(err)
	}
	m, err := load.Open(tinyClassifier, data, load.Options{Width: 96, Height: 96})
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("web/samples/*.jpg")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d pictures, %v", len(files), err)
	}
	args := append([]string{"classify", "--model", tinyClassifier, "--imgsz", "96", "--top", "3", "--json"}, files...)
	code, out, errs := commandLine(args...)
	var got []classified
	if err := json.Unmarshal([]byte(out), &got); err != nil || code != 0 || len(got) != len(files) {
		t.Fatalf("exits with %d: %s%s", code, out, errs)
	}
	for i, file := range files {
		p, err := show.Read(file)
		if err != nil {
			t.Fatal(err)
		}
		want, err := reference.Classify(m.Graph, m.Weights, p, 3)
		if err != nil {
			t.Fatal(err)
		}
		if got[i].File != file || got[i].Width != p.W || got[i].Height != p.H || len(got[i].Classes) != len(want) {
			t.Errorf("%+v for %s of %dx%d", got[i], file, p.W, p.H)
			continue
		}
		for k, c := range got[i].Classes {
			if c.ClassID != want[k].ID || c.Class != m.Graph.Classes[c.ClassID] || math.Abs(float64(c.Score-want[k].Score)) > 1e-4 {
				t.Errorf("%s: number %d is %+v, the reference has %+v", file, k, c, want[k])
			}
		}
	}
}

func TestClassifyPrintsNames(t *testing.T) {
	names := filepath.Join(t.TempDir(), "names.txt")
	if err := os.WriteFile(names, []byte(strings.Repeat("ant\r\n", 9)+"bee\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	code, out, errs := commandLine("classify", "web/samples/cat.jpg", "--model", tinyClassifier, "--names", names, "--top", "10")
	if code != 0 || strings.Count(out, "  ant\n") != 9 || strings.Count(out, "  bee\n") != 1 || !strings.HasPrefix(out, "web/samples/cat.jpg: 451x300 pixels") {
		t.Errorf("exits with %d: %s%s", code, out, errs)
	}
	for want, args := range map[string][]string{
		"finds objects":          {"web/samples/cat.jpg"},
		"at least one picture":   {},
		"--top":                  {"--top", "0", "x.jpg"},
		"no such file":           {"--model", tinyClassifier, "nothing.jpg"},
		"this is no picture":     {"--model", tinyClassifier, "go.mod"},
		"the classifier 10":      {"--model", tinyClassifier, "--names", "go.mod", "web/samples/cat.jpg"},
		"nothing.txt: no such":   {"--model", tinyClassifier, "--names", "nothing.txt", "web/samples/cat.jpg"},
		"flag provided but not ": {"--nothing"},
	} {
		if code, _, errs := commandLine(append([]string{"classify"}, args...)...); code == 0 || !strings.Contains(errs, want) {
			t.Errorf("classify %v exits with %d: %s; want %q", args, code, errs, want)
		}
	}
}

// damped are the golden weights that models/classifier/testdata/make.py shrinks.
var damped = map[string]float32{"pw_proj.conv": 0.25, "output.proj": 0.25, "layer_scale": 0.5, "classifier.weight": 0.5}

// TestCompiledClassifiersAgreeWithTimm runs every MobileNetV4 as a module.
func TestCompiledClassifiersAgreeWithTimm(t *testing.T) {
	for _, variant := range classifier.Variants {
		t.Run(variant, func(t *testing.T) {
			s, err := classifier.New(variant, classifier.Timm, 100)
			if err != nil {
				t.Fatal(err)
			}
			var want struct {
				Side   int
				Seed   uint64 `json:"image_seed"`
				Logits golden.Check
				Top    [][2]float64
			}
			text, err := os.ReadFile("models/classifier/testdata/timm-" + strings.TrimPrefix(s.Name(), "mobilenetv4_") + ".json")
			if err == nil {
				err = json.Unmarshal(text, &want)
			}
			if err != nil {
				t.Fatal(err)
			}
			g, err := s.Graph(want.Side)
			if err != nil {
				t.Fatal(err)
			}
			logits, top := runClassifier(t, g, detect.FromRGB(want.Side, want.Side, golden.Image(want.Side, want.Side, want.Seed)))
			if err := want.Logits.Compare("logits", models.Shape{100}, logits); err != nil {
				t.Error(err)
			}
			for i, r := range top {
				if r.Class != int(want.Top[i][0]) || math.Abs(float64(r.Score)-want.Top[i][1]) > 1e-4 {
					t.Errorf("number %d is %+v, timm has %v", i+1, r, want.Top[i])
				}
			}
		})
	}
}

// runClassifier compiles a graph with golden weights and shows it a picture.
func runClassifier(t *testing.T, g *models.Graph, p *detect.Picture) (logits []float32, top []run.Result) {
	t.Helper()
	w := golden.Weights(g, false)
	for name, tensor := range w {
		for part, d := range damped {
			if !strings.Contains(name, part) {
				continue
			}
			for i := range tensor.Data {
				tensor.Data[i] *= d
			}
		}
	}
	compiled, err := wasm.Compile(g, w, wasm.Options{})
	if err != nil {
		t.Fatal(err)
	}
	e, err := run.New(context.Background(), compiled.Module, compiled.Weights, run.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	if err := e.Feed(p.Pix, p.W, p.H); err != nil {
		t.Fatal(err)
	}
	if err := e.Infer(); err != nil {
		t.Fatal(err)
	}
	logits = e.Tensor(e.Manifest.Outputs[0])
	if top, err = e.Classify(5); err != nil {
		t.Fatal(err)
	}
	if e.Manifest.Task != load.Classify {
		t.Errorf("task %s", e.Manifest.Task)
	}
	return logits, top
}
