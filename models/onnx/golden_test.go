package onnx_test

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"testing"

	"spotter/models"
	"spotter/models/detect"
	"spotter/models/golden"
	"spotter/models/onnx"
	"spotter/models/reference"
)

// TestFormatsDecodeAsExpected runs the exports of one network in every flavour on the
// golden picture and holds every decoded value against PyTorch's.
func TestFormatsDecodeAsExpected(t *testing.T) {
	for _, file := range []string{"model-op12.onnx", "model-op17.onnx", "model-op12-bn.onnx", "model-op17-bn.onnx", "model-op18-dynamo.onnx"} {
		t.Run(file, func(t *testing.T) {
			data, err := golden.Format(file)
			if err != nil {
				t.Fatal(err)
			}
			m, err := onnx.Load(data, onnx.Options{})
			if err != nil {
				t.Fatal(err)
			}
			t.Log(m.Took, m.Notes, m.TailNodes, m.Fixed)
			if m.Graph.Head.Kind != models.HeadYOLOv5 {
				t.Errorf("taken for %s", m.Graph.Head.Kind)
			}
			compareDecoded(t, m.Graph, m.Weights, expectedRows(t))
		})
	}
}

func compareDecoded(t *testing.T, g *models.Graph, w models.Weights, want []float32) {
	t.Helper()
	out, err := reference.Run(g, w, golden.Input(golden.Image(64, 96, 1)), nil)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := detect.Decode(&g.Head, detect.Maps(g, out))
	if err != nil {
		t.Fatal(err)
	}
	if len(rows.Data) != len(want) {
		t.Fatalf("%d decoded values, want %d", len(rows.Data), len(want))
	}
	// Boxes are pixels and the rest probabilities: each has its own deviation.
	var boxes, scores []float32
	for i, v := range want {
		if i%rows.Columns() < 4 {
			boxes = append(boxes, v)
		} else {
			scores = append(scores, v)
		}
	}
	limits := [2]float64{golden.Tolerance * deviation(boxes), golden.Tolerance * deviation(scores)}
	for i, v := range rows.Data {
		limit := limits[0]
		if i%rows.Columns() >= 4 {
			limit = limits[1]
		}
		if d := math.Abs(float64(v) - float64(want[i])); !(d <= limit) {
			t.Fatalf("row %d column %d: %v, want %v (tolerance %v)", i/rows.Columns(), i%rows.Columns(), v, want[i], limit)
		}
	}
}

func deviation(v []float32) float64 {
	var sum, squares float64
	for _, x := range v {
		sum += float64(x)
		squares += float64(x) * float64(x)
	}
	n := float64(len(v))
	return math.Sqrt(squares/n - sum/n*sum/n)
}

// expectedRows is the only tensor of expected.safetensors.
func expectedRows(t *testing.T) []float32 {
	t.Helper()
	data, err := golden.Format("expected.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	header := 8 + int(binary.LittleEndian.Uint64(data))
	var tensors map[string]struct {
		DType   string `json:"dtype"`
		Offsets [2]int `json:"data_offsets"`
	}
	if err := json.Unmarshal(data[8:header], &tensors); err != nil {
		t.Fatal(err)
	}
	for name, x := range tensors {
		if name == "__metadata__" {
			continue
		}
		b := data[header+x.Offsets[0] : header+x.Offsets[1]]
		values := make([]float32, len(b)/4)
		for i := range values {
			values[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
		}
		return values
	}
	t.Fatal("expected.safetensors holds no tensor")
	return nil
}
