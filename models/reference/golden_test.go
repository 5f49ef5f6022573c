package reference_test

import (
	"fmt"
	"strings"
	"testing"

	"spotter/models"
	"spotter/models/config"
	"spotter/models/detect"
	"spotter/models/golden"
	"spotter/models/reference"
)

// TestNetworksAgreeWithPyTorch runs every network of the expectations and
// compares weights, every layer, the raw maps, the decoded rows and the boxes.
func TestNetworksAgreeWithPyTorch(t *testing.T) {
	list, err := golden.Models()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range list {
		t.Run(m.File, func(t *testing.T) { testNetwork(t, m) })
	}
}

func testNetwork(t *testing.T, m *golden.Model) {
	// JSON is YAML: the expectation's own configuration builds the graph.
	g, err := config.Load(m.Config, m.File, config.Options{Residual: m.Residual, Width: 64, Height: 64})
	if err != nil {
		t.Fatal(err)
	}
	w := golden.Weights(g, m.Residual)
	if id := golden.Digest(w); id != m.WeightsID {
		t.Errorf("the weights' digest is %s, want %s", id, m.WeightsID)
	}
	if n := parameters(g); n != m.Params {
		t.Errorf("%d parameters, want %d", n, m.Params)
	}
	for _, r := range m.Runs {
		t.Run(fmt.Sprintf("%dx%d", r.Width, r.Height), func(t *testing.T) { testRun(t, g, w, &r) })
	}
}

// parameters counts what training changes: not BatchNorm's statistics.
func parameters(g *models.Graph) int {
	total := 0
	for _, p := range g.Params() {
		if !strings.Contains(p.Name, ".running_") {
			total += models.Shape(p.Shape).Elements()
		}
	}
	return total
}

func testRun(t *testing.T, g *models.Graph, w models.Weights, r *golden.Run) {
	if err := g.SetInput(r.Width, r.Height, w); err != nil {
		t.Fatal(err)
	}
	values := map[*models.Value][]float32{}
	input := golden.Input(golden.Image(r.Width, r.Height, r.ImageSeed))
	outputs, err := reference.Run(g, w, input, func(n *models.Node, v []float32) { values[n.Out] = v })
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range r.Layers {
		v, err := layerValue(g, c.Name)
		if err == nil {
			err = c.Compare(c.Name, v.Shape, values[v])
		}
		if err != nil {
			t.Fatal(err) // whatever follows is wrong too
		}
	}
	for i, c := range r.Raw {
		if err := c.Compare(fmt.Sprintf("raw map %d", i), g.Outputs[i].Shape, outputs[i]); err != nil {
			t.Error(err)
		}
	}
	if r.Proto != nil {
		i := g.Head.Proto
		if err := r.Proto.Compare("prototypes", g.Outputs[i].Shape, outputs[i]); err != nil {
			t.Error(err)
		}
	}
	testBoxes(t, g, outputs, r)
}

// layerValue finds the value that an expectation's name means: featureN is the
// backbone's N-th map, layerN the output of YOLO index N, the rest a block.
func layerValue(g *models.Graph, name string) (*models.Value, error) {
	var n int
	if _, err := fmt.Sscanf(name, "feature%d", &n); err == nil {
		return g.Layers[0].Out[n-1], nil
	}
	if _, err := fmt.Sscanf(name, "layer%d", &n); err == nil {
		for _, l := range g.Layers {
			if l.Index == n {
				return l.Out[0], nil
			}
		}
	}
	var last *models.Value
	for _, node := range g.Nodes {
		if strings.HasPrefix(node.Name, name+".") {
			last = node.Out
		}
	}
	if last == nil {
		return nil, fmt.Errorf("the graph has no layer %s", name)
	}
	return last, nil
}

// testBoxes compares the decoded rows, and the number of boxes within 5 %: random
// weights overlap so densely that single boxes flip with rounding.
func testBoxes(t *testing.T, g *models.Graph, outputs [][]float32, r *golden.Run) {
	rows, err := detect.Decode(&g.Head, detect.Maps(g, outputs))
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Decoded.Compare("decoded", models.Shape{rows.N, rows.Columns()}, rows.Data); err != nil {
		t.Error(err)
	}
	got := detect.NMS(rows, detect.NMSOptions{Conf: r.NMS.Conf, IOU: float64(r.NMS.IOU), MaxDet: r.NMS.MaxDet})
	if d := len(got) - r.NMS.Count; 20*d > r.NMS.Count || -20*d > r.NMS.Count {
		t.Errorf("%d boxes, want %d within 5%%", len(got), r.NMS.Count)
	}
	if len(got) == 0 || len(r.NMS.First) == 0 {
		return
	}
	want := r.NMS.First[0]
	if got[0].Class != int(want[5]) {
		t.Errorf("the first box is of class %d, want %v", got[0].Class, want[5])
	}
	limit := float32(golden.Tolerance * r.Decoded.Std)
	for i, v := range append(got[0].Box[:], got[0].Score) {
		if d := v - want[i]; !(d <= limit && -d <= limit) {
			t.Errorf("the first box is %v %g, want %v", got[0].Box, got[0].Score, want)
			break
		}
	}
}
