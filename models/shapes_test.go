package models

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
)

func value(shape ...int) *Value { return &Value{Name: fmt.Sprint("v", shape), Shape: shape} }

func values(shapes ...Shape) (list []*Value) {
	for _, s := range shapes {
		list = append(list, value(s...))
	}
	return list
}

var (
	one = [2]int{1, 1}
	two = [2]int{2, 2}
)

// constants that the cases name.
var constants = Weights{
	"column": {Shape: []int{4, 1}},
	"matrix": {Shape: []int{6, 5}},
	"scalar": {Shape: nil},
}

// TestShapeOfEveryOperation works each out by hand; sizes are odd where rounding matters.
func TestShapeOfEveryOperation(t *testing.T) {
	for _, c := range []struct {
		op   Op
		in   []*Value
		want Shape
	}{
		{&Conv{Out: 8, Kernel: [2]int{3, 5}, Stride: [2]int{2, 1}, Pad: [4]int{1, 2, 1, 2}}, values(Shape{3, 7, 9}), Shape{8, 4, 9}},
		{&Conv{Out: 8, Kernel: [2]int{3, 3}, Stride: two, Pad: [4]int{0, 0, 1, 1}}, values(Shape{3, 8, 9}), Shape{8, 4, 4}},
		{&Conv{Out: 6, Kernel: [2]int{3, 3}, Stride: one, Dilation: two, Groups: 3}, values(Shape{9, 7, 8}), Shape{6, 3, 4}},
		{&ConvTranspose{Out: 4, Kernel: [2]int{4, 3}, Stride: two, Pad: [4]int{1, 1, 1, 1}, OutPad: [2]int{0, 1}}, values(Shape{2, 5, 6}), Shape{4, 10, 12}},
		{&BatchNorm{}, values(Shape{5, 3, 2}), Shape{5, 3, 2}},
		{&Activation{Kind: ActSiLU}, values(Shape{7}), Shape{7}},
		{&MaxPool{Kernel: [2]int{5, 5}, Stride: one, Pad: [4]int{2, 2, 2, 2}}, values(Shape{4, 3, 9}), Shape{4, 3, 9}},
		{&AvgPool{Kernel: two, Stride: two}, values(Shape{4, 5, 9}), Shape{4, 2, 4}},
		{&GlobalAvgPool{}, values(Shape{4, 5, 9}), Shape{4, 1, 1}},
		{&Resize{Scale: [2]float32{2, 1.5}}, values(Shape{4, 5, 9}), Shape{4, 10, 13}},
		{&Resize{Scale: [2]float32{2, 2}, Size: [2]int{3, 4}}, values(Shape{4, 5, 9}), Shape{4, 3, 4}},
		{&Concat{Axis: 0}, values(Shape{4, 5, 9}, Shape{2, 5, 9}, Shape{1, 5, 9}), Shape{7, 5, 9}},
		{&Concat{Axis: 2}, values(Shape{4, 5, 9}, Shape{4, 5, 1}), Shape{4, 5, 10}},
		{&Slice{Axis: 1, Start: 1, End: math.MaxInt32, Step: 2}, values(Shape{4, 5, 9}), Shape{4, 2, 9}},
		{&Slice{Axis: 2, Start: -3, End: -1, Step: 1}, values(Shape{4, 5, 9}), Shape{4, 5, 2}},
		{&Binary{Kind: Add}, values(Shape{4, 5, 9}, Shape{4, 1, 1}), Shape{4, 5, 9}},
		{&Binary{Kind: Mul}, values(Shape{9}, Shape{4, 5, 1}), Shape{4, 5, 9}},
		{&Binary{Kind: Sub, Const: "column", ConstFirst: true}, values(Shape{3, 1, 9}), Shape{3, 4, 9}},
		{&Binary{Kind: Pow, Const: "scalar"}, values(Shape{3, 9}), Shape{3, 9}},
		{&Scale{}, values(Shape{4, 5, 9}), Shape{4, 5, 9}},
		{&MQA{Heads: 2, Dim: 3}, values(Shape{6, 4, 5}, Shape{3, 2, 3}, Shape{3, 2, 3}), Shape{6, 4, 5}},
		{&MatMul{}, values(Shape{2, 3, 4}, Shape{1, 4, 5}), Shape{2, 3, 5}},
		{&MatMul{Const: "matrix"}, values(Shape{6}), Shape{5}},
		{&MatMul{Const: "matrix", ConstFirst: true}, values(Shape{2, 5, 3}), Shape{2, 6, 3}},
		{&MatMul{Const: "matrix", ConstFirst: true}, values(Shape{5}), Shape{6}},
		{&Softmax{Axis: 1}, values(Shape{2, 3}), Shape{2, 3}},
		{&Reshape{Shape: Shape{3, -1}}, values(Shape{6, 4, 5}), Shape{3, 40}},
		{&Reshape{Shape: Shape{120}}, values(Shape{6, 4, 5}), Shape{120}},
		{&Transpose{Perm: []int{2, 0, 1}}, values(Shape{6, 4, 5}), Shape{5, 6, 4}},
	} {
		n := &Node{Name: "n", Op: c.op, In: c.in, Out: &Value{Name: "n"}}
		if err := InferNode(n, constants); err != nil {
			t.Errorf("%+v of %v: %v", c.op, c.in, err)
		} else if !slices.Equal(n.Out.Shape, c.want) {
			t.Errorf("%s %+v gives %v, want %v", c.op.OpName(), c.op, n.Out.Shape, c.want)
		}
	}
}

