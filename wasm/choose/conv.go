package choose

import (
	"spotter/kernels"
	"spotter/kernels/emit"
	"spotter/wasm/ir"
	"spotter/wasm/pack"
)

func (c *chooser) conv(op *ir.Conv) error {
	var residual *kernels.View
	if op.Residual {
		residual = &c.in[1]
	}
	switch {
	case op.Product():
		c.thin(op)
		c.pointwise(op, residual)
	case op.Depthwise(c.in[0].C) && max(op.Dilation[0], op.Dilation[1]) <= 1:
		c.depthwise(op, residual)
	default:
		c.dense(op, residual)
	}
	return nil
}

// thin makes the input's view that of the pixels which the stride meets.
func (c *chooser) thin(op *ir.Conv) {
	if op.Stride == [2]int{1, 1} || op.Stride == [2]int{} {
		return
	}
	in := &c.in[0]
	in.H, in.W = c.out.H, c.out.W
	in.RowStride *= op.Stride[0]
	in.PixelStride *= op.Stride[1]
}

// pointwise runs on the input as one row of pixels.
func (c *chooser) pointwise(op *ir.Conv, residual *kernels.View) {
	p := kernels.PointwiseParams{
		In: c.in[0], Out: c.out, Residual: residual, Act: act(op.Act), Options: c.o.Options,
	}
	pixels := c.out.W
	if op.Pre {
		p.Pre, p.PreUp = &c.in[len(c.in)-1], max(op.PreUp, 1)
	}
	if c.in[0].Run() && c.out.Run() && p.PreUp <= 1 {
		pixels *= c.out.H
	}
	p.Tile = c.tile(pixels, c.out.C)
	p = p.Tuned()
	param := pack.Filter(&op.Filter, p.Pack(op.Filter.Data, nil), op.Out, c.in[0].C, p.Tile.Channels)
	c.call(p.Name(), p.Units(), func(m *emit.Module) *emit.Func { return kernels.PointwiseFunc(m, p) },
		c.withAdded(Arg{Param: param})...)
}

// withAdded lists a convolution's arguments: in, weights, out, and what is added.
func (c *chooser) withAdded(param Arg) []Arg {
	args := []Arg{c.input(0), param, c.output()}
	for i := 1; i < len(c.step.In); i++ {
		args = append(args, c.input(i))
	}
	return args
}

// tile picks the tile for rows of pixels. All variants of a module share their
// weights, so the block of channels must not depend on the instruction set.
func (c *chooser) tile(pixels, channels int) kernels.Tile {
	relaxed := kernels.DefaultTile(pixels, channels, kernels.Options{Relaxed: true})
	t := kernels.DefaultTile(pixels, channels, c.o.Options)
	if t.Channels == relaxed.Channels {
		return t
	}
	if relaxed == (kernels.Tile{Pixels: 6, Channels: 8}) && !c.o.Relaxed {
		return kernels.Tile{Pixels: 5, Channels: 8} // 6x8 spills without fused multiply-add
	}
	return relaxed
}

// depthwise adds a residual by a second, elementwise call: rows are units of both.
func (c *chooser) depthwise(op *ir.Conv, residual *kernels.View) {
	p := kernels.DepthwiseParams{
		In: c.in[0], Out: c.out, Kernel: op.Kernel, Stride: op.Stride, Pad: [2]int{op.Pad[0], op.Pad[1]},
		Act: act(op.Act), Options: c.o.Options,
	}
	taps := op.Kernel[0] * op.Kernel[1]
	param := pack.Filter(&op.Filter, kernels.PackDepthwise(op.Filter.Data, nil, op.Out, taps), op.Out, taps, 4)
	c.call(p.Name(), p.Units(), func(m *emit.Module) *emit.Func { return kernels.DepthwiseFunc(m, p) },
		c.input(0), Arg{Param: param}, c.output())
	if residual != nil {
		sum := kernels.ElementwiseParams{Kind: kernels.Add, A: c.out, B: *residual, Out: c.out, Options: c.o.Options}
		c.each(sum, c.output(), c.input(1), c.output())
	}
}

func (c *chooser) dense(op *ir.Conv, residual *kernels.View) {
	p := kernels.ConvParams{
		In: c.in[0], Out: c.out, Residual: residual, Kernel: op.Kernel, Stride: op.Stride,
		Pad: [2]int{op.Pad[0], op.Pad[1]}, Dilation: op.Dilation, Groups: max(op.Groups, 1),
		Act: act(op.Act), Options: c.o.Options,
	}
	if w, ok := p.Winograd(); ok {
		c.winograd(op, w)
		return
	}
	var extra []Arg
	if residual != nil {
		extra = append(extra, c.input(1))
	}
	c.denseCall(op, p, c.input(0), c.output(), extra...)
}

// winograd carries the plain weights and transforms them when they are unpacked.
func (c *chooser) winograd(op *ir.Conv, p kernels.WinogradParams) {
	plain := p.Plain()
	plain.Groups = 1
	param := c.denseParam(op, plain)
	param.Finish = &pack.Finish{
		Func: func(m *emit.Module) *emit.Func { return kernels.WinogradWeightsFunc(m, p) }, Floats: p.WeightFloats(),
	}
	call := c.call(p.Name(), p.Units(), func(m *emit.Module) *emit.Func { return kernels.WinogradFunc(m, p) },
		c.withAdded(Arg{Param: param})...)
	call.Scratch = p.ScratchBytes()
}

// denseCall appends the general convolution from in to out, plus a residual.
func (c *chooser) denseCall(op *ir.Conv, p kernels.ConvParams, in, out Arg, residual ...Arg) {
	p.Tile = c.tile(p.Out.W, p.Out.C/p.Groups)
	p = p.Tuned()
	args := append([]Arg{in, {Param: c.denseParam(op, p)}, out}, residual...)
	call := c.call(p.Name(), p.Units(), func(m *emit.Module) *emit.Func { return kernels.ConvFunc(m, p) }, args...)
	call.Scratch = p.ScratchBytes()
}

// denseParam packs group by group.
func (c *chooser) denseParam(op *ir.Conv, p kernels.ConvParams) *pack.Param {
	packed := p.Pack(op.Filter.Data, nil)
	out, k := op.Out/p.Groups, op.Filter.Values()/op.Out
	size := len(packed) / p.Groups
	param := &pack.Param{Exact: op.Filter.Half}
	for g := range p.Groups {
		part := group(&op.Filter, g*out, out)
		param.Runs = append(param.Runs, pack.Filter(part, packed[g*size:(g+1)*size], out, k, p.Tile.Channels).Runs...)
	}
	return param
}

// group is the scale and bias of n channels from first on.
func group(f *ir.Filter, first, n int) *ir.Filter {
	part := &ir.Filter{Half: f.Half}
	if f.Scale != nil {
		part.Scale = f.Scale[first : first+n]
	}
	if f.Bias != nil {
		part.Bias = f.Bias[first : first+n]
	}
	return part
}
