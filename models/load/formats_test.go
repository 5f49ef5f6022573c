package load

import (
	"os"
	"slices"
	"strings"
	"testing"

	"spotter/models"
	"spotter/models/detect"
	"spotter/models/golden"
	"spotter/models/reference"
	"spotter/models/safetensors"
	"spotter/models/say"
)

// TestEveryFormatDecodesAsExpected reads one network in every format: a training
// checkpoint, state_dicts, and ONNX in several operator sets by both exporters. None of
// the files but best.pt holds the YAML, and the backbone is none of the known ones.
func TestEveryFormatDecodesAsExpected(t *testing.T) {
	e, err := golden.Formats()
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{
		"best.pt", "state_dict.pt", "model.safetensors", "model-f16.safetensors", "model-op12.onnx", "model-op17.onnx",
		"model-op12-bn.onnx", "model-op17-bn.onnx", "model-op18-dynamo.onnx",
	} {
		t.Run(file, func(t *testing.T) {
			data, err := golden.Format(file)
			if err != nil {
				t.Fatal(err)
			}
			m, err := Open(file, data, Options{Width: e.Width, Height: e.Height})
			if err != nil {
				t.Fatal(err)
			}
			if m.Task != Detect || m.Graph.Head.Kind != models.HeadYOLOv5 || len(m.Weights) != len(m.Graph.Params()) {
				t.Errorf("a network for %s with a %s head; %d weights for %d parameters", m.Task, m.Graph.Head.Kind, len(m.Weights), len(m.Graph.Params()))
			}
			checkDecoded(t, m, e)
			if m.YAML == nil {
				return
			}
			if !strings.Contains(strings.Join(say.Strings(m.Notes), "\n"), "add their input is in no checkpoint") {
				t.Errorf("notes %q", m.Notes)
			}
			saved, err := m.Safetensors(safetensors.F16)
			if err != nil {
				t.Fatal(err)
			}
			if m, err = Open("saved.safetensors", saved, Options{Width: e.Width, Height: e.Height}); err != nil {
				t.Fatalf("saved and read back: %v", err)
			}
			checkDecoded(t, m, e)
		})
	}
}

func checkDecoded(t *testing.T, m *Model, e *golden.FormatExpectation) {
	t.Helper()
	out, err := reference.Run(m.Graph, m.Weights, golden.Input(golden.Image(e.Width, e.Height, e.ImageSeed)), nil)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := detect.Decode(&m.Graph.Head, detect.Maps(m.Graph, out))
	if err != nil {
		t.Fatal(err)
	}
	if err := golden.CompareDecoded(rows.Data, rows.Columns()); err != nil {
		t.Error(err)
	}
}

// TestDetectorOfAnONNXSegmentationNetwork leaves the boxes as they are, whatever the format.
func TestDetectorOfAnONNXSegmentationNetwork(t *testing.T) {
	for _, name := range []string{"yolov5-seg", "yolov8-seg"} {
		data, err := os.ReadFile("../onnx/testdata/" + name + ".onnx")
		if err != nil {
			t.Fatal(err)
		}
		var boxes [2][]float32
		for i, task := range []string{Segment, Detect} {
			m, err := Open(name, data, Options{Task: task})
			if err != nil {
				t.Fatal(err)
			}
			if m.Task != task || len(m.Weights) != len(m.Graph.Params()) {
				t.Errorf("%s: a network for %s; %d weights for %d parameters", name, m.Task, len(m.Weights), len(m.Graph.Params()))
			}
			out, err := reference.Run(m.Graph, m.Weights, golden.Input(golden.Image(64, 64, 1)), nil)
			if err != nil {
				t.Fatal(err)
			}
			rows, err := detect.Decode(&m.Graph.Head, detect.Maps(m.Graph, out))
			if err != nil {
				t.Fatal(err)
			}
			for r := range rows.N {
				boxes[i] = append(boxes[i], rows.Row(r)[:5+rows.Classes]...)
			}
		}
		if !slices.Equal(boxes[0], boxes[1]) {
			t.Errorf("%s: the detector finds other boxes", name)
		}
	}
}
