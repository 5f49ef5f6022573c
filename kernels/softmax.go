package kernels

import (
	"fmt"

	"spotter/kernels/emit"
)

// SoftmaxParams describe exp(x)/sum(exp(x)) over the channels of each pixel.
type SoftmaxParams struct {
	In, Out View // may be the same
	Options
}

// Units are the rows of the output.
func (p SoftmaxParams) Units() int { return p.Out.H }

// Name is the kernel's name in tables.
func (p SoftmaxParams) Name() string { return "softmax_f32_4" + p.suffix() }

// SoftmaxFunc emits softmax(in, out, begin, end) for rows.
func SoftmaxFunc(m *emit.Module, p SoftmaxParams) *emit.Func {
	p.In.check("softmax input")
	p.Out.check("softmax output")
	if p.In.H != p.Out.H || p.In.W != p.Out.W || p.In.C != p.Out.C {
		panic(fmt.Sprintf("BUG: softmax %+v", p))
	}
	name := fmt.Sprintf("%s_%v_%v", p.Name(), p.In, p.Out)
	if f := m.Func(name); f != nil {
		return f
	}
	i := emit.I32
	f := m.NewFunc(name, []emit.Type{i, i, i, i}, nil)
	v := f.Params("in", "out", "begin", "end")
	s := newSoftmaxRow(f, p.In.C, 1, p.Options)
	factor, x, y := f.Local(emit.V128, "factor"), f.Local(i, "x"), f.Local(i, "y")
	in, out := f.Local(i, "pixel"), f.Local(i, "out_pixel")
	f.For(y, v[2], v[3], 1, func() {
		f.Set(in, emit.I32Add(v[0], emit.Times(y, p.In.RowStride)))
		f.Set(out, emit.I32Add(v[1], emit.Times(y, p.Out.RowStride)))
		f.For(x, emit.I32Const(0), emit.I32Const(p.In.W), 1, func() {
			f.Set(factor, emit.F32x4Splat(emit.F32Div(emit.F32Const(1), s.exponentials(in, out))))
			s.each(out, func(at emit.Value, n int) {
				storeChannels(f, at, 0, n, emit.F32x4Mul(loadChannels(at, 0, n), factor))
			})
			f.Inc(in, p.In.PixelStride)
			f.Inc(out, p.Out.PixelStride)
		})
	})
	return f
}

// softmaxRow emits softmax over n numbers in a row.
type softmaxRow struct {
	f           *emit.Func
	n           int
	scale       float32
	exp         func(x emit.Value) emit.Value
	at, end, to emit.Value
	top, sum, x emit.Value
}

func newSoftmaxRow(f *emit.Func, n int, scale float32, o Options) *softmaxRow {
	return &softmaxRow{
		f: f, n: n, scale: scale, exp: newExp(f, o),
		at: f.Local(emit.I32, "row_at"), end: f.Local(emit.I32, "row_end"), to: f.Local(emit.I32, "row_to"),
		top: f.Local(emit.V128, "row_top"), sum: f.Local(emit.V128, "row_sum"), x: f.Local(emit.V128, "row_x"),
	}
}

// each runs body at every four numbers from row on, and at the one to three left.
func (s *softmaxRow) each(row emit.Value, body func(at emit.Value, n int)) {
	f := s.f
	f.Set(s.at, row)
	if s.n >= 4 {
		f.Set(s.end, emit.Plus(row, s.n/4*16))
		f.DoWhile(func() {
			body(s.at, 4)
			f.Inc(s.at, 16)
		}, emit.I32LtU(s.at, s.end))
	}
	if rest := s.n % 4; rest > 0 {
		body(s.at, rest)
	}
}

// exponentials writes exp(scale*(x - max x)) of the row at in to the row at out, which
// may be the same, and gives their sum (f32, to be used once).
func (s *softmaxRow) exponentials(in, out emit.Value) emit.Value {
	f := s.f
	f.Set(s.top, emit.F32x4All(float32(negInf)))
	s.each(in, func(at emit.Value, n int) {
		f.Set(s.top, emit.F32x4Pmax(s.top, only(loadChannels(at, 0, n), n)))
	})
	f.Set(s.top, emit.F32x4Pmax(s.top, emit.Shuffle32(s.top, s.top, 2, 3, 0, 1)))
	f.Set(s.top, emit.F32x4Pmax(s.top, emit.Shuffle32(s.top, s.top, 1, 0, 3, 2)))
	f.Set(s.sum, emit.F32x4All(0))
	f.Set(s.to, out)
	s.each(in, func(at emit.Value, n int) {
		f.Set(s.x, emit.F32x4Sub(loadChannels(at, 0, n), s.top))
		if s.scale != 1 {
			f.Set(s.x, emit.F32x4Mul(s.x, emit.F32x4All(s.scale)))
		}
		f.Set(s.x, s.exp(s.x))
		storeChannels(f, s.to, 0, n, s.x)
		f.Set(s.sum, emit.F32x4Add(s.sum, first(s.x, n)))
		f.Inc(s.to, 16)
	})
	return addLanes(f, s.sum)
}

// first keeps the first n lanes and zeroes the others.
func first(v emit.Value, n int) emit.Value {
	if n == 4 {
		return v
	}
	var mask [4]int32
	for i := range n {
		mask[i] = -1
	}
	return emit.V128And(v, emit.I32x4Const(mask[0], mask[1], mask[2], mask[3]))
}
