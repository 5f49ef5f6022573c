package peers

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"spotter/models"
	"spotter/models/config"
	"spotter/models/export"
	"spotter/models/golden"
)

// small is a network of one picture of 4 x 6 pixels and the operations given, one after the other.
func small(ops ...models.Op) (*models.Graph, models.Weights) {
	g := &models.Graph{Name: "small", Input: &models.Value{Name: "images", Shape: models.Shape{3, 4, 6}}}
	last := g.Input
	for i, op := range ops {
		n := &models.Node{Name: string(rune('a' + i)), Op: op, In: []*models.Value{last}, Layer: -1}
		n.Out = &models.Value{Name: n.Name, From: n}
		last = n.Out
		g.Nodes = append(g.Nodes, n)
	}
	g.Outputs = []*models.Value{last}
	w := models.Weights{}
	for _, p := range g.Params() {
		w[p.Name] = &models.Tensor{}
	}
	return g, w
}

func conv(out int) *models.Conv {
	return &models.Conv{Out: out, Kernel: [2]int{1, 1}, Stride: [2]int{1, 1}, Groups: 1, Weight: "w"}
}

// lowered infers shapes, fills weights in and lowers.
func lowered(t *testing.T, g *models.Graph, w models.Weights) (*plan, error) {
	t.Helper()
	if err := models.InferShapes(g, w); err != nil {
		t.Fatal(err)
	}
	return lower(g, golden.Weights(g, false))
}

func ops(p *plan) []string {
	var list []string
	for _, s := range p.steps {
		list = append(list, s.Op+s.Act)
	}
	return list
}

func TestActivationsFuseWhereTheFormatsCan(t *testing.T) {
	for _, c := range []struct {
		ops  []models.Op
		want []string
	}{
		{[]models.Op{conv(8), &models.Activation{Kind: models.ActReLU6}}, []string{"convrelu6"}},
		{[]models.Op{conv(8), &models.Activation{Kind: models.ActReLU}, conv(4)}, []string{"convrelu", "conv"}},
		{[]models.Op{conv(8), &models.Activation{Kind: models.ActSiLU}}, []string{"conv", "sigmoid", "mul"}},
		{[]models.Op{&models.Activation{Kind: models.ActReLU6}}, []string{"relu6"}},
	} {
		g, w := small(c.ops...)
		p, err := lowered(t, g, w)
		if err != nil {
			t.Errorf("%v: %v", c.want, err)
			continue
		}
		if got := ops(p); !slices.Equal(got, c.want) {
			t.Errorf("steps %v, want %v", got, c.want)
		}
	}
}

// A convolution that is itself an output keeps its own value.
func TestOutputsDoNotFuse(t *testing.T) {
	g, w := small(conv(8), &models.Activation{Kind: models.ActReLU6})
	g.Outputs = append(g.Outputs, g.Nodes[0].Out)
	p, err := lowered(t, g, w)
	if err != nil {
		t.Fatal(err)
	}
	if got := ops(p); !slices.Equal(got, []string{"conv", "relu6"}) || p.outputs[0] == p.outputs[1] {
		t.Errorf("steps %v, outputs %v", got, p.outputs)
	}
}

func TestWhatIsNotWrittenIsNamed(t *testing.T) {
	grouped := conv(6)
	grouped.Groups = 3
	dilated := conv(6)
	dilated.Dilation = [2]int{2, 2}
	for want, op := range map[string]models.Op{
		"a (Conv): 3 groups": grouped, "dilation": dilated, "a (GlobalAvgPool)": &models.GlobalAvgPool{},
		`mode "linear"`: &models.Resize{Scale: [2]float32{2, 2}, Mode: "linear"}, "a (Activation)": &models.Activation{Kind: models.ActTanh},
	} {
		g, w := small(op)
		if _, err := lowered(t, g, w); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
}

func TestSamePadding(t *testing.T) {
	for _, c := range []struct {
		in, kernel, stride int
		pad                [4]int
		same               bool
	}{
		{8, 1, 1, [4]int{}, true},
		{8, 3, 1, [4]int{1, 1, 1, 1}, true},
		{8, 3, 2, [4]int{1, 1, 1, 1}, false}, // SAME pads the bottom and right only
		{8, 3, 2, [4]int{0, 0, 1, 1}, true},
		{7, 3, 2, [4]int{1, 1, 1, 1}, true},
		{8, 5, 2, [4]int{2, 2, 2, 2}, false},
		{8, 3, 1, [4]int{}, false},
	} {
		p := &plan{shapes: [][3]int{{c.in, c.in, 1}}}
		s := step{In: []int{0}, Kernel: [2]int{c.kernel, c.kernel}, Stride: [2]int{c.stride, c.stride}, Pad: c.pad}
		if got := p.same(s); got != c.same {
			t.Errorf("%dx%d stride %d padding %v on %d pixels: %v", c.kernel, c.kernel, c.stride, c.pad, c.in, got)
		}
	}
}

func TestRepackPermutes(t *testing.T) {
	w := &models.Tensor{Shape: []int{2, 3, 1, 2}, Data: []float32{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}}
	got := repack(w, [4]int{0, 2, 3, 1}) // [O, KH, KW, I]
	if want := []float32{0, 2, 4, 1, 3, 5, 6, 8, 10, 7, 9, 11}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// Both formats take every network of the bench's kind whole.
func TestNetworksAreWritten(t *testing.T) {
	text, err := config.Builtin("yolov5-mnv4-convsmall-seg")
	if err != nil {
		t.Fatal(err)
	}
	g, err := config.Load(text, "", config.Options{Scale: "n", Width: 64, Height: 96})
	if err != nil {
		t.Fatal(err)
	}
	g, w, err := export.FoldBatchNorm(g, golden.Weights(g, false))
	if err != nil {
		t.Fatal(err)
	}
	floats := 0
	for _, p := range g.Params() {
		floats += len(w[p.Name].Data)
	}
	graph, bin, err := TFJS(g, w)
	if err != nil {
		t.Fatal(err)
	}
	var description struct {
		Shapes  [][3]int
		Outputs []int
	}
	if err := json.Unmarshal(graph, &description); err != nil {
		t.Fatal(err)
	}
	if len(bin) != 4*floats {
		t.Errorf("%d bytes of weights, want 4 for each of %d", len(bin), floats)
	}
	if description.Shapes[0] != [3]int{96, 64, 3} || description.Shapes[description.Outputs[0]] != [3]int{12, 8, 351} {
		t.Errorf("input %v, first output %v", description.Shapes[0], description.Shapes[description.Outputs[0]])
	}
	file, err := TFLite(g, w)
	if err != nil {
		t.Fatal(err)
	}
	if string(file[4:8]) != "TFL3" || len(file) < 4*floats || len(file) > 4*floats+200_000 {
		t.Errorf("a .tflite of %d bytes for %d weights, identifier %q", len(file), floats, file[4:8])
	}
}
