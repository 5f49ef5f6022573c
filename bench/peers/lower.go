// Package peers writes networks in the formats of the runtimes that the benchmark
// measures beside this project's: .tflite for LiteRT.js, a small JSON description
// for tfjs. (ONNX is written by models/export.) The files are made as those
// runtimes' own converters make them: NHWC, BatchNorm folded, ReLU6 fused into the
// convolution, SiLU as sigmoid and multiplication, padding apart where the format
// has only SAME and VALID.
package peers

import (
	"fmt"

	"spotter/models"
)

// plan is a network as the two writers need it: values by number, steps in order.
type plan struct {
	shapes  [][3]int // height, width, channels of each value; 0 is the input
	steps   []step
	outputs []int
}

// step is one operation of a plan. Act is "", "relu" or "relu6".
type step struct {
	Op     string `json:"op"` // conv, depthwise, maxpool, nearest, concat, add, mul, sigmoid, relu, relu6
	In     []int  `json:"in"`
	Out    int    `json:"out"`
	Kernel [2]int `json:"kernel,omitzero"`
	Stride [2]int `json:"stride,omitzero"`
	Pad    [4]int `json:"pad"` // top, left, bottom, right
	Act    string `json:"act,omitempty"`
	weight *models.Tensor
	bias   *models.Tensor
}

// lower turns a graph without BatchNorm into a plan; an operation that it does not
// know is an error that names the node.
func lower(g *models.Graph, weights models.Weights) (*plan, error) {
	l := &lowering{weights: weights, number: map[*models.Value]int{}, readers: map[*models.Value][]*models.Node{}, fused: map[*models.Node]bool{}}
	for _, n := range g.Nodes {
		for _, v := range n.In {
			l.readers[v] = append(l.readers[v], n)
		}
	}
	for _, v := range g.Outputs {
		l.readers[v] = append(l.readers[v], nil)
	}
	if _, err := l.value(g.Input); err != nil {
		return nil, err
	}
	for _, n := range g.Nodes {
		if l.fused[n] {
			continue
		}
		if err := l.node(n); err != nil {
			return nil, fmt.Errorf("peers: %s (%s): %w", n.Name, n.Op.OpName(), err)
		}
	}
	for _, v := range g.Outputs {
		l.plan.outputs = append(l.plan.outputs, l.number[v])
	}
	return &l.plan, nil
}

type lowering struct {
	plan    plan
	weights models.Weights
	number  map[*models.Value]int
	readers map[*models.Value][]*models.Node
	fused   map[*models.Node]bool // activations that their convolution has taken
}

// value numbers v.
func (l *lowering) value(v *models.Value) (int, error) {
	if i, ok := l.number[v]; ok {
		return i, nil
	}
	if len(v.Shape) != 3 {
		return 0, fmt.Errorf("shape %v is not that of a feature map", v.Shape)
	}
	l.number[v] = l.fresh([3]int{v.Shape[1], v.Shape[2], v.Shape[0]})
	return l.number[v], nil
}

func (l *lowering) fresh(shape [3]int) int {
	l.plan.shapes = append(l.plan.shapes, shape)
	return len(l.plan.shapes) - 1
}

func (l *lowering) node(n *models.Node) error {
	s := step{}
	for _, v := range n.In {
		s.In = append(s.In, l.number[v])
	}
	out := n.Out
	switch op := n.Op.(type) {
	case *models.Conv:
		var err error
		if out, err = l.conv(n, op, &s); err != nil {
			return err
		}
	case *models.MaxPool:
		s.Op, s.Kernel, s.Stride, s.Pad = "maxpool", op.Kernel, op.Stride, op.Pad
	case *models.Resize:
		if op.Mode != "nearest" {
			return fmt.Errorf("mode %q is not written", op.Mode)
		}
		s.Op = "nearest"
	case *models.Concat:
		if op.Axis != 0 {
			return fmt.Errorf("axis %d is not written", op.Axis)
		}
		s.Op = "concat"
	case *models.Binary:
		if op.Kind != models.Add || op.Const != "" {
			return fmt.Errorf("only sums of two maps are written")
		}
		s.Op = "add"
	case *models.Activation:
		return l.activation(n, op, s.In[0])
	default:
		return fmt.Errorf("this operation is not written")
	}
	return l.emit(s, out)
}