// TestShapesThatDoNotFit expects the reason, with the node's name and operation.
func TestShapesThatDoNotFit(t *testing.T) {
	conv := func(edit func(*Conv)) *Conv {
		op := &Conv{Out: 8, Kernel: [2]int{3, 3}, Stride: one, Groups: 1}
		edit(op)
		return op
	}
	m := values(Shape{6, 4, 5})
	for _, c := range []struct {
		op   Op
		in   []*Value
		want string
	}{
		{nil, m, "lacks an operation"},
		{conv(func(c *Conv) {}), nil, "takes one input, has 0"},
		{conv(func(c *Conv) {}), []*Value{nil}, "input 0 is missing"},
		{conv(func(c *Conv) {}), values(Shape{6, 4}), "needs channels, height and width"},
		{conv(func(c *Conv) { c.Groups = 4 }), m, "6 input channels do not divide into 4 groups"},
		{conv(func(c *Conv) { c.Groups = 3 }), m, "8 output channels do not divide into 3 groups"},
		{conv(func(c *Conv) { c.Out = -1 }), m, "-1 output channels"},
		{conv(func(c *Conv) { c.Kernel = [2]int{9, 9} }), m, "does not fit"},
		{conv(func(c *Conv) { c.Kernel = [2]int{0, 3} }), m, "kernel [0 3]"},
		{conv(func(c *Conv) { c.Stride = [2]int{0, 1} }), m, "stride [0 1]"},
		{conv(func(c *Conv) { c.Pad[3] = math.MaxInt }), m, "padding"},
		{conv(func(c *Conv) { c.Out = MaxElements }), m, "more than"},
		{&ConvTranspose{Out: 2, Kernel: one, Stride: [2]int{math.MaxInt, 1}}, m, "stride"},
		{&ConvTranspose{Out: 2, Kernel: one, Stride: one, OutPad: [2]int{-1, 0}}, m, "output padding"},
		{&ConvTranspose{Out: 2, Kernel: one, Stride: one, Pad: [4]int{3, 0, 3, 0}}, m, "below 1"},
		{&ConvTranspose{Out: 3, Kernel: one, Stride: one, Groups: 2}, m, "do not divide"},
		{&MaxPool{Kernel: two}, m, "stride [0 0]"},
		{&Resize{Scale: [2]float32{0, 1}}, m, "no usable size"},
		{&Resize{Scale: [2]float32{float32(math.NaN()), 1}}, m, "no usable size"},
		{&Resize{Size: [2]int{-3, 1}}, m, "below 1"},
		{&Concat{}, nil, "at least one input"},
		{&Concat{Axis: 3}, m, "axis 3 does not exist"},
		{&Concat{}, values(Shape{6, 4, 5}, Shape{6, 4}), "differ in rank"},
		{&Concat{}, values(Shape{6, 4, 5}, Shape{6, 4, 6}), "differ beside dimension 0"},
		{&Slice{Axis: 0, Start: 3, End: 3, Step: 1}, m, "takes nothing"},
		{&Slice{Axis: 0, End: 3}, m, "takes nothing"},
		{&Slice{Axis: -1, End: 3, Step: 1}, m, "axis -1"},
		{&Binary{}, m, "takes two inputs, has 1"},
		{&Binary{}, values(Shape{6, 4, 5}, Shape{6, 4, 2}), "do not broadcast"},
		{&Binary{Const: "none"}, m, `constant "none" is missing`},
		{&Binary{Const: "column"}, values(Shape{1}, Shape{1}), "one input beside its constant"},
		{&MatMul{}, values(Shape{2, 3}, Shape{2, 3}), "do not multiply"},
		{&MatMul{}, values(Shape{2, 2, 3}, Shape{3, 3, 4}), "do not broadcast"},
		{&MatMul{}, values(Shape{}, Shape{3}), "do not multiply"},
		{&MQA{Heads: 2, Dim: 3}, m, "query, key and value"},
		{&MQA{Heads: 2, Dim: 4}, values(Shape{6, 4, 5}, Shape{3, 2, 3}, Shape{3, 2, 3}), "query of 6 channels for 2 heads of 4"},
		{&MQA{Heads: 2, Dim: 3}, values(Shape{6, 4, 5}, Shape{3, 2, 3}, Shape{3, 2, 2}), "one size"},
		{&Softmax{Axis: 3}, m, "axis 3"},
		{&Reshape{Shape: Shape{7, -1}}, m, "does not fit"},
		{&Reshape{Shape: Shape{-1, -1}}, m, "does not fit"},
		{&Reshape{Shape: Shape{60, 60, math.MaxInt}}, m, "does not fit"},
		{&Transpose{Perm: []int{0, 1}}, m, "order [0 1]"},
		{&Transpose{Perm: []int{0, 1, 1}}, m, "order [0 1 1]"},
	} {
		n := &Node{Name: "model.7", Op: c.op, In: c.in, Out: &Value{}}
		err := InferNode(n, constants)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "node model.7 (") {
			t.Errorf("%+v gives %v and %v, want %q", c.op, n.Out.Shape, err, c.want)
		}
	}
}

