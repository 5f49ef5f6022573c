package reference

import (
	_ "embed"
	"encoding/json"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"spotter/models"
)

// opCases are single operations with their results by PyTorch.
//
//go:embed testdata/ops.json
var opCases []byte

type opCase struct {
	Op     string
	Fields json.RawMessage
	In     []models.Tensor
	Params map[string]*models.Tensor
	Out    models.Tensor
}

var opTypes = map[string]func() models.Op{
	"Conv":          func() models.Op { return &models.Conv{} },
	"ConvTranspose": func() models.Op { return &models.ConvTranspose{} },
	"BatchNorm":     func() models.Op { return &models.BatchNorm{} },
	"Activation":    func() models.Op { return &models.Activation{} },
	"MaxPool":       func() models.Op { return &models.MaxPool{} },
	"AvgPool":       func() models.Op { return &models.AvgPool{} },
	"GlobalAvgPool": func() models.Op { return &models.GlobalAvgPool{} },
	"Resize":        func() models.Op { return &models.Resize{} },
	"Concat":        func() models.Op { return &models.Concat{} },
	"Slice":         func() models.Op { return &models.Slice{} },
	"Binary":        func() models.Op { return &models.Binary{} },
	"Scale":         func() models.Op { return &models.Scale{} },
	"MQA":           func() models.Op { return &models.MQA{} },
	"MatMul":        func() models.Op { return &models.MatMul{} },
	"Softmax":       func() models.Op { return &models.Softmax{} },
	"Reshape":       func() models.Op { return &models.Reshape{} },
	"Transpose":     func() models.Op { return &models.Transpose{} },
}

// graph is one node with the case's inputs: the graph has one input, so the
// others come from nodes that pass on a constant of the weights.
func (c *opCase) graph(t *testing.T) (*models.Graph, models.Weights) {
	t.Helper()
	op := opTypes[c.Op]()
	if err := json.Unmarshal(c.Fields, op); err != nil {
		t.Fatal(err)
	}
	w := models.Weights{}
	for name, p := range c.Params {
		w[name] = p
	}
	g := &models.Graph{Name: c.Op, Input: &models.Value{Name: "input", Shape: c.In[0].Shape}}
	node := &models.Node{Name: "tested", Op: op, In: []*models.Value{g.Input}, Out: &models.Value{Name: "out"}}
	for i := range c.In[1:] {
		// A zero of one element plus the constant is the constant.
		name := string(rune('A' + i))
		zero := &models.Value{Name: name, Shape: models.Shape{1}}
		w["zero"] = &models.Tensor{Shape: []int{1}, Data: []float32{0}}
		w[name] = &c.In[1+i]
		first := &models.Node{Name: "first" + name, Op: &models.Slice{End: 1, Step: 1}, In: []*models.Value{g.Input}, Out: &models.Value{}}
		flat := &models.Node{Name: "flat" + name, Op: &models.Reshape{Shape: models.Shape{-1}}, In: []*models.Value{first.Out}, Out: &models.Value{}}
		one := &models.Node{Name: "one" + name, Op: &models.Slice{End: 1, Step: 1}, In: []*models.Value{flat.Out}, Out: &models.Value{}}
		none := &models.Node{Name: "none" + name, Op: &models.Binary{Kind: models.Mul, Const: "zero"}, In: []*models.Value{one.Out}, Out: zero}
		full := &models.Node{Name: "full" + name, Op: &models.Binary{Kind: models.Add, Const: name}, In: []*models.Value{zero}, Out: &models.Value{Name: name}}
		g.Nodes = append(g.Nodes, first, flat, one, none, full)
		node.In = append(node.In, full.Out)
	}
	g.Nodes = append(g.Nodes, node)
	g.Outputs = []*models.Value{node.Out}
	if err := models.InferShapes(g, w); err != nil {
		t.Fatalf("%s %s: %v", c.Op, c.Fields, err)
	}
	return g, w
}

func loadOps(t *testing.T) []opCase {
	t.Helper()
	var cases []opCase
	if err := json.Unmarshal(opCases, &cases); err != nil {
		t.Fatal(err)
	}
	return cases
}

func TestOperationsAgreeWithPyTorch(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range loadOps(t) {
		seen[c.Op] = true
		g, w := c.graph(t)
		got, err := Run(g, w, c.In[0].Data, nil)
		if err != nil {
			t.Errorf("%s %s: %v", c.Op, c.Fields, err)
			continue
		}
		if !slices.Equal(g.Outputs[0].Shape, c.Out.Shape) {
			t.Errorf("%s %s: shape %v, want %v", c.Op, c.Fields, g.Outputs[0].Shape, c.Out.Shape)
			continue
		}
		for i, want := range c.Out.Data {
			if d := math.Abs(float64(got[0][i] - want)); !(d <= 1e-5*max(1, math.Abs(float64(want)))) {
				t.Errorf("%s %s of %v: element %d is %g, want %g", c.Op, c.Fields, c.In[0].Shape, i, got[0][i], want)
				break
			}
		}
	}
	for name := range opTypes {
		if !seen[name] {
			t.Errorf("no case for %s", name)
		}
	}
}

func TestRunNamesWhatIsWrong(t *testing.T) {
	c := loadOps(t)[0] // a convolution 3 -> 4
	for name, breakIt := range map[string]func(g *models.Graph, w models.Weights, in *[]float32){
		"20 input values":        func(_ *models.Graph, _ models.Weights, in *[]float32) { *in = (*in)[:20] },
		"w [4 3 3 3] is missing": func(_ *models.Graph, w models.Weights, _ *[]float32) { delete(w, "w") },
		"b is [2], the network needs [4]": func(_ *models.Graph, w models.Weights, _ *[]float32) {
			w["b"] = &models.Tensor{Shape: []int{2}, Data: make([]float32, 2)}
		},
		"b is [4] and has 3 values": func(_ *models.Graph, w models.Weights, _ *[]float32) {
			w["b"] = &models.Tensor{Shape: []int{4}, Data: make([]float32, 3)}
		},
		"node tested (Activation): elementwise function 99": func(g *models.Graph, _ models.Weights, _ *[]float32) {
			g.Nodes[0].Op = &models.Activation{Kind: 99}
			g.Nodes[0].Out.Shape = g.Input.Shape
		},
		`node tested (Resize): there is no way "cubic"`: func(g *models.Graph, _ models.Weights, _ *[]float32) {
			g.Nodes[0].Op = &models.Resize{Mode: "cubic"}
		},
		"output 0 (lost)": func(g *models.Graph, _ models.Weights, _ *[]float32) {
			g.Outputs[0] = &models.Value{Name: "lost"}
		},
	} {
		g, w := c.graph(t)
		in := slices.Clone(c.In[0].Data)
		breakIt(g, w, &in)
		if _, err := Run(g, w, in, nil); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("error %v, want one with %q", err, name)
		}
	}
}

func TestVisitSeesEveryNode(t *testing.T) {
	for _, c := range loadOps(t) {
		g, w := c.graph(t)
		var seen []*models.Node
		out, err := Run(g, w, c.In[0].Data, func(n *models.Node, v []float32) {
			if len(v) != n.Out.Shape.Elements() {
				t.Errorf("%s: node %s has %d values for %v", c.Op, n.Name, len(v), n.Out.Shape)
			}
			seen = append(seen, n)
		})
		if err != nil || !reflect.DeepEqual(seen, g.Nodes) || len(out) != 1 {
			t.Errorf("%s: visited %d of %d nodes (%v)", c.Op, len(seen), len(g.Nodes), err)
		}
	}
}
