package models

import (
	"cmp"
	"math"
	"slices"

	"spotter/models/say"
)

// MaxElements is the largest number of elements that a value may have: more is
// a mistake in the network or an attack, and would not fit WebAssembly's memory.
const MaxElements = 1 << 28

// InferShapes sets the shape of every value from the shape of the input, node by
// node. Weights gives the shapes of the constants of Binary and MatMul nodes; it
// may be nil for graphs without any. Call it anew after changing Input.Shape.
// An error names the node and what does not fit.
func InferShapes(g *Graph, w Weights) error {
	if g.Input == nil {
		return say.Errorf("graph %q has no input", g.Name)
	}
	if err := checkSize(g.Input.Shape); err != nil {
		return say.Errorf("input: %w", err)
	}
	for _, n := range g.Nodes {
		if err := InferNode(n, w); err != nil {
			return err
		}
	}
	return nil
}

// SetInput sets the input to width x height pixels, keeps its channels and infers
// all shapes. On an error the graph keeps its former shapes.
func (g *Graph) SetInput(width, height int, w Weights) error {
	if g.Input == nil || len(g.Input.Shape) != 3 {
		return say.Errorf("graph %q has no input of channels, height and width", g.Name)
	}
	before := g.Input.Shape
	g.Input.Shape = Shape{before[0], height, width}
	err := InferShapes(g, w)
	if err == nil {
		return nil
	}
	g.Input.Shape = before
	if again := InferShapes(g, w); again != nil {
		return again
	}
	return err
}

// InferNode sets the shape of one node's output from those of its inputs.
func InferNode(n *Node, w Weights) error {
	shape, err := outShape(n, w)
	if err == nil {
		err = checkSize(shape)
	}
	if err != nil {
		return say.Errorf("node %s (%s): %w", n.Name, opName(n.Op), err)
	}
	n.Out.Shape = shape
	return nil
}

func opName(op Op) string {
	if op == nil {
		return "no operation"
	}
	return op.OpName()
}

func checkSize(s Shape) error {
	total := 1
	for _, d := range s {
		if d < 1 {
			return say.Errorf("shape %v has a dimension below 1", []int(s))
		}
		if d > MaxElements/total {
			return say.Errorf("shape %v has more than %d elements", []int(s), MaxElements)
		}
		total *= d
	}
	return nil
}

// outShape dispatches by the number of inputs that the operation takes.
func outShape(n *Node, w Weights) (Shape, error) {
	if n.Op == nil || n.Out == nil {
		return nil, say.Errorf("the node lacks an operation or an output")
	}
	for i, v := range n.In {
		if v == nil {
			return nil, say.Errorf("input %d is missing", i)
		}
	}
	switch op := n.Op.(type) {
	case *Concat:
		return op.shape(n.In)
	case *Binary:
		return op.shape(n.In, w)
	case *MatMul:
		return op.shape(n.In, w)
	case *MQA:
		return op.shape(n.In)
	}
	if len(n.In) != 1 {
		return nil, say.Errorf("takes one input, has %d", len(n.In))
	}
	return unaryShape(n.Op, n.In[0].Shape)
}

func unaryShape(op Op, in Shape) (Shape, error) {
	switch op := op.(type) {
	case *Conv:
		return op.shape(in)
	case *ConvTranspose:
		return op.shape(in)
	case *BatchNorm, *Activation:
		return slices.Clone(in), nil
	case *Scale:
		return in, needMap(in)
	case *MaxPool:
		return windowShape(in, op.Kernel, op.Stride, op.Pad)
	case *AvgPool:
		return windowShape(in, op.Kernel, op.Stride, op.Pad)
	case *GlobalAvgPool:
		if err := needMap(in); err != nil {
			return nil, err
		}
		return Shape{in[0], 1, 1}, nil
	case *Resize:
		return op.shape(in)
	case *Slice:
		return op.shape(in)
	case *Softmax:
		return slices.Clone(in), needAxis(op.Axis, in)
	case *Reshape:
		return op.shape(in)
	case *Transpose:
		return op.shape(in)
	}
	return nil, say.Errorf("operation of unknown kind %T", op)
}

func needMap(in Shape) error {
	if len(in) != 3 {
		return say.Errorf("needs channels, height and width, has shape %v", []int(in))
	}
	return nil
}

