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

// PointwiseParams describe a 1x1 convolution: out = act(in * weights + bias) + residual.
// For stride s the caller gives the input's view with both strides s times as
// large and the output's size.
type PointwiseParams struct {
	In, Out  View
	Residual *View // nil: none; may be the output itself
	Act      Activation
	Tile     Tile
	Split    Split
	Chunk    int // pixels (whole rows when the views have gaps between rows) that pass all channels before the next; 0: all
	KBlock   int // input channels that all pixels of a chunk pass before the next; multiple of 8; 0: all
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
	if p.In.H != p.Out.H || p.In.W != p.Out.W || p.KBlock%8 != 0 || p.Tile.Pixels < 1 || p.Tile.Channels%4 != 0 {
		panic("BUG: " + p.funcName())
	}
	if r := p.Residual; r != nil {
		r.check("residual of " + p.Name())
		if r.H != p.Out.H || r.W != p.Out.W || r.C != p.Out.C || p.KBlock > 0 {
			panic("BUG: residual of " + p.funcName())
		}
	}
}

// run reports whether the pixels of all views follow each other over row ends.
func (p PointwiseParams) run() bool {
	return p.In.Run() && p.Out.Run() && (p.Residual == nil || p.Residual.Run())
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

// PointwiseFunc emits f(in, weights, out[, residual], begin, end).
func PointwiseFunc(m *emit.Module, p PointwiseParams) *emit.Func {
	p.check()
	if f := m.Func(p.funcName()); f != nil {
		return f
	}
	names := []string{"in", "weights", "out"}
	if p.Residual != nil {
		names = append(names, "residual")
	}
	names = append(names, "begin", "end")
	types := make([]emit.Type, len(names))
	for i := range types {
		types[i] = emit.I32
	}
	f := m.NewFunc(p.funcName(), types, nil)
	v := f.Params(names...)
	g := newGemm(f, gemm{
		Options: p.Options, tile: p.Tile, rows: 1, segment: p.In.C, inStep: p.In.PixelStride,
		out: p.Out, residual: p.Residual, kBlock: p.KBlock, act: p.Act,
	})
	n := newNest(g, p.Out.C, v)
	if p.run() {
		n.width, n.height = p.Out.H*p.Out.W, 1
	} else {
		n.width, n.height, n.byRow = p.Out.W, p.Out.H, true
	}
	n.inRow = p.In.RowStride
	n.split, n.chunk = p.Split, p.Chunk
	n.all()
	return f
}

// Pointwise is the scalar twin: dense tensors, weights [out][in], residual or nil.
func Pointwise(in, weight, bias, residual []float32, pixels, inC, outC int, act Activation) []float32 {
	out := make([]float32, pixels*outC)
	for p := range pixels {
		for o := range outC {
			sum := 0.0
			if bias != nil {
				sum = float64(bias[o])
			}
			for c := range inC {
				sum += float64(in[p*inC+c]) * float64(weight[o*inC+c])
			}
			v := act.Scalar(float32(sum))
			if residual != nil {
				v += residual[p*outC+o]
			}
			out[p*outC+o] = v
		}
	}
	return out
}
