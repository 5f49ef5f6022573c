package kernels

import (
	"fmt"

	"spotter/kernels/emit"
)

// winograd holds the locals of a WinogradFunc while it is emitted.
type winograd struct {
	WinogradParams
	*transforms
	f    *emit.Func
	at   winogradLayout
	nest *nest
	act  func(x emit.Value)

	source, weights, target, res, scratch emit.Value // parameters
	begin, end                            emit.Value
	t, t1, here, ty, tx                   emit.Value // tile, end of the block's tiles, the block's t, row and column
	n, left, right                        emit.Value // tiles of a piece, its columns inside the picture
	rows                                  []emit.Value
	src, dst, stop, limit                 emit.Value
	d                                     []emit.Value // one line of a tile
	mid                                   [][]emit.Value
	planeIn, planeOut, matrix             emit.Value // of one product
	u, v                                  emit.Value
}

func newWinograd(f *emit.Func, p WinogradParams, params []emit.Value) *winograd {
	s := schemeOf(p.Stride, p.M)
	last := len(params)
	w := &winograd{
		WinogradParams: p, transforms: newTransforms(f, s, p.Options), f: f, at: p.layout(),
		source: params[0], weights: params[1], target: params[2], scratch: params[last-3], begin: params[last-2], end: params[last-1],
	}
	if p.Residual != nil {
		w.res = params[3]
	}
	for _, l := range []struct {
		v    *emit.Value
		name string
	}{
		{&w.t, "t"}, {&w.t1, "t1"}, {&w.here, "t0"}, {&w.ty, "ty"}, {&w.tx, "tx"}, {&w.n, "n"}, {&w.left, "left"}, {&w.right, "right"},
		{&w.src, "src"}, {&w.dst, "dst"}, {&w.stop, "stop"}, {&w.limit, "limit"},
		{&w.planeIn, "planeIn"}, {&w.planeOut, "planeOut"}, {&w.matrix, "matrix"}, {&w.u, "u"}, {&w.v, "v"},
	} {
		*l.v = f.Local(emit.I32, l.name)
	}
	for i := range s.inputs() {
		w.rows = append(w.rows, f.Local(emit.I32, fmt.Sprintf("row%d", i)))
	}
	for i := range s.points() {
		w.d = append(w.d, f.Local(emit.V128, fmt.Sprintf("d%d", i)))
	}
	for i := range s.m {
		line := make([]emit.Value, s.points())
		for j := range line {
			line[j] = f.Local(emit.V128, fmt.Sprintf("y%d%d", i, j))
		}
		w.mid = append(w.mid, line)
	}
	w.products(params)
	return w
}

// products prepares the nest that multiplies the planes of a block.
func (w *winograd) products(params []emit.Value) {
	out := Packed(1, w.across()*w.down(), w.Out.C)
	w.nest = newStripNest(w.f, strip{Options: w.WinogradParams.Options}, nest{
		tile: w.Tile, k: w.In.C, inStep: 4 * w.In.C, out: out, width: out.W, height: 1, split: w.Split,
	}, params)
	n := w.nest
	n.weights, n.outAt = w.matrix, w.planeOut
	n.input = func(emit.Value) emit.Value { return w.planeIn }
}

// all writes the loop over blocks of tiles.
func (w *winograd) all() {
	f, n := w.f, w.nest
	units := ceilDiv(w.across()*w.down(), w.Tile.Pixels)
	u0, u1 := w.begin, w.end
	if w.Split == SplitChannels {
		u0, u1 = emit.I32Const(0), emit.I32Const(units)
	}
	f.If(emit.I32GeS(w.begin, w.end), func() { f.Return() })
	if w.outside() {
		f.Do(emit.MemoryFill(emit.Plus(w.scratch, w.at.zeros), emit.I32Const(0), emit.I32Const(w.at.zeroBytes)))
	}
	step := w.blockUnits()
	f.For(n.c0, u0, u1, step, func() {
		next := emit.Plus(n.c0, step)
		f.Set(n.c1, emit.Select(emit.I32LtS(next, u1), next, u1))
		f.Set(w.here, emit.Times(n.c0, w.Tile.Pixels))
		end, total := emit.Times(n.c1, w.Tile.Pixels), emit.I32Const(n.width)
		f.Set(w.t1, emit.Select(emit.I32LtS(end, total), end, total))
		w.transformInput()
		w.multiply()
		w.transformOutput()
	})
}

// outside reports whether tiles read rows above or below the picture.
func (w *winograd) outside() bool {
	return w.WinogradParams.Pad[0] > 0 || (w.down()-1)*w.step()-w.Pad[0]+w.inputs() > w.In.H
}

// multiply writes the products: one for each point in both directions. The nest counts tiles
// from the first of the picture, the planes from the first of the block.
func (w *winograd) multiply() {
	f := w.f
	points, kernel := emit.I32Const(w.points()), len(w.g)
	f.Set(w.planeIn, emit.I32Sub(emit.Plus(w.scratch, w.at.inPlanes), emit.Times(w.here, 4*w.In.C)))
	f.Set(w.planeOut, emit.I32Sub(emit.Plus(w.scratch, w.at.outPlanes), emit.Times(w.here, 4*w.Out.C)))
	row := func(x emit.Value) emit.Value {
		last := emit.I32Const(kernel - 1)
		return emit.Select(emit.I32LtS(x, last), x, last)
	}
	f.For(w.u, emit.I32Const(0), points, 1, func() {
		f.For(w.v, emit.I32Const(0), points, 1, func() {
			index := emit.I32Add(emit.Times(row(w.u), kernel), row(w.v))
			f.Set(w.matrix, emit.I32Add(w.weights, emit.Times(index, 4*w.matrixFloats())))
			w.nest.blocks()
			f.Inc(w.planeIn, w.at.inPlane)
			f.Inc(w.planeOut, w.at.outPlane)
		})
	})
}
