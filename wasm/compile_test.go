package wasm_test

import (
	"context"
	"fmt"
	"math"
	"testing"

	"spotter/models"
	"spotter/models/config"
	"spotter/models/golden"
	"spotter/models/reference"
	"spotter/wasm"
	"spotter/wasm/abi"
	"spotter/wasm/run"
)

// builtin is one of the project's networks with the golden weights.
func builtin(t *testing.T, name, scale string, residual bool, width, height int) (*models.Graph, models.Weights) {
	t.Helper()
	text, err := config.Builtin(name)
	if err != nil {
		t.Fatal(err)
	}
	g, err := config.Load(text, name, config.Options{Scale: scale, Residual: residual, Width: width, Height: height})
	if err != nil {
		t.Fatal(err)
	}
	return g, golden.Weights(g, residual)
}

func compile(t *testing.T, g *models.Graph, w models.Weights, o wasm.Options) *wasm.Output {
	t.Helper()
	out, err := wasm.Compile(g, w, o)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func engine(t *testing.T, out *wasm.Output, o run.Options) *run.Engine {
	t.Helper()
	e, err := run.New(context.Background(), out.Module, out.Weights, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

// picture is the golden picture as the network's input and as RGBA bytes.
func picture(w, h int, seed uint64) (input []float32, rgba []byte) {
	rgb := golden.Image(w, h, seed)
	input = make([]float32, 3*w*h)
	for i := range w * h {
		for c := range 3 {
			input[c*w*h+i] = float32(rgb[3*i+c]) / 255
		}
		rgba = append(rgba, rgb[3*i], rgb[3*i+1], rgb[3*i+2], 255)
	}
	return input, rgba
}

// tolerance of a feature map, in its standard deviations: sums of hundreds of
// products in another order, several layers deep.
const tolerance = 1e-3

// compareMap checks a feature map against the reference's.
func compareMap(name string, shape models.Shape, got, want []float32) error {
	mean, square := 0.0, 0.0
	for _, v := range want {
		mean += float64(v)
		square += float64(v) * float64(v)
	}
	n := float64(len(want))
	mean /= n
	std := math.Sqrt(math.Max(square/n-mean*mean, 0))
	limit := tolerance * math.Max(std, math.Abs(mean)*1e-2)
	for i := range want {
		if d := math.Abs(float64(got[i]) - float64(want[i])); !(d <= limit) {
			return fmt.Errorf("%s at %v of %v: got %g, want %g (std %g, allowed %g)", name, golden.Coordinate(i, shape), []int(shape), got[i], want[i], std, limit)
		}
	}
	return nil
}

// compareNetwork runs a network step by step and checks every feature map that is
// one of the graph's against the reference, then once as a whole.
func compareNetwork(t *testing.T, g *models.Graph, w models.Weights, o wasm.Options, ro run.Options) *run.Engine {
	t.Helper()
	out := compile(t, g, w, o)
	e := engine(t, out, ro)
	in := g.Input.Shape
	input, rgba := picture(in[2], in[1], 1)
	want := map[*models.Value][]float32{}
	outputs, err := reference.Run(g, w, input, func(n *models.Node, v []float32) { want[n.Out] = v })
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Feed(rgba, in[2], in[1]); err != nil {
		t.Fatal(err)
	}
	compareSteps(t, e, sources(t, g, w), want)
	inferAndCompare(t, e, g, rgba, outputs)
	return e
}

// compareOutputs runs a network as a whole and checks its maps.
func compareOutputs(t *testing.T, g *models.Graph, w models.Weights) {
	t.Helper()
	e := engine(t, compile(t, g, w, wasm.Options{}), run.Options{})
	in := g.Input.Shape
	input, rgba := picture(in[2], in[1], 1)
	outputs, err := reference.Run(g, w, input, nil)
	if err != nil {
		t.Fatal(err)
	}
	inferAndCompare(t, e, g, rgba, outputs)
}

func inferAndCompare(t *testing.T, e *run.Engine, g *models.Graph, rgba []byte, outputs [][]float32) {
	t.Helper()
	in := g.Input.Shape
	if err := e.Feed(rgba, in[2], in[1]); err != nil {
		t.Fatal(err)
	}
	if err := e.Infer(); err != nil {
		t.Fatal(err)
	}
	for i, m := range e.Manifest.Outputs {
		if err := compareMap("output "+m.Name, g.Outputs[i].Shape, read(e, m, g.Outputs[i].Shape), outputs[i]); err != nil {
			t.Error(err)
		}
	}
}

// read gives a value in row-major order of its shape. What is no feature map stands in
// the manifest as one row of pixels.
func read(e *run.Engine, t abi.Tensor, shape models.Shape) []float32 {
	values := e.Tensor(t)
	if len(shape) == 3 {
		return values
	}
	rows := make([]float32, len(values))
	for i, v := range values {
		rows[i%t.W*t.C+i/t.W] = v
	}
	return rows
}

// sources gives the graph's value that each layer of the module computes, nil where
// the passes made a value that the graph does not have, or one that is no
// feature map and lies scattered in another.
func sources(t *testing.T, g *models.Graph, w models.Weights) []*models.Value {
	t.Helper()
	p, err := wasm.Prepare(g, w, wasm.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var list []*models.Value
	for _, s := range p.Steps {
		if s.View {
			continue
		}
		source := s.Out.Source
		if len(s.Out.Shape) != 3 && s.Out.Place.Base != nil {
			source = nil
		}
		list = append(list, source)
	}
	return list
}

func compareSteps(t *testing.T, e *run.Engine, sources []*models.Value, want map[*models.Value][]float32) {
	t.Helper()
	if len(sources) != len(e.Manifest.Layers) {
		t.Fatalf("%d steps, %d layers in the manifest", len(sources), len(e.Manifest.Layers))
	}
	checked := 0
	for i, l := range e.Manifest.Layers {
		if err := e.Step(i); err != nil {
			t.Fatalf("layer %d (%s): %v", i, l.Name, err)
		}
		if sources[i] == nil {
			continue
		}
		checked++
		label := fmt.Sprintf("layer %d %s %s by %s", i, l.Name, l.Op, l.Kernel)
		if err := compareMap(label, sources[i].Shape, read(e, l.Tensor, sources[i].Shape), want[sources[i]]); err != nil {
			t.Fatal(err)
		}
	}
	if checked < len(sources)/2 {
		t.Errorf("only %d of %d layers are the graph's", checked, len(sources))
	}
}

func TestConvSmall(t *testing.T) {
	for _, residual := range []bool{false, true} {
		t.Run(fmt.Sprintf("residual=%t", residual), func(t *testing.T) {
			g, w := builtin(t, "yolov5-mnv4-convsmall", "n", residual, 64, 64)
			compareNetwork(t, g, w, wasm.Options{}, run.Options{})
		})
	}
}
