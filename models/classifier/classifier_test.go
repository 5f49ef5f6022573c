package classifier

import (
	"encoding/json"
	"maps"
	"math"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"spotter/models"
	"spotter/models/config"
	"spotter/models/detect"
	"spotter/models/golden"
	"spotter/models/reference"
)

// expectation is what timm gives (testdata/make.py).
type expectation struct {
	Params  int
	Weights string `json:"weights_sha256"`
	Classes int
	Side    int
	Seed    uint64 `json:"image_seed"`
	Layers  golden.Checks
	Logits  golden.Check
	Top     [][2]float64 // class, probability
}

func expected(t *testing.T, s *Spec) *expectation {
	t.Helper()
	text, err := os.ReadFile("testdata/timm-" + strings.TrimPrefix(s.Name(), "mobilenetv4_") + ".json")
	e := new(expectation)
	if err == nil {
		err = json.Unmarshal(text, e)
	}
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// damped keeps values from growing with depth, as make.py does.
var damped = map[string]float32{"pw_proj.conv": 0.25, "output.proj": 0.25, "layer_scale": 0.5, "classifier.weight": 0.5}

// stateDict is a network's weights as timm has them: the linear layer in two dimensions.
func stateDict(s *Spec, g *models.Graph) models.Weights {
	w := golden.Weights(g, false)
	for name, t := range w {
		for part, d := range damped {
			if strings.Contains(name, part) {
				for i := range t.Data {
					t.Data[i] *= d
				}
			}
		}
	}
	w[s.Linear+".weight"].Shape = w[s.Linear+".weight"].Shape[:2]
	return w
}

func variant(t *testing.T, name string, naming Naming, classes, side int) (*Spec, *models.Graph) {
	t.Helper()
	s, err := New(name, naming, classes)
	if err != nil {
		t.Fatal(err)
	}
	g, err := s.Graph(side)
	if err != nil {
		t.Fatal(err)
	}
	return s, g
}

func TestAgreesWithTimm(t *testing.T) {
	for _, name := range Variants {
		t.Run(name, func(t *testing.T) {
			s, g := variant(t, name, Timm, 100, 96)
			e := expected(t, s)
			w := stateDict(s, g)
			if id := golden.Digest(w); id != e.Weights {
				t.Errorf("the parameters' names or sizes are not timm's: digest %s, want %s", id, e.Weights)
			}
			params := 0
			for _, l := range g.Layers {
				params += l.Params
			}
			if params != e.Params {
				t.Errorf("%d parameters, want %d", params, e.Params)
			}
			known, err := Recognise(w)
			if err != nil || !reflect.DeepEqual(known, s) {
				t.Fatalf("the weights are taken for %+v (%v), want %+v", known, err, s)
			}
			compare(t, known, w, e)
		})
	}
}

func compare(t *testing.T, s *Spec, w models.Weights, e *expectation) {
	g, err := s.Graph(e.Side)
	if err != nil {
		t.Fatal(err)
	}
	if w, err = s.Fit(g, w); err != nil {
		t.Fatal(err)
	}
	pic := detect.FromRGB(e.Side, e.Side, golden.Image(e.Side, e.Side, e.Seed))
	in, _, err := detect.Input(g.Feed, pic, e.Side, e.Side)
	if err != nil {
		t.Fatal(err)
	}
	values := map[*models.Value][]float32{}
	outputs, err := reference.Run(g, w, in, func(n *models.Node, v []float32) { values[n.Out] = v })
	if err != nil {
		t.Fatal(err)
	}
	if len(e.Layers) != len(g.Layers)-1 {
		t.Fatalf("%d rows, timm has %d", len(g.Layers)-1, len(e.Layers))
	}
	for i, want := range e.Layers {
		v := g.Layers[i].Out[0]
		if err := want.Compare(want.Name, v.Shape, values[v]); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.Logits.Compare("logits", models.Shape{e.Classes}, outputs[0]); err != nil {
		t.Error(err)
	}
	for i, c := range detect.Classify(outputs[0], len(e.Top)) {
		if c.ID != int(e.Top[i][0]) || math.Abs(float64(c.Score)-e.Top[i][1]) > 1e-4 {
			t.Errorf("number %d is %+v, timm has %v", i+1, c, e.Top[i])
		}
	}
}

// TestOtherWidthsAreRecognised cuts a network's widths in half.
func TestOtherWidthsAreRecognised(t *testing.T) {
	s, _ := variant(t, "ConvSmall", Timm, 7, 64)
	s.Variant, s.Prefix, s.Linear, s.HeadNorm = "", "module.", "module.classifier", "bn2"
	for i := range s.Backbone.Stages {
		for k := range s.Backbone.Stages[i].Blocks {
			b := &s.Backbone.Stages[i].Blocks[k]
			b.Hidden, b.Out = b.Hidden/2, b.Out/2
			if i > 0 || k > 0 {
				b.In /= 2
			}
		}
	}
	g, err := s.Graph(64)
	if err != nil {
		t.Fatal(err)
	}
	w := stateDict(s, g)
	known, err := Recognise(w)
	if err != nil || !reflect.DeepEqual(known, s) {
		t.Errorf("the weights are taken for %+v (%v), want %+v", known, err, s)
	}
}

// TestTutorialsNames has the backbone's names in the tutorial's own network, and the
// classifier's parameters in one of its variants with those names and any linear layer.
func TestTutorialsNames(t *testing.T) {
	for _, name := range Variants {
		s, _ := variant(t, name, Tutorial, 5, 64)
		s.Prefix, s.Linear = "backbone.", "fc.1"
		g, err := s.Graph(64)
		if err != nil {
			t.Fatal(err)
		}
		w := stateDict(s, g)
		known, err := Recognise(w)
		if err != nil || !reflect.DeepEqual(known, s) {
			t.Errorf("the weights are taken for %+v (%v), want %+v", known, err, s)
		}
		yaml := "nc: 80\ndepth_multiple: 1\nwidth_multiple: 1\nanchors: [[1,2],[1,2],[1,2]]\nbackbone: [[-1, 1, MobileNetV4" + name + ", []]]\nhead: [[[2, 3, 4], 1, Detect, [nc, anchors]]]\n"
		detector, err := config.Load([]byte(yaml), name, config.Options{Width: 64, Height: 64})
		if err != nil {
			t.Fatal(err)
		}
		want := parameters(detector.Nodes, "model.0.", "")
		if got := parameters(g.Nodes, "backbone.", "fc.1"); !slices.Equal(got, want) {
			t.Errorf("%s: parameters %v, the backbone in a detector has %v", name, got, want)
		}
	}
}

// TestTutorialOrder: the tutorial pools behind the last convolution, timm in front.
func TestTutorialOrder(t *testing.T) {
	for naming, want := range map[Naming]models.Shape{Tutorial: {1280, 2, 2}, Timm: {1280, 1, 1}} {
		_, g := variant(t, "ConvSmall", naming, 5, 64)
		if got := g.Layers[len(g.Layers)-2].Out[0].Shape; !slices.Equal(got, want) {
			t.Errorf("%s: the last 1280 channels are %v, want %v", naming, got, want)
		}
		if out := g.Outputs[0].Shape; !slices.Equal(out, models.Shape{5, 1, 1}) || g.Head.Kind != models.HeadClassify {
			t.Errorf("%s: output %v, head %s", naming, out, g.Head.Kind)
		}
	}
}

func parameters(nodes []*models.Node, prefix, without string) []string {
	seen := map[string]bool{}
	for _, n := range nodes {
		for _, p := range n.Params() {
			name, ok := strings.CutPrefix(p.Name, prefix)
			if ok && (without == "" || !strings.HasPrefix(name, without)) {
				seen[name] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(seen))
}

func TestOtherWeightsAreNotRecognised(t *testing.T) {
	s, g := variant(t, "ConvSmall", Timm, 5, 64)
	for name, c := range map[string]struct {
		edit func(w models.Weights)
		want string // in the error; "" for none and no spec
	}{
		"nothing":         {func(w models.Weights) { clear(w) }, ""},
		"another network": {func(w models.Weights) { delete(w, "conv_head.weight") }, ""},
		"no classifier":   {func(w models.Weights) { delete(w, "classifier.weight") }, "classifier.weight is missing"},
		"half a block":    {func(w models.Weights) { delete(w, "blocks.2.1.pw_proj.conv.weight") }, "blocks.2.1.pw_proj.conv.weight is missing"},
		"a vector":        {func(w models.Weights) { w["conv_head.weight"].Shape = []int{1280} }, "conv_head.weight is missing or no"},
		"empty":           {func(w models.Weights) { w["classifier.weight"].Shape = []int{0, 1280} }, "classifier.weight is missing or no"},
		"no blocks":       {func(w models.Weights) { maps.DeleteFunc(w, inBlocks) }, "blocks.0.0 is missing"},
		"tutorial, no layer": {func(w models.Weights) {
			w["conv0.convbn_0.conv.weight"] = w["conv_stem.weight"]
			delete(w, "conv_stem.weight")
			delete(w, "classifier.bias")
		}, ""},
		"tutorial, misfit": {func(w models.Weights) {
			w["conv0.convbn_0.conv.weight"] = w["conv_stem.weight"]
			delete(w, "conv_stem.weight")
		}, "fit no MobileNetV4"},
	} {
		w := stateDict(s, g)
		c.edit(w)
		spec, err := Recognise(w)
		if c.want == "" && (err != nil || spec != nil) || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %+v and the error %v, want %q", name, spec, err, c.want)
		}
	}
}

func inBlocks(name string, _ *models.Tensor) bool { return strings.HasPrefix(name, "blocks.") }

func TestFitNamesWhatIsMissing(t *testing.T) {
	s, g := variant(t, "ConvSmall", Timm, 5, 64)
	w := stateDict(s, g)
	w["bn1.num_batches_tracked"] = &models.Tensor{Shape: []int{}, Data: []float32{1}}
	fitted, err := s.Fit(g, w)
	if err != nil || len(fitted) != len(g.Params()) {
		t.Errorf("%d of %d parameters, error %v", len(fitted), len(g.Params()), err)
	}
	delete(w, "bn1.bias")
	if _, err := s.Fit(g, w); err == nil || !strings.Contains(err.Error(), "bn1.bias [32] is missing") {
		t.Errorf("error %v", err)
	}
	if _, err := New("Small", Timm, 5); err == nil {
		t.Error("a variant that there is not")
	}
}
