package wasm_test

import (
	"fmt"
	"strings"
	"testing"

	"spotter/models"
	"spotter/models/golden"
	"spotter/wasm"
	"spotter/wasm/run"
)

// net builds small graphs for tests; its parameters are the golden noise.
type net struct {
	t *testing.T
	g *models.Graph
	w models.Weights
	n int
}

// newNet starts a graph with a picture of h x w.
func newNet(t *testing.T, h, w int) (*net, *models.Value) {
	in := &models.Value{Name: "images", Shape: models.Shape{3, h, w}}
	feed := models.Feed{Fit: models.FitLetterbox, Pad: 114, Scale: 1.0 / 255, Std: [3]float32{1, 1, 1}}
	g := &models.Graph{Name: "net", Input: in, Feed: feed, Head: models.Head{Proto: -1}}
	return &net{t: t, g: g, w: models.Weights{}}, in
}

// add appends an operation.
func (n *net) add(op models.Op, in ...*models.Value) *models.Value {
	n.t.Helper()
	n.n++
	node := &models.Node{Name: fmt.Sprintf("node%d", n.n), Op: op, In: in, Layer: -1}
	node.Out = &models.Value{Name: node.Name, From: node}
	if err := models.InferNode(node, n.w); err != nil {
		n.t.Fatal(err)
	}
	n.g.Nodes = append(n.g.Nodes, node)
	for _, p := range node.Params() {
		if n.w[p.Name] == nil {
			n.param(p.Name, p.Shape...)
		}
	}
	return node.Out
}

// param makes a parameter; variances are positive.
func (n *net) param(name string, shape ...int) string {
	t := &models.Tensor{Shape: shape, Data: golden.Uniform(name, models.Shape(shape).Elements())}
	if strings.HasPrefix(name, "var") {
		for i, v := range t.Data {
			t.Data[i] = 1 + v/2
		}
	}
	n.w[name] = t
	return name
}

// conv appends a convolution with bias that keeps the size at stride 1.
func (n *net) conv(x *models.Value, out, kernel, stride int) *models.Value {
	name := fmt.Sprint("w", n.n)
	p := kernel / 2
	return n.add(&models.Conv{
		Out: out, Kernel: [2]int{kernel, kernel}, Stride: [2]int{stride, stride}, Pad: [4]int{p, p, p, p},
		Groups: 1, Weight: name, Bias: name + ".bias",
	}, x)
}

func (n *net) act(x *models.Value, kind models.ActKind) *models.Value {
	return n.add(&models.Activation{Kind: kind}, x)
}

func (n *net) sum(a, b *models.Value) *models.Value {
	return n.add(&models.Binary{Kind: models.Add}, a, b)
}

func (n *net) concat(in ...*models.Value) *models.Value { return n.add(&models.Concat{}, in...) }

// check compiles, runs and compares every layer; it gives the number of steps that run.
func (n *net) check(outputs ...*models.Value) int {
	n.t.Helper()
	n.g.Outputs = outputs
	e := compareNetwork(n.t, n.g, n.w, wasm.Options{}, run.Options{})
	return len(e.Manifest.Layers)
}

