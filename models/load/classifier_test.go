package load

import (
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"spotter/models"
	"spotter/models/classifier"
	"spotter/models/detect"
	"spotter/models/golden"
	"spotter/models/reference"
	"spotter/models/safetensors"
)

// tiny is a state_dict of timm that torch wrote, with what it gives on a picture.
func tiny(t *testing.T) (file []byte, want golden.Check, input []float32) {
	t.Helper()
	file, err := os.ReadFile("../classifier/testdata/tiny.pt")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("../classifier/testdata/timm-tiny.json")
	if err != nil {
		t.Fatal(err)
	}
	var e struct {
		Side   int
		Seed   uint64 `json:"image_seed"`
		Logits golden.Check
	}
	if err := json.Unmarshal(text, &e); err != nil {
		t.Fatal(err)
	}
	pic := detect.FromRGB(e.Side, e.Side, golden.Image(e.Side, e.Side, e.Seed))
	if input, _, err = detect.Input(classifier.Feed(), pic, e.Side, e.Side); err != nil {
		t.Fatal(err)
	}
	return file, e.Logits, input
}

// TestClassifierFromTimm reads a state_dict, saves it and reads that.
func TestClassifierFromTimm(t *testing.T) {
	data, want, input := tiny(t)
	m := open(t, data, Options{Width: 96, Height: 96})
	for _, name := range []string{"timm.pt", "saved"} {
		if m.Task != Classify || m.Graph.Head.Classes != 10 || m.YAML != nil || !m.Residual {
			t.Fatalf("%s: task %s of %d classes", name, m.Task, m.Graph.Head.Classes)
		}
		out, err := reference.Run(m.Graph, m.Weights, input, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := want.Compare(name, models.Shape{10}, out[0]); err != nil {
			t.Error(err)
		}
		saved, err := m.Safetensors(safetensors.F16)
		if err != nil {
			t.Fatal(err)
		}
		m = open(t, saved, Options{})
		if !slices.Equal(m.Graph.Input.Shape, models.Shape{3, 96, 96}) {
			t.Errorf("saved at 96 pixels, read at %v", m.Graph.Input.Shape)
		}
	}
}

func TestClassNamesOfAClassifier(t *testing.T) {
	data, _, _ := tiny(t)
	m := open(t, data, Options{})
	if got := m.Graph.Classes[7]; got != "class 7" {
		t.Errorf("an unnamed class is called %q", got)
	}
	names := strings.Fields("ant bee cat dog eel fox gnu hen ibis jay")
	m = open(t, data, Options{Classes: names})
	saved, err := m.Safetensors(safetensors.F16)
	if err != nil {
		t.Fatal(err)
	}
	if again := open(t, saved, Options{}); !slices.Equal(again.Graph.Classes, names) {
		t.Errorf("classes %q, saved with %q", again.Graph.Classes, names)
	}
	for want, o := range map[string]Options{
		"2 class names for a classifier of 10": {Classes: names[:2]},
		`does classify, not "detect"`:          {Task: Detect},
	} {
		if _, err := Open("tiny.pt", data, o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
}

func TestBrokenClassifierIsNamed(t *testing.T) {
	data, _, _ := tiny(t)
	good := open(t, data, Options{})
	for want, edit := range map[string]func(w models.Weights){
		"classifier.bias [10] is missing": func(w models.Weights) { delete(w, "classifier.bias") },
		"blocks.3.2.pw_proj.bn.running_var holds the variance": func(w models.Weights) {
			w["blocks.3.2.pw_proj.bn.running_var"].Data[0] = -1
		},
	} {
		file := &safetensors.File{Weights: maps.Clone(good.Weights)}
		edit(file.Weights)
		broken, err := safetensors.Marshal(file, safetensors.F32)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Open("broken", broken, Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
}