func needAxis(axis int, in Shape) error {
	if axis < 0 || axis >= len(in) {
		return say.Errorf("axis %d does not exist in shape %v", axis, []int(in))
	}
	return nil
}

func (op *Conv) shape(in Shape) (Shape, error) {
	if err := needMap(in); err != nil {
		return nil, err
	}
	groups := max(op.Groups, 1)
	switch {
	case op.Out < 1 || op.Groups < 0:
		return nil, say.Errorf("%d output channels in %d groups", op.Out, op.Groups)
	case in[0]%groups != 0:
		return nil, say.Errorf("%d input channels do not divide into %d groups", in[0], groups)
	case op.Out%groups != 0:
		return nil, say.Errorf("%d output channels do not divide into %d groups", op.Out, groups)
	}
	var kernel [2]int
	for i, k := range op.Kernel {
		d := max(op.Dilation[i], 1)
		if k < 1 || k > maxWindow || d > maxWindow {
			return nil, say.Errorf("kernel %v with dilation %v", op.Kernel, op.Dilation)
		}
		kernel[i] = d*(k-1) + 1
	}
	out, err := windowShape(in, kernel, op.Stride, op.Pad)
	if err != nil {
		return nil, err
	}
	out[0] = op.Out
	return out, nil
}

// maxWindow bounds kernels, strides, dilations and padding, so that sizes do not overflow.
const maxWindow = math.MaxInt16

// checkWindow refuses what no window can be; the kernel may hold its dilation.
func checkWindow(kernel, stride [2]int, pad [4]int) error {
	ok := kernel[0] >= 1 && kernel[1] >= 1
	for _, s := range stride {
		ok = ok && s >= 1 && s <= maxWindow
	}
	for _, p := range pad {
		ok = ok && p >= 0 && p <= maxWindow
	}
	if !ok {
		return say.Errorf("kernel %v, stride %v and padding %v", kernel, stride, pad)
	}
	return nil
}

// windowShape counts the places of a window that moves by stride over a padded map.
func windowShape(in Shape, kernel, stride [2]int, pad [4]int) (Shape, error) {
	if err := cmp.Or(needMap(in), checkWindow(kernel, stride, pad)); err != nil {
		return nil, err
	}
	out := Shape{in[0], 0, 0}
	for i := range 2 {
		room := in[1+i] + pad[i] + pad[i+2] - kernel[i]
		if room < 0 {
			return nil, say.Errorf("a window of %v does not fit into %v with padding %v", kernel, []int(in), pad)
		}
		out[1+i] = room/stride[i] + 1
	}
	return out, nil
}

func (op *ConvTranspose) shape(in Shape) (Shape, error) {
	if err := cmp.Or(needMap(in), checkWindow(op.Kernel, op.Stride, op.Pad)); err != nil {
		return nil, err
	}
	groups := max(op.Groups, 1)
	if op.Out < 1 || op.Out%groups != 0 || in[0]%groups != 0 {
		return nil, say.Errorf("%d input and %d output channels do not divide into %d groups", in[0], op.Out, groups)
	}
	out := Shape{op.Out, 0, 0}
	for i := range 2 {
		if op.OutPad[i] < 0 || op.OutPad[i] > maxWindow || op.Kernel[i] > maxWindow {
			return nil, say.Errorf("kernel %v and output padding %v", op.Kernel, op.OutPad)
		}
		out[1+i] = (in[1+i]-1)*op.Stride[i] - op.Pad[i] - op.Pad[i+2] + op.Kernel[i] + op.OutPad[i]
	}
	return out, nil
}

func (op *Resize) shape(in Shape) (Shape, error) {
	if err := needMap(in); err != nil {
		return nil, err
	}
	if op.Size != [2]int{} {
		return Shape{in[0], op.Size[0], op.Size[1]}, nil
	}
	out := Shape{in[0], 0, 0}
	for i, s := range op.Scale {
		size := math.Floor(float64(in[1+i]) * float64(s))
		if !(size >= 1 && size <= MaxElements) {
			return nil, say.Errorf("scale %v of %v gives no usable size", op.Scale, []int(in))
		}
		out[1+i] = int(size)
	}
	return out, nil
}
