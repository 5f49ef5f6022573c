package wasm_test

import (
	"fmt"
	"strings"
	"testing"

	"spotter/models"
	"spotter/models/config"
	"spotter/models/golden"
	"spotter/wasm"
	"spotter/wasm/run"
)

// TestGolden holds compiled networks against PyTorch's expectations: every layer that the
// module still computes, the raw maps, and the boxes.
func TestGolden(t *testing.T) {
	list, err := golden.Models()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range list {
		t.Run(m.File, func(t *testing.T) {
			g, err := config.Load(m.Config, m.File, config.Options{Residual: m.Residual, Width: 64, Height: 64})
			if err != nil {
				t.Fatal(err)
			}
			w := golden.Weights(g, m.Residual)
			for _, r := range m.Runs {
				t.Run(fmt.Sprintf("%dx%d", r.Width, r.Height), func(t *testing.T) { testGoldenRun(t, g, w, &r) })
			}
		})
	}
}

func testGoldenRun(t *testing.T, g *models.Graph, w models.Weights, r *golden.Run) {
	e := engine(t, compile(t, g, w, wasm.Options{Width: r.Width, Height: r.Height}), run.Options{})
	_, rgba := picture(r.Width, r.Height, r.ImageSeed)
	if err := e.Feed(rgba, r.Width, r.Height); err != nil {
		t.Fatal(err)
	}
	values := map[*models.Value][]float32{}
	for i, source := range sources(t, g, w) {
		if err := e.Step(i); err != nil {
			t.Fatal(err)
		}
		if source != nil {
			values[source] = e.Tensor(e.Manifest.Layers[i].Tensor)
		}
	}
	seen := 0
	for _, c := range r.Layers {
		v := layerValue(g, c.Name)
		if values[v] == nil {
			continue // a concatenation, or fused
		}
		seen++
		if err := c.Compare(c.Name, v.Shape, values[v]); err != nil {
			t.Fatal(err) // whatever follows is wrong too
		}
	}
	if seen < 2*len(r.Layers)/3 {
		t.Errorf("%d of %d layers were found", seen, len(r.Layers))
	}
	checks := r.Raw
	if r.Proto != nil {
		checks = append(checks[:len(checks):len(checks)], *r.Proto)
	}
	for i, c := range checks {
		if err := c.Compare(fmt.Sprintf("output %d", i), g.Outputs[i].Shape, e.Tensor(e.Manifest.Outputs[i])); err != nil {
			t.Error(err)
		}
	}
	testGoldenBoxes(t, e, r)
}

// layerValue finds the value that an expectation's name means: featureN is the backbone's
// N-th map, layerN the output of YOLO index N, the rest a block.
func layerValue(g *models.Graph, name string) *models.Value {
	var n int
	if _, err := fmt.Sscanf(name, "feature%d", &n); err == nil {
		return g.Layers[0].Out[n-1]
	}
	if _, err := fmt.Sscanf(name, "layer%d", &n); err == nil {
		for _, l := range g.Layers {
			if l.Index == n {
				return l.Out[0]
			}
		}
	}
	var last *models.Value
	for _, node := range g.Nodes {
		if strings.HasPrefix(node.Name, name+".") {
			last = node.Out
		}
	}
	return last
}

// testGoldenBoxes allows for the boxes that rounding flips among random weights'
// dense ones; the best must agree. The module gives 1000 boxes at most.
func testGoldenBoxes(t *testing.T, e *run.Engine, r *golden.Run) {
	found, err := e.Detect(run.DetectOptions{Conf: r.NMS.Conf, IoU: r.NMS.IOU, Max: r.NMS.MaxDet})
	if err != nil {
		t.Fatal(err)
	}
	want := min(r.NMS.Count, e.Manifest.Memory.MaxResults)
	if d := len(found) - want; 20*d > want || -20*d > want {
		t.Errorf("%d boxes, want %d within 5%%", len(found), want)
	}
	if len(found) == 0 || len(r.NMS.First) == 0 {
		return
	}
	first := r.NMS.First[0]
	limit := float32(golden.Tolerance * r.Decoded.Std)
	for i, v := range append(found[0].Box[:], found[0].Score) {
		expected := first[i]
		if i < 4 { // the module clips to the picture
			expected = min(max(expected, 0), float32([]int{r.Width, r.Height}[i%2]))
		}
		if d := v - expected; !(d <= limit && -d <= limit) {
			t.Errorf("the first box is %v %g, want %v", found[0].Box, found[0].Score, first)
			break
		}
	}
	if found[0].Class != int(first[5]) {
		t.Errorf("the first box is of class %d, want %v", found[0].Class, first[5])
	}
}
