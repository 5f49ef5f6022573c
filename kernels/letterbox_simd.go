package kernels

import "spotter/kernels/emit"

// channelOrder picks the picture's byte of each of the network's channels.
func (p LetterboxParams) channelOrder() [4]byte {
	if p.BGR {
		return [4]byte{2, 1, 0, 3}
	}
	return [4]byte{0, 1, 2, 3}
}

// rowX emits resize_x(src, table, dst, n): n pixels of a row resized in x, in the
// network's order of channels; writes up to one pixel more.
func (b *letterbox) rowX() *emit.Func {
	i := emit.I32
	f := b.m.NewFunc(b.name("resize_x"), []emit.Type{i, i, i, i}, nil)
	src, table, dst, n := f.Param(0, "src"), f.Param(1, "table"), f.Param(2, "dst"), f.Param(3, "n")
	var lanes [16]byte // of 16-bit r0 g0 b0 a0 r1 g1 b1 a1: r0 r1 g0 g1 b0 b1 a0 a1
	for c, from := range b.channelOrder() {
		for k := range byte(2) {
			lanes[4*c+int(2*k)], lanes[4*c+int(2*k)+1] = 2*from+8*k, 2*from+8*k+1
		}
	}
	pair := f.Local(emit.V128, "pair")
	pixel := func(entry int) emit.Value {
		load := emit.V128Load8x8U(emit.I32Add(src, emit.I32Load(table, entry*tapBytes)), 0, 1)
		sum := emit.I32x4DotI16x8S(emit.Shuffle(emit.Tee(pair, load), pair, lanes),
			emit.V128Load32Splat(table, entry*tapBytes+4))
		return emit.I32x4ShrU(sum, emit.I32Const(4))
	}
	end := f.Define("end", emit.I32Add(dst, emit.Times(n, levelBytes)))
	f.For(dst, dst, end, 2*levelBytes, func() {
		f.Do(emit.V128Store(dst, 0, emit.I16x8NarrowI32x4S(pixel(0), pixel(1))))
		f.Inc(table, 2*tapBytes)
	})
	return f
}

// rowY emits resize_y(upper, lower, out, n, b0, b1): n pixels of the network's
// input from two rows of resize_x.
func (b *letterbox) rowY() *emit.Func {
	i := emit.I32
	f := b.m.NewFunc(b.name("resize_y"), []emit.Type{i, i, i, i, i, i}, nil)
	v := f.Params("upper", "lower", "out", "n", "b0", "b1")
	upper, lower, out, n := v[0], v[1], v[2], v[3]
	w0, w1 := f.Define("w0", emit.I16x8Splat(v[4])), f.Define("w1", emit.I16x8Splat(v[5]))
	s0, s1 := f.Local(emit.V128, "s0"), f.Local(emit.V128, "s1")
	blend := func(mul func(a, b emit.Value) emit.Value) emit.Value {
		// Each product is cut to its upper 16 bits, as OpenCV's multiply does.
		cut := func(s, w emit.Value) emit.Value { return emit.I32x4ShrS(mul(s, w), emit.I32Const(16)) }
		sum := emit.I32x4Add(emit.I32x4Add(cut(s0, w0), cut(s1, w1)), emit.I32x4All(2))
		return emit.I32x4ShrS(sum, emit.I32Const(2))
	}
	load := func() {
		f.Set(s0, emit.V128Load(upper, 0))
		f.Set(s1, emit.V128Load(lower, 0))
	}
	b.pairs(f, out, n, func() {
		load()
		f.Inc(upper, 16)
		f.Inc(lower, 16)
	}, load, func() emit.Value { return blend(emit.I32x4ExtmulLowI16x8S) },
		func() emit.Value { return blend(emit.I32x4ExtmulHighI16x8S) })
	return f
}

