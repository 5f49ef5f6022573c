package kernels

import "spotter/kernels/emit"

// nest writes the loops around the tiles of a convolution: chunks of the thread's
// pixels, so that their input stays in the cache; blocks of output channels, so
// that their weights do; blocks of k; tiles of pixels.
type nest struct {
	g             *gemm
	f             *emit.Func
	channels      int  // of the output
	width, height int  // pixels of a row, rows; a run of all pixels is one row
	byRow         bool // units are rows, not tiles of the run
	inRow         int  // bytes from the input of an output's row to the next one's
	split         Split
	chunk         int                            // pixels
	prepare       func(y0, y1 emit.Value)        // convolutions: gathers the input of rows y0..y1
	input         func(y0 emit.Value) emit.Value // address of what row y0 (or the run) reads

	weights, out   emit.Value // parameters
	begin, end     emit.Value // of units
	beside         []beside
	u0, u1, c0, c1 emit.Value // the thread's units, the chunk's
	block, o0      emit.Value // block of channels, address of its first output
	aEnd, y        emit.Value

	half, halfRow, x emit.Value // sums of half the size: parameter, their row, pixel in the output's row
}

// beside is a view of the output's size that a kernel reads tile by tile.
type beside struct {
	at   emit.Value // of the tile
	base emit.Value // parameter
	view *View
}

// newNest takes the function's parameters: in, weights, out[, residual][, pre], ..., begin, end.
func newNest(g *gemm, channels int, params []emit.Value) *nest {
	n := &nest{g: g, f: g.f, channels: channels, weights: params[1], out: params[2]}
	next := 3
	if g.residual != nil {
		n.beside = append(n.beside, beside{g.r, params[next], g.residual})
		next++
	}
	switch {
	case g.pre != nil && g.preUp > 1:
		n.half, n.halfRow, n.x = params[next], g.f.Local(emit.I32, "halfRow"), g.f.Local(emit.I32, "x")
	case g.pre != nil:
		n.beside = append(n.beside, beside{g.p[0], params[next], g.pre})
	}
	n.begin, n.end = params[len(params)-2], params[len(params)-1]
	n.input = func(emit.Value) emit.Value { return params[0] }
	for _, l := range []struct {
		v    *emit.Value
		name string
	}{{&n.c0, "c0"}, {&n.c1, "c1"}, {&n.block, "block"}, {&n.o0, "o0"}, {&n.aEnd, "aEnd"}, {&n.y, "y"}} {
		*l.v = g.f.Local(emit.I32, l.name)
	}
	return n
}

// tiles of a row: whole ones, and the pixels that are left.
func (n *nest) tiles() (whole, rest int) {
	return n.width / n.g.tile.Pixels, n.width % n.g.tile.Pixels
}

// unitPixels is the size of a unit of work: a tile of the run, or a row.
func (n *nest) unitPixels() int {
	if !n.byRow {
		return n.g.tile.Pixels
	}
	return n.width
}

// all writes the whole nest.
func (n *nest) all() {
	f := n.f
	total := ceilDiv(n.width*n.height, n.unitPixels())
	n.u0, n.u1 = n.begin, n.end
	if n.split == SplitChannels {
		n.u0, n.u1 = emit.I32Const(0), emit.I32Const(total)
	}
	step := max(n.chunk/n.unitPixels(), 1)
	if n.chunk == 0 || step >= total {
		f.Set(n.c0, n.u0)
		f.Set(n.c1, n.u1)
		f.If(emit.I32LtS(n.c0, n.c1), n.blocks)
		return
	}
	f.For(n.c0, n.u0, n.u1, step, func() {
		next := emit.Plus(n.c0, step)
		f.Set(n.c1, emit.Select(emit.I32LtS(next, n.u1), next, n.u1))
		n.blocks()
	})
}

// blocks writes the loop over the blocks of output channels of a chunk.
func (n *nest) blocks() {
	f, g := n.f, n.g
	nc := g.tile.Channels
	full, rest := n.channels/nc, n.channels%nc
	if n.prepare != nil {
		n.prepare(n.c0, n.c1)
	}
	f.Set(g.w, n.weights)
	f.Set(n.o0, n.out)
	first, last := emit.I32Const(0), emit.I32Const(full)
	if n.split == SplitChannels {
		first, last = n.begin, f.Local(emit.I32, "lastBlock")
		f.Set(g.w, emit.I32Add(n.weights, emit.Times(first, g.blockBytes(nc))))
		f.Set(n.o0, emit.I32Add(n.out, emit.Times(first, 4*nc)))
		f.Set(last, emit.Select(emit.I32LtS(n.end, emit.I32Const(full)), n.end, emit.I32Const(full)))
	}
	if full > 0 {
		f.For(n.block, first, last, 1, func() {
			n.kBlocks(nc)
			f.Inc(g.w, g.blockBytes(nc))
			f.Inc(n.o0, 4*nc)
		})
	}
	if rest == 0 {
		return
	}
	if n.split == SplitChannels {
		f.If(emit.I32GtS(n.end, emit.I32Const(full)), func() { n.kBlocks(rest) })
		return
	}
	n.kBlocks(rest)
}

