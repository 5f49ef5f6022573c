package kernels

import (
	"fmt"

	"spotter/kernels/emit"
)

// UnpackParams describe how load() makes packed convolution weights of what the
// weights file carries: for each block of Lanes output channels, Lanes scales and
// Lanes biases in float32, then rows of Lanes weights in binary16. The result is, block by
// block, the biases and then the rows times the scales.
type UnpackParams struct {
	Lanes int // a multiple of 4
}

func (p UnpackParams) name() string { return fmt.Sprintf("unpack_f16_4x%d", p.Lanes) }

// UnpackFunc emits unpack(src, dst, rows, blocks). Source and result may overlap as long as
// the end of the result never passes what is still to be read.
func UnpackFunc(m *emit.Module, p UnpackParams) *emit.Func {
	if p.Lanes < 4 || p.Lanes%4 != 0 {
		panic(fmt.Sprintf("BUG: unpack blocks of %d", p.Lanes))
	}
	if f := m.Func(p.name()); f != nil {
		return f
	}
	i := emit.I32
	f := m.NewFunc(p.name(), []emit.Type{i, i, i, i}, nil)
	v := f.Params("src", "dst", "rows", "blocks")
	src, dst := v[0], v[1]
	w := newWidener(f, WidenParams{Half: true})
	scale := make([]emit.Value, p.Lanes/4)
	for c := range scale {
		scale[c] = f.Local(emit.V128, fmt.Sprintf("scale%d", c))
	}
	b, end := f.Local(i, "b"), f.Local(i, "end")
	f.For(b, emit.I32Const(0), v[3], 1, func() {
		for c := range scale {
			f.Set(scale[c], emit.V128Load(src, 16*c, 4))
		}
		for c := range scale {
			f.Do(emit.V128Store(dst, 16*c, emit.V128Load(src, 4*p.Lanes+16*c, 4), 4))
		}
		f.Inc(src, 8*p.Lanes)
		f.Inc(dst, 4*p.Lanes)
		f.Set(end, emit.I32Add(dst, emit.Times(v[2], 4*p.Lanes)))
		f.For(dst, dst, end, 4*p.Lanes, func() {
			for c := range scale {
				f.Do(emit.V128Store(dst, 16*c, emit.F32x4Mul(w.load(src, c), scale[c]), 4))
			}
			f.Inc(src, 2*p.Lanes)
		})
	})
	return f
}

// Unpack is the scalar twin: scale and bias [blocks*lanes], weights [blocks][rows][lanes].
func Unpack(scale, bias []float32, weights []uint16, lanes, rows int) []float32 {
	var out []float32
	for first := 0; first < len(scale); first += lanes {
		out = append(out, bias[first:first+lanes]...)
		for i, h := range weights[first*rows : (first+lanes)*rows] {
			out = append(out, widenScalar(h)*scale[first+i%lanes])
		}
	}
	return out
}
