package export

import (
	"bytes"
	"math"
	"slices"
	"strings"
	"testing"

	"spotter/models"
	"spotter/models/config"
	"spotter/models/golden"
	"spotter/models/onnx"
	"spotter/models/reference"
)

// network builds a built-in network at a small size with golden's weights.
func network(t *testing.T, name string, width, height int, residual bool) (*models.Graph, models.Weights) {
	t.Helper()
	text, err := config.Builtin(name)
	if err != nil {
		t.Fatal(err)
	}
	g, err := config.Load(text, name+".yaml", config.Options{Scale: "n", Width: width, Height: height, Residual: residual})
	if err != nil {
		t.Fatal(err)
	}
	return g, golden.Weights(g, residual)
}

func run(t *testing.T, g *models.Graph, w models.Weights, input []float32) [][]float32 {
	t.Helper()
	out, err := reference.Run(g, w, input, nil)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// agree compares outputs as golden does: by the standard deviation of the map.
func agree(t *testing.T, what string, got, want [][]float32) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d outputs, want %d", what, len(got), len(want))
	}
	for m := range want {
		if len(got[m]) != len(want[m]) {
			t.Fatalf("%s: output %d has %d values, want %d", what, m, len(got[m]), len(want[m]))
		}
		var sum, squares float64
		for _, v := range want[m] {
			sum += float64(v)
			squares += float64(v) * float64(v)
		}
		n := float64(len(want[m]))
		limit := 1e-4 * math.Sqrt(squares/n-sum/n*sum/n)
		for i, v := range want[m] {
			if d := math.Abs(float64(got[m][i] - v)); !(d <= limit) {
				t.Fatalf("%s: output %d, element %d is %g, want %g", what, m, i, got[m][i], v)
			}
		}
	}
}

// What is written is read back as a network that computes the same.
func TestWrittenNetworksReadBackAlike(t *testing.T) {
	for _, c := range []struct {
		name     string
		residual bool
	}{
		{"yolov5-mnv4-convsmall", false},
		{"yolov5-mnv4-convmedium", true},
		{"yolov5-mnv4-hybridlarge", true},
	} {
		g, w := network(t, c.name, 64, 32, c.residual)
		input := golden.Input(golden.Image(64, 32, 5))
		want := run(t, g, w, input)
		folded, fw, err := FoldBatchNorm(g, w)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		agree(t, c.name+" folded", run(t, folded, fw, input), want)
		for _, form := range []struct {
			name string
			g    *models.Graph
			w    models.Weights
		}{{"kept", g, w}, {"folded", folded, fw}} {
			var file bytes.Buffer
			if err := ONNX(&file, form.g, form.w, nil); err != nil {
				t.Fatalf("%s %s: %v", c.name, form.name, err)
			}
			m, err := onnx.Load(file.Bytes(), onnx.Options{})
			if err != nil {
				t.Fatalf("%s %s: reading back: %v", c.name, form.name, err)
			}
			agree(t, c.name+" "+form.name+" read back", run(t, m.Graph, m.Weights, input), want)
		}
	}
}

// Folding takes every normalisation behind a convolution and leaves its arguments alone.
func TestFoldBatchNormTakesAllAndChangesNothing(t *testing.T) {
	g, w := network(t, "yolov5-mnv4-convsmall", 64, 64, false)
	nodes, digest := len(g.Nodes), golden.Digest(w)
	folded, fw, err := FoldBatchNorm(g, w)
	if err != nil {
		t.Fatal(err)
	}
	norms := 0
	for _, n := range g.Nodes {
		if _, ok := n.Op.(*models.BatchNorm); ok {
			norms++
		}
	}
	if norms == 0 || len(folded.Nodes) != nodes-norms {
		t.Errorf("%d nodes of which %d normalise became %d", nodes, norms, len(folded.Nodes))
	}
	for _, p := range folded.Params() {
		if fw[p.Name] == nil {
			t.Errorf("the folded network names %s, which its weights lack", p.Name)
		}
	}
	if len(g.Nodes) != nodes || golden.Digest(w) != digest {
		t.Error("the graph or the weights given were changed")
	}
}

