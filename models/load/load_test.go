package load

import (
	"bytes"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"spotter/models"
	"spotter/models/safetensors"
)

const realFile = "yolov5n-mnv4s-seg-f16.safetensors"

func realBytes(t testing.TB) []byte {
	t.Helper()
	data, err := os.ReadFile("../weights/" + realFile)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func open(t testing.TB, data []byte, o Options) *Model {
	t.Helper()
	m, err := Open("folder/"+realFile, data, o)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestOpenTakesWhatTheFileSays(t *testing.T) {
	m := open(t, realBytes(t), Options{})
	if m.Name != "yolov5n-mnv4s-seg-f16" || m.Format != "safetensors" || m.Task != Segment || !m.Residual {
		t.Errorf("name %q, format %q, task %q, residual %v", m.Name, m.Format, m.Task, m.Residual)
	}
	if got := m.Graph.Input.Shape; !slices.Equal(got, models.Shape{3, 192, 192}) {
		t.Errorf("input %v, want 3 x 192 x 192", got)
	}
	if c := m.Graph.Classes; len(c) != 80 || c[0] != "person" || c[10] != "fire hydrant" || c[79] != "toothbrush" {
		t.Errorf("classes %q", c)
	}
	if m.Meta["step"] != "3872" || m.Meta["yaml"] != "" {
		t.Errorf("metadata %v", m.Meta)
	}
	if len(m.Weights) != len(m.Graph.Params()) {
		t.Errorf("%d weights for %d parameters", len(m.Weights), len(m.Graph.Params()))
	}
	if len(m.Notes) != 0 {
		t.Errorf("notes %q", m.Notes)
	}
}

func TestOptionsGoBeforeTheFile(t *testing.T) {
	off := false
	names := slices.Repeat([]string{"thing"}, 80)
	m := open(t, realBytes(t), Options{Residual: &off, Classes: names, Width: 320, Height: 96})
	if m.Residual || m.Graph.Classes[3] != "thing" || !slices.Equal(m.Graph.Input.Shape, models.Shape{3, 96, 320}) {
		t.Errorf("residual %v, class %q, input %v", m.Residual, m.Graph.Classes[3], m.Graph.Input.Shape)
	}
	if with := open(t, realBytes(t), Options{}); len(with.Graph.Nodes) <= len(m.Graph.Nodes) {
		t.Errorf("%d nodes with additions, %d without", len(with.Graph.Nodes), len(m.Graph.Nodes))
	}
}

// small is a detector with the tutorial's module names in few bytes.
func small(t testing.TB, edit func(f *safetensors.File)) []byte {
	t.Helper()
	const text = `
nc: 2
depth_multiple: 0.33
width_multiple: 0.25
anchors: [[10, 13], [30, 61]]
backbone: [[-1, 1, Conv, [16, 3, 8]], [-1, 1, Conv, [16, 3, 2]]]
head: [[[0, 1], 1, Detect, [nc, anchors]]]
`
	f := &safetensors.File{Weights: models.Weights{}, Metadata: map[string]string{
		"yaml": text, "names": `{"0": "cat", "1": "dog"}`, "imgsz": "64", "licence": "CC0"}}
	add := func(name string, shape ...int) {
		f.Weights[name] = &models.Tensor{Shape: shape, Data: slices.Repeat([]float32{0.5}, models.Shape(shape).Elements())}
	}
	for i, in := range []int{3, 8} {
		conv := []string{"model.0", "model.1"}[i]
		add(conv+".conv.weight", 8, in, 3, 3)
		for _, p := range []string{"weight", "bias", "running_mean", "running_var"} {
			add(conv+".bn."+p, 8)
		}
		add(conv + ".bn.num_batches_tracked")
		head := []string{"model.2.m.0", "model.2.m.1"}[i]
		add(head+".weight", 7, 8, 1, 1)
		add(head+".bias", 7)
	}
	f.Weights["model.2.anchors"] = &models.Tensor{Shape: []int{2, 1, 2}, Data: []float32{10. / 8, 13. / 8, 30. / 16, 61. / 16}}
	edit(f)
	data, err := safetensors.Marshal(f, safetensors.F32)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestOpenNamesWhatDoesNotFit(t *testing.T) {
	for want, edit := range map[string]func(f *safetensors.File){
		"model.1.bn.bias [8] is missing": func(f *safetensors.File) { delete(f.Weights, "model.1.bn.bias") },
		"model.0.conv.weight is [4], the network needs [8 3 3 3]": func(f *safetensors.File) {
			f.Weights["model.0.conv.weight"] = &models.Tensor{Shape: []int{4}, Data: make([]float32, 4)}
		},
		"tensors that the network has not: other [1]": func(f *safetensors.File) { f.Weights["other"] = &models.Tensor{Shape: []int{1}, Data: []float32{1}} },
		"is missing; the file has besides: model.1.norm.bias [8]": func(f *safetensors.File) {
			f.Weights["model.1.norm.bias"] = f.Weights["model.1.bn.bias"]
			delete(f.Weights, "model.1.bn.bias")
		},
		"weight model.2.m.0.bias holds NaN (element 3)": func(f *safetensors.File) {
			nan := float32(0)
			f.Weights["model.2.m.0.bias"].Data[3] = nan / nan
		},
		"weight model.0.bn.running_var holds the variance -1":          func(f *safetensors.File) { f.Weights["model.0.bn.running_var"].Data[0] = -1 },
		"model.2.anchors is [1 2 2], the network needs [2 1 2]":        func(f *safetensors.File) { f.Weights["model.2.anchors"].Shape = []int{1, 2, 2} },
		"an anchor has a size":                                         func(f *safetensors.File) { f.Weights["model.2.anchors"].Data[2] = 0 },
		"give the YAML too":                                            func(f *safetensors.File) { delete(f.Metadata, "yaml") },
		"small.yaml:4":                                                 func(f *safetensors.File) { f.Metadata["yaml"] = strings.Replace(f.Metadata["yaml"], "0.25", "wide", 1) },
		`residual "maybe"`:                                             func(f *safetensors.File) { f.Metadata["residual"] = "maybe" },
		`imgsz "-64"`:                                                  func(f *safetensors.File) { f.Metadata["imgsz"] = "-64" },
		"class names are no JSON object":                               func(f *safetensors.File) { f.Metadata["names"] = "cat, dog" },
		"2 class names and none for class 0":                           func(f *safetensors.File) { f.Metadata["names"] = `{"1": "cat", "2": "dog"}` },
		"model.2.m.0.weight is [7 8 1 1], the network needs [8 8 1 1]": func(f *safetensors.File) { f.Metadata["names"] = `["a", "b", "c"]` },
	} {
		_, err := Open("small.safetensors", small(t, edit), Options{})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "small.safetensors: ") {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
	if _, err := Open("x.txt", []byte("hello, this is text"), Options{}); err == nil {
		t.Error("no error for text")
	}
	if _, err := Open("small", small(t, func(*safetensors.File) {}), Options{Task: Segment}); err == nil || !strings.Contains(err.Error(), "does detect, not") {
		t.Errorf("asked a detector for masks: error %v", err)
	}
}

func TestOpenDropsCopiesAndCounters(t *testing.T) {
	data := small(t, func(f *safetensors.File) {
		f.Weights["model.0.features.0.conv.weight"] = f.Weights["model.0.conv.weight"]
	})
	m, err := Open("small.safetensors", data, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := len(m.Weights), 14; got != want {
		t.Errorf("%d weights, want %d: %v", got, want, slices.Sorted(maps.Keys(m.Weights)))
	}
}

func TestTrainedAnchorsReplaceTheYAMLs(t *testing.T) {
	data := small(t, func(f *safetensors.File) { f.Weights["model.2.anchors"].Data[3] = 5 })
	m, err := Open("small.safetensors", data, Options{})
	if err != nil {
		t.Fatal(err)
	}
	l := m.Graph.Head.Levels
	if l[0].Anchors[0] != [2]float32{10, 13} || l[1].Anchors[0] != [2]float32{30, 80} || len(m.Notes) != 1 {
		t.Errorf("anchors %v and %v, notes %q", l[0].Anchors, l[1].Anchors, m.Notes)
	}
}

func TestSaveAndOpen(t *testing.T) {
	m := open(t, realBytes(t), Options{Width: 320, Height: 320})
	data, err := m.Safetensors(safetensors.F16)
	if err != nil {
		t.Fatal(err)
	}
	back := open(t, data, Options{})
	sameModel(t, back, m)
	again, err := back.Safetensors(safetensors.F16)
	if err != nil || !bytes.Equal(again, data) {
		t.Errorf("saved again, the bytes differ (%v)", err)
	}
}

func TestSaveKeepsChangedSize(t *testing.T) {
	// The file's own YAML is size n: as m it cannot hold these weights, as n it can.
	data := realBytes(t)
	if _, err := Open("x", data, Options{Scale: "m"}); err == nil || !strings.Contains(err.Error(), "the network needs") {
		t.Errorf("weights of n in a network of size m: error %v", err)
	}
	wide := open(t, data, Options{})
	wide.YAML = bytes.Replace(wide.YAML, []byte("width_multiple: 0.25"), []byte("width_multiple: 0.75"), 1)
	saved, err := wide.Safetensors(safetensors.F16)
	if err != nil {
		t.Fatal(err)
	}
	m := open(t, saved, Options{Scale: "n"})
	saved, err = m.Safetensors(safetensors.F16)
	if err != nil {
		t.Fatal(err)
	}
	sameModel(t, open(t, saved, Options{}), open(t, data, Options{}))
}

func sameModel(t *testing.T, got, want *Model) {
	t.Helper()
	if got.Task != want.Task || got.Residual != want.Residual || !maps.Equal(got.Meta, want.Meta) ||
		!slices.Equal(got.Graph.Classes, want.Graph.Classes) || !slices.Equal(got.Graph.Input.Shape, want.Graph.Input.Shape) {
		t.Errorf("another model: %s %v %v %v, want %s %v %v %v", got.Task, got.Residual, got.Meta, got.Graph.Input.Shape,
			want.Task, want.Residual, want.Meta, want.Graph.Input.Shape)
	}
	if len(got.Weights) != len(want.Weights) || len(got.Graph.Nodes) != len(want.Graph.Nodes) {
		t.Errorf("%d weights in %d nodes, want %d in %d", len(got.Weights), len(got.Graph.Nodes), len(want.Weights), len(want.Graph.Nodes))
	}
	for name, w := range want.Weights {
		if g := got.Weights[name]; g == nil || !slices.Equal(g.Shape, w.Shape) || !slices.Equal(g.Data, w.Data) {
			t.Errorf("%s differs", name)
		}
	}
	for i, l := range want.Graph.Head.Levels {
		if !slices.Equal(got.Graph.Head.Levels[i].Anchors, l.Anchors) {
			t.Errorf("level %d: anchors %v, want %v", i, got.Graph.Head.Levels[i].Anchors, l.Anchors)
		}
	}
}
