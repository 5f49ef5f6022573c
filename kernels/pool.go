package kernels

import (
	"fmt"
	"math"

	"spotter/kernels/emit"
)

// PoolKind is what a window gives.
type PoolKind int

// Maximum, and the mean over the window's pixels inside the picture or, with CountPad, over all.
const (
	PoolMax PoolKind = iota
	PoolMean
	PoolMeanCountPad
)

// PoolParams describe a window sliding over each channel. Padding never wins a
// maximum; a window wholly in it gives -Inf (NaN for the mean).
type PoolParams struct {
	Kind    PoolKind
	In, Out View
	Kernel  [2]int // height, width
	Stride  [2]int
	Pad     [2]int // top, left; what Out needs below and right is implied
}

// Units are the rows of the output.
func (p PoolParams) Units() int { return p.Out.H }

// tile is the pixels made at once: their columns, already reduced over the window's
// rows, stay in registers.
func (p PoolParams) tile() int {
	return max(1, min(8, (13-p.Kernel[1])/p.Stride[1]+1, p.Out.W))
}

// Name is the kernel's name in tables: maxpool5x5s1_f32_8x4.
func (p PoolParams) Name() string {
	kind := [...]string{"maxpool", "avgpool", "avgpoolpad"}[p.Kind]
	return fmt.Sprintf("%s%dx%ds%d_f32_%dx4", kind, p.Kernel[0], p.Kernel[1], p.Stride[1], p.tile())
}

func (p PoolParams) check() {
	p.In.check("pool input")
	p.Out.check("pool output")
	if p.In.C != p.Out.C || min(p.Kernel[0], p.Kernel[1], p.Stride[0], p.Stride[1]) < 1 || min(p.Pad[0], p.Pad[1]) < 0 {
		panic(fmt.Sprintf("BUG: pool %+v", p))
	}
}

// PoolFunc emits pool(in, out, begin, end) for rows of the output.
func PoolFunc(m *emit.Module, p PoolParams) *emit.Func {
	p.check()
	name := fmt.Sprintf("%s_pad%d.%d_%v_%v", p.Name(), p.Pad[0], p.Pad[1], p.In, p.Out)
	if f := m.Func(name); f != nil {
		return f
	}
	i := emit.I32
	f := m.NewFunc(name, []emit.Type{i, i, i, i}, nil)
	v := f.Params("in", "out", "begin", "end")
	w := window{f: f, in: p.In, kernel: p.Kernel, stride: p.Stride, pad: p.Pad}
	l := &pool{PoolParams: p, window: w}
	y, outRow := f.Local(i, "y"), f.Define("out_row", emit.I32Add(v[1], emit.Times(v[2], p.Out.RowStride)))
	f.For(y, v[2], v[3], 1, func() {
		l.window.rows(y, v[0])
		l.scaleRows()
		for _, t := range tilesOf(p.Out.W, p.tile(), w.whole) {
			l.window.run(t, p.Out, outRow, l.tile)
		}
		f.Inc(outRow, p.Out.RowStride)
	})
	return f
}

type pool struct {
	PoolParams
	window window
	column []emit.Value
	one    emit.Value // 1 / rows of the windows, for a mean
}

// scaleRows sets what a mean of the row's windows is multiplied by.
func (l *pool) scaleRows() {
	if l.Kind != PoolMean {
		return
	}
	if l.one == (emit.Value{}) {
		l.one = l.window.f.Local(emit.F32, "inverse")
	}
	l.window.f.Set(l.one, emit.F32Div(emit.F32Const(1), emit.F32ConvertI32S(l.window.taps)))
}

// tile emits all channels of a tile.
func (l *pool) tile(t span, left int, in, out emit.Value) {
	l.window.blocks(l.Out.C, in, out, func(src, dst emit.Value, channels int) {
		f := l.window.f
		columns := l.window.columns(t)
		for len(l.column) < len(columns) {
			l.column = append(l.column, f.Local(emit.V128, fmt.Sprintf("column%d", len(l.column))))
		}
		start, join := emit.F32x4All(float32(math.Inf(-1))), emit.F32x4Pmax
		if l.Kind != PoolMax {
			start, join = emit.F32x4All(0), emit.F32x4Add
		}
		for i := range columns {
			f.Set(l.column[i], start)
		}
		row, n := f.Define("src_row", src), f.Define("n", l.window.taps)
		f.While(emit.I32GtS(n, emit.I32Const(0)), func() {
			for i, x := range columns {
				f.Set(l.column[i], join(l.column[i], loadChannels(row, (x-left)*l.In.PixelStride, channels)))
			}
			f.Inc(row, l.In.RowStride)
			f.Inc(n, -1)
		})
		l.across(t, columns, join, start, func(i int, v emit.Value) {
			storeChannels(f, dst, i*l.Out.PixelStride, channels, v)
		})
	})
}

// across joins the columns of each window of the tile.
func (l *pool) across(t span, columns []int, join func(a, b emit.Value) emit.Value, start emit.Value, store func(i int, v emit.Value)) {
	f := l.window.f
	if l.Kind == PoolMax && l.Stride[1] == 1 && l.Kernel[1] == 5 && len(columns) == t.n+4 {
		// Maxima of two neighbours serve two windows each: 3 instead of 4 a window.
		for i := range columns[1:] {
			f.Set(l.column[i], emit.F32x4Pmax(l.column[i], l.column[i+1]))
		}
		for i := range t.n {
			store(i, emit.F32x4Pmax(emit.F32x4Pmax(l.column[i], l.column[i+2]), l.column[i+3]))
		}
		return
	}
	for i := range t.n {
		first := (t.x+i)*l.Stride[1] - l.Pad[1]
		v, n := start, 0
		for k, x := range columns {
			if x >= first && x < first+l.Kernel[1] {
				v, n = join(v, l.column[k]), n+1
				if n == 1 {
					v = l.column[k]
				}
			}
		}
		store(i, l.mean(v, n))
	}
}

// mean scales the sum of n columns of a window.
func (l *pool) mean(v emit.Value, n int) emit.Value {
	switch l.Kind {
	case PoolMean:
		return emit.F32x4Mul(v, emit.F32x4Splat(emit.F32Mul(l.one, emit.F32Const(1/float32(n)))))
	case PoolMeanCountPad:
		return emit.F32x4Mul(v, emit.F32x4All(1/float32(l.Kernel[0]*l.Kernel[1])))
	}
	return v
}
