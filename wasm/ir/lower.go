package ir

import (
	"math"
	"slices"

	"spotter/models"
	"spotter/models/say"
)

// Lower makes a program of a graph whose shapes are inferred. An error names the
// node and the parameter that is missing or has another shape.
func Lower(g *models.Graph, w models.Weights) (*Program, error) {
	if err := g.CheckWeights(w); err != nil {
		return nil, err
	}
	p := &Program{Graph: g}
	l := lowering{weights: w, values: map[*models.Value]*Value{}}
	p.Input = l.value(g.Input, nil)
	for _, n := range g.Nodes {
		s, err := l.step(n)
		if err != nil {
			return nil, say.Errorf("node %s (%s): %w", n.Name, n.Op.OpName(), err)
		}
		p.Steps = append(p.Steps, s)
	}
	for _, v := range g.Outputs {
		out, ok := l.values[v]
		if !ok {
			return nil, say.Errorf("output %s is computed by no node", v.Name)
		}
		p.Outputs = append(p.Outputs, out)
	}
	return p, nil
}

type lowering struct {
	weights models.Weights
	values  map[*models.Value]*Value
}

func (l *lowering) value(v *models.Value, from *Step) *Value {
	out := &Value{Name: v.Name, Shape: slices.Clone(v.Shape), From: from, Source: v}
	l.values[v] = out
	return out
}

func (l *lowering) step(n *models.Node) (*Step, error) {
	s := &Step{Name: n.Name, Layer: n.Layer}
	for _, v := range n.In {
		in, ok := l.values[v]
		if !ok {
			return nil, say.Errorf("input %s is computed by no earlier node", v.Name)
		}
		s.In = append(s.In, in)
	}
	for _, d := range n.Out.Shape {
		if d <= 0 {
			return nil, say.Errorf("shape %v of the result is not known", []int(n.Out.Shape))
		}
	}
	l.value(n.Out, s)
	s.Out = l.values[n.Out]
	op, err := l.op(n)
	s.Op = op
	return s, err
}

func (l *lowering) op(n *models.Node) (models.Op, error) {
	switch op := n.Op.(type) {
	case *models.Conv:
		return &Conv{Conv: *op, Filter: l.filter(op.Weight, op.Bias)}, nil
	case *models.ConvTranspose:
		return &ConvTranspose{ConvTranspose: *op, Filter: l.filter(op.Weight, op.Bias)}, nil
	case *models.BatchNorm:
		return l.batchNorm(op), nil
	case *models.Scale:
		return &Affine{Scale: l.weights[op.Weight].Data}, nil
	case *models.Binary:
		return l.binary(n, op), nil
	case *models.MatMul:
		return &MatMul{Const: l.weights[op.Const], ConstFirst: op.ConstFirst}, nil
	case *models.Activation, *models.MaxPool, *models.AvgPool, *models.GlobalAvgPool, *models.Resize, *models.Concat,
		*models.Slice, *models.MQA, *models.Softmax, *models.Reshape, *models.Transpose:
		return op, nil
	}
	return nil, say.Errorf("the compiler has no such operation")
}

func (l *lowering) filter(weight, bias string) Filter {
	w := l.weights[weight]
	f := Filter{Data: w.Data, Half: w.Half}
	if bias != "" {
		f.Bias = l.weights[bias].Data
	}
	return f
}

// batchNorm is x*scale + shift, computed in float64 and rounded once.
func (l *lowering) batchNorm(op *models.BatchNorm) *Affine {
	weight, bias := l.weights[op.Weight], l.weights[op.Bias]
	mean, variance := l.weights[op.Mean].Data, l.weights[op.Var].Data
	a := &Affine{Scale: make([]float32, len(mean)), Shift: make([]float32, len(mean))}
	for c := range mean {
		scale := 1 / math.Sqrt(float64(variance[c])+float64(op.Eps))
		if weight != nil {
			scale *= float64(weight.Data[c])
		}
		shift := -float64(mean[c]) * scale
		if bias != nil {
			shift += float64(bias.Data[c])
		}
		a.Scale[c], a.Shift[c] = float32(scale), float32(shift)
	}
	return a
}

// binary turns a constant that is one number a channel into an Affine.
func (l *lowering) binary(n *models.Node, op *models.Binary) models.Op {
	b := &Binary{Kind: op.Kind, Const: l.weights[op.Const], ConstFirst: op.ConstFirst}
	shape := n.Out.Shape
	if b.Const == nil || len(shape) != 3 || !slices.Equal(shape, n.In[0].Shape) {
		return b
	}
	values := perChannel(b.Const, shape[0])
	if values == nil {
		return b
	}
	switch {
	case op.Kind == models.Mul:
		return &Affine{Scale: values}
	case op.Kind == models.Add:
		return &Affine{Shift: values}
	case op.Kind == models.Sub && !op.ConstFirst:
		return &Affine{Shift: each(values, func(v float32) float32 { return -v })}
	case op.Kind == models.Div && !op.ConstFirst && powersOfTwo(values):
		return &Affine{Scale: each(values, func(v float32) float32 { return 1 / v })}
	}
	return b
}

// perChannel gives one value a channel where t broadcasts so over [c, H, W].
func perChannel(t *models.Tensor, c int) []float32 {
	switch {
	case len(t.Data) == 1:
		values := make([]float32, c)
		for i := range values {
			values[i] = t.Data[0]
		}
		return values
	case len(t.Shape) == 3 && t.Shape[0] == c && len(t.Data) == c:
		return t.Data
	}
	return nil
}

func each(list []float32, f func(float32) float32) []float32 {
	out := make([]float32, len(list))
	for i, v := range list {
		out[i] = f(v)
	}
	return out
}

// powersOfTwo says whether dividing by the values equals multiplying by their inverses.
func powersOfTwo(list []float32) bool {
	for _, v := range list {
		if frac, _ := math.Frexp(float64(v)); math.Abs(frac) != 0.5 {
			return false
		}
	}
	return true
}
