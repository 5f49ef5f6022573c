package kernels

import (
	"fmt"

	"spotter/kernels/emit"
)

// Tile is the block of the result that a convolution computes in registers.
type Tile struct{ Pixels, Channels int }

// vectors is the number of registers that n channels fill.
func vectors(n int) int { return (n + 3) / 4 }

// gemm writes the inner part of the convolutions: tiles of the product of
// input pixels and a packed block of weights. A block holds the bias of its
// channels, then for each k one weight a channel, in the order in which k walks the
// input: rows of segments of consecutive floats.
type gemm struct {
	Options
	f          *emit.Func
	tile       Tile
	unroll     int  // of k
	rows       int  // segments of k: the kernel's rows, 1 for pointwise
	columns    int  // segments in a row, 0 is 1: the kernel's columns where they are dilated
	segment    int  // floats
	rowStep    int  // bytes from one row to the next
	columnStep int  // bytes from one segment to the next in a row
	inStep     int  // bytes from one pixel to the next
	out        View // for the pixel stride
	residual   *View
	act        Activation

	a, w, o, r emit.Value // tile's input, block of weights, output, residual
	ap         walk       // walking through k
	op, rp     walk       // the tile's output and, where there is one, its residual
	wp         emit.Value
	end, row   emit.Value   // of a segment, counting rows
	x          emit.Value   // one input in all lanes
	wv         []emit.Value // weights of one k
	acc        [][]emit.Value
}

// walk holds the addresses of a tile's pixels: one variable and the bytes from one pixel
// to the next or, where those are a variable too, one for each pixel.
type walk struct {
	at   []emit.Value
	step int
	by   emit.Value
}

// pixel is the address of pixel i: a variable and what is to be added to it.
func (w walk) pixel(i int) (emit.Value, int) {
	if len(w.at) > 1 {
		return w.at[i], 0
	}
	return w.at[0], i * w.step
}

// next moves an address to the next pixel.
func (w walk) next(f *emit.Func, at emit.Value) {
	if w.by == (emit.Value{}) {
		f.Inc(at, w.step)
	} else {
		f.Set(at, emit.I32Add(at, w.by))
	}
}

// newGemm is for a layer's own function, where all sizes are constant.
func newGemm(f *emit.Func, g gemm) *gemm {
	g.f = f
	g.columns = max(g.columns, 1)
	g.a, g.o = f.Local(emit.I32, "tileIn"), f.Local(emit.I32, "tileOut")
	if g.residual != nil {
		g.r = f.Local(emit.I32, "tileResidual")
		g.rp = walk{at: []emit.Value{g.r}, step: g.residual.PixelStride}
	}
	g.ap = walk{at: []emit.Value{f.Local(emit.I32, "ap")}, step: g.inStep}
	g.op = walk{at: []emit.Value{g.o}, step: g.out.PixelStride}
	g.row = f.Local(emit.I32, "ky")
	g.registers()
	return &g
}

// registers makes the locals of a tile.
func (g *gemm) registers() {
	f := g.f
	if g.unroll == 0 {
		g.unroll = 8
	}
	g.wp, g.end = f.Local(emit.I32, "wp"), f.Local(emit.I32, "kEnd")
	g.x = f.Local(emit.V128, "x")
	for j := range vectors(g.tile.Channels) {
		g.wv = append(g.wv, f.Local(emit.V128, fmt.Sprintf("w%d", j)))
	}
	for i := range g.tile.Pixels {
		row := make([]emit.Value, len(g.wv))
		for j := range row {
			row[j] = f.Local(emit.V128, fmt.Sprintf("acc%d%d", i, j))
		}
		g.acc = append(g.acc, row)
	}
}

// k is the number of products that one output sums.
func (g *gemm) k() int { return g.rows * g.columns * g.segment }

// compute writes one tile of n pixels and c channels at a, w, o (and r).
func (g *gemm) compute(n, c int) {
	g.start(n, c)
	g.f.Set(g.ap.at[0], g.a)
	switch {
	case g.rows > 1 && g.columns == 1 && g.k() <= 54: // the stem: all of it in one piece
		for y := range g.rows {
			g.steps(n, c, g.segment, y*g.rowStep, 16*vectors(c)*g.segment*y)
		}
	case g.rows > 1:
		g.f.Set(g.row, emit.I32Const(g.rows))
		g.f.DoWhile(func() {
			g.line(n, c)
			g.f.Inc(g.row, -1)
		}, g.row)
	default:
		g.line(n, c)
	}
	g.finish(n, c, func(body func()) { body() })
}

