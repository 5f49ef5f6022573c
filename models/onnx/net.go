package onnx

import (
	"fmt"
	"slices"
	"strings"

	"spotter/models"
	"spotter/models/say"
)

// Limits of a file; the largest detectors have a few thousand nodes.
const (
	maxNodes   = 50_000
	maxFolding = 1 << 25 // elements of all constants that are computed at import
)

// net is the network at one input size: what each value's shape is, and which are
// constant.
type net struct {
	model         *modelProto
	opset         int64
	input         string
	native        []int // the input as the file has it, -1 where it is open
	width, height int
	nodes         []*nodeProto
	from          map[string]*nodeProto // producers by value
	uses          map[string]int        // consumers by value, the graph's outputs among them
	inits         map[string]*tensorProto
	consts        map[string]*array
	shapes        map[string][]int
	problems      map[string]error // why a value's shape is not known
	folded        int
	as            *net // the net at the file's own size, whose fixed sizes are to be changed to this one's
}

// newNet indexes the graph.
func newNet(m *modelProto) (*net, error) {
	g := m.graph
	n := &net{model: m, opset: m.opset[""] + m.opset["ai.onnx"], inits: map[string]*tensorProto{}}
	if n.opset < 7 || n.opset > 30 {
		return nil, say.Errorf("operator set %d: 7 to 30 are read (11 to 19 are tested)", n.opset)
	}
	if len(g.nodes) > maxNodes {
		return nil, say.Errorf("%d nodes: at most %d are read", len(g.nodes), maxNodes)
	}
	for _, t := range g.initializers {
		if err := t.check(); err != nil {
			return nil, say.Errorf("parameter %.80q: %w", t.name, err)
		}
		n.inits[t.name] = t
	}
	var pictures []valueProto
	for _, v := range g.inputs {
		if n.inits[v.name] == nil {
			pictures = append(pictures, v)
		}
	}
	if len(pictures) != 1 {
		return nil, say.Errorf("%d inputs%s: one picture is supported", len(pictures), valueNames(pictures))
	}
	n.input, n.native = pictures[0].name, pictures[0].dims
	if err := checkInput(pictures[0]); err != nil {
		return nil, err
	}
	return n, n.sort()
}

func valueNames(list []valueProto) string {
	var names []string
	for _, v := range list[:min(len(list), 6)] {
		names = append(names, v.name)
	}
	if names == nil {
		return ""
	}
	return " (" + strings.Join(names, ", ") + ")"
}

// checkInput wants [1, 3, H, W], open dimensions allowed.
func checkInput(v valueProto) error {
	d := v.dims
	switch {
	case len(d) == 4 && d[3] == 3 && d[1] != 3:
		return say.Errorf("the input %s is %v, pixels before channels (NHWC): export the model with channels first", v.name, d)
	case len(d) != 4 || d[1] != 3 && d[1] != -1:
		return say.Errorf("the input %s is %v: a picture [1, 3, H, W] is needed", v.name, d)
	case d[0] != 1 && d[0] != -1:
		return say.Errorf("the input %s is %v, %d pictures at once: export the model for one", v.name, d, d[0])
	}
	return nil
}

// sort puts nodes behind the producers of their inputs. Files have them so; a file
// that has not, or a cycle, is found here.
func (n *net) sort() error {
	n.from, n.uses = map[string]*nodeProto{}, map[string]int{}
	for _, node := range n.model.graph.nodes {
		for _, v := range node.out {
			if v == "" {
				continue
			}
			if n.from[v] != nil || n.inits[v] != nil || v == n.input {
				return say.Errorf("two nodes make the value %.80q", v)
			}
			n.from[v] = node
		}
		for _, v := range node.in {
			n.uses[v]++
		}
	}
	for _, v := range n.model.graph.outputs {
		n.uses[v.name]++
	}
	for _, node := range n.model.graph.nodes {
		for _, v := range node.in {
			if v != "" && v != n.input && n.inits[v] == nil && n.from[v] == nil {
				return say.Errorf("node %s takes %.80q, which nothing makes", describe(node), v)
			}
		}
	}
	if n.nodes = n.model.graph.nodes; n.sorted() {
		return nil
	}
	return n.kahn()
}

// sorted tells whether the file's order will do.
func (n *net) sorted() bool {
	made := map[string]bool{}
	for _, node := range n.nodes {
		for _, v := range node.in {
			if n.from[v] != nil && !made[v] {
				return false
			}
		}
		for _, v := range node.out {
			made[v] = true
		}
	}
	return true
}

// kahn sorts by Kahn's algorithm.
func (n *net) kahn() error {
	n.nodes = nil
	waiting := map[*nodeProto]int{}
	behind := map[*nodeProto][]*nodeProto{}
	for _, node := range n.model.graph.nodes {
		for _, v := range node.in {
			if p := n.from[v]; p != nil {
				waiting[node]++
				behind[p] = append(behind[p], node)
			}
		}
		if waiting[node] == 0 {
			n.nodes = append(n.nodes, node)
		}
	}
	for i := 0; i < len(n.nodes); i++ {
		for _, next := range behind[n.nodes[i]] {
			if waiting[next]--; waiting[next] == 0 {
				n.nodes = append(n.nodes, next)
			}
		}
	}
	if len(n.nodes) != len(n.model.graph.nodes) {
		return say.Errorf("the graph has a cycle")
	}
	return nil
}

// at works out shapes and constants for an input of width x height pixels.
func (n *net) at(width, height int, as *net) (*net, error) {
	m := *n
	m.width, m.height, m.as = width, height, as
	m.consts, m.shapes, m.problems = map[string]*array{}, map[string][]int{}, map[string]error{}
	m.shapes[n.input] = []int{1, 3, height, width}
	for name, t := range m.inits {
		m.shapes[name] = t.shape()
	}
	for _, node := range m.nodes {
		if err := m.visit(node); err != nil {
			return nil, say.Errorf("node %s: %w", describe(node), err)
		}
	}
	return &m, nil
}

