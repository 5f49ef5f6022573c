package kernels

import "spotter/kernels/emit"

// columns sets n and wide and fills the table of x taps for the chunk at x.
func (b *mask) columns(tap *emit.Func) {
	f := b.f
	f.Set(b.n, emit.I32Sub(b.to[0], b.x))
	f.Set(b.n, emit.Select(emit.I32GtS(b.n, emit.I32Const(maskChunk)), emit.I32Const(maskChunk), b.n))
	f.Set(b.wide, emit.I32And(emit.Plus(b.n, 15), emit.I32Const(-16)))
	g, at, floor := f.Local(emit.I32, "g"), f.Local(emit.F64, "at"), f.Local(emit.F64, "floor")
	slot := f.Define("slot", emit.I32Const(b.Scratch))
	end := f.Define("columns_end", emit.I32Add(b.x, b.wide))
	f.For(g, b.x, end, 1, func() {
		f.Set(at, tap.Call(g, b.scale[0], b.shift[0], emit.F64Const(float64(b.Proto.W-1))))
		f.Set(floor, emit.F64Floor(at))
		column := emit.I32Sub(emit.I32TruncSatF64S(floor), emit.Plus(b.crop[0][0], -1))
		// Columns behind the rectangle fill up sixteens: any address of the row will do.
		f.Do(emit.I32Store(slot, b.taps(), emit.Plus(emit.Times(column, 4), b.Scratch+b.low())))
		f.Do(emit.F32Store(slot, b.weights(), emit.F32DemoteF64(emit.F64Sub(at, floor))))
		f.Inc(slot, 4)
	})
}

// rows emits the loop over the grid's rows: blend gets two rows of prototypes,
// resized in x, and the lower one's weight.
func (b *mask) rows(tap, lowRow, stretch *emit.Func, blend func(upper, lower, weight, y emit.Value)) {
	f := b.f
	for i := range b.tag {
		b.tag[i] = f.Define("tag", emit.I32Const(-1))
	}
	y, at, floor := f.Local(emit.I32, "y"), f.Local(emit.F64, "at"), f.Local(emit.F64, "floor")
	f.For(y, b.from[1], b.to[1], 1, func() {
		f.Set(at, tap.Call(y, b.scale[1], b.shift[1], emit.F64Const(float64(b.Proto.H-1))))
		f.Set(floor, emit.F64Floor(at))
		j := f.Define("j", emit.I32TruncSatF64S(floor))
		upper := b.resized(lowRow, stretch, j)
		lower := b.resized(lowRow, stretch, f.Define("below", emit.Plus(j, 1)))
		blend(upper, lower, emit.F32DemoteF64(emit.F64Sub(at, floor)), y)
	})
}

// resized gives the address of prototype row j resized in x, made when it is not
// there yet. Rows outside the crop are zero.
func (b *mask) resized(lowRow, stretch *emit.Func, j emit.Value) emit.Value {
	f := b.f
	slot := f.Define("row", emit.I32Const(b.Scratch+b.row()))
	fresh := func(i int) {
		f.If(emit.I32Eq(b.tag[i], j), func() {}, func() {
			f.Set(b.tag[i], j)
			inside := emit.I32And(emit.I32GeS(j, b.crop[1][0]), emit.I32LtS(j, b.crop[1][1]))
			f.If(inside, func() {
				f.Do(lowRow.Call(j, emit.Plus(b.kept, 16), b.crop[0][0], b.crop[0][1]))
				f.Do(stretch.Call(slot, b.wide))
			}, func() { f.Do(emit.MemoryFill(slot, emit.I32Const(0), emit.Times(b.wide, 4))) })
		})
	}
	f.If(emit.I32And(j, emit.I32Const(1)), func() {
		f.Inc(slot, 4*maskChunk)
		fresh(1)
	}, func() { fresh(0) })
	return slot
}

// lowRowFunc emits low_row(j, coef, from, to): the low mask's row j, columns [from, to)
// and a zero on each side.
func (b *mask) lowRowFunc() *emit.Func {
	i := emit.I32
	f := b.m.NewFunc("mask_low_row", []emit.Type{i, i, i, i}, nil)
	v := f.Params("j", "coef", "from", "to")
	ps := b.Proto.PixelStride
	in := f.Define("in", emit.Plus(emit.I32Add(emit.Times(v[0], b.Proto.RowStride), emit.Times(v[2], ps)), b.Proto.Address))
	out := f.Define("out", emit.I32Const(b.Scratch+b.low()+4))
	end := f.Define("end", emit.I32Add(out, emit.Times(emit.I32Sub(v[3], v[2]), 4)))
	f.Do(emit.I32Store(out, 0, emit.I32Const(0)))
	w := f.Local(emit.V128, "w")
	var acc [4]emit.Value
	for k := range acc {
		acc[k] = f.Local(emit.V128, "acc")
	}
	sigmoid := Activation{Kind: ActSigmoid}.apply(f, Options{})
	f.For(out, out, end, 16, func() {
		for c := 0; c < b.Proto.C; c += 4 {
			n := min(4, b.Proto.C-c)
			f.Set(w, emit.V128Load(v[1], 4*c))
			for k := range acc {
				product := emit.F32x4Mul(w, loadChannels(in, k*ps+4*c, n))
				if c > 0 {
					product = emit.F32x4Add(acc[k], product)
				}
				f.Set(acc[k], product)
			}
		}
		f.Set(w, addRows(f, acc))
		sigmoid(w)
		f.Do(emit.V128Store(out, 0, w, 4))
		f.Inc(in, 4*ps)
	})
	f.Do(emit.I32Store(emit.I32Const(b.Scratch+b.low()), 0, emit.I32Const(0)))
	f.Do(emit.I32Store(end, 0, emit.I32Const(0)))
	return f
}

