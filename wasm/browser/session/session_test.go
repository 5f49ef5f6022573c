package session

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"

	"spotter/models"
	"spotter/models/load"
	"spotter/models/safetensors"
	"spotter/wasm"
)

const formats = "../../../models/golden/testdata/formats/"

func read(t *testing.T, file string) []byte {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func kinds(d *Description) (list []string) {
	for _, q := range d.Questions {
		list = append(list, q.Kind)
	}
	return list
}

func TestFilesAreDescribedAndWhatTheyLeaveOpen(t *testing.T) {
	for _, c := range []struct {
		file, format string
		asks         []string
		rows         int
	}{
		{"best.pt", "pytorch", []string{AskResidual}, 17},
		{"state_dict.pt", "pytorch", []string{AskClasses, AskResidual}, 17},
		{"model-op17.onnx", "onnx", nil, 100},
	} {
		var s Session
		d, err := s.Open(c.file, read(t, formats+c.file), Options{})
		if err != nil {
			t.Fatal(err)
		}
		if d.Format != c.format || d.Task != load.Detect || d.Head != "yolov5" || d.Count != 80 || !slices.Equal(kinds(d), c.asks) {
			t.Errorf("%s: %s for %s, %s, %d classes, asks %v", c.file, d.Format, d.Task, d.Head, d.Count, kinds(d))
		}
		macs, params := 0, 0
		for _, l := range d.Layers {
			macs, params = macs+l.MACs, params+l.Params
		}
		if len(d.Layers) < c.rows || macs != d.MACs || params != d.Params {
			t.Errorf("%s: %d layers with %d multiply-adds and %d parameters in all, not %d and %d",
				c.file, len(d.Layers), macs, params, d.MACs, d.Params)
		}
		if (d.Took.Text != "") != (c.format == "onnx") || (len(d.Heads) > 0) != (c.format == "onnx") {
			t.Errorf("%s: taken for %q, may be any of %v", c.file, d.Took, d.Heads)
		}
	}
}

func TestAnswersChangeTheNetwork(t *testing.T) {
	var s Session
	data := read(t, formats+"state_dict.pt")
	compile := func(o Options) *wasm.Output {
		t.Helper()
		d, err := s.Open("state_dict.pt", data, o)
		if err != nil {
			t.Fatal(err)
		}
		if o.Residual != "" && slices.Contains(kinds(d), AskResidual) {
			t.Errorf("asks again what was answered: %v", kinds(d))
		}
		out, err := s.Compile(Form{})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	names := make([]string, 80)
	for i := range names {
		names[i] = "thing"
	}
	plain := compile(Options{Width: 96, Height: 64})
	named := compile(Options{Width: 96, Height: 64, Classes: names, Residual: "false"})
	added := compile(Options{Width: 96, Height: 64, Residual: "true"})
	if m := named.Manifest; m.Width != 96 || m.Height != 64 || len(m.Classes) != 80 || m.Classes[7] != "thing" {
		t.Errorf("%d x %d, classes %v", m.Width, m.Height, m.Classes)
	}
	if bytes.Equal(added.Module, plain.Module) {
		t.Error("blocks that add their input are compiled like those that don't")
	}
}

func TestUnknownNetworksAreAskedFor(t *testing.T) {
	m, err := load.Open("best.pt", read(t, formats+"best.pt"), load.Options{})
	if err != nil {
		t.Fatal(err)
	}
	w := m.Weights
	w["model.3.extra.weight"] = &models.Tensor{Shape: []int{2}, Data: []float32{1, 2}}
	data, err := safetensors.Marshal(&safetensors.File{Weights: w}, safetensors.F32)
	if err != nil {
		t.Fatal(err)
	}
	var s Session
	d, err := s.Open("bare.safetensors", data, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(kinds(d), []string{AskYAML}) || !d.Questions[0].Needed || len(d.Builtins) < 10 {
		t.Fatalf("asks %+v, offers %v", d.Questions, d.Builtins)
	}
	if _, err := s.Compile(Form{}); err == nil {
		t.Error("compiles what is not known")
	}
	if _, err := s.Reopen(Options{Builtin: "yolov5n"}); err == nil || !strings.Contains(err.Error(), "bare.safetensors") {
		t.Errorf("a wrong answer gives %v", err)
	}
}

func TestBadFilesAreSentences(t *testing.T) {
	best := read(t, formats+"best.pt")
	for name, data := range map[string][]byte{
		"half.pt": best[:len(best)/2], "nothing.pt": {}, "text.onnx": []byte("hello"), "zeros.safetensors": make([]byte, 4096),
	} {
		var s Session
		if _, err := s.Open(name, data, Options{}); err == nil || !strings.HasPrefix(err.Error(), name+": ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