func describe(node *nodeProto) string {
	name := node.name
	if name == "" && len(node.out) > 0 {
		name = node.out[0]
	}
	return fmt.Sprintf("%.80s (%.40s)", name, node.op)
}

// visit computes a node's constants, or its results' shapes. Errors in the latter
// are kept: the node may lie behind the part that is needed.
func (n *net) visit(node *nodeProto) error {
	c := n.call(node)
	if n.fold(c) {
		return nil
	}
	rule := shapeRules[node.op]
	err := say.Errorf("the operation %.40q is not known", node.op)
	var shapes [][]int
	switch {
	case node.domain != "":
		err = say.Errorf("the operation %.40q of the domain %.40q is not known", node.op, node.domain)
	case rule != nil && len(node.in) > 0:
		shapes, err = rule(c)
	}
	for i, v := range node.out {
		if v == "" {
			continue
		}
		if err == nil && i < len(shapes) {
			if e := checkShape(shapes[i], models.MaxElements); e != nil {
				return e
			}
			if n.shapes[v] = shapes[i]; shapes[i] == nil {
				n.shapes[v] = []int{} // nil means unknown
			}
		} else if err != nil {
			n.problems[v] = err
		}
	}
	return nil
}

// call collects what is known of a node's inputs.
func (n *net) call(node *nodeProto) *call {
	c := &call{nodeProto: node, opset: n.opset, shapes: make([][]int, len(node.in)), consts: make([]*array, len(node.in))}
	for i, v := range node.in {
		if v == "" {
			continue
		}
		c.shapes[i], c.consts[i] = n.shapes[v], n.consts[v]
		// Large parameters are decoded where they are needed, not for every look.
		if t := n.inits[v]; t != nil && c.consts[i] == nil && elements(c.shapes[i]) <= 1<<12 {
			n.consts[v] = t.array()
			c.consts[i] = n.consts[v]
		}
	}
	if n.as != nil && node.op == "Reshape" && len(c.consts) > 1 && c.consts[1] != nil {
		c.consts[1] = n.resized(node, c.consts[1])
	}
	return c
}

// fold computes a node whose inputs are all constant.
func (n *net) fold(c *call) bool {
	if c.op == "Shape" && c.domain == "" && len(c.in) > 0 && c.shapes[0] != nil && len(c.out) > 0 {
		start, end := c.int("start", 0), c.int("end", far)
		x, err := newCut(0, len(c.shapes[0]), start, end, 1)
		if err != nil {
			return false
		}
		n.keep(c.out[0], wholes(c.shapes[0][x.start:x.start+x.count]...))
		return true
	}
	for _, v := range c.in {
		if v != "" && n.consts[v] == nil && n.inits[v] == nil {
			return false
		}
	}
	in, total := make([]*array, len(c.in)), 0
	for i, v := range c.in {
		if v == "" {
			continue
		}
		if in[i] = n.consts[v]; in[i] == nil {
			in[i] = n.inits[v].array()
		}
		total += len(in[i].data)
	}
	if n.folded += total; n.folded > maxFolding {
		return false
	}
	c.consts = in
	out, err := evaluate(c, in)
	if err != nil {
		return false
	}
	for i, a := range out {
		if n.folded += len(a.data); i < len(c.out) {
			n.keep(c.out[i], a)
		}
	}
	return true
}

func (n *net) keep(name string, a *array) {
	if a.shape == nil {
		a.shape = []int{} // nil means unknown
	}
	n.consts[name], n.shapes[name] = a, a.shape
}

// evaluate runs a node's evaluator, with its inputs checked for presence.
func evaluate(c *call, in []*array) ([]*array, error) {
	f := evaluators[c.op]
	if f == nil || c.domain != "" {
		return nil, say.Errorf("%s is not computed at import", describe(c.nodeProto))
	}
	need := arity(c.op)
	if binaries[c.op] != nil || c.op == "Concat" {
		need = max(need, len(in))
	}
	if len(in) < need || slices.Contains(in[:need], nil) {
		return nil, say.Errorf("%s lacks inputs", describe(c.nodeProto))
	}
	return f(c, in)
}

// arity is the number of inputs that an evaluator looks at unasked.
func arity(op string) int {
	switch op {
	case "Constant":
		return 0
	case "Where", "ScatterND", "Range":
		return 3
	case "Gather", "Expand", "Tile", "MatMul", "Conv":
		return 2
	case "Concat":
		return 1
	}
	if binaries[op] != nil {
		return 2
	}
	return 1
}

// resized changes a fixed target of Reshape from the file's size to this one: the
// dimensions that are its map's height and width there become those here.
func (n *net) resized(node *nodeProto, target *array) *array {
	before, now := n.as.shapes[node.in[0]], n.shapes[node.in[0]]
	if len(before) != len(now) || slices.Equal(before, now) || n.from[node.in[1]] != nil && n.from[node.in[1]].op != "Constant" {
		return target
	}
	list := target.ints()
	at := len(before)
	if at < 2 {
		return target
	}
	for i := len(list) - 1; i >= 0; i-- {
		switch {
		case i+1 < len(list) && list[i] == before[at-2] && list[i+1] == before[at-1]:
			list[i], list[i+1] = now[at-2], now[at-1]
			return wholes(list...)
		case list[i] == before[at-2]*before[at-1] && list[i] > 1:
			list[i] = now[at-2] * now[at-1]
			return wholes(list...)
		}
	}
	return target
}
