package kernels

import "spotter/kernels/emit"

// nest writes the loops around the tiles of a convolution: chunks of the thread's
// pixels, so that their input stays in the cache; blocks of output channels, so
// that their weights do; blocks of k; rows, or one run of all pixels.
type nest struct {
	f             *emit.Func
	tile          Tile
	k             int  // products that one output sums
	inStep        int  // bytes from the input of a pixel to the next one's
	out           View // strides, and how many channels
	width, height int  // pixels of a row, rows; a run of all pixels is one row
	byRow         bool // units are rows, not tiles of the run
	inRow         int  // bytes from the input of an output's row to the next one's
	split         Split
	chunk         int                            // pixels
	kBlock        int                            // k done before the next tile is; 0: all
	prepare       func(y0, y1 emit.Value)        // convolutions: gathers the input of rows y0..y1
	input         func(y0 emit.Value) emit.Value // address of what row y0 (or the run) reads
	tiles         tiler

	weights, outAt emit.Value // parameters
	begin, end     emit.Value // of units
	beside         []beside
	a, w, o        emit.Value // a row's (or the run's) input, block of weights, output
	c0, c1         emit.Value // the chunk's units
	block, o0      emit.Value // block of channels, address of its first output
	y              emit.Value
	kb, last       emit.Value // with kBlock: bytes of k done before, whether the rest completes it
}

// tiler computes the tiles of a row for a block of c channels: count of n pixels each,
// the first one skip pixels behind the nest's addresses, which stay.
type tiler interface {
	row(n, c int, count emit.Value, skip int)
}

// beside is another view that a kernel reads along with its output.
type beside struct {
	at   emit.Value // of the row
	base emit.Value // parameter
	view *View
	up   int // 2: of half the output's size in both directions
}

// newNest takes the function's parameters: in, weights, out, those of the views beside, ..., begin, end.
func newNest(f *emit.Func, n nest, params []emit.Value, views ...*View) *nest {
	n.f, n.weights, n.outAt = f, params[1], params[2]
	next := 3
	for _, v := range views {
		if v != nil {
			n.beside = append(n.beside, beside{at: f.Local(emit.I32, "beside"), base: params[next], view: v, up: 1})
			next++
		}
	}
	n.begin, n.end = params[len(params)-2], params[len(params)-1]
	n.input = func(emit.Value) emit.Value { return params[0] }
	for _, l := range []struct {
		v    *emit.Value
		name string
	}{{&n.a, "a"}, {&n.w, "w"}, {&n.o, "o"}, {&n.c0, "c0"}, {&n.c1, "c1"}, {&n.block, "block"}, {&n.o0, "o0"}, {&n.y, "y"}} {
		*l.v = f.Local(emit.I32, l.name)
	}
	if n.kBlock > 0 {
		n.kb, n.last = f.Local(emit.I32, "kb"), f.Local(emit.I32, "last")
	}
	return &n
}

// blockBytes is the size of a packed block of c channels.
func (n *nest) blockBytes(c int) int { return 16 * vectors(c) * (n.k + 1) }

// unitPixels is the size of a unit of work: a tile of the run, or a row.
func (n *nest) unitPixels() int {
	if !n.byRow {
		return n.tile.Pixels
	}
	return n.width
}

// all writes the whole nest.
func (n *nest) all() {
	f := n.f
	total := ceilDiv(n.width*n.height, n.unitPixels())
	u0, u1 := n.begin, n.end // the thread's units
	if n.split == SplitChannels {
		u0, u1 = emit.I32Const(0), emit.I32Const(total)
	}
	step := max(n.chunk/n.unitPixels(), 1)
	if n.chunk == 0 || step >= total {
		f.Set(n.c0, u0)
		f.Set(n.c1, u1)
		f.If(emit.I32LtS(n.c0, n.c1), n.blocks)
		return
	}
	f.For(n.c0, u0, u1, step, func() {
		next := emit.Plus(n.c0, step)
		f.Set(n.c1, emit.Select(emit.I32LtS(next, u1), next, u1))
		n.blocks()
	})
}