// kBlocks writes the loop over the blocks of k for a block of c channels.
func (n *nest) kBlocks(c int) {
	f, g := n.f, n.g
	if g.kBlock == 0 {
		n.rows(c)
		return
	}
	f.For(g.kb, emit.I32Const(0), emit.I32Const(4*g.segment), 4*g.kBlock, func() {
		f.Set(g.last, emit.I32GeU(g.kb, emit.I32Const(4*((g.segment-1)/g.kBlock*g.kBlock))))
		n.rows(c)
	})
}

// rows writes the tiles of a chunk: of one run, or row by row.
func (n *nest) rows(c int) {
	f, g := n.f, n.g
	whole, rest := n.tiles()
	if !n.byRow {
		px := g.tile.Pixels
		n.place(n.c0, px*g.inStep, func(v *View) int { return px * v.PixelStride })
		if whole > 0 {
			end := emit.Select(emit.I32LtS(n.c1, emit.I32Const(whole)), n.c1, emit.I32Const(whole))
			f.Set(n.aEnd, emit.I32Add(n.input(n.c0), emit.Times(end, px*g.inStep)))
			f.While(emit.I32LtU(g.a, n.aEnd), func() { n.tile(px, c) })
		}
		if rest > 0 {
			f.If(emit.I32GtS(n.c1, emit.I32Const(whole)), func() { g.compute(rest, c) })
		}
		return
	}
	n.place(n.c0, n.inRow, func(v *View) int { return v.RowStride })
	f.For(n.y, n.c0, n.c1, 1, func() { n.row(c, whole, rest) })
}

// place sets the tile's addresses to unit u, given the bytes from one to the next in the
// input and in other views.
func (n *nest) place(u emit.Value, inStep int, step func(*View) int) {
	f, g := n.f, n.g
	from := emit.I32Add(n.input(u), emit.Times(u, inStep))
	if n.prepare != nil {
		from = n.input(u)
	}
	f.Set(g.a, from)
	f.Set(g.o, emit.I32Add(n.o0, emit.Times(u, step(&g.out))))
	block := emit.I32Sub(n.o0, n.out) // the other views' channels keep pace with the output's
	for _, b := range n.beside {
		f.Set(b.at, emit.I32Add(emit.I32Add(b.base, block), emit.Times(u, step(b.view))))
	}
}

// row writes the tiles of one row and moves on to the next.
func (n *nest) row(c, whole, rest int) {
	f, g := n.f, n.g
	px := g.tile.Pixels
	if n.halves() {
		y := emit.I32ShrU(n.y, emit.I32Const(1))
		f.Set(n.halfRow, emit.I32Add(emit.I32Add(n.half, emit.I32Sub(n.o0, n.out)), emit.Times(y, g.pre.RowStride)))
		f.Set(n.x, emit.I32Const(0))
	}
	switch {
	case whole == 1:
		n.tile(px, c)
	case whole > 1:
		f.Set(n.aEnd, emit.Plus(g.a, whole*px*g.inStep))
		f.DoWhile(func() { n.tile(px, c) }, emit.I32LtU(g.a, n.aEnd))
	}
	if rest > 0 {
		n.startHalves()
		g.compute(rest, c)
	}
	done := whole * px
	f.Inc(g.a, n.inRow-done*g.inStep)
	f.Inc(g.o, g.out.RowStride-done*g.out.PixelStride)
	for _, b := range n.beside {
		f.Inc(b.at, b.view.RowStride-done*b.view.PixelStride)
	}
}

// tile computes one tile and moves on behind it.
func (n *nest) tile(px, c int) {
	f, g := n.f, n.g
	n.startHalves()
	g.compute(px, c)
	f.Inc(g.a, px*g.inStep)
	f.Inc(g.o, px*g.out.PixelStride)
	for _, b := range n.beside {
		f.Inc(b.at, px*b.view.PixelStride)
	}
	if n.halves() {
		f.Inc(n.x, px)
	}
}

// halves reports whether the sums to start from have half the output's size.
func (n *nest) halves() bool { return n.half != (emit.Value{}) }

// startHalves sets the addresses of a tile's even and odd pixels in the sums of half the
// size: where the tile begins at an odd pixel, its odd ones are one further.
func (n *nest) startHalves() {
	if !n.halves() {
		return
	}
	for i, at := range n.g.p {
		x := emit.I32ShrU(emit.Plus(n.x, i), emit.I32Const(1))
		n.f.Set(at, emit.I32Add(n.halfRow, emit.Times(x, n.g.pre.PixelStride)))
	}
}
