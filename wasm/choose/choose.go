// Package choose picks the kernels that compute each step of a placed program.
package choose

import (
	"spotter/kernels"
	"spotter/kernels/emit"
	"spotter/models"
	"spotter/models/say"
	"spotter/wasm/ir"
	"spotter/wasm/pack"
	"spotter/wasm/plan"
)

// Call is one run of a kernel. Several calls of a step depend on each other only
// within equal shares of their units, so no barrier is needed between them.
type Call struct {
	Kernel  string // name for tables
	Func    func(m *emit.Module) *emit.Func
	Args    []Arg // addresses, in the order of the function's parameters
	Scratch int   // bytes a thread; when not 0, the function takes its address behind Args
	Units   int   // shared among the threads
}

// Arg is an address: of a value, or of parameters.
type Arg struct {
	Value  *ir.Value
	Param  *pack.Param
	Offset int // bytes added
}

// Options of the choice.
type Options struct {
	kernels.Options
}

// Calls gives the kernels of a step. An error says what no kernel can do.
func Calls(s *ir.Step, o Options) ([]Call, error) {
	c := chooser{step: s, o: o, out: plan.View(s.Out)}
	for _, v := range s.In {
		c.in = append(c.in, plan.View(v))
	}
	if err := c.choose(); err != nil {
		return nil, say.Errorf("layer %s (%s): %w", s.Name, s.Op.OpName(), err)
	}
	return c.calls, nil
}

type chooser struct {
	step  *ir.Step
	o     Options
	in    []kernels.View
	out   kernels.View
	calls []Call
}

func (c *chooser) choose() error {
	switch op := c.step.Op.(type) {
	case *ir.Conv:
		return c.conv(op)
	case *ir.ConvTranspose:
		return c.transposed(op)
	case *ir.Affine:
		return c.affine(op)
	case *ir.Copy:
		return c.apply(models.Activation{})
	case *models.Activation:
		return c.apply(*op)
	case *ir.Binary:
		return c.binary(op)
	case *ir.MatMul:
		return c.matmul(op)
	case *models.MQA:
		return c.attention(op)
	case *models.Softmax:
		return c.softmax(op)
	case *models.Transpose:
		return c.transpose(op)
	case *models.Reshape:
		return c.reshape()
	case *models.Slice:
		return c.slice(op)
	case *models.MaxPool:
		return c.pool(kernels.PoolMax, op.Kernel, op.Stride, op.Pad)
	case *models.AvgPool:
		kind := kernels.PoolMean
		if op.CountPad {
			kind = kernels.PoolMeanCountPad
		}
		return c.pool(kind, op.Kernel, op.Stride, op.Pad)
	case *models.GlobalAvgPool:
		all := [2]int{c.in[0].H, c.in[0].W}
		return c.pool(kernels.PoolMean, all, all, [4]int{})
	case *models.Resize:
		return c.resize(op)
	}
	return say.Errorf("there is no kernel for it")
}

// call appends a call on inputs (and parameters), then the output.
func (c *chooser) call(kernel string, units int, f func(m *emit.Module) *emit.Func, args ...Arg) *Call {
	c.calls = append(c.calls, Call{Kernel: kernel, Func: f, Args: args, Units: units})
	return &c.calls[len(c.calls)-1]
}

func (c *chooser) input(i int) Arg { return Arg{Value: c.step.In[i]} }
func (c *chooser) output() Arg     { return Arg{Value: c.step.Out} }

// act translates an activation.
func act(a models.Activation) kernels.Activation {
	return kernels.Activation{Kind: kernels.ActKind(a.Kind), Lo: a.Lo, Hi: a.Hi}
}

func (c *chooser) pool(kind kernels.PoolKind, kernel, stride [2]int, pad [4]int) error {
	p := kernels.PoolParams{
		Kind: kind, In: c.in[0], Out: c.out, Kernel: kernel, Stride: stride, Pad: [2]int{pad[0], pad[1]},
	}
	c.call(p.Name(), p.Units(), func(m *emit.Module) *emit.Func { return kernels.PoolFunc(m, p) }, c.input(0), c.output())
	return nil
}

func (c *chooser) resize(op *models.Resize) error {
	fy, fx := c.out.H/c.in[0].H, c.out.W/c.in[0].W
	if op.Mode == "nearest" && fy*c.in[0].H == c.out.H && fx*c.in[0].W == c.out.W {
		p := kernels.UpsampleParams{In: c.in[0], Out: c.out, Factor: [2]int{fy, fx}}
		c.call(p.Name(), p.Units(), func(m *emit.Module) *emit.Func { return kernels.UpsampleFunc(m, p) }, c.input(0), c.output())
		return nil
	}
	p := kernels.ResizeParams{In: c.in[0], Out: c.out}
	switch {
	case op.Mode == "nearest":
	case op.Mode == "linear" && op.Corner:
		p.Mode = kernels.ResizeCorners
	case op.Mode == "linear":
		p.Mode = kernels.ResizeLinear
	default:
		return say.Errorf("mode %q is not known", op.Mode)
	}
	if op.Size == [2]int{} {
		p.Scale = [2]float64{float64(op.Scale[0]), float64(op.Scale[1])}
	}
	c.call(p.Name(), p.Units(), func(m *emit.Module) *emit.Func { return kernels.ResizeFunc(m, p) }, c.input(0), c.output())
	return nil
}