// TestOperations computes each operation of the graph's language on a feature map, and
// those of any rank on other shapes too.
func TestOperations(t *testing.T) {
	square := func(k int) [2]int { return [2]int{k, k} }
	all := func(p int) [4]int { return [4]int{p, p, p, p} }
	shape := func(op models.Op) func(*net, *models.Value) *models.Value {
		return func(n *net, x *models.Value) *models.Value { return n.add(op, x) }
	}
	flat := func(n *net, x *models.Value) *models.Value { // [6, H*W]
		return n.add(&models.Reshape{Shape: models.Shape{x.Shape[0], -1}}, x)
	}
	cases := map[string]func(n *net, x *models.Value) *models.Value{
		"conv dilated":       shape(&models.Conv{Out: 5, Kernel: square(3), Stride: square(1), Pad: all(2), Dilation: square(2), Groups: 1, Weight: "w", Bias: "b"}),
		"conv grouped":       shape(&models.Conv{Out: 8, Kernel: square(3), Stride: square(2), Pad: all(1), Groups: 2, Weight: "w", Bias: "b"}),
		"conv pad uneven":    shape(&models.Conv{Out: 4, Kernel: square(3), Stride: square(2), Pad: [4]int{0, 0, 1, 1}, Groups: 1, Weight: "w"}),
		"conv wide":          shape(&models.Conv{Out: 4, Kernel: [2]int{1, 7}, Stride: square(1), Pad: [4]int{0, 3, 0, 3}, Groups: 1, Weight: "w"}),
		"conv pointwise s2":  shape(&models.Conv{Out: 7, Kernel: square(1), Stride: square(2), Groups: 1, Weight: "w", Bias: "b"}),
		"conv depthwise x2":  shape(&models.Conv{Out: 12, Kernel: square(3), Stride: square(1), Pad: all(1), Groups: 6, Weight: "w"}),
		"conv pointwise pad": shape(&models.Conv{Out: 3, Kernel: square(1), Stride: square(1), Pad: all(1), Groups: 1, Weight: "w", Bias: "b"}),
		"depthwise dilated":  shape(&models.Conv{Out: 6, Kernel: square(3), Stride: square(1), Pad: all(2), Dilation: square(2), Groups: 6, Weight: "w"}),
		"transposed 2":       shape(&models.ConvTranspose{Out: 5, Kernel: square(2), Stride: square(2), Groups: 1, Weight: "w", Bias: "b"}),
		"transposed 3":       shape(&models.ConvTranspose{Out: 5, Kernel: square(3), Stride: square(2), Pad: all(1), OutPad: square(1), Groups: 1, Weight: "w", Bias: "b"}),
		"transposed 4 deep":  shape(&models.ConvTranspose{Out: 4, Kernel: square(4), Stride: square(2), Pad: all(3), Groups: 2, Weight: "w"}),
		"transposed gaps":    shape(&models.ConvTranspose{Out: 4, Kernel: square(2), Stride: square(3), OutPad: square(1), Groups: 1, Weight: "w", Bias: "b"}),
		"transposed 1":       shape(&models.ConvTranspose{Out: 4, Kernel: [2]int{3, 2}, Stride: [2]int{1, 2}, Pad: [4]int{1, 0, 1, 0}, Groups: 1, Weight: "w"}),
		"batch norm":         shape(&models.BatchNorm{Weight: "w", Bias: "b", Mean: "m", Var: "var", Eps: 1e-3}),
		"max pool":           shape(&models.MaxPool{Kernel: square(3), Stride: square(2), Pad: all(1)}),
		"average pool":       shape(&models.AvgPool{Kernel: square(3), Stride: square(2), Pad: all(1)}),
		"average with pad":   shape(&models.AvgPool{Kernel: square(3), Stride: square(1), Pad: all(1), CountPad: true}),
		"global average":     shape(&models.GlobalAvgPool{}),
		"nearest 2":          shape(&models.Resize{Scale: [2]float32{2, 2}, Mode: "nearest"}),
		"nearest 1.5":        shape(&models.Resize{Scale: [2]float32{1.5, 1.5}, Mode: "nearest"}),
		"linear":             shape(&models.Resize{Size: [2]int{13, 21}, Mode: "linear"}),
		"linear corners":     shape(&models.Resize{Size: [2]int{13, 21}, Mode: "linear", Corner: true}),
		"scale":              shape(&models.Scale{Weight: "w"}),
		"slice channels":     shape(&models.Slice{Axis: 0, Start: 1, End: 5, Step: 1}),
		"slice every second": shape(&models.Slice{Axis: 0, Start: 1, End: 6, Step: 2}),
		"slice rows":         shape(&models.Slice{Axis: 1, Start: 1, End: 9, Step: 2}),
		"transpose map":      shape(&models.Transpose{Perm: []int{2, 0, 1}}),
		"reshape map":        shape(&models.Reshape{Shape: models.Shape{3, 2, 8, 12}}),
		"reshape across":     shape(&models.Reshape{Shape: models.Shape{9, -1}}),
		"softmax channels":   shape(&models.Softmax{Axis: 0}),
		"softmax rows":       shape(&models.Softmax{Axis: 2}),
		"concat rows": func(n *net, x *models.Value) *models.Value {
			return n.add(&models.Concat{Axis: 1}, x, n.act(x, models.ActReLU), x)
		},
		"focus": func(n *net, x *models.Value) *models.Value {
			var parts []*models.Value
			for i := range 4 {
				rows := n.add(&models.Slice{Axis: 1, Start: i % 2, End: 1 << 30, Step: 2}, x)
				parts = append(parts, n.add(&models.Slice{Axis: 2, Start: i / 2, End: 1 << 30, Step: 2}, rows))
			}
			return n.concat(parts...)
		},
		"shuffle": func(n *net, x *models.Value) *models.Value {
			y := n.add(&models.Reshape{Shape: models.Shape{2, 3, 8, 12}}, x)
			y = n.add(&models.Transpose{Perm: []int{1, 0, 2, 3}}, y)
			return n.add(&models.Reshape{Shape: models.Shape{6, 8, 12}}, y)
		},
		"attention": func(n *net, x *models.Value) *models.Value {
			q, k, v := n.conv(x, 16, 1, 1), n.conv(x, 8, 3, 2), n.conv(x, 8, 3, 2)
			return n.add(&models.MQA{Heads: 2, Dim: 8, Scale: 0.5}, q, k, v)
		},
		"attention one size": func(n *net, x *models.Value) *models.Value {
			q, k, v := n.conv(x, 16, 1, 1), n.conv(x, 8, 1, 1), n.conv(x, 8, 1, 1)
			return n.add(&models.MQA{Heads: 2, Dim: 8, Scale: 0.5}, q, k, v)
		},
		"matmul": func(n *net, x *models.Value) *models.Value {
			y := n.add(&models.Transpose{Perm: []int{1, 0}}, flat(n, x))
			return n.add(&models.MatMul{}, flat(n, x), y)
		},
		"matmul of maps": func(n *net, x *models.Value) *models.Value {
			y := n.add(&models.Transpose{Perm: []int{0, 2, 1}}, x)
			return n.add(&models.MatMul{}, x, y)
		},
		"matmul constant": func(n *net, x *models.Value) *models.Value {
			return n.add(&models.MatMul{Const: n.param("c", 96, 10)}, flat(n, x))
		},
		"matmul constant first": func(n *net, x *models.Value) *models.Value {
			return n.add(&models.MatMul{Const: n.param("c", 4, 6), ConstFirst: true}, flat(n, x))
		},
		"matmul vectors": func(n *net, x *models.Value) *models.Value {
			v := n.add(&models.Reshape{Shape: models.Shape{-1}}, n.add(&models.Slice{Axis: 0, Start: 0, End: 1, Step: 1}, flat(n, x)))
			y := n.add(&models.MatMul{}, flat(n, x), v)
			return n.add(&models.MatMul{}, y, flat(n, x))
		},
		"gemm": func(n *net, x *models.Value) *models.Value {
			v := n.add(&models.Reshape{Shape: models.Shape{-1}}, n.add(&models.GlobalAvgPool{}, x))
			v = n.add(&models.MatMul{Const: n.param("c", 6, 9)}, v)
			v = n.add(&models.Binary{Kind: models.Add, Const: n.param("d", 9)}, v)
			return n.add(&models.Softmax{Axis: 0}, v)
		},
		"softmax of rows": func(n *net, x *models.Value) *models.Value { return n.add(&models.Softmax{Axis: 1}, flat(n, x)) },
		"softmax of columns": func(n *net, x *models.Value) *models.Value {
			y := n.add(&models.Slice{Axis: 1, Start: 3, End: 40, Step: 2}, flat(n, x))
			return n.add(&models.Concat{Axis: 1}, n.add(&models.Softmax{Axis: 0}, y), n.add(&models.Softmax{Axis: 1}, y))
		},
		"norm of rows": func(n *net, x *models.Value) *models.Value {
			return n.add(&models.BatchNorm{Weight: "w", Bias: "b", Mean: "m", Var: "var", Eps: 1e-3}, flat(n, x))
		},
		"gate": func(n *net, x *models.Value) *models.Value { // squeeze and excite
			return n.add(&models.Binary{Kind: models.Mul}, x, n.act(n.add(&models.GlobalAvgPool{}, x), models.ActSigmoid))
		},
		"gate first": func(n *net, x *models.Value) *models.Value {
			return n.add(&models.Binary{Kind: models.Sub}, n.add(&models.GlobalAvgPool{}, x), x)
		},
		"outer": func(n *net, x *models.Value) *models.Value {
			rows := n.add(&models.AvgPool{Kernel: [2]int{8, 1}, Stride: [2]int{1, 1}}, x)
			columns := n.add(&models.AvgPool{Kernel: [2]int{1, 12}, Stride: [2]int{1, 1}}, x)
			return n.add(&models.Binary{Kind: models.Max}, rows, columns)
		},
		"power": func(n *net, x *models.Value) *models.Value {
			for i, e := range []float32{2, 3, 1, 0.5} {
				name := fmt.Sprint("e", i)
				n.w[name] = &models.Tensor{Shape: []int{1}, Data: []float32{e}}
				if e == 0.5 {
					x = n.act(x, models.ActReLU)
				}
				x = n.add(&models.Binary{Kind: models.Pow, Const: name}, x)
			}
			return x
		},
	}
	for i, kind := range []models.BinaryKind{models.Add, models.Sub, models.Mul, models.Div, models.Max, models.Min} {
		for name, shape := range map[string][]int{"one": {1}, "channel": {6, 1, 1}, "row": {12}, "map": {6, 8, 12}} {
			for _, first := range []bool{false, true} {
				cases[fmt.Sprintf("binary%d %s first=%t", i, name, first)] = func(n *net, x *models.Value) *models.Value {
					return n.add(&models.Binary{Kind: kind, Const: n.param("c", shape...), ConstFirst: first}, x)
				}
			}
		}
	}
	for name, build := range cases {
		t.Run(name, func(t *testing.T) {
			n, x := newNet(t, 8, 12)
			x = n.conv(x, 6, 1, 1)
			y := build(n, x)
			n.check(y)
		})
	}
}
