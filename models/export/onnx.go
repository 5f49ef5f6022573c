// Package export writes networks in other runtimes' formats: ONNX here, so that
// a network of this project runs wherever ONNX does and peers can be measured
// on the very same graph.
package export

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"spotter/models"
)

// Opset is the version of ONNX's operators that the file asks for.
const Opset = 17

// irVersion 8 is the first that may carry opset 17.
const irVersion = 8

// ONNX writes the graph with its weights as an ONNX model: one input
// [1,3,H,W] (RGB / 255 for YOLOv5's feed), the graph's outputs as they are
// (raw head maps before sigmoid and decode; Decoded gives boxes), float32 throughout.
// BatchNorm nodes are kept; FoldBatchNorm first gives what exporters of trained networks
// write. The file says in its metadata what its outputs are, how pictures are fed and what
// the classes are called, so that it is taken back with nothing lost; of meta it takes
// models.Provenance. It is an error when a parameter is missing or shapes have not been inferred.
func ONNX(w io.Writer, g *models.Graph, weights models.Weights, meta map[string]string) error {
	b := &builder{weights: weights, names: map[*models.Value]string{}, taken: map[string]bool{}, inits: map[string]bool{}}
	b.input(g.Input)
	b.nameOutputs(g.Outputs)
	for _, n := range g.Nodes {
		if err := b.add(n); err != nil {
			return fmt.Errorf("export %s (%s): %w", n.Name, n.Op.OpName(), err)
		}
	}
	b.outputs(g.Outputs)
	b.graph.string(2, g.Name)
	m, err := b.model(g, meta)
	if err != nil {
		return err
	}
	_, err = w.Write(m)
	return err
}

// builder gathers the parts of a GraphProto.
type builder struct {
	graph   message
	weights models.Weights
	names   map[*models.Value]string
	taken   map[string]bool
	inits   map[string]bool
	err     error
}

func (b *builder) input(v *models.Value) {
	b.names[v] = b.unique("images")
	b.graph.bytes(11, valueInfo(b.names[v], batched(v.Shape)))
}

// nameOutputs gives the outputs their names first, so that no inner value takes them.
func (b *builder) nameOutputs(outs []*models.Value) {
	for i, v := range outs {
		name := v.Name
		if name == "" {
			name = fmt.Sprintf("output%d", i)
		}
		b.names[v] = b.unique(name)
	}
}

func (b *builder) outputs(outs []*models.Value) {
	for _, v := range outs {
		b.graph.bytes(12, valueInfo(b.names[v], batched(v.Shape)))
	}
}

// unique returns name, with a number where it is taken already.
func (b *builder) unique(name string) string {
	got := name
	for i := 1; b.taken[got]; i++ {
		got = fmt.Sprintf("%s_%d", name, i)
	}
	b.taken[got] = true
	return got
}

// value is the ONNX name of a graph value.
func (b *builder) value(v *models.Value) string {
	if name, ok := b.names[v]; ok {
		return name
	}
	name := v.Name
	if name == "" && v.From != nil {
		name = v.From.Name
	}
	b.names[v] = b.unique(name)
	return b.names[v]
}

// values names all of vs.
func (b *builder) values(vs []*models.Value) []string {
	out := make([]string, len(vs))
	for i, v := range vs {
		out[i] = b.value(v)
	}
	return out
}

// param writes a parameter as an initializer, once, and returns its name.
func (b *builder) param(name string) string {
	t := b.tensor(name)
	if t == nil {
		return name
	}
	return b.floats(name, t.Shape, t.Data)
}

// tensor looks a parameter up; a missing one becomes the builder's error.
func (b *builder) tensor(name string) *models.Tensor {
	t := b.weights[name]
	if t == nil && b.err == nil {
		b.err = fmt.Errorf("parameter %q is not in the weights", name)
	}
	return t
}

// floats writes float32 constants under a name of their own, once.
func (b *builder) floats(name string, shape []int, data []float32) string {
	if !b.inits[name] {
		b.inits[name] = true
		b.graph.bytes(5, floatTensor(name, shape, data))
	}
	return name
}

// ints writes int64 constants for one node.
func (b *builder) ints(name string, data ...int) string {
	name = b.unique(name)
	b.graph.bytes(5, intTensor(name, []int{len(data)}, data))
	return name
}

// scalar writes one float32 constant; equal ones share.
func (b *builder) scalar(v float32) string {
	return b.floats(fmt.Sprintf("const.%g", v), nil, []float32{v})
}

// node appends a NodeProto.
func (b *builder) node(op, name string, in, out []string, attrs ...attr) {
	var m message
	for _, s := range in {
		m.string(1, s)
	}
	for _, s := range out {
		m.string(2, s)
	}
	m.string(3, name)
	m.string(4, op)
	for _, a := range attrs {
		m.bytes(5, a)
	}
	b.graph.bytes(1, m)
}

// step appends a node with a fresh inner result and returns that result's name.
func (b *builder) step(op, name string, in []string, attrs ...attr) string {
	out := b.unique(name + "/" + op)
	b.node(op, out, in, []string{out}, attrs...)
	return out
}

func (b *builder) model(g *models.Graph, meta map[string]string) (message, error) {
	var m, opset message
	opset.string(1, "")
	opset.int(2, Opset)
	m.int(1, irVersion)
	m.string(2, "spotter")
	m.bytes(7, b.graph)
	m.bytes(8, opset)
	properties, err := metadata(g)
	for _, key := range models.Provenance {
		if meta[key] != "" {
			properties = append(properties, [2]string{key, meta[key]})
		}
	}
	for _, kv := range properties {
		var p message
		p.string(1, kv[0])
		p.string(2, kv[1])
		m.bytes(14, p)
	}
	return m, err
}

// metadata are the two properties that YOLOv5's own exporter writes and its readers look
// for, and what Spotter says of the head and of feeding.
func metadata(g *models.Graph) ([][2]string, error) {
	var out [][2]string
	if n := len(g.Head.Levels); n > 0 {
		out = append(out, [2]string{"stride", fmt.Sprint(g.Head.Levels[n-1].Stride)})
	}
	if len(g.Classes) > 0 {
		items := make([]string, len(g.Classes))
		for i, c := range g.Classes {
			items[i] = fmt.Sprintf("%d: '%s'", i, quoting.Replace(c))
		}
		out = append(out, [2]string{"names", "{" + strings.Join(items, ", ") + "}"})
	}
	var d models.Described
	if g.Head.Check(shapes(g.Outputs)) == nil { // what Decoded gives is no longer the head's
		d.Head = &g.Head
	}
	if g.Feed.Fit != "" {
		d.Feed = &g.Feed
	}
	if d == (models.Described{}) {
		return out, nil
	}
	text, err := json.Marshal(d)
	return append(out, [2]string{models.MetadataKey, string(text)}), err
}

// quoting escapes a text between single quotes as Python does.
var quoting = strings.NewReplacer(`\`, `\\`, "'", `\'`, "\n", `\n`)

// batched puts the batch dimension before a shape.
func batched(s models.Shape) []int { return append([]int{1}, s...) }