func (l *lowering) emit(s step, out *models.Value) (err error) {
	if s.Out, err = l.value(out); err == nil {
		l.plan.steps = append(l.plan.steps, s)
	}
	return err
}

// conv fills s in and returns the value that it computes: that of the activation
// where one follows that the formats can fuse.
func (l *lowering) conv(n *models.Node, op *models.Conv, s *step) (*models.Value, error) {
	s.Op, s.Kernel, s.Stride, s.Pad = "conv", op.Kernel, op.Stride, op.Pad
	if op.Groups > 1 {
		if op.Groups != n.In[0].Shape[0] || op.Groups != op.Out {
			return nil, fmt.Errorf("%d groups over %d channels are not written", op.Groups, n.In[0].Shape[0])
		}
		s.Op = "depthwise"
	}
	if op.Dilation[0] > 1 || op.Dilation[1] > 1 {
		return nil, fmt.Errorf("dilation %v is not written", op.Dilation)
	}
	if s.weight = l.weights[op.Weight]; s.weight == nil {
		return nil, fmt.Errorf("parameter %q is not in the weights", op.Weight)
	}
	s.bias = &models.Tensor{Shape: []int{op.Out}, Data: make([]float32, op.Out)}
	if op.Bias != "" {
		if s.bias = l.weights[op.Bias]; s.bias == nil {
			return nil, fmt.Errorf("parameter %q is not in the weights", op.Bias)
		}
	}
	if r := l.readers[n.Out]; len(r) == 1 && r[0] != nil {
		if act, ok := r[0].Op.(*models.Activation); ok && clamps[act.Kind] != "" {
			s.Act = clamps[act.Kind]
			l.fused[r[0]] = true
			return r[0].Out, nil
		}
	}
	return n.Out, nil
}

// clamps are the activations that the formats have as a field of the convolution.
var clamps = map[models.ActKind]string{models.ActReLU: "relu", models.ActReLU6: "relu6"}

func (l *lowering) activation(n *models.Node, op *models.Activation, in int) error {
	switch op.Kind {
	case models.ActReLU, models.ActReLU6:
		return l.emit(step{Op: clamps[op.Kind], In: []int{in}}, n.Out)
	case models.ActSigmoid:
		return l.emit(step{Op: "sigmoid", In: []int{in}}, n.Out)
	case models.ActSiLU:
		gate := l.fresh(l.plan.shapes[in])
		l.plan.steps = append(l.plan.steps, step{Op: "sigmoid", In: []int{in}, Out: gate})
		return l.emit(step{Op: "mul", In: []int{in, gate}}, n.Out)
	}
	return fmt.Errorf("activation %d is not written", op.Kind)
}

// same tells whether the padding is what SAME means for this step: the total that makes
// the result ceil(in/stride), the odd pixel at the bottom and right.
func (p *plan) same(s step) bool {
	in := p.shapes[s.In[0]]
	for d := range 2 {
		out := (in[d] + s.Stride[d] - 1) / s.Stride[d]
		total := max((out-1)*s.Stride[d]+s.Kernel[d]-in[d], 0)
		if s.Pad[d] != total/2 || s.Pad[d+2] != total-total/2 {
			return false
		}
	}
	return true
}

// repack permutes a weight from [O, I, KH, KW]: order lists the source dimension of each of the result's.
func repack(t *models.Tensor, order [4]int) []float32 {
	stride := [4]int{t.Shape[1] * t.Shape[2] * t.Shape[3], t.Shape[2] * t.Shape[3], t.Shape[3], 1}
	out := make([]float32, 0, len(t.Data))
	dim := func(i int) int { return t.Shape[order[i]] }
	for a := range dim(0) {
		for b := range dim(1) {
			for c := range dim(2) {
				for d := range dim(3) {
					out = append(out, t.Data[a*stride[order[0]]+b*stride[order[1]]+c*stride[order[2]]+d*stride[order[3]]])
				}
			}
		}
	}
	return out
}
