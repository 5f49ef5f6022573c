package main

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"spotter/models/formats"
	"spotter/models/load"
	"spotter/models/zoo"
)

// sameDetections allows what folding BatchNorm rounds.
func sameDetections(t *testing.T, what string, got, want []formats.Found) {
	t.Helper()
	if len(got) != len(want) || len(want) == 0 {
		t.Fatalf("%s: %d detections, want %d", what, len(got), len(want))
	}
	for i, w := range want {
		g := got[i]
		if g.Class != w.Class || math.Abs(g.Score-w.Score) > 1e-3 || (g.Mask == nil) != (w.Mask == nil) {
			t.Errorf("%s: detection %d is %+v, want %+v", what, i, g, w)
		}
		for k := range w.Box {
			if math.Abs(g.Box[k]-w.Box[k]) > 0.05 {
				t.Errorf("%s: detection %d lies at %v, want %v", what, i, g.Box, w.Box)
			}
		}
	}
}

// TestExportedModelsAreTakenBack: whatever is exported finds the same things in a picture.
func TestExportedModelsAreTakenBack(t *testing.T) {
	const picture = "web/samples/portrait.jpg"
	best := filepath.Join("models", "golden", "testdata", "formats", "best.pt")
	for _, c := range []struct {
		model string
		flags []string // of both commands
		conf  string
	}{
		{best, nil, "0.55"}, // untrained: of hundreds of boxes those whose order no rounding changes
		{"yolov5n-mnv4s-seg", nil, "0.25"},
		{"yolov5n-mnv4s-seg", []string{"--task", "detect", "--imgsz", "256x192"}, "0.25"},
		{zoo.Default, []string{"--imgsz", "320"}, "0.25"},
		{"yolox-nano-416", []string{"--imgsz", "320"}, "0.25"},
	} {
		want := detected(t, c.model, append(c.flags, "--conf", c.conf, picture)...)
		forms := [][]string{{"--onnx"}, {"--onnx", "--decoded"}}
		if c.model == best {
			forms = append(forms, []string{"--batchnorm"})
		}
		for _, form := range forms {
			name := fmt.Sprint(c.model, c.flags, form)
			out := filepath.Join(t.TempDir(), "exported.onnx")
			args := append(append([]string{"export", "--model", c.model, out}, c.flags...), form...)
			if code, stdout, stderr := runSpotter(t, args...); code != 0 || !strings.Contains(stdout, "opset 17") {
				t.Fatalf("%s: exit code %d, %q %q", name, code, stdout, stderr)
			}
			sameDetections(t, name, detected(t, out, "--conf", c.conf, picture), want)
		}
	}
}

// TestExportKeepsWhatIsKnown: names, licence and size go from file to file.
func TestExportKeepsWhatIsKnown(t *testing.T) {
	t.Chdir(t.TempDir())
	if code, _, stderr := runSpotter(t, "export", "--onnx"); code != 0 {
		t.Fatal(stderr)
	}
	const file = "picodet-s-416.onnx"
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	m, err := load.Open(file, data, load.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if m.Meta["licence"] != "Apache-2.0" || !strings.Contains(m.Meta["map"], "30.6") || len(m.Graph.Classes) != 80 ||
		m.Graph.Input.Shape[1] != 416 || m.Graph.Feed.Fit != "squash" || len(m.Notes) > 0 {
		t.Errorf("%v, %d classes, input %v, feed %+v, notes %q", m.Meta, len(m.Graph.Classes), m.Graph.Input.Shape, m.Graph.Feed, m.Notes)
	}
	for _, c := range []struct {
		args string
		code int
		want string
	}{
		{"--model " + file + " " + file, 2, "the model itself"},
		{"a.onnx b.onnx", 2, "b.onnx"},
		{"--onnx --safetensors", 2, "not both"},
		{"--safetensors --decoded", 2, "for ONNX"},
		{"--weights golden", 2, "--yaml"},
		{"--weights mine --yaml yolov5n", 2, "golden"},
		{"--model " + file + " --safetensors", 1, "has no YAML"},
		{"--model nothing.pt", 1, "nothing.pt: no such file"},
		{"nowhere/out.onnx", 1, "nowhere/out.onnx: no such file"},
		{"--imgsz 320 --weights golden --yaml yolov5-mnv4-convsmall-seg", 0, "outputs [351 40 40] [351 20 20] [351 10 10] [32 80 80]"},
		{"--model yolov5n-mnv4s-seg --safetensors own.safetensors", 0, "own.safetensors"},
	} {
		code, stdout, stderr := runSpotter(t, append([]string{"export"}, strings.Fields(c.args)...)...)
		if code != c.code || !strings.Contains(stdout+stderr, c.want) {
			t.Errorf("export %s: exit code %d, %q %q, want %d with %q", c.args, code, stdout, stderr, c.code, c.want)
		}
	}
	before, err := zoo.Find("yolov5n-mnv4s-seg").Data()
	after, again := os.ReadFile("own.safetensors")
	if err != nil || again != nil || math.Abs(float64(len(after)-len(before))) > 1e4 {
		t.Errorf("a .safetensors of %d bytes of one of %d: %v, %v", len(after), len(before), err, again)
	}
}
