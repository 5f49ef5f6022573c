package config_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"spotter/models"
	"spotter/models/config"
	"spotter/models/golden"
	"spotter/models/safetensors"
)

func builtin(t *testing.T, name string, o config.Options) *models.Graph {
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

// TestNamesAndShapesAreTheStateDicts builds the tiny network of golden/formats, whose
// backbone has its own table, and compares with the file that PyTorch wrote.
func TestNamesAndShapesAreTheStateDicts(t *testing.T) {
	want, err := golden.Formats()
	if err != nil {
		t.Fatal(err)
	}
	table, err := json.Marshal(want.Spec)
	if err != nil {
		t.Fatal(err)
	}
	spec, err := config.ParseBackbone(table, "expected.json")
	if err != nil {
		t.Fatal(err)
	}
	g, err := config.Load(want.Config, "expected.json", config.Options{Backbone: spec, Width: want.Width, Height: want.Height})
	if err != nil {
		t.Fatal(err)
	}
	compareParams(t, g, stateDict(t, "model.safetensors"))
	for i, out := range g.Outputs {
		if !slices.Equal(out.Shape, want.Raw[i].Shape) {
			t.Errorf("map %d is %v, want %v", i, out.Shape, want.Raw[i].Shape)
		}
	}
}

// stateDict gives the shapes of the parameters that a graph should name.
func stateDict(t *testing.T, name string) map[string][]int {
	t.Helper()
	data, err := golden.Format(name)
	if err != nil {
		t.Fatal(err)
	}
	file, err := safetensors.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	shapes := map[string][]int{}
	for name, tensor := range file.Weights {
		if !strings.Contains(name, "features.") && !strings.HasSuffix(name, "num_batches_tracked") && !strings.HasSuffix(name, ".anchors") {
			shapes[name] = tensor.Shape
		}
	}
	return shapes
}

func compareParams(t *testing.T, g *models.Graph, want map[string][]int) {
	t.Helper()
	for _, p := range g.Params() {
		shape, ok := want[p.Name]
		if !ok {
			t.Errorf("the graph names %s, which the state_dict lacks", p.Name)
		} else if !slices.Equal(shape, p.Shape) {
			t.Errorf("%s is %v, want %v", p.Name, p.Shape, shape)
		}
		delete(want, p.Name)
	}
	for name := range want {
		t.Errorf("the graph lacks %s", name)
	}
}

// TestBlockTablesInTheTutorialsForm reads the long form with num_blocks too.
func TestBlockTablesInTheTutorialsForm(t *testing.T) {
	want := config.Backbone("MobileNetV4ConvMedium")
	var b strings.Builder
	for _, s := range want.Stages {
		fmt.Fprintf(&b, "%s: {block_name: %s, num_blocks: %d, block_specs: [", s.Name, s.Blocks[0].Kind, len(s.Blocks))
		for _, x := range s.Blocks {
			switch x.Kind {
			case config.ConvBN:
				fmt.Fprintf(&b, "[%d, %d, %d, %d],", x.In, x.Out, x.Kernel, x.Stride)
			case config.UIB:
				fmt.Fprintf(&b, "[%d, %d, %d, %d, True, %d, %g],", x.In, x.Out, x.Start, x.Middle, x.Stride, float64(x.Hidden)/float64(x.In))
			case config.FusedIB:
				fmt.Fprintf(&b, "[%d, %d, %d, %g, True],", x.In, x.Out, x.Stride, float64(x.Hidden)/float64(x.In))
			}
		}
		b.WriteString("]}\n")
	}
	got, err := config.ParseBackbone([]byte(b.String()), "medium.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range want.Stages {
		if got.Stages[i].Name != s.Name || !slices.Equal(got.Stages[i].Blocks, s.Blocks) {
			t.Errorf("stage %s:\n got %+v\nwant %+v", s.Name, got.Stages[i].Blocks, s.Blocks)
		}
	}
}

// TestIndicesMoveBehindTheBackbone checks the tutorial's hash comments: 5 is SPPF, 20 Detect.
func TestIndicesMoveBehindTheBackbone(t *testing.T) {
	g := builtin(t, "yolov5-mnv4-convsmall", config.Options{Scale: "n", Width: 128, Height: 96})
	for i, l := range g.Layers {
		if l.Index != i+4 {
			t.Errorf("row %d has index %d, want %d", i, l.Index, i+4)
		}
	}
	var shapes []string
	for _, out := range g.Layers[0].Out {
		shapes = append(shapes, fmt.Sprint(out.Shape))
	}
	if got, want := strings.Join(shapes, " "), "[32 24 32] [64 12 16] [96 6 8] [1280 3 4]"; got != want {
		t.Errorf("the backbone's maps are %s, want %s", got, want)
	}
	last := g.Layers[14] // joins index 5, the SPPF
	join := last.Out[0].From
	if got := join.In[1]; got != g.Layers[1].Out[0] {
		t.Errorf("the last Concat joins %s, want SPPF's output", got.Name)
	}
	if want := []int{8, 16, 32}; !slices.Equal(strides(g), want) {
		t.Errorf("strides %v, want %v", strides(g), want)
	}
}

func strides(g *models.Graph) (list []int) {
	for _, l := range g.Head.Levels {
		list = append(list, l.Stride)
	}
	return list
}

// TestHeadSaysWhereItsPartsAre for detection and segmentation with 3 classes.
func TestHeadSaysWhereItsPartsAre(t *testing.T) {
	classes := []string{"cat", "dog", "owl"}
	detect := builtin(t, "yolov5-mnv4-convsmall", config.Options{Scale: "n", Width: 64, Height: 64, Classes: classes})
	segment := builtin(t, "yolov5-mnv4-convsmall-seg", config.Options{Scale: "n", Width: 64, Height: 64, NC: 3})
	if h := detect.Head; h.Kind != models.HeadYOLOv5 || h.Classes != 3 || h.Masks != 0 || h.Proto != -1 || len(detect.Outputs) != 3 {
		t.Errorf("detection head %+v with %d outputs", h, len(detect.Outputs))
	}
	if !slices.Equal(detect.Classes, classes) {
		t.Errorf("classes %v, want %v", detect.Classes, classes)
	}
	if h := segment.Head; h.Classes != 3 || h.Masks != 32 || h.Proto != 3 || !slices.Equal(segment.Outputs[3].Shape, models.Shape{32, 16, 16}) {
		t.Errorf("segmentation head %+v, prototypes %v", h, segment.Outputs[h.Proto].Shape)
	}
	for i, l := range segment.Head.Levels {
		want := models.Level{
			Stride: 8 << i, Anchors: l.Anchors, AnchorStep: 40,
			Box: models.Part{Map: i}, Obj: models.Part{Map: i, Channel: 4},
			Cls: models.Part{Map: i, Channel: 5}, Coef: models.Part{Map: i, Channel: 8},
		}
		if fmt.Sprint(l) != fmt.Sprint(want) {
			t.Errorf("level %d is %+v, want %+v", i, l, want)
		}
		if c := segment.Outputs[i].Shape[0]; c != 3*40 {
			t.Errorf("map %d has %d channels, want 120", i, c)
		}
	}
	if a := segment.Head.Levels[2].Anchors; fmt.Sprint(a) != "[[116 90] [156 198] [373 326]]" {
		t.Errorf("anchors of the last level: %v", a)
	}
	if f := detect.Feed; f.Fit != models.FitLetterbox || f.Pad != 114 || f.BGR || f.Scale != float32(1.0)/255 || f.Std != [3]float32{1, 1, 1} {
		t.Errorf("feed %+v", f)
	}
}

// TestResidualAddsWhereThePaperDoes counts the UIBs with stride 1 and equal channels.
func TestResidualAddsWhereThePaperDoes(t *testing.T) {
	for _, c := range []struct {
		name        string
		plain, with int
	}{
		{"convsmall", 0, 5 + 5},
		{"convmedium", 0, 1 + 7 + 10},
		{"convlarge", 0, 1 + 10 + 12},
		{"hybridmedium", 1 + 7 + 11 + 8, 1 + 7 + 11 + 8}, // attention adds too
		{"hybridlarge", 1 + 10 + 13 + 8, 1 + 10 + 13 + 8},
	} {
		for _, residual := range []bool{false, true} {
			g := builtin(t, "yolov5-mnv4-"+c.name, config.Options{Scale: "n", Width: 64, Height: 64, Residual: residual})
			got, want := 0, c.plain
			if residual {
				want = c.with
			}
			for _, n := range g.Nodes {
				if b, ok := n.Op.(*models.Binary); ok && b.Kind == models.Add && n.Layer == 0 {
					got++
				}
			}
			if got != want {
				t.Errorf("%s with residual %v has %d additions in its backbone, want %d", c.name, residual, got, want)
			}
		}
	}
}

// TestEveryBuiltinTakesEverySizeAndInput builds, and infers anew for other inputs.
func TestEveryBuiltinTakesEverySizeAndInput(t *testing.T) {
	names := config.BuiltinNames()
	if len(names) < 21 {
		t.Fatalf("%d built-in networks: %v", len(names), names)
	}
	for _, name := range names {
		for _, size := range []string{"n", "x"} {
			g := builtin(t, name, config.Options{Scale: size, Width: 96, Height: 160})
			for _, in := range [][2]int{{32, 32}, {1280, 96}, {416, 256}} {
				if err := g.SetInput(in[0], in[1], nil); err != nil {
					t.Fatalf("%s %s at %v: %v", name, size, in, err)
				}
				for i, l := range g.Head.Levels {
					s := g.Outputs[i].Shape
					if s[2]*l.Stride != in[0] || s[1]*l.Stride != in[1] {
						t.Errorf("%s %s at %v: map %d is %v at stride %d", name, size, in, i, s, l.Stride)
					}
				}
			}
		}
	}
}

// TestSetInputKeepsTheGraphOnError tries a size that the strides do not divide.
func TestSetInputKeepsTheGraphOnError(t *testing.T) {
	g := builtin(t, "yolov5n", config.Options{Width: 64, Height: 64})
	if err := g.SetInput(72, 64, nil); err == nil || !strings.Contains(err.Error(), "model.12.concat") && !strings.Contains(err.Error(), "model.12") {
		t.Errorf("72 x 64 gives %v, want an error of the first Concat", err)
	}
	if got := g.Outputs[0].Shape; !slices.Equal(got, models.Shape{255, 8, 8}) {
		t.Errorf("afterwards the first map is %v, want [255 8 8]", got)
	}
}

// TestRoundsAsPython checks halves to even in the depth and multiples of 8 in the width.
func TestRoundsAsPython(t *testing.T) {
	text, err := config.Builtin("yolov5s")
	if err != nil {
		t.Fatal(err)
	}
	// 3 x 0.5 is 1.5 and 9 x 0.5 is 4.5: 2 and 4. 64 x 0.14 is 8.96: 16. 1024 x 0.14 is 143.36: 144.
	text = bytes.Replace(text, []byte("depth_multiple: 0.33"), []byte("depth_multiple: 0.5"), 1)
	text = bytes.Replace(text, []byte("width_multiple: 0.50"), []byte("width_multiple: 0.14"), 1)
	g, err := config.Load(text, "odd.yaml", config.Options{Width: 64, Height: 64})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range map[int]string{0: "[3, 16, 6, 2, 2]", 2: "[24, 24, 2]", 6: "[72, 72, 4]", 9: "[144, 144, 5]"} {
		if got := g.Layers[i].Args; got != want {
			t.Errorf("row %d has arguments %s, want %s", i, got, want)
		}
	}
}
