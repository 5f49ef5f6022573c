package kernels

import (
	"fmt"

	"spotter/kernels/emit"
)

// Split is what the threads divide among them.
type Split int

// Splits. Pixels suits large maps; Channels suits many weights for few pixels,
// as each thread then reads its own weights only.
const (
	SplitPixels Split = iota
	SplitChannels
)

// PointwiseParams describe a 1x1 convolution: out = act(in * weights + bias + pre) + residual.
// For stride s the caller gives the input's view with both strides s times as
// large and the output's size.
//
// Pre are sums that another convolution began: over the other inputs of a join, at half the
// size where those are upsampled behind it. A quarter of the work is left for them.
type PointwiseParams struct {
	In, Out  View
	Residual *View // nil: none; may be the output itself
	Pre      *View // nil: none; may be the output itself
	PreUp    int   // each pixel of Pre stands for PreUp x PreUp of the output: 1 or 2; 0 is 1
	Act      Activation
	Tile     Tile
	Split    Split
	Chunk    int // pixels (whole rows when the views have gaps between rows) that pass all channels before the next; 0: all
	KBlock   int // input channels that all pixels of a chunk pass before the next; multiple of 16; 0: all
	Options
}

// Name is the kernel's name: pw_f32_6x8_relaxed.
func (p PointwiseParams) Name() string {
	return fmt.Sprintf("pw_f32_%dx%d%s", p.Tile.Pixels, p.Tile.Channels, p.suffix())
}

func (p PointwiseParams) funcName() string {
	s := fmt.Sprintf("%s%s %v-%v", p.Name(), p.Act.suffix(), p.In, p.Out)
	if p.Residual != nil {
		s += fmt.Sprintf("+%v", *p.Residual)
	}
	if p.Pre != nil {
		s += fmt.Sprintf(" from %v", *p.Pre)
	}
	if p.Split == SplitChannels {
		s += " channels"
	}
	if p.Chunk > 0 || p.KBlock > 0 {
		s += fmt.Sprintf(" %d/%d", p.Chunk, p.KBlock)
	}
	return s
}

func (p PointwiseParams) check() {
	p.In.check("input of " + p.Name())
	p.Out.check("output of " + p.Name())
	if p.In.H != p.Out.H || p.In.W != p.Out.W || p.KBlock%16 != 0 || p.Tile.Pixels < 1 || p.Tile.Channels%4 != 0 {
		panic("BUG: " + p.funcName())
	}
	if r := p.Residual; r != nil {
		r.check("residual of " + p.Name())
		if r.H != p.Out.H || r.W != p.Out.W || r.C != p.Out.C || p.KBlock > 0 {
			panic("BUG: residual of " + p.funcName())
		}
	}
	if r := p.Pre; r != nil {
		r.check("sums so far of " + p.Name())
		up := max(p.PreUp, 1)
		if up > 2 || r.H != ceilDiv(p.Out.H, up) || r.W != ceilDiv(p.Out.W, up) || r.C != p.Out.C {
			panic("BUG: sums so far of " + p.funcName())
		}
	}
}

// run reports whether the pixels of all views follow each other over row ends.
func (p PointwiseParams) run() bool {
	return p.In.Run() && p.Out.Run() && (p.Residual == nil || p.Residual.Run()) && (p.Pre == nil || p.PreUp < 2 && p.Pre.Run())
}

// Units is the number of units of work: tiles of pixels, rows where the views have
// gaps between them, or blocks of channels.
func (p PointwiseParams) Units() int {
	switch {
	case p.Split == SplitChannels:
		return ceilDiv(p.Out.C, p.Tile.Channels)
	case p.run():
		return ceilDiv(p.Out.H*p.Out.W, p.Tile.Pixels)
	}
	return p.Out.H
}

// Pack lays out weights [Out.C][In.C] and bias [Out.C] (or nil) for the kernel.
func (p PointwiseParams) Pack(weight, bias []float32) []float32 {
	return PackGemm(weight, bias, p.Out.C, p.In.C, p.Tile.Channels)
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }

// PointwiseFunc emits f(in, weights, out[, residual][, pre], begin, end).
func PointwiseFunc(m *emit.Module, p PointwiseParams) *emit.Func {
	p.check()
	if f := m.Func(p.funcName()); f != nil {
		return f
	}
	names := []string{"in", "weights", "out"}
	if p.Residual != nil {
		names = append(names, "residual")
	}
	if p.Pre != nil {
		names = append(names, "pre")
	}
	names = append(names, "begin", "end")
	f, v := m.NewRoutine(p.funcName(), names...)
	s := strip{Options: p.Options, residual: p.Residual != nil, act: p.Act}
	if p.Pre != nil {
		s.pre = max(p.PreUp, 1)
	}
	n := nest{tile: p.Tile, k: p.In.C, inStep: p.In.PixelStride, out: p.Out, inRow: p.In.RowStride, split: p.Split, chunk: p.Chunk, kBlock: p.KBlock}
	if p.run() {
		n.width, n.height = p.Out.H*p.Out.W, 1
	} else {
		n.width, n.height, n.byRow = p.Out.W, p.Out.H, true
	}
	newStripNest(f, s, n, v, p.Residual, p.Pre).all()
	return f
}

// Pointwise is the scalar twin for the shapes of p: dense tensors, weights [out][in];
// bias, pre and residual or nil.
func Pointwise(p PointwiseParams, in, weight, bias, pre, residual []float32) []float32 {
	inC, outC, up := p.In.C, p.Out.C, max(p.PreUp, 1)
	out := make([]float32, p.Out.H*p.Out.W*outC)
	for i := range out {
		pixel, o := i/outC, i%outC
		sum := 0.0
		if bias != nil {
			sum = float64(bias[o])
		}
		if pre != nil {
			y, x := pixel/p.Out.W/up, pixel%p.Out.W/up
			sum += float64(pre[(y*p.Pre.W+x)*outC+o])
		}
		for c := range inC {
			sum += float64(in[pixel*inC+c]) * float64(weight[o*inC+c])
		}
		out[i] = p.Act.Scalar(float32(sum))
		if residual != nil {
			out[i] += residual[i]
		}
	}
	return out
}