// rowHalf emits halve(src, pitch, out, n): n pixels of the network's input, each the
// rounded mean of 2x2 of the picture, which is what the general path gives.
func (b *letterbox) rowHalf() *emit.Func {
	i := emit.I32
	f := b.m.NewFunc(b.name("halve"), []emit.Type{i, i, i, i}, nil)
	src, pitch, out, n := f.Param(0, "src"), f.Param(1, "pitch"), f.Param(2, "out"), f.Param(3, "n")
	below := f.Define("below", emit.I32Add(src, pitch))
	u, l := f.Local(emit.V128, "upper"), f.Local(emit.V128, "lower")
	sum := f.Local(emit.V128, "sum")
	mean := func(extend func(a emit.Value) emit.Value) emit.Value {
		f.Set(sum, emit.I16x8Add(extend(u), extend(l)))
		four := emit.I32x4Add(emit.I32x4ExtendLowI16x8U(sum), emit.I32x4ExtendHighI16x8U(sum))
		return emit.I32x4ShrU(emit.I32x4Add(four, emit.I32x4All(2)), emit.I32Const(2))
	}
	order := func(v emit.Value) emit.Value {
		if !b.BGR {
			return v
		}
		c := b.channelOrder()
		return emit.Shuffle32(v, v, c[0], c[1], c[2], c[3])
	}
	b.pairs(f, out, n, func() {
		f.Set(u, emit.V128Load(src, 0, 1))
		f.Set(l, emit.V128Load(below, 0, 1))
		f.Inc(src, 16)
		f.Inc(below, 16)
	}, func() {
		f.Set(u, emit.V128Load64Zero(src, 0, 1))
		f.Set(l, emit.V128Load64Zero(below, 0, 1))
	}, func() emit.Value { return order(mean(emit.I16x8ExtendLowI8x16U)) },
		func() emit.Value { return order(mean(emit.I16x8ExtendHighI8x16U)) })
	return f
}

// pairs writes n pixels at out: load2 then low and high for two, load1 and low for
// an odd last one. The last pixel is stored without its fourth channel where that is the next
// pixel's first.
func (b *letterbox) pairs(f *emit.Func, out, n emit.Value, load2, load1 func(), low, high func() emit.Value) {
	ps := b.Out.PixelStride
	var hi, lo, add [4]float32
	for c := range 3 {
		hi[c], lo[c], add[c] = b.affine(c)
	}
	byteValue := f.Local(emit.V128, "byte")
	value := func(v emit.Value) emit.Value {
		f.Set(byteValue, emit.F32x4ConvertI32x4S(v))
		rest := emit.F32x4Add(emit.F32x4Mul(byteValue, f32x4(lo)), f32x4(add))
		if lo == [4]float32{} {
			rest = f32x4(add)
		}
		return emit.F32x4Add(emit.F32x4Mul(byteValue, f32x4(hi)), rest)
	}
	last := f.Define("last", emit.I32Add(out, emit.Times(emit.Plus(n, -2), ps)))
	f.For(out, out, last, 2*ps, func() {
		load2()
		f.Do(emit.V128Store(out, 0, value(low()), 4))
		f.Do(emit.V128Store(out, ps, value(high()), 4))
	})
	f.If(emit.I32Eq(out, last), func() {
		load2()
		f.Do(emit.V128Store(out, 0, value(low()), 4))
		b.storePixel(f, emit.Plus(out, ps), value(high()))
	}, func() {
		f.If(emit.I32Eq(out, emit.Plus(last, ps)), func() {
			load1()
			b.storePixel(f, out, value(low()))
		})
	})
}

// storePixel stores three channels, or four where the pixel has room.
func (b *letterbox) storePixel(f *emit.Func, at, v emit.Value) {
	if b.Out.PixelStride >= 16 {
		f.Do(emit.V128Store(at, 0, v, 4))
		return
	}
	pixel := f.Define("pixel", v)
	where := f.Define("where", at)
	f.Do(emit.V128Store64Lane(where, 0, 0, pixel))
	f.Do(emit.V128Store32Lane(where, 8, 2, pixel))
}

// fill emits fill(out, n): n pixels of padding.
func (b *letterbox) fill() *emit.Func {
	f := b.m.NewFunc(b.name("fill"), []emit.Type{emit.I32, emit.I32}, nil)
	out, n := f.Param(0, "out"), f.Param(1, "n")
	var grey [4]float32
	for c := range 3 {
		grey[c] = b.level(c, int32(b.Pad))
	}
	v := f.Define("grey", f32x4(grey))
	ps := b.Out.PixelStride
	last := f.Define("last", emit.I32Add(out, emit.Times(emit.Plus(n, -1), ps)))
	f.For(out, out, last, ps, func() { f.Do(emit.V128Store(out, 0, v, 4)) })
	f.If(emit.I32GtS(n, emit.I32Const(0)), func() { b.storePixel(f, out, v) })
	return f
}

func f32x4(v [4]float32) emit.Value { return emit.F32x4Const(v[0], v[1], v[2], v[3]) }
