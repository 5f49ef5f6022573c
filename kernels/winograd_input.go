package kernels

import "spotter/kernels/emit"

// transformInput writes the transform of the block's tiles: piece by piece, each of
// tiles that stand in one row, first down the columns, then along the rows.
func (w *winograd) transformInput() {
	f := w.f
	across := emit.I32Const(w.across())
	f.Set(w.t, w.here)
	f.While(emit.I32LtS(w.t, w.t1), func() {
		f.Set(w.ty, emit.I32DivU(w.t, across))
		f.Set(w.tx, emit.I32RemU(w.t, across))
		row, left := emit.I32Sub(across, w.tx), emit.I32Sub(w.t1, w.t)
		f.Set(w.n, emit.Select(emit.I32LtS(row, left), row, left))
		w.columns()
		w.lines()
		f.Set(w.t, emit.I32Add(w.t, w.n))
	})
}

// columns writes the transform of a piece's columns into the strip, zeros where they lie
// outside the picture.
func (w *winograd) columns() {
	f := w.f
	zero := emit.I32Const(0)
	x0 := f.Define("x0", emit.Plus(emit.Times(w.tx, w.step()), -w.Pad[1]))
	f.Set(w.left, emit.Select(emit.I32LtS(x0, zero), emit.I32Sub(zero, x0), zero))
	count := f.Define("columns", emit.Plus(emit.Times(w.n, w.step()), w.inputs()-w.step()))
	inside := f.Define("inside", emit.I32Sub(emit.I32Const(w.In.W), x0))
	f.Set(w.right, emit.Select(emit.I32LtS(count, inside), count, inside))
	f.Set(w.right, emit.Select(emit.I32GtS(w.right, w.left), w.right, w.left))
	pixel := 4 * w.In.C
	strip := func(x emit.Value) emit.Value { return emit.I32Add(w.scratch, emit.Times(x, pixel)) }
	w.clear(strip(zero), strip(w.left))
	w.clear(strip(w.right), strip(count))

	offset := f.Define("offset", emit.Times(emit.I32Add(x0, w.left), w.In.PixelStride))
	y := f.Define("y", emit.Plus(emit.Times(w.ty, w.step()), -w.Pad[0]))
	for i, row := range w.rows {
		at := emit.I32Add(emit.I32Add(w.source, offset), emit.Times(emit.Plus(y, i), w.In.RowStride))
		f.Set(row, emit.Select(emit.I32LtU(emit.Plus(y, i), emit.I32Const(w.In.H)), at, emit.Plus(w.scratch, w.at.zeros)))
	}
	f.Set(w.dst, strip(w.left))
	f.Set(w.stop, strip(w.right))
	if w.In.PixelStride == pixel {
		f.While(emit.I32LtU(w.dst, w.stop), w.column)
		return
	}
	f.While(emit.I32LtU(w.dst, w.stop), func() {
		f.Set(w.limit, emit.Plus(w.dst, pixel))
		f.DoWhile(w.column, emit.I32LtU(w.dst, w.limit))
		for _, row := range w.rows {
			f.Inc(row, w.In.PixelStride-pixel)
		}
	})
}

// clear writes zeros to all rows of the strip.
func (w *winograd) clear(from, to emit.Value) {
	f := w.f
	f.Set(w.dst, from)
	f.Set(w.stop, to)
	f.While(emit.I32LtU(w.dst, w.stop), func() {
		for u := range w.points() {
			f.Do(emit.V128Store(w.dst, u*w.at.stripRow, emit.F32x4All(0)))
		}
		f.Inc(w.dst, 16)
	})
}

// column transforms the next 4 channels of a column, or 8 where that comes out even.
func (w *winograd) column() {
	f := w.f
	steps := 1
	if w.In.C%8 == 0 {
		steps = 2
	}
	for k := range steps {
		for i, row := range w.rows {
			f.Set(w.d[i], emit.V128Load(row, 16*k, 4))
		}
		for u, x := range w.in(w.d) {
			f.Do(emit.V128Store(w.dst, u*w.at.stripRow+16*k, x))
		}
	}
	for _, row := range w.rows {
		f.Inc(row, 16*steps)
	}
	f.Inc(w.dst, 16*steps)
}

// lines writes the transform along the strip's rows into the planes.
func (w *winograd) lines() {
	f := w.f
	pixel, points := 4*w.In.C, w.points()
	f.Set(w.src, w.scratch)
	f.Set(w.dst, emit.I32Add(emit.Plus(w.scratch, w.at.inPlanes), emit.Times(emit.I32Sub(w.t, w.here), pixel)))
	f.Set(w.stop, emit.I32Add(w.dst, emit.Times(w.n, pixel)))
	f.DoWhile(func() {
		f.Set(w.limit, emit.Plus(w.dst, pixel))
		f.DoWhile(func() {
			for u := range points {
				for k := range w.inputs() {
					f.Set(w.d[k], emit.V128Load(w.src, u*w.at.stripRow+k*pixel))
				}
				for v, x := range w.in(w.d) {
					f.Do(emit.V128Store(w.dst, (u*points+v)*w.at.inPlane, x))
				}
			}
			f.Inc(w.src, 16)
			f.Inc(w.dst, 16)
		}, emit.I32LtU(w.dst, w.limit))
		f.Inc(w.src, (w.step()-1)*pixel)
	}, emit.I32LtU(w.dst, w.stop))
}
