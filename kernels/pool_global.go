package kernels

import (
	"fmt"

	"spotter/kernels/emit"
)

// GlobalPoolParams describe the mean over all pixels of each channel.
type GlobalPoolParams struct {
	In, Out View // Out is 1x1
}

// Units are sixteens of channels.
func (p GlobalPoolParams) Units() int { return (p.In.C + 15) / 16 }

// Name is the kernel's name in tables.
func (p GlobalPoolParams) Name() string { return "globalavgpool_f32_16" }

// GlobalPoolFunc emits pool(in, out, begin, end).
func GlobalPoolFunc(m *emit.Module, p GlobalPoolParams) *emit.Func {
	p.In.check("global pool input")
	p.Out.check("global pool output")
	if p.Out.H != 1 || p.Out.W != 1 || p.Out.C != p.In.C {
		panic(fmt.Sprintf("BUG: global pool %+v", p))
	}
	name := fmt.Sprintf("%s_%v", p.Name(), p.In)
	if f := m.Func(name); f != nil {
		return f
	}
	i := emit.I32
	f := m.NewFunc(name, []emit.Type{i, i, i, i}, nil)
	v := f.Params("in", "out", "begin", "end")
	g := &globalPool{GlobalPoolParams: p, f: f, in: f.Local(i, "block_in"), out: f.Local(i, "block_out"),
		pixel: f.Local(i, "pixel"), rowEnd: f.Local(i, "row_end"), y: f.Local(i, "y")}
	for k := range g.acc {
		g.acc[k] = f.Local(emit.V128, fmt.Sprintf("acc%d", k))
	}
	unit := f.Local(i, "unit")
	f.For(unit, v[2], v[3], 1, func() {
		f.Set(g.in, emit.I32Add(v[0], emit.Times(unit, 64)))
		f.Set(g.out, emit.I32Add(v[1], emit.Times(unit, 64)))
		if p.In.C%16 == 0 {
			g.block(16)
			return
		}
		f.If(emit.I32Eq(unit, emit.I32Const(p.Units()-1)), func() { g.block(p.In.C % 16) }, func() { g.block(16) })
	})
	return f
}

type globalPool struct {
	GlobalPoolParams
	f                         *emit.Func
	in, out, pixel, rowEnd, y emit.Value
	acc                       [4]emit.Value
}

// block averages n channels at in.
func (g *globalPool) block(n int) {
	f := g.f
	for c := 0; c < n; c += 4 {
		f.Set(g.acc[c/4], emit.F32x4All(0))
	}
	f.For(g.y, emit.I32Const(0), emit.I32Const(g.In.H), 1, func() {
		f.Set(g.pixel, emit.I32Add(g.in, emit.Times(g.y, g.In.RowStride)))
		f.Set(g.rowEnd, emit.Plus(g.pixel, g.In.W*g.In.PixelStride))
		f.DoWhile(func() {
			for c := 0; c < n; c += 4 {
				f.Set(g.acc[c/4], emit.F32x4Add(g.acc[c/4], loadChannels(g.pixel, 4*c, min(4, n-c))))
			}
			f.Inc(g.pixel, g.In.PixelStride)
		}, emit.I32LtU(g.pixel, g.rowEnd))
	})
	mean := emit.F32x4All(1 / float32(g.In.H*g.In.W))
	for c := 0; c < n; c += 4 {
		storeChannels(f, g.out, 4*c, min(4, n-c), emit.F32x4Mul(g.acc[c/4], mean))
	}
}
