package run_test

import (
	"context"
	"strings"
	"testing"

	"spotter/models"
	"spotter/wasm"
	"spotter/wasm/run"
)

// compiled is a network of one convolution on 32 x 32 pixels.
func compiled(t *testing.T) *wasm.Output {
	t.Helper()
	in := &models.Value{Name: "images", Shape: models.Shape{3, 32, 32}}
	node := &models.Node{Name: "conv", In: []*models.Value{in}, Layer: -1, Op: &models.Conv{
		Out: 4, Kernel: [2]int{3, 3}, Stride: [2]int{2, 2}, Pad: [4]int{1, 1, 1, 1}, Groups: 1, Weight: "w",
	}}
	node.Out = &models.Value{Name: "maps", From: node}
	g := &models.Graph{
		Name: "net", Input: in, Nodes: []*models.Node{node}, Outputs: []*models.Value{node.Out}, Head: models.Head{Proto: -1},
		Feed: models.Feed{Fit: models.FitLetterbox, Pad: 114, Scale: 1.0 / 255, Std: [3]float32{1, 1, 1}},
	}
	w := models.Weights{"w": {Shape: []int{4, 3, 3, 3}, Data: make([]float32, 108)}}
	out, err := wasm.Compile(g, w, wasm.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func wantError(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want one with %q", err, want)
	}
}

// TestWrongFiles: modules and weights that do not belong here are named as such.
func TestWrongFiles(t *testing.T) {
	out, ctx := compiled(t), context.Background()
	_, err := run.Describe([]byte("hello"))
	wantError(t, err, "no WebAssembly module")
	_, err = run.Describe([]byte("\x00asm\x01\x00\x00\x00"))
	wantError(t, err, "not made by Spotter")
	_, err = run.Describe(out.Module[:len(out.Module)/2])
	wantError(t, err, "cut off")
	_, err = run.New(ctx, out.Module, out.Weights[1:], run.Options{})
	wantError(t, err, "weights file has")
	_, err = run.New(ctx, out.Module, out.Weights, run.Options{Threads: 2})
	wantError(t, err, "without threads")
}

// TestPictureSizes feeds what is larger than the memory's first size, and what cannot be fed.
func TestPictureSizes(t *testing.T) {
	out := compiled(t)
	e, err := run.New(context.Background(), out.Module, out.Weights, run.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	const w, h = 3000, 1500
	if err := e.Feed(make([]byte, 4*w*h), w, h); err != nil {
		t.Errorf("a large picture: %v", err)
	}
	if err := e.Infer(); err != nil {
		t.Error(err)
	}
	wantError(t, e.Feed(make([]byte, 4*640), 640, 1), "640x1")
	wantError(t, e.Feed(make([]byte, 7), 2, 2), "7 bytes")
	_, err = e.Detect(run.DetectOptions{Conf: 0.25, IoU: 0.45})
	wantError(t, err, "does not export detect")
	_, err = e.Mask(0, 0, 5)
	wantError(t, err, "0 x 5")
}
