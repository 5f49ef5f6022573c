package choose

import (
	"slices"

	"spotter/kernels"
	"spotter/kernels/emit"
	"spotter/models"
	"spotter/models/say"
	"spotter/wasm/ir"
	"spotter/wasm/pack"
)

// elementwise runs kind over the step's inputs.
func (c *chooser) elementwise(kind kernels.BinaryKind, a models.Activation) error {
	p := kernels.ElementwiseParams{Kind: kind, A: c.in[0], Out: c.out, Act: act(a), Options: c.o.Options}
	args := []Arg{c.input(0)}
	if kind != kernels.Left {
		p.B = c.in[1]
		args = append(args, c.input(1))
	}
	c.each(p, append(args, c.output())...)
	return nil
}

func (c *chooser) each(p kernels.ElementwiseParams, args ...Arg) {
	c.call(p.Name(), p.Units(), func(m *emit.Module) *emit.Func { return kernels.ElementwiseFunc(m, p) }, args...)
}

// affine multiplies and adds, each where needed: the second in place.
func (c *chooser) affine(op *ir.Affine) error {
	from, at := c.input(0), c.in[0]
	for _, part := range []struct {
		kind   kernels.BinaryKind
		values []float32
	}{{kernels.Mul, op.Scale}, {kernels.Add, op.Shift}} {
		if part.values == nil {
			continue
		}
		param := Arg{Param: &pack.Param{Plain: part.values}}
		if len(c.step.Out.Shape) != 3 {
			a := value(from.Value)
			b := operand{param, c.step.Out.Shape, make([]int, len(c.step.Out.Shape))}
			b.strides[0] = 4
			if err := c.combine(part.kind, a, b); err != nil {
				return err
			}
		} else {
			c.each(kernels.ElementwiseParams{
				Kind: part.kind, A: at, B: kernels.Packed(1, 1, c.out.C), Out: c.out, Options: c.o.Options,
			}, from, param, c.output())
		}
		from, at = c.output(), c.out
	}
	return nil
}

var binaryKinds = map[models.BinaryKind]kernels.BinaryKind{
	models.Add: kernels.Add, models.Sub: kernels.Sub, models.Mul: kernels.Mul, models.Div: kernels.Div,
	models.Max: kernels.Max, models.Min: kernels.Min,
}

func (c *chooser) binary(op *ir.Binary) error {
	kind, ok := binaryKinds[op.Kind]
	if !ok {
		return c.power(op)
	}
	if op.Const == nil && c.repeats(1) {
		return c.elementwise(kind, models.Activation{})
	}
	operands := []operand{}
	for _, v := range c.step.In {
		operands = append(operands, value(v))
	}
	if op.Const != nil {
		operands = append(operands, constant(op.Const))
	}
	if op.Const != nil && op.ConstFirst {
		operands[0], operands[1] = operands[1], operands[0]
	}
	return c.combine(kind, operands[0], operands[1])
}

// repeats reports whether the first input has the output's shape, and input i has too or is
// 1 where it differs: what the elementwise kernel does on feature maps.
func (c *chooser) repeats(i int) bool {
	if len(c.step.Out.Shape) != 3 || len(c.step.In[0].Shape) != 3 || len(c.step.In[i].Shape) != 3 ||
		!slices.Equal(c.step.In[0].Shape, c.step.Out.Shape) {
		return false
	}
	return true
}

// power handles the exponents that networks use: one constant, a small whole number or a half.
func (c *chooser) power(op *ir.Binary) error {
	if op.Const == nil || op.ConstFirst || len(op.Const.Data) != 1 || !slices.Equal(c.step.In[0].Shape, c.step.Out.Shape) {
		return say.Errorf("a power needs one constant exponent")
	}
	in, out := value(c.step.In[0]), value(c.step.Out)
	times := func(a, b operand) error { return c.combine(kernels.Mul, a, b) }
	switch e := op.Const.Data[0]; {
	case e == 0.5:
		return c.apply(models.Activation{Kind: models.ActSqrt})
	case e == 1:
		return c.apply(models.Activation{})
	case e == 2:
		return times(in, in)
	case e == 3 && c.step.In[0].Root() != c.step.Out.Root():
		if err := times(in, in); err != nil {
			return err
		}
		return times(out, in)
	default:
		return say.Errorf("exponent %g: there are 0.5, 1, 2 and 3", e)
	}
}
