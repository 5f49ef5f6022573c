package export

import (
	"fmt"
	"math"
	"strings"

	"spotter/models"
)

// FoldBatchNorm returns the network with every BatchNorm that follows a convolution
// taken into that convolution's weight and bias, as exporters of trained networks do:
// w' = w s, b' = (b - mean) s + bias with s = weight / sqrt(var + eps) a channel.
// Neither the graph nor the weights given are changed. A BatchNorm behind anything
// else, or behind a convolution whose result is used twice, stays.
func FoldBatchNorm(g *models.Graph, weights models.Weights) (*models.Graph, models.Weights, error) {
	f := &folder{from: weights, out: models.Weights{}, value: map[*models.Value]*models.Value{}, uses: g.Uses(), shared: shared(g)}
	folded := *g
	folded.Nodes = nil
	for _, n := range g.Nodes {
		node, err := f.node(n)
		if err != nil {
			return nil, nil, fmt.Errorf("fold %s: %w", n.Name, err)
		}
		if node != nil {
			folded.Nodes = append(folded.Nodes, node)
		}
	}
	folded.Input = f.mapped(g.Input)
	folded.Outputs = nil
	for _, v := range g.Outputs {
		folded.Outputs = append(folded.Outputs, f.mapped(v))
	}
	for _, p := range folded.Params() {
		if t := weights[p.Name]; t != nil && f.out[p.Name] == nil {
			f.out[p.Name] = t
		}
	}
	return &folded, f.out, nil
}

type folder struct {
	from, out models.Weights
	value     map[*models.Value]*models.Value
	uses      map[*models.Value]int
	shared    map[string]bool
}

// shared tells the parameters that several nodes name.
func shared(g *models.Graph) map[string]bool {
	seen, twice := map[string]bool{}, map[string]bool{}
	for _, n := range g.Nodes {
		for _, p := range n.Params() {
			twice[p.Name] = twice[p.Name] || seen[p.Name]
			seen[p.Name] = true
		}
	}
	return twice
}

// node copies a node; a BatchNorm that folds changes the copy of its convolution instead.
func (f *folder) node(n *models.Node) (*models.Node, error) {
	if bn, ok := n.Op.(*models.BatchNorm); ok {
		before := f.mapped(n.In[0])
		if before.From != nil && f.uses[n.In[0]] == 1 {
			if conv, ok := before.From.Op.(*models.Conv); ok {
				f.value[n.Out] = before
				before.Name = n.Out.Name
				return nil, f.fold(before.From.Name, conv, bn)
			}
		}
	}
	c := *n
	if conv, ok := n.Op.(*models.Conv); ok {
		own := *conv
		c.Op = &own
	}
	c.In = nil
	for _, v := range n.In {
		c.In = append(c.In, f.mapped(v))
	}
	c.Out = f.mapped(n.Out)
	c.Out.From = &c
	return &c, nil
}

// mapped is the new graph's value for an old one.
func (f *folder) mapped(v *models.Value) *models.Value {
	if f.value[v] == nil {
		c := *v
		f.value[v] = &c
	}
	return f.value[v]
}

// fold multiplies conv's weight and moves its bias. The results get names of their own
// where another node uses the parameter too.
func (f *folder) fold(node string, conv *models.Conv, bn *models.BatchNorm) error {
	w, err := f.get(conv.Weight)
	if err != nil {
		return err
	}
	scale, shift, err := f.affine(bn)
	if err != nil {
		return err
	}
	bias := make([]float64, conv.Out)
	if conv.Bias != "" {
		t, err := f.get(conv.Bias)
		if err != nil {
			return err
		}
		for i, v := range t.Data {
			bias[i] = float64(v)
		}
	}
	if len(scale) != conv.Out || len(w.Data)%conv.Out != 0 {
		return fmt.Errorf("weight has %d elements and the normalisation %d channels, the convolution %d", len(w.Data), len(scale), conv.Out)
	}
	data, moved := make([]float32, len(w.Data)), make([]float32, conv.Out)
	per := len(w.Data) / conv.Out
	for i, v := range w.Data {
		data[i] = float32(float64(v) * scale[i/per])
	}
	for c := range moved {
		moved[c] = float32(bias[c]*scale[c] + shift[c])
	}
	name := conv.Weight
	if f.shared[name] {
		name = node + ".folded.weight"
	}
	conv.Weight, conv.Bias = name, strings.TrimSuffix(name, ".weight")+".bias"
	f.out[conv.Weight] = &models.Tensor{Shape: w.Shape, Data: data}
	f.out[conv.Bias] = &models.Tensor{Shape: []int{conv.Out}, Data: moved}
	return nil
}

// affine gives a BatchNorm as y = scale x + shift.
func (f *folder) affine(bn *models.BatchNorm) (scale, shift []float64, err error) {
	var p [4]*models.Tensor
	for i, name := range []string{bn.Weight, bn.Bias, bn.Mean, bn.Var} {
		if p[i], err = f.get(name); err != nil {
			return nil, nil, err
		}
		if len(p[i].Data) != len(p[0].Data) {
			return nil, nil, fmt.Errorf("parameter %q has %d elements, %q has %d", name, len(p[i].Data), bn.Weight, len(p[0].Data))
		}
	}
	scale, shift = make([]float64, len(p[0].Data)), make([]float64, len(p[0].Data))
	for c := range scale {
		scale[c] = float64(p[0].Data[c]) / math.Sqrt(float64(p[3].Data[c])+float64(bn.Eps))
		shift[c] = float64(p[1].Data[c]) - float64(p[2].Data[c])*scale[c]
	}
	return scale, shift, nil
}

func (f *folder) get(name string) (*models.Tensor, error) {
	if t := f.from[name]; t != nil {
		return t, nil
	}
	return nil, fmt.Errorf("parameter %q is not in the weights", name)
}