// blocks writes the loop over the blocks of output channels of a chunk.
func (n *nest) blocks() {
	f, nc := n.f, n.tile.Channels
	full, rest := n.out.C/nc, n.out.C%nc
	if n.prepare != nil {
		n.prepare(n.c0, n.c1)
	}
	f.Set(n.w, n.weights)
	f.Set(n.o0, n.outAt)
	first, last := emit.I32Const(0), emit.I32Const(full)
	if n.split == SplitChannels {
		first, last = n.begin, f.Local(emit.I32, "lastBlock")
		f.Set(n.w, emit.I32Add(n.weights, emit.Times(first, n.blockBytes(nc))))
		f.Set(n.o0, emit.I32Add(n.outAt, emit.Times(first, 4*nc)))
		f.Set(last, emit.Select(emit.I32LtS(n.end, emit.I32Const(full)), n.end, emit.I32Const(full)))
	}
	if full > 0 {
		f.For(n.block, first, last, 1, func() {
			n.kBlocks(nc)
			f.Inc(n.w, n.blockBytes(nc))
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
	if n.kBlock == 0 {
		n.rows(c)
		return
	}
	f := n.f
	f.For(n.kb, emit.I32Const(0), emit.I32Const(4*n.k), 4*n.kBlock, func() {
		f.Set(n.last, emit.I32GeU(n.kb, emit.I32Const(4*((n.k-1)/n.kBlock*n.kBlock))))
		n.rows(c)
	})
}

// rows writes the tiles of a chunk: of one run, or row by row.
func (n *nest) rows(c int) {
	f, px := n.f, n.tile.Pixels
	whole, rest := n.width/px, n.width%px
	if n.byRow {
		n.place(n.c0)
		f.For(n.y, n.c0, n.c1, 1, func() {
			if whole > 0 {
				n.tiles.row(px, c, emit.I32Const(whole), 0)
			}
			if rest > 0 {
				n.tiles.row(rest, c, emit.I32Const(1), whole*px)
			}
			n.nextRow()
		})
		return
	}
	if whole > 0 {
		n.place(n.c0)
		end := emit.Select(emit.I32LtS(n.c1, emit.I32Const(whole)), n.c1, emit.I32Const(whole))
		n.tiles.row(px, c, emit.I32Sub(end, n.c0), 0)
	}
	if rest > 0 {
		f.If(emit.I32GtS(n.c1, emit.I32Const(whole)), func() {
			n.place(emit.I32Const(whole))
			n.tiles.row(rest, c, emit.I32Const(1), 0)
		})
	}
}

// place sets the addresses to unit u.
func (n *nest) place(u emit.Value) {
	f := n.f
	step, inStep := func(v *View) int { return v.RowStride }, n.inRow
	if !n.byRow {
		step, inStep = func(v *View) int { return n.tile.Pixels * v.PixelStride }, n.tile.Pixels*n.inStep
	}
	from := n.input(u)
	if n.prepare == nil {
		from = emit.I32Add(from, emit.Times(u, inStep))
	}
	f.Set(n.a, from)
	f.Set(n.o, emit.I32Add(n.o0, emit.Times(u, step(&n.out))))
	block := emit.I32Sub(n.o0, n.outAt) // the other views' channels keep pace with the output's
	for _, b := range n.beside {
		at := u
		if b.up > 1 {
			at = emit.I32ShrU(u, emit.I32Const(1))
		}
		f.Set(b.at, emit.I32Add(emit.I32Add(b.base, block), emit.Times(at, step(b.view))))
	}
}

// nextRow moves on to the next row.
func (n *nest) nextRow() {
	f := n.f
	f.Inc(n.a, n.inRow)
	f.Inc(n.o, n.out.RowStride)
	for _, b := range n.beside {
		if b.up > 1 { // two rows read the same one
			odd := emit.I32And(n.y, emit.I32Const(1))
			f.Set(b.at, emit.I32Add(b.at, emit.I32Mul(odd, emit.I32Const(b.view.RowStride))))
			continue
		}
		f.Inc(b.at, b.view.RowStride)
	}
}
