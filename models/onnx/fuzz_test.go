package onnx_test

import (
	"os"
	"testing"

	"spotter/models"
	"spotter/models/golden"
	"spotter/models/onnx"
)

// FuzzLoad feeds whole files, taken for every head in turn.
func FuzzLoad(f *testing.F) {
	for _, name := range []string{"model-op12-bn.onnx", "model-op17.onnx", "model-op18-dynamo.onnx"} {
		data, err := golden.Format(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data, byte(0), 0)
	}
	small, err := os.ReadDir("testdata")
	if err != nil {
		f.Fatal(err)
	}
	for i, e := range small {
		if data, err := os.ReadFile("testdata/" + e.Name()); err == nil && len(data) < 64<<10 {
			f.Add(data, byte(i), 64)
		}
	}
	heads := []models.HeadKind{"", models.HeadYOLOv5, models.HeadYOLOX, models.HeadGFL, models.HeadYOLOv8, models.HeadClassify}
	f.Fuzz(func(t *testing.T, data []byte, head byte, side int) {
		side %= 512 // larger inputs are only slower
		m, err := onnx.Load(data, onnx.Options{Head: heads[int(head)%len(heads)], Width: side, Height: side})
		if err != nil {
			return
		}
		if err := models.InferShapes(m.Graph, m.Weights); err != nil {
			t.Fatalf("a graph that was read has no shapes: %v", err)
		}
		if err := m.Graph.CheckWeights(m.Weights); err != nil {
			t.Fatalf("a graph that was read lacks weights: %v", err)
		}
	})
}
