package kernels

import "spotter/kernels/emit"

// transformOutput writes the transform of the block's sums to outputs. Tiles that
// reach over the lower or right edge have code of their own.
func (w *winograd) transformOutput() {
	f := w.f
	if !w.later() {
		w.act = w.Act.apply(f, w.WinogradParams.Options)
	}
	restH, restW := w.Out.H%w.M, w.Out.W%w.M
	lastY, lastX := emit.I32Const(w.down()-1), emit.I32Const(w.across()-1)
	wide := func(h int) {
		if restW == 0 {
			w.outputs(h, w.M)
			return
		}
		f.If(emit.I32Eq(w.tx, lastX), func() { w.outputs(h, restW) }, func() { w.outputs(h, w.M) })
	}
	f.Set(w.t, w.here)
	f.Set(w.ty, emit.I32DivU(w.t, emit.I32Const(w.across())))
	f.Set(w.tx, emit.I32RemU(w.t, emit.I32Const(w.across())))
	f.DoWhile(func() {
		if restH == 0 {
			wide(w.M)
		} else {
			f.If(emit.I32Eq(w.ty, lastY), func() { wide(restH) }, func() { wide(w.M) })
		}
		f.Inc(w.t, 1)
		f.Inc(w.tx, 1)
		f.If(emit.I32GtS(w.tx, lastX), func() {
			f.Set(w.tx, emit.I32Const(0))
			f.Inc(w.ty, 1)
		})
	}, emit.I32LtS(w.t, w.t1))
}

// tileOf is the address of the tile's first pixel in a view, at the channel of the output's first.
func (w *winograd) tileOf(base emit.Value, v *View) emit.Value {
	return emit.I32Add(base, emit.I32Add(emit.Times(w.ty, w.M*v.RowStride), emit.Times(w.tx, w.M*v.PixelStride)))
}

// outputs writes the first h rows of wd outputs of a tile.
func (w *winograd) outputs(h, wd int) {
	f := w.f
	f.Set(w.dst, w.tileOf(w.target, &w.Out))
	f.Set(w.src, emit.I32Add(emit.Plus(w.scratch, w.at.outPlanes), emit.Times(emit.I32Sub(w.t, w.here), 4*w.Out.C)))
	channels := emit.Value{}
	if w.Split == SplitChannels {
		block := 4 * w.Tile.Channels
		channels = f.Define("channels", emit.Times(w.end, block))
		all := emit.I32Const(4 * w.Out.C)
		f.Set(channels, emit.I32Sub(emit.Select(emit.I32LtS(channels, all), channels, all), emit.Times(w.begin, block)))
		f.Set(w.dst, emit.I32Add(w.dst, emit.Times(w.begin, block)))
		f.Set(w.src, emit.I32Add(w.src, emit.Times(w.begin, block)))
	} else {
		channels = emit.I32Const(4 * w.Out.C)
	}
	first := f.Define("first", w.dst)
	f.Set(w.stop, emit.I32Add(w.dst, channels))
	if w.Residual != nil {
		f.Set(w.limit, w.tileOf(w.res, w.Residual))
		f.Set(w.limit, emit.I32Add(w.limit, emit.I32Sub(w.dst, w.tileOf(w.target, &w.Out))))
	}
	f.While(emit.I32LtU(w.dst, w.stop), func() {
		w.tileOutputs(h, wd)
		f.Inc(w.src, 16)
		f.Inc(w.dst, 16)
		if w.Residual != nil {
			f.Inc(w.limit, 16)
		}
	})
	if w.later() {
		w.activate(first, channels, h, wd)
	}
}

// later reports whether the activation is done in a second pass over the tile: it is
// long, and repeating it for each output is a waste of code.
func (w *winograd) later() bool { return w.Act.long() && w.Residual == nil }

// tileOutputs writes four channels of a tile.
func (w *winograd) tileOutputs(h, wd int) {
	f, points := w.f, w.points()
	for v := range points {
		for u := range points {
			f.Set(w.d[u], emit.V128Load(w.src, (u*points+v)*w.at.outPlane))
		}
		for i, x := range w.out(w.d)[:h] {
			f.Set(w.mid[i][v], x)
		}
	}
	for i := range h {
		for j, x := range w.out(w.mid[i])[:wd] {
			y := w.d[0]
			f.Set(y, x)
			if !w.later() {
				w.act(y)
			}
			if r := w.Residual; r != nil {
				f.Set(y, emit.F32x4Add(y, emit.V128Load(w.limit, i*r.RowStride+j*r.PixelStride, 4)))
			}
			f.Do(emit.V128Store(w.dst, i*w.Out.RowStride+j*w.Out.PixelStride, y, 4))
		}
	}
}

// activate goes through the tile's outputs once more.
func (w *winograd) activate(first, channels emit.Value, h, wd int) {
	f, y := w.f, w.d[0]
	w.act = w.Act.apply(f, w.WinogradParams.Options)
	pixels := wd
	bytes := channels
	if w.Split != SplitChannels && w.Out.PixelStride == 4*w.Out.C {
		pixels, bytes = 1, emit.I32Const(4*w.Out.C*wd)
	}
	f.Set(w.u, first)
	lastRow := f.Define("lastRow", emit.Plus(first, h*w.Out.RowStride))
	f.DoWhile(func() {
		f.Set(w.src, w.u)
		f.Set(w.limit, emit.Plus(w.u, pixels*w.Out.PixelStride))
		f.DoWhile(func() {
			f.Set(w.dst, w.src)
			f.Set(w.stop, emit.I32Add(w.src, bytes))
			f.DoWhile(func() {
				f.Set(y, emit.V128Load(w.dst, 0, 4))
				w.act(y)
				f.Do(emit.V128Store(w.dst, 0, y, 4))
				f.Inc(w.dst, 16)
			}, emit.I32LtU(w.dst, w.stop))
			f.Inc(w.src, w.Out.PixelStride)
		}, emit.I32LtU(w.src, w.limit))
		f.Inc(w.u, w.Out.RowStride)
	}, emit.I32LtU(w.u, lastRow))
}
