package choose

import (
	"fmt"

	"spotter/kernels"
	"spotter/kernels/emit"
	"spotter/models"
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
	p := kernels.ElementwiseParams{A: c.in[0], B: kernels.Packed(1, 1, c.out.C), Out: c.out, Options: c.o.Options}
	from := c.input(0)
	for _, part := range []struct {
		kind   kernels.BinaryKind
		values []float32
	}{{kernels.Mul, op.Scale}, {kernels.Add, op.Shift}} {
		if part.values == nil {
			continue
		}
		p.Kind = part.kind
		c.each(p, from, Arg{Param: &pack.Param{Plain: part.values}}, c.output())
		from, p.A = c.output(), c.out
	}
	return nil
}

var binaryKinds = map[models.BinaryKind]kernels.BinaryKind{
	models.Add: kernels.Add, models.Sub: kernels.Sub, models.Mul: kernels.Mul, models.Div: kernels.Div,
	models.Max: kernels.Max, models.Min: kernels.Min,
}

func (c *chooser) binary(op *ir.Binary) error {
	kind, ok := binaryKinds[op.Kind]
	if !ok || op.Const != nil || len(c.step.Out.Shape) != 3 {
		return fmt.Errorf("this form has no kernel yet")
	}
	return c.elementwise(kind, models.Activation{})
}
