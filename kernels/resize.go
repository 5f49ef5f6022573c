package kernels

import (
	"fmt"

	"spotter/kernels/emit"
)

// UpsampleParams describe nearest-neighbour enlargement by whole factors: each pixel
// becomes Factor[0] x Factor[1] (height, width) equal ones. Out may be a slice
// of a concatenation.
type UpsampleParams struct {
	In, Out View
	Factor  [2]int
}

// Units are the rows of the input.
func (p UpsampleParams) Units() int { return p.In.H }

// Name is the kernel's name in tables: upsample2x2_f32_4.
func (p UpsampleParams) Name() string {
	return fmt.Sprintf("upsample%dx%d_f32_4", p.Factor[0], p.Factor[1])
}

func (p UpsampleParams) check() {
	p.In.check("upsample input")
	p.Out.check("upsample output")
	if p.Out.H != p.In.H*p.Factor[0] || p.Out.W != p.In.W*p.Factor[1] || p.Out.C != p.In.C {
		panic(fmt.Sprintf("BUG: upsample %+v", p))
	}
}

// UpsampleFunc emits upsample(in, out, begin, end) for rows of the input.
func UpsampleFunc(m *emit.Module, p UpsampleParams) *emit.Func {
	p.check()
	name := fmt.Sprintf("%s_%v_%v", p.Name(), p.In, p.Out)
	if f := m.Func(name); f != nil {
		return f
	}
	i := emit.I32
	f := m.NewFunc(name, []emit.Type{i, i, i, i}, nil)
	v := f.Params("in", "out", "begin", "end")
	rows := p.Factor[0] * p.Out.RowStride
	inRow := f.Define("in_row", emit.I32Add(v[0], emit.Times(v[2], p.In.RowStride)))
	outRow := f.Define("out_row", emit.I32Add(v[1], emit.Times(v[2], rows)))
	u := &upsample{UpsampleParams: p, f: f, src: f.Local(i, "src"), dst: f.Local(i, "dst"), x: f.Local(emit.V128, "x")}
	y := f.Local(i, "y")
	f.For(y, v[2], v[3], 1, func() {
		in, out := f.Define("in_pixel", inRow), f.Define("out_pixel", outRow)
		end := f.Define("row_end", emit.Plus(inRow, p.In.W*p.In.PixelStride))
		f.DoWhile(func() {
			u.pixel(in, out)
			f.Inc(in, p.In.PixelStride)
			f.Inc(out, p.Factor[1]*p.Out.PixelStride)
		}, emit.I32LtU(in, end))
		f.Inc(inRow, p.In.RowStride)
		f.Inc(outRow, rows)
	})
	return f
}

type upsample struct {
	UpsampleParams
	f           *emit.Func
	src, dst, x emit.Value
}

// pixel repeats the channels of a pixel: sixteen at a time, then what is left.
func (u *upsample) pixel(in, out emit.Value) {
	f, c := u.f, u.In.C
	f.Set(u.src, in)
	f.Set(u.dst, out)
	if c >= 16 {
		end := f.Define("end", emit.Plus(u.src, c/16*64))
		f.DoWhile(func() {
			u.repeat(16)
			f.Inc(u.src, 64)
			f.Inc(u.dst, 64)
		}, emit.I32LtU(u.src, end))
	}
	u.repeat(c % 16)
}

func (u *upsample) repeat(n int) {
	for i := 0; i < n; i += 4 {
		k := min(4, n-i)
		u.f.Set(u.x, loadChannels(u.src, 4*i, k))
		for fy := range u.Factor[0] {
			for fx := range u.Factor[1] {
				storeChannels(u.f, u.dst, fy*u.Out.RowStride+fx*u.Out.PixelStride+4*i, k, u.x)
			}
		}
	}
}
