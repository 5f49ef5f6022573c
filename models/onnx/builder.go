package onnx

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"spotter/models"
	"spotter/models/say"
)

// Unsupported names an operation that cannot run, where it stands and why.
type Unsupported struct {
	Op, Node string
	Reason   error
}

// Error gives node, operation and reason in one line.
func (e *Unsupported) Error() string { return e.Say().String() }

// Say is Error for other languages.
func (e *Unsupported) Say() say.Text {
	return say.Sprintf("node %s (%s): %w", e.Node, e.Op, e.Reason)
}

// builder makes a models.Graph of the nodes that the wanted values need.
type builder struct {
	*net
	graph   *models.Graph
	weights models.Weights
	values  map[string]*models.Value // by the file's names
	fused   map[*nodeProto]fusion    // nodes that stand for a pattern
	names   map[string]bool          // of nodes, to keep them apart
	// convUses counts, of each value, the uses as the map of a convolution.
	convUses map[string]int
}

// build converts the part of the network that makes the wanted values.
func (n *net) build(wanted []string) (*models.Graph, models.Weights, error) {
	b := &builder{net: n, graph: &models.Graph{}, weights: models.Weights{}, fused: map[*nodeProto]fusion{}, names: map[string]bool{}}
	b.graph.Input = &models.Value{Name: n.input, Shape: models.Shape{3, n.height, n.width}}
	b.values = map[string]*models.Value{n.input: b.graph.Input}
	b.convUses = map[string]int{}
	for _, node := range n.nodes {
		if node.op == "Conv" && node.domain == "" && len(node.in) > 0 {
			b.convUses[node.in[0]]++
		}
	}
	needed := b.needed(wanted)
	b.uses = maps.Clone(n.uses)
	for _, name := range wanted {
		b.uses[name]++
	}
	for _, node := range n.nodes {
		if !needed[node] {
			continue
		}
		if err := b.convert(node); err != nil {
			return nil, nil, unsupported(node, err)
		}
	}
	for _, name := range wanted {
		v := b.values[name]
		if v == nil || v.From == nil || v.From.Op == nil {
			return nil, nil, say.Errorf("the value %.80q is not computed from the picture", name)
		}
		b.graph.Outputs = append(b.graph.Outputs, v)
	}
	return b.graph, b.weights, nil
}

func unsupported(node *nodeProto, err error) error {
	name := node.name
	if name == "" && len(node.out) > 0 {
		name = node.out[0]
	}
	op := node.op
	if node.domain != "" {
		op = node.domain + "." + op
	}
	return &Unsupported{Op: op, Node: name, Reason: err}
}

// needed finds the nodes behind the wanted values, through fusions.
func (b *builder) needed(wanted []string) map[*nodeProto]bool {
	needed := map[*nodeProto]bool{}
	todo := slices.Clone(wanted)
	for len(todo) > 0 {
		node := b.from[todo[len(todo)-1]]
		todo = todo[:len(todo)-1]
		if node == nil || needed[node] {
			continue
		}
		needed[node] = true
		in := node.in
		if f, ok := b.fusion(node); ok {
			b.fused[node] = f
			in = f.in
		}
		for _, v := range in {
			if v != "" && b.consts[v] == nil {
				todo = append(todo, v)
			}
		}
	}
	return needed
}

// convert appends a node's operations.
func (b *builder) convert(node *nodeProto) error {
	if len(node.out) == 0 || b.consts[node.out[0]] != nil {
		return nil
	}
	if f, ok := b.fused[node]; ok {
		in, err := b.value(f.in[0])
		if err != nil {
			return err
		}
		return b.emit(node, 0, f.op, in)
	}
	f := converters[node.op]
	if f == nil || node.domain != "" {
		return say.Errorf("there is no kernel for this operation")
	}
	if err := b.problems[node.out[0]]; err != nil {
		return err
	}
	if b.shapes[node.out[0]] == nil {
		return say.Errorf("the shape of its result is not known")
	}
	return f(b, b.call(node))
}