// conv1 is a graph of one 1x1 convolution over 2 channels and what follows it.
func conv1(follow ...models.Op) (*models.Graph, models.Weights) {
	shape := models.Shape{2, 1, 1}
	g := &models.Graph{Name: "small", Input: &models.Value{Name: "in", Shape: shape}}
	last := g.Input
	add := func(op models.Op, name string) {
		n := &models.Node{Name: name, Op: op, In: []*models.Value{last}, Layer: -1}
		n.Out = &models.Value{Name: name, Shape: shape, From: n}
		last = n.Out
		g.Nodes = append(g.Nodes, n)
	}
	add(&models.Conv{Out: 2, Kernel: [2]int{1, 1}, Stride: [2]int{1, 1}, Weight: "a.weight"}, "a")
	for i, op := range follow {
		add(op, string(rune('b'+i)))
	}
	g.Outputs = []*models.Value{last}
	return g, models.Weights{
		"a.weight": {Shape: []int{2, 2, 1, 1}, Data: []float32{1, 2, 3, 4}},
		"w":        {Shape: []int{2}, Data: []float32{2, 0.5}}, "s": {Shape: []int{2}, Data: []float32{1, -1}},
		"m": {Shape: []int{2}, Data: []float32{3, 4}}, "v": {Shape: []int{2}, Data: []float32{0.25, 4}},
	}
}

var norm = &models.BatchNorm{Weight: "w", Bias: "s", Mean: "m", Var: "v"}

// scale = w / sqrt(v) = 4, 0.25; bias = s - m scale = -11, -2.
func TestFoldBatchNormValues(t *testing.T) {
	g, w := conv1(norm)
	folded, fw, err := FoldBatchNorm(g, w)
	if err != nil {
		t.Fatal(err)
	}
	if got := fw["a.weight"].Data; !slices.Equal(got, []float32{4, 8, 0.75, 1}) {
		t.Errorf("weight %v", got)
	}
	if got := fw["a.bias"].Data; !slices.Equal(got, []float32{-11, -2}) {
		t.Errorf("bias %v", got)
	}
	if folded.Outputs[0].From != folded.Nodes[0] || folded.Outputs[0].Name != "b" {
		t.Errorf("the output is %q and comes from %v", folded.Outputs[0].Name, folded.Outputs[0].From)
	}
}

// A convolution whose own result is needed keeps it, and so does one whose weight another uses.
func TestFoldBatchNormLeavesWhatOthersUse(t *testing.T) {
	g, w := conv1(norm)
	g.Outputs = append(g.Outputs, g.Nodes[0].Out)
	folded, _, err := FoldBatchNorm(g, w)
	if err != nil {
		t.Fatal(err)
	}
	if len(folded.Nodes) != 2 {
		t.Errorf("%d nodes, want the convolution and its normalisation", len(folded.Nodes))
	}
	g, w = conv1(norm, &models.Conv{Out: 2, Kernel: [2]int{1, 1}, Stride: [2]int{1, 1}, Weight: "a.weight"})
	_, fw, err := FoldBatchNorm(g, w)
	if err != nil {
		t.Fatal(err)
	}
	if got := fw["a.weight"].Data; !slices.Equal(got, []float32{1, 2, 3, 4}) {
		t.Errorf("the shared weight became %v", got)
	}
}

func TestMissingParametersAreNamed(t *testing.T) {
	g, w := conv1(norm)
	delete(w, "m")
	if _, _, err := FoldBatchNorm(g, w); err == nil || !strings.Contains(err.Error(), `"m"`) {
		t.Errorf("folding without the mean: %v", err)
	}
	if err := ONNX(&bytes.Buffer{}, g, w, nil); err == nil || !strings.Contains(err.Error(), `"m"`) {
		t.Errorf("writing without the mean: %v", err)
	}
}
