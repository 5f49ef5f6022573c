package choose

import (
	"fmt"
	"slices"

	"spotter/kernels"
	"spotter/kernels/emit"
	"spotter/models"
	"spotter/models/say"
	"spotter/wasm/ir"
	"spotter/wasm/pack"
)

// operand is an argument with the strides in bytes by which its dimensions are walked.
type operand struct {
	arg     Arg
	shape   []int
	strides []int
}

func value(v *ir.Value) operand {
	strides, _ := v.Strides()
	for i := range strides {
		strides[i] *= 4
	}
	return operand{Arg{Value: v}, v.Shape, strides}
}

func constant(t *models.Tensor) operand {
	return operand{Arg{Param: &pack.Param{Plain: t.Data}}, t.Shape, rowMajor(t.Shape)}
}

func rowMajor(shape []int) []int {
	strides, n := make([]int, len(shape)), 4
	for i := len(shape) - 1; i >= 0; i-- {
		strides[i] = n
		n *= shape[i]
	}
	return strides
}

// spread repeats the operand over dims as numpy does: last dimensions aligned.
func (o operand) spread(dims []int) []int {
	strides := make([]int, len(dims))
	for i := range o.shape {
		if o.shape[i] > 1 {
			strides[len(dims)-len(o.shape)+i] = o.strides[i]
		}
	}
	return strides
}

// strided computes out = act(kind(a, b)) over dims; strides are those of out, a and b.
func (c *chooser) strided(p kernels.StridedParams, args ...Arg) error {
	p.Options = c.o.Options
	c.call(p.Name(), p.Units(), func(m *emit.Module) *emit.Func { return kernels.StridedFunc(m, p) }, args...)
	return nil
}

// apply computes out = act(in) of any shape.
func (c *chooser) apply(a models.Activation) error {
	if len(c.step.Out.Shape) == 3 {
		return c.elementwise(kernels.Left, a)
	}
	in, out := value(c.step.In[0]), value(c.step.Out)
	return c.strided(kernels.StridedParams{Dims: out.shape, Out: out.strides, A: in.strides, Act: act(a)}, in.arg, out.arg)
}

// combine computes out = kind(a, b), broadcast.
func (c *chooser) combine(kind kernels.BinaryKind, a, b operand) error {
	out := value(c.step.Out)
	return c.strided(kernels.StridedParams{
		Kind: kind, Dims: out.shape, Out: out.strides, A: a.spread(out.shape), B: b.spread(out.shape),
	}, a.arg, b.arg, out.arg)
}

func (c *chooser) transpose(op *models.Transpose) error {
	in, out := value(c.step.In[0]), value(c.step.Out)
	a := make([]int, len(op.Perm))
	for i, from := range op.Perm {
		a[i] = in.strides[from]
	}
	return c.strided(kernels.StridedParams{Dims: out.shape, Out: out.strides, A: a}, in.arg, out.arg)
}

func (c *chooser) slice(op *models.Slice) error {
	in, out := value(c.step.In[0]), value(c.step.Out)
	start, _ := op.Bounds(in.shape[op.Axis])
	in.arg.Offset = start * in.strides[op.Axis]
	in.strides[op.Axis] *= op.Step
	return c.strided(kernels.StridedParams{Dims: out.shape, Out: out.strides, A: in.strides}, in.arg, out.arg)
}

// reshape walks both shapes by the dimensions that they share when split.
func (c *chooser) reshape() error {
	in, out := value(c.step.In[0]), value(c.step.Out)
	dims, ok := ir.Refine(in.shape, out.shape)
	if !ok {
		return fmt.Errorf("BUG: %v and %v share no dimensions", in.shape, out.shape)
	}
	return c.strided(kernels.StridedParams{Dims: dims, Out: split(out, dims), A: split(in, dims)}, in.arg, out.arg)
}

// split gives the strides of an operand whose dimensions are cut into dims.
func split(o operand, dims []int) []int {
	strides := make([]int, len(dims))
	d := len(o.shape) - 1
	done := 1
	for i := len(dims) - 1; i >= 0; i-- {
		for d > 0 && done == o.shape[d] {
			d, done = d-1, 1
		}
		strides[i] = o.strides[d] * done
		done *= dims[i]
	}
	return strides
}

