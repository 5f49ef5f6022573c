package onnx

import (
	"slices"

	"spotter/models/say"
)

// The tail is the part of a network behind its last convolutions: reshapes,
// sigmoids and the arithmetic that turns maps into boxes. It never runs in a compiled
// module, which decodes by itself; but it says which head the network has. It is
// computed here on chosen values for the last convolutions' maps, the sources.

// tail is what lies between sources and outputs.
type tail struct {
	net     *net
	outputs []string
	sources []string     // values [1, C, H, W], in order of computation
	nodes   []*nodeProto // between, in order of computation
}

// Limits of a tail: elements alive at once, and elements computed in all. An input of
// 1280 pixels takes a fifth and half of them.
const (
	maxTail = 1 << 25
	maxWork = 1 << 29
)

// findTail walks back from outputs to the last convolutions.
func (n *net) findTail(outputs []string) (*tail, error) {
	t := &tail{net: n, outputs: outputs}
	source, inside := map[string]bool{}, map[*nodeProto]bool{}
	todo := slices.Clone(outputs)
	for len(todo) > 0 {
		v := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		node := n.from[v]
		switch {
		case n.consts[v] != nil || n.inits[v] != nil || v == "" || node != nil && inside[node]:
			continue
		case node == nil:
			return nil, say.Errorf("its output depends on the picture's bytes directly")
		case n.isSource(node):
			source[v] = true
			continue
		case evaluators[node.op] == nil || node.domain != "":
			return nil, tailError(node)
		}
		inside[node] = true
		todo = append(todo, node.in...)
	}
	for _, node := range n.nodes {
		if inside[node] {
			t.nodes = append(t.nodes, node)
		}
		for _, v := range node.out {
			if source[v] {
				t.sources = append(t.sources, v)
			}
		}
	}
	for _, s := range t.sources {
		if shape := n.shapes[s]; len(shape) != 4 || shape[0] != 1 {
			return nil, say.Errorf("the last convolution %.80q has the shape %v", s, shape)
		}
	}
	return t, nil
}

func tailError(node *nodeProto) error {
	switch node.op {
	case "NonMaxSuppression", "TopK", "NonZero", "BatchedNMS", "EfficientNMS_TRT", "RoiAlign":
		return say.Errorf("it picks boxes itself (%s): export it without NMS, which Spotter does", describe(node))
	}
	return say.Errorf("%s between its last convolutions and its output is not known", describe(node))
}

// isSource tells the last convolution of a map: with its normalisation or with a bias
// that is added separately, but not the one that YOLOv8 takes expectations with.
func (n *net) isSource(node *nodeProto) bool {
	switch node.op {
	case "Conv":
		return !n.isBins(node)
	case "ConvTranspose", "BatchNormalization", "MaxPool", "AveragePool", "GlobalAveragePool", "Resize", "Upsample", "Gemm":
		return true
	case "Add":
		for i, v := range node.in {
			if shape := n.shapes[v]; (n.consts[v] != nil || n.inits[v] != nil) && len(shape) == 4 && shape[1] == elements(shape) {
				from := n.from[node.in[(i+1)%len(node.in)]]
				return from != nil && from.op == "Conv"
			}
		}
	}
	return false
}

// isBins tells a convolution with the weights 0, 1, 2, ...
func (n *net) isBins(node *nodeProto) bool {
	if len(node.in) != 2 {
		return false
	}
	w := n.shapes[node.in[1]]
	if len(w) != 4 || w[0] != 1 || w[2] != 1 || w[3] != 1 || w[1] > 64 {
		return false
	}
	a := n.consts[node.in[1]]
	if a == nil && n.inits[node.in[1]] != nil {
		a = n.inits[node.in[1]].array()
	}
	if a == nil {
		return false
	}
	for i, v := range a.data {
		if v != float64(i) {
			return false
		}
	}
	return true
}

// tailRule computes a node; computed tells its inputs that depend on the sources.
type tailRule func(c *call, in []*array, computed []bool) ([]*array, error)

// values evaluates the tail on the sources' values.
func (t *tail) values(sources map[string]*array) ([]*array, error) {
	return t.run(sources, func(c *call, in []*array, _ []bool) ([]*array, error) { return evaluate(c, in) })
}

// run computes the outputs from given sources.
func (t *tail) run(sources map[string]*array, rule tailRule) ([]*array, error) {
	values := map[string]*array{}
	alive, work := 0, 0
	for name, a := range sources {
		values[name] = a
		alive += len(a.data)
	}
	left := t.counts()
	for _, node := range t.nodes {
		c := t.net.call(node)
		in, computed := make([]*array, len(node.in)), make([]bool, len(node.in))
		for i, v := range node.in {
			in[i], computed[i] = values[v], values[v] != nil
			if in[i] == nil && v != "" {
				in[i] = t.net.constantArray(v)
			}
			if in[i] != nil {
				c.shapes[i], c.consts[i] = in[i].shape, in[i]
			}
		}
		out, err := rule(c, in, computed)
		if err != nil {
			return nil, say.Errorf("%s: %w", describe(node), err)
		}
		for i, a := range out {
			if i < len(node.out) {
				values[node.out[i]] = a
				alive += len(a.data)
			}
		}
		if work += effort(node.op, in, out); alive > maxTail || work > maxWork {
			return nil, say.Errorf("%s: the values before the output are too large", describe(node))
		}
		for _, v := range node.in {
			if left[v]--; left[v] == 0 && values[v] != nil {
				alive -= len(values[v].data)
				delete(values, v)
			}
		}
	}
	var list []*array
	for _, v := range t.outputs {
		if values[v] == nil {
			return nil, say.Errorf("the output %.80q is not computed", v)
		}
		list = append(list, values[v])
	}
	return list, nil
}

// slow are operations whose elements take as long as eight sums.
var slow = map[string]bool{
	"Sigmoid": true, "Exp": true, "Softmax": true, "Tanh": true, "Erf": true, "Pow": true, "Softplus": true, "Log": true,
}

// effort counts the elements that a node reads and writes, and the products it sums.
func effort(op string, in, out []*array) int {
	n := 0
	if len(in) == 0 || in[0] == nil {
		return n
	}
	for _, a := range slices.Concat(in, out) {
		if a != nil {
			n += len(a.data)
		}
	}
	if shape := in[0].shape; op == "MatMul" && len(shape) > 0 {
		n += len(out[0].data) * shape[len(shape)-1]
	} else if op == "Conv" {
		n += len(out[0].data) * shape[1]
	} else if slow[op] {
		n *= 8
	}
	return n
}

// counts are the uses of each value in the tail, its outputs among them.
func (t *tail) counts() map[string]int {
	left := map[string]int{}
	for _, node := range t.nodes {
		for _, v := range node.in {
			left[v]++
		}
	}
	for _, v := range t.outputs {
		left[v]++
	}
	return left
}

// constantArray gives a constant decoded.
func (n *net) constantArray(name string) *array {
	if a := n.consts[name]; a != nil {
		return a
	}
	if t := n.inits[name]; t != nil {
		return t.array()
	}
	return nil
}

// fill makes sources with the values that f gives.
func (t *tail) fill(f func(source, i int) float64) map[string]*array {
	m := map[string]*array{}
	for s, name := range t.sources {
		a := newArray(t.net.shapes[name])
		for i := range a.data {
			a.data[i] = f(s, i)
		}
		m[name] = a
	}
	return m
}