// addRows gives the sums of the lanes of each of four locals.
func addRows(f *emit.Func, a [4]emit.Value) emit.Value {
	for i := 0; i < 4; i += 2 { // a[i] = even and odd halves of both, added
		lo, hi := emit.Shuffle32(a[i], a[i+1], 0, 4, 1, 5), emit.Shuffle32(a[i], a[i+1], 2, 6, 3, 7)
		f.Set(a[i], emit.F32x4Add(lo, hi))
	}
	return emit.F32x4Add(emit.Shuffle32(a[0], a[2], 0, 1, 4, 5), emit.Shuffle32(a[0], a[2], 2, 3, 6, 7))
}

// stretchFunc emits stretch(dst, n): n columns, a multiple of 4, of the low row resized in x.
func (b *mask) stretchFunc() *emit.Func {
	f := b.m.NewFunc("mask_stretch", []emit.Type{emit.I32, emit.I32}, nil)
	dst, n := f.Param(0, "dst"), f.Param(1, "n")
	slot := f.Define("slot", emit.I32Const(b.Scratch))
	end := f.Define("end", emit.I32Add(dst, emit.Times(n, 4)))
	a, c, left := f.Local(emit.V128, "a"), f.Local(emit.V128, "c"), f.Local(emit.V128, "left")
	pair := func(k int) emit.Value { // prototypes left and right of two cells
		first := emit.V128Load64Zero(emit.I32Load(slot, b.taps()+4*k), 0, 4)
		return emit.V128Load64Lane(emit.I32Load(slot, b.taps()+4*k+4), 0, 1, first)
	}
	f.For(dst, dst, end, 16, func() {
		f.Set(a, pair(0))
		f.Set(c, pair(2))
		f.Set(left, emit.Shuffle32(a, c, 0, 2, 4, 6))
		rise := emit.F32x4Sub(emit.Shuffle32(a, c, 1, 3, 5, 7), left)
		f.Do(emit.V128Store(dst, 0, emit.F32x4Add(left, emit.F32x4Mul(emit.V128Load(slot, b.weights()), rise))))
		f.Inc(slot, 16)
	})
	return f
}

// blendFunc emits blend(upper, lower, weight f32, dst, n, end): n bytes of a row; stores
// of sixteen may run over up to end.
func (b *mask) blendFunc() *emit.Func {
	i := emit.I32
	f := b.m.NewFunc("mask_blend", []emit.Type{i, i, emit.F32, i, i, i}, nil)
	v := f.Params("upper", "lower", "weight", "dst", "n", "end")
	upper, lower, dst := v[0], v[1], v[3]
	weight := f.Define("w", emit.F32x4Splat(v[2]))
	last := f.Define("last", emit.I32Add(dst, v[4]))
	up := f.Local(emit.V128, "up")
	above := func(k int) emit.Value {
		u := emit.Tee(up, emit.V128Load(upper, 16*k))
		rise := emit.F32x4Mul(weight, emit.F32x4Sub(emit.V128Load(lower, 16*k), u))
		return emit.F32x4Gt(emit.F32x4Add(rise, up), emit.F32x4All(0.5))
	}
	bits := f.Local(emit.V128, "bits")
	f.For(dst, dst, last, 16, func() {
		f.Set(bits, emit.I8x16NarrowI16x8S(emit.I16x8NarrowI32x4S(above(0), above(1)), emit.I16x8NarrowI32x4S(above(2), above(3))))
		room := f.Define("behind", emit.Plus(dst, 16))
		f.If(emit.I32Or(emit.I32LeU(room, last), emit.I32LeU(room, v[5])), func() {
			f.Do(emit.V128Store(dst, 0, bits, 1))
		}, func() {
			f.Do(emit.V128Store(emit.I32Const(b.Scratch+b.tail()), 0, bits))
			f.Do(emit.MemoryCopy(dst, emit.I32Const(b.Scratch+b.tail()), emit.I32Sub(last, dst)))
		})
		f.Inc(upper, 64)
		f.Inc(lower, 64)
	})
	return f
}