// value gives a value that is computed from the picture.
func (b *builder) value(name string) (*models.Value, error) {
	if v := b.values[name]; v != nil {
		return v, nil
	}
	if b.consts[name] != nil || b.inits[name] != nil {
		return nil, say.Errorf("its input %.80q is a constant, where a value computed from the picture is needed", name)
	}
	if err := b.problems[name]; err != nil {
		return nil, say.Errorf("its input %.80q: %w", name, err)
	}
	return nil, say.Errorf("its input %.80q is not known", name)
}

// isConst tells whether input i is constant.
func (b *builder) isConst(c *call, i int) bool {
	return c.has(i) && (b.consts[c.in[i]] != nil || b.inits[c.in[i]] != nil)
}

// emit appends an operation that makes result i of a node.
func (b *builder) emit(node *nodeProto, i int, op models.Op, in ...*models.Value) error {
	v, err := b.op(b.title(node, i), op, in...)
	if err == nil {
		b.values[node.out[i]] = v
	}
	return err
}

// title names a result after the node, or after the value where nodes are unnamed.
func (b *builder) title(node *nodeProto, i int) string {
	if node.name == "" || i > 0 {
		return node.out[i]
	}
	return node.name
}

// op appends an operation under a name that no other has.
func (b *builder) op(name string, op models.Op, in ...*models.Value) (*models.Value, error) {
	unique := name
	for i := 2; b.names[unique]; i++ {
		unique = fmt.Sprintf("%s.%d", name, i)
	}
	b.names[unique] = true
	n := &models.Node{Name: unique, Op: op, In: in, Layer: -1}
	n.Out = &models.Value{Name: unique, From: n}
	if err := models.InferNode(n, b.weights); err != nil {
		return nil, err
	}
	b.graph.Nodes = append(b.graph.Nodes, n)
	return n.Out, nil
}

// plain drops the batch dimension, which must be the first and 1.
func plain(shape []int) (models.Shape, error) {
	if len(shape) == 0 || shape[0] != 1 {
		return nil, say.Errorf("its result is %v: the first dimension must stay that of the one picture", shape)
	}
	return models.Shape(slices.Clone(shape[1:])), nil
}

// parameter registers a constant under its name in the file, with the given shape.
func (b *builder) parameter(name string, shape []int) (string, error) {
	unique := name
	for i := 2; b.weights[unique] != nil; i++ {
		if slices.Equal(b.weights[unique].Shape, shape) {
			return unique, nil
		}
		unique = fmt.Sprintf("%s.%d", name, i)
	}
	t, err := b.tensor(name, shape)
	if err != nil {
		return "", err
	}
	b.weights[unique] = t
	return unique, nil
}

// tensor reads a constant as a parameter of the given shape.
func (b *builder) tensor(name string, shape []int) (*models.Tensor, error) {
	a := b.consts[name]
	var t *models.Tensor
	switch {
	case a != nil:
		t = a.tensor(shape)
	case b.inits[name] != nil:
		t = b.inits[name].tensor(shape)
	default:
		return nil, say.Errorf("its weights %.80q are computed from the picture", name)
	}
	if len(t.Data) != elements(shape) {
		return nil, say.Errorf("its weights %.80q have %d values, where %v needs %d", name, len(t.Data), shape, elements(shape))
	}
	nan := 0
	for _, v := range t.Data {
		if math.IsNaN(float64(v)) {
			nan++
		}
	}
	if nan > 0 {
		return nil, say.Errorf("%d of the %d values of its weights %.80q are NaN: the training diverged", nan, len(t.Data), name)
	}
	return t, nil
}

// tensor decodes to float32 at once.
func (t *tensorProto) tensor(shape []int) *models.Tensor {
	out := &models.Tensor{Shape: slices.Clone(shape), Data: make([]float32, elements(t.shape())), Half: t.dtype == typeFloat16}
	at := t.element()
	for i := range out.Data {
		out.Data[i] = float32(at(i))
	}
	return out
}

// scalar gives the value of a constant of one element.
func (n *net) scalar(name string) (float64, bool) {
	a := n.consts[name]
	if a == nil && n.inits[name] != nil && elements(n.shapes[name]) == 1 {
		a = n.inits[name].array()
	}
	if a == nil || len(a.data) != 1 {
		return 0, false
	}
	return a.data[0], true
}
