package kernels

import (
	"fmt"

	"spotter/kernels/emit"
)

// WidenParams describe how load() unpacks a run of weights: binary16, or float32 where
// Half is not set, to float32. With Block > 0 the run is blocks of [K][Block]
// values (output channels in fours, last) and each block is multiplied by its
// own Block scales, one a channel: weights whose batch normalisation was not folded
// before they were rounded to binary16.
type WidenParams struct {
	Half  bool
	Block int // a multiple of 4, or 0 for no scales
}

func (p WidenParams) name() string {
	name := "widen_f32_4"
	if p.Half {
		name = "widen_f16_4"
	}
	if p.Block > 0 {
		name += fmt.Sprintf("x%d", p.Block)
	}
	return name
}

// WidenFunc emits widen(src, dst, n) for n values, a multiple of 4 (pad the packed
// run); or with Block widen(src, scales, dst, k, blocks).
func WidenFunc(m *emit.Module, p WidenParams) *emit.Func {
	if p.Block%4 != 0 {
		panic(fmt.Sprintf("BUG: widen blocks of %d", p.Block))
	}
	if f := m.Func(p.name()); f != nil {
		return f
	}
	if p.Block > 0 {
		return p.blocks(m)
	}
	i := emit.I32
	f := m.NewFunc(p.name(), []emit.Type{i, i, i}, nil)
	v := f.Params("src", "dst", "n")
	src, dst := v[0], v[1]
	if !p.Half {
		f.Do(emit.MemoryCopy(dst, src, emit.Times(v[2], 4)))
		return f
	}
	w := newWidener(f, p)
	end := f.Define("end", emit.I32Add(dst, emit.Times(v[2], 4)))
	last := f.Define("last", emit.Plus(end, -16))
	f.For(dst, dst, last, 32, func() {
		for k := range 2 {
			f.Do(emit.V128Store(dst, 16*k, w.load(src, k), 4))
		}
		f.Inc(src, 16)
	})
	f.If(emit.I32LtS(dst, end), func() { f.Do(emit.V128Store(dst, 0, w.load(src, 0), 4)) })
	return f
}

// blocks emits the form with scales.
func (p WidenParams) blocks(m *emit.Module) *emit.Func {
	i := emit.I32
	f := m.NewFunc(p.name(), []emit.Type{i, i, i, i, i}, nil)
	v := f.Params("src", "scales", "dst", "k", "blocks")
	src, scales, dst := v[0], v[1], v[2]
	w := newWidener(f, p)
	var scale []emit.Value
	for c := 0; c < p.Block; c += 4 {
		scale = append(scale, f.Local(emit.V128, fmt.Sprintf("scale%d", c)))
	}
	b, end := f.Local(i, "b"), f.Local(i, "end")
	f.For(b, emit.I32Const(0), v[4], 1, func() {
		for c := range scale {
			f.Set(scale[c], emit.V128Load(scales, 16*c, 4))
		}
		f.Inc(scales, 4*p.Block)
		f.Set(end, emit.I32Add(dst, emit.Times(v[3], 4*p.Block)))
		f.For(dst, dst, end, 4*p.Block, func() {
			for c := range scale {
				f.Do(emit.V128Store(dst, 16*c, emit.F32x4Mul(w.load(src, c), scale[c]), 4))
			}
			f.Inc(src, w.bytes/4*p.Block)
		})
	})
	return f
}

// widener converts four values at a time; bytes is what four take.
type widener struct {
	f       *emit.Func
	half    bool
	bytes   int
	bits, m emit.Value
}

func newWidener(f *emit.Func, p WidenParams) *widener {
	w := &widener{f: f, half: p.Half, bytes: 16}
	if p.Half {
		w.bytes = 8
		w.bits, w.m = f.Local(emit.V128, "half"), f.Local(emit.V128, "magnitude")
	}
	return w
}

// load gives the k-th four values from src on as float32. A binary16's exponent and
// fraction, moved to float32's places, are 2^-112 of its value, subnormals too;
// infinities and NaN, whose exponent must become all ones, are told by their size.
func (w *widener) load(src emit.Value, k int) emit.Value {
	if !w.half {
		return emit.V128Load(src, 16*k, 4)
	}
	all := emit.I32x4All
	w.f.Set(w.bits, emit.V128Load16x4U(src, 8*k, 2))
	w.f.Set(w.m, emit.I32x4Shl(emit.V128And(w.bits, all(0x7fff)), emit.I32Const(13)))
	value := emit.F32x4Mul(w.m, emit.F32x4All(1<<112))
	infinite := emit.V128And(emit.I32x4GtS(w.m, all(0x0f7fffff)), all(0x7f800000))
	sign := emit.I32x4Shl(emit.V128And(w.bits, all(0x8000)), emit.I32Const(16))
	return emit.V128Or(emit.V128Or(value, infinite), sign)
}