func (c *chooser) softmax(op *models.Softmax) error {
	shape := c.step.Out.Shape
	if len(shape) == 3 && op.Axis != 0 || len(shape) != 3 && op.Axis != len(shape)-1 {
		return fmt.Errorf("BUG: softmax over dimension %d of %v", op.Axis, []int(shape))
	}
	p := kernels.SoftmaxParams{In: c.in[0], Out: c.out, Options: c.o.Options}
	c.call(p.Name(), p.Units(), func(m *emit.Module) *emit.Func { return kernels.SoftmaxFunc(m, p) }, c.input(0), c.output())
	return nil
}

func (c *chooser) attention(op *models.MQA) error {
	if op.Dim%4 != 0 {
		return say.Errorf("heads of %d channels: want a multiple of 4", op.Dim)
	}
	p := kernels.AttentionParams{
		Query: c.in[0], Key: c.in[1], Value: c.in[2], Out: c.out, Heads: op.Heads, Dim: op.Dim, Scale: op.Scale, Options: c.o.Options,
	}
	call := c.call(p.Name(), p.Units(), func(m *emit.Module) *emit.Func { return kernels.AttentionFunc(m, p) },
		c.input(0), c.input(1), c.input(2), c.output())
	call.Scratch = p.ScratchBytes()
	return nil
}

// matmul multiplies dense rows by a constant as a pointwise convolution does, all
// else by strides.
func (c *chooser) matmul(op *ir.MatMul) error {
	if c.rowsByConstant(op) {
		return nil
	}
	var operands []operand
	for _, v := range c.step.In {
		operands = append(operands, value(v))
	}
	if op.Const != nil {
		operands = append(operands, constant(op.Const))
	}
	if op.Const != nil && op.ConstFirst {
		slices.Reverse(operands)
	}
	a, b, out := operands[0], operands[1], value(c.step.Out)
	row, column := len(a.shape) == 1, len(b.shape) == 1
	if row { // a vector counts as one row, or as one column
		a.shape, a.strides = []int{1, a.shape[0]}, []int{0, a.strides[0]}
		out.shape, out.strides = insert(out.shape, len(out.shape)-1, 1), insert(out.strides, len(out.strides)-1, 4)
	}
	if column {
		b.shape, b.strides = []int{b.shape[0], 1}, []int{b.strides[0], 0}
		out.shape, out.strides = append(slices.Clone(out.shape), 1), append(slices.Clone(out.strides), 4)
	}
	if row && column {
		out.shape, out.strides = []int{1, 1}, []int{4, 4}
	}
	n := len(out.shape) - 2
	batch := func(o operand) []int {
		o.shape, o.strides = o.shape[:len(o.shape)-2], o.strides[:len(o.strides)-2]
		return o.spread(out.shape[:n])
	}
	last := func(s []int) [2]int { return [2]int{s[len(s)-2], s[len(s)-1]} }
	p := kernels.MatMulParams{
		M: out.shape[n], N: out.shape[n+1], K: a.shape[len(a.shape)-1],
		Out: last(out.strides), A: last(a.strides), B: last(b.strides),
		Batch: out.shape[:n], BatchOut: out.strides[:n], BatchA: batch(a), BatchB: batch(b), Options: c.o.Options,
	}
	c.call(p.Name(), p.Units(), func(m *emit.Module) *emit.Func { return kernels.MatMulFunc(m, p) }, a.arg, b.arg, out.arg)
	return nil
}

func insert(list []int, i, v int) []int { return slices.Insert(slices.Clone(list), max(i, 0), v) }

// rowsByConstant handles a dense value times a constant matrix; rows are pixels.
func (c *chooser) rowsByConstant(op *ir.MatMul) bool {
	in, out := c.step.In[0], c.step.Out
	if op.Const == nil || op.ConstFirst || len(op.Const.Shape) != 2 || len(in.Shape) == 3 || len(out.Shape) == 3 ||
		len(out.Shape) == 0 || !dense(in) || !dense(out) {
		return false
	}
	k, n := op.Const.Shape[0], op.Const.Shape[1]
	filter := ir.Filter{Data: make([]float32, k*n), Half: op.Const.Half}
	for i := range k {
		for j := range n {
			filter.Data[j*k+i] = op.Const.Data[i*n+j]
		}
	}
	c.pointwise(&ir.Conv{Conv: models.Conv{Out: n}, Filter: filter}, nil)
	return true
}

// dense reports whether the elements lie side by side in row-major order.
func dense(v *ir.Value) bool {
	o := value(v)
	return slices.Equal(o.strides, rowMajor(o.shape))
}