// TestSliceBoundsCountAsAPythonSlice compares with the definition, index by index.
func TestSliceBoundsCountAsAPythonSlice(t *testing.T) {
	for size := range 7 {
		for start := -8; start <= 8; start++ {
			for end := -8; end <= 8; end++ {
				for step := 1; step <= 3; step++ {
					s := Slice{Start: start, End: end, Step: step}
					first, count := s.Bounds(size)
					want := 0
					lo, hi := start, end
					if lo < 0 {
						lo = max(lo+size, 0)
					}
					if hi < 0 {
						hi += size
					}
					for i := lo; i < hi && i < size; i += step {
						want++
					}
					if count != want || count > 0 && first != lo {
						t.Fatalf("%+v of %d: %d from %d, want %d from %d", s, size, count, first, want, lo)
					}
				}
			}
		}
	}
}

// TestInferShapesNeedsAnInput of a usable size.
func TestInferShapesNeedsAnInput(t *testing.T) {
	for _, g := range []*Graph{{}, {Input: value(3, 0, 4)}, {Input: value(3, 1<<20, 1<<20)}, {Input: value(3, -1, -1)}} {
		if err := InferShapes(g, nil); err == nil {
			t.Errorf("input %+v is taken", g.Input)
		}
	}
	if err := (&Graph{Input: value(5)}).SetInput(32, 32, nil); err == nil {
		t.Error("a vector takes a width and a height")
	}
}
