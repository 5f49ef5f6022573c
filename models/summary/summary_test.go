package summary_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"spotter/models"
	"spotter/models/config"
	"spotter/models/summary"
)

func load(t *testing.T, name string, o config.Options) *models.Graph {
	t.Helper()
	text, err := config.Builtin(name)
	if err != nil {
		t.Fatal(err)
	}
	g, err := config.Load(text, name+".yaml", o)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// TestTableIsTheTutorials compares every column of every row with the tutorial's log.
func TestTableIsTheTutorials(t *testing.T) {
	log, err := os.ReadFile("testdata/tutorial.txt")
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := summary.Print(&b, load(t, "yolov5-mnv4-convsmall", config.Options{Scale: "l"})); err != nil {
		t.Fatal(err)
	}
	want, got := strings.Split(strings.TrimSpace(string(log)), "\n"), strings.Split(b.String(), "\n")
	rows := len(want) - 1 // the last line is the total, which is worded otherwise
	if rows != 18 {
		t.Fatalf("the tutorial's log has %d lines above its total, want 18", rows)
	}
	for i := range rows {
		if g, w := strings.Fields(got[i]), strings.Fields(want[i]); strings.Join(g, " ") != strings.Join(w, " ") {
			t.Errorf("line %d:\n got %v\nwant %v", i, g, w)
		}
	}
	for _, part := range []string{"350 layers", "26179933 parameters", "45.47 GFLOPs at 640 x 640", "the tutorial's count: 58.1 GFLOPs"} {
		if !strings.Contains(b.String(), part) {
			t.Errorf("the total lacks %q:\n%s", part, b.String())
		}
	}
}

type operations struct {
	Backbone, Size, Task string
	Params               int
	GFLOPs320, GFLOPs640 float64
}

// TestCountsOfTheFamily covers all backbones, sizes and tasks.
func TestCountsOfTheFamily(t *testing.T) {
	data, err := os.ReadFile("testdata/operations.json")
	if err != nil {
		t.Fatal(err)
	}
	var list []operations
	if err := json.Unmarshal(data, &list); err != nil {
		t.Fatal(err)
	}
	if len(list) != 5*5*2 {
		t.Fatalf("%d networks in the table, want 50", len(list))
	}
	for _, want := range list {
		name := "yolov5-mnv4-" + strings.ToLower(want.Backbone)
		if want.Task == "segment" {
			name += "-seg"
		}
		g := load(t, name, config.Options{Scale: want.Size})
		at640 := summary.Count(g)
		if err := g.SetInput(320, 320, nil); err != nil {
			t.Fatalf("%+v: %v", want, err)
		}
		at320 := summary.Count(g)
		if at640.Params != want.Params || fixed(at640.GFLOPs()) != fixed(want.GFLOPs640) || fixed(at320.GFLOPs()) != fixed(want.GFLOPs320) {
			t.Errorf("%s %s: %d parameters, %.3f GFLOPs at 320, %.3f at 640, want %+v",
				name, want.Size, at640.Params, at320.GFLOPs(), at640.GFLOPs(), want)
		}
	}
}

func fixed(x float64) string { return fmt.Sprintf("%.2f", x) }

// TestStockYOLOv5 compares with the totals that YOLOv5 publishes for nc = 80.
func TestStockYOLOv5(t *testing.T) {
	for _, want := range []struct {
		name           string
		layers, params int
	}{
		{"yolov5n", 214, 1872157},
		{"yolov5s", 214, 7235389},
		{"yolov5m", 291, 21190557},
		{"yolov5l", 368, 46563709},
		{"yolov5x", 445, 86749405},
	} {
		got := summary.Count(load(t, want.name, config.Options{}))
		if got.Layers != want.layers || got.Params != want.params {
			t.Errorf("%s: %d layers and %d parameters, want %d and %d", want.name, got.Layers, got.Params, want.layers, want.params)
		}
		if _, ok := got.TutorialGFLOPs(); ok {
			t.Errorf("%s has the tutorial's count without a MobileNetV4", want.name)
		}
	}
}

// TestStockYOLOv5Segmentation compares with YOLOv5's table of models: millions of
// parameters and GFLOPs at 640, to one decimal.
func TestStockYOLOv5Segmentation(t *testing.T) {
	for _, want := range []struct{ name, params, gflops string }{
		{"yolov5n-seg", "2.0", "7.1"},
		{"yolov5s-seg", "7.6", "26.4"},
		{"yolov5m-seg", "22.0", "70.8"},
		{"yolov5l-seg", "47.9", "147.7"},
	} {
		c := summary.Count(load(t, want.name, config.Options{}))
		params, gflops := fmt.Sprintf("%.1f", float64(c.Params)/1e6), fmt.Sprintf("%.1f", c.GFLOPs())
		if params != want.params || gflops != want.gflops {
			t.Errorf("%s: %s million parameters and %s GFLOPs, want %s and %s", want.name, params, gflops, want.params, want.gflops)
		}
	}
}

// TestMACsOfEachOperation works small cases out by hand.
func TestMACsOfEachOperation(t *testing.T) {
	value := func(shape ...int) *models.Value { return &models.Value{Name: "x", Shape: shape} }
	w := models.Weights{"w": {Shape: []int{7, 9}}, "left": {Shape: []int{4, 6}}}
	for _, c := range []struct {
		name string
		op   models.Op
		in   []*models.Value
		want int
	}{
		{"dense 3x3 stride 2, 8x6 to 4x3", &models.Conv{Out: 5, Kernel: [2]int{3, 3}, Stride: [2]int{2, 2}, Pad: [4]int{1, 1, 1, 1}}, []*models.Value{value(2, 8, 6)}, 4 * 3 * 5 * 2 * 9},
		{"depthwise 3x3", &models.Conv{Out: 4, Groups: 4, Kernel: [2]int{3, 3}, Stride: [2]int{1, 1}, Pad: [4]int{1, 1, 1, 1}}, []*models.Value{value(4, 5, 5)}, 25 * 4 * 9},
		{"transposed 2x2 stride 2", &models.ConvTranspose{Out: 3, Kernel: [2]int{2, 2}, Stride: [2]int{2, 2}}, []*models.Value{value(4, 5, 6)}, 30 * 4 * 3 * 4},
		{"product by a constant", &models.MatMul{Const: "w"}, []*models.Value{value(3, 7)}, 3 * 7 * 9},
		{"constant by a value", &models.MatMul{Const: "left", ConstFirst: true}, []*models.Value{value(6, 5)}, 4 * 6 * 5},
		{"vector by a constant", &models.MatMul{Const: "w"}, []*models.Value{value(7)}, 7 * 9},
		{"product of two values, in batches", &models.MatMul{}, []*models.Value{value(2, 3, 4), value(2, 4, 5)}, 2 * 3 * 4 * 5},
		{"attention of 2 heads of 8", &models.MQA{Heads: 2, Dim: 8}, []*models.Value{value(16, 4, 5), value(8, 2, 3), value(8, 2, 3)}, 2 * 2 * 20 * 6 * 8},
		{"activation", &models.Activation{Kind: models.ActSiLU}, []*models.Value{value(4, 4, 4)}, 0},
	} {
		n := &models.Node{Name: c.name, Op: c.op, In: c.in, Out: &models.Value{}}
		if err := models.InferNode(n, w); err != nil {
			t.Fatal(err)
		}
		if got := summary.MACs(n); got != c.want {
			t.Errorf("%s: %d multiply-adds, want %d", c.name, got, c.want)
		}
	}
}

// TestNodesTable checks a line of the long form and a graph that has no rows.
func TestNodesTable(t *testing.T) {
	g := load(t, "yolov5-mnv4-convsmall", config.Options{Scale: "n", Width: 64, Height: 96})
	var rows, nodes strings.Builder
	if err := summary.PrintNodes(&nodes, g); err != nil {
		t.Fatal(err)
	}
	first := strings.Fields(strings.Split(nodes.String(), "\n")[1])
	if got, want := strings.Join(first, " "), "0 model.0.conv0.convbn_0.conv Conv 32x48x32 864 1.33"; got != want {
		t.Errorf("first operation:\n got %s\nwant %s", got, want)
	}
	g.Layers = nil
	for _, n := range g.Nodes {
		n.Layer = -1
	}
	if err := summary.Print(&rows, g); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(rows.String(), strings.Split(nodes.String(), "\n")[0]) || !strings.Contains(rows.String(), "operations, 4823837 parameters") {
		t.Errorf("a graph without rows prints:\n%.600s", rows.String())
	}
}