// line writes one row of k and moves to the next.
func (g *gemm) line(n, c int) {
	for range g.columns {
		g.loop(n, c)
		if g.columns > 1 {
			g.move(g.columnStep - 4*g.segment)
		}
	}
	if g.rows > 1 {
		width := 4 * g.segment
		if g.columns > 1 {
			width = g.columns * g.columnStep
		}
		g.move(g.rowStep - width)
	}
}

// move adds to the input's addresses.
func (g *gemm) move(bytes int) {
	for _, a := range g.ap.at {
		g.f.Inc(a, bytes)
	}
}

// loop writes one segment of k: unrolled steps and the rest.
func (g *gemm) loop(n, c int) {
	body := g.segment / g.unroll * g.unroll
	if g.segment <= 2*g.unroll {
		body = 0
	}
	if body > 0 {
		g.f.Set(g.end, emit.Plus(g.ap.at[0], 4*body))
		g.f.DoWhile(func() { g.block(n, c, g.unroll) }, emit.I32LtU(g.ap.at[0], g.end))
	}
	g.block(n, c, g.segment-body)
}

// block writes steps of k and moves on.
func (g *gemm) block(n, c, steps int) {
	g.steps(n, c, steps, 0, 0)
	g.move(4 * steps)
	g.f.Inc(g.wp, 16*vectors(c)*steps)
}

// steps writes products for consecutive k at ap+a and wp+w.
func (g *gemm) steps(n, c, steps, a, w int) {
	f, nv := g.f, vectors(c)
	for k := range steps {
		for j := range nv {
			f.Set(g.wv[j], emit.V128Load(g.wp, w+16*(nv*k+j)))
		}
		for i := range n {
			at, offset := g.ap.pixel(i)
			f.Set(g.x, emit.V128Load32Splat(at, a+offset+4*k))
			for j := range nv {
				f.Set(g.acc[i][j], g.madd(g.x, g.wv[j], g.acc[i][j]))
			}
		}
	}
}

// start sets the accumulators to the bias.
func (g *gemm) start(n, c int) {
	f, nv := g.f, vectors(c)
	for j := range nv {
		f.Set(g.wv[j], emit.V128Load(g.w, 16*j))
		for i := range n {
			f.Set(g.acc[i][j], g.wv[j])
		}
	}
	f.Set(g.wp, emit.Plus(g.w, 16*nv))
}

// finish applies the activation, adds the residual and stores; complete runs its body
// where the sums are.
func (g *gemm) finish(n, c int, complete func(body func())) {
	residual := g.rp.at != nil
	if g.act.long() && !residual {
		g.store(n, c)
		complete(func() { g.second(n, c) })
		return
	}
	complete(func() {
		act := g.act.apply(g.f, g.Options)
		g.each(n, c, func(i, j, lanes int) {
			act(g.acc[i][j])
			if residual {
				at, offset := g.rp.pixel(i)
				g.f.Set(g.acc[i][j], emit.F32x4Add(g.acc[i][j], loadChannels(at, offset+16*j, lanes)))
			}
		})
	})
	g.store(n, c)
}

// store writes the tile's sums.
func (g *gemm) store(n, c int) {
	g.each(n, c, func(i, j, lanes int) {
		at, offset := g.op.pixel(i)
		storeChannels(g.f, at, offset+16*j, lanes, g.acc[i][j])
	})
}

// second goes through the stored sums of the tile once more, pixel by pixel. In place of
// the sums the registers hold the activation's constants. (A residual would be gone
// by then where it is the output itself.)
func (g *gemm) second(n, c int) {
	act := g.act.apply(g.f, g.Options)
	o, x := g.ap.at[0], g.acc[0]
	last, offset := g.op.pixel(n - 1)
	g.f.Set(o, g.op.at[0])
	g.f.Set(g.end, emit.Plus(last, offset))
	g.f.DoWhile(func() {
		for j := range vectors(c) {
			lanes := min(4, c-4*j)
			g.f.Set(x[j], loadChannels(o, 16*j, lanes))
			act(x[j])
			storeChannels(g.f, o, 16*j, lanes, x[j])
		}
		g.op.next(g.f, o)
	}, emit.I32LeU(o, g.end))
}

// each visits the accumulators of a tile; lanes of the last vector may be fewer than 4.
func (g *gemm) each(n, c int, do func(i, j, lanes int)) {
	for i := range n {
		for j := range vectors(c) {
			do(i, j, min(4, c-4*j))
		}
	}
}
