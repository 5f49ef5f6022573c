package load

import (
	"testing"

	"spotter/models"
	"spotter/models/detect"
	"spotter/models/golden"
	"spotter/models/reference"
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
		})
	}
}
