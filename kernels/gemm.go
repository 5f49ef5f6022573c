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
	pre        *View // sums to start from
	preUp      int   // 2: of half the size
	act        Activation
	kBlock     int // k done before the next tile is; partial sums wait in the output. 0: all

	a, w, o, r emit.Value    // tile's input, block of weights, output, residual
	p          [2]emit.Value // sums to start from; with preUp 2 of even and odd pixels
	ap, wp     emit.Value    // walking through k
	end, row   emit.Value    // of a segment, counting rows
	kb         emit.Value    // with kBlock: bytes of the pixel done in earlier blocks of k
	last       emit.Value    // 1 in the last block of k
	x          emit.Value    // one input in all lanes
	wv         []emit.Value  // weights of one k
	acc        [][]emit.Value
}

func newGemm(f *emit.Func, g gemm) *gemm {
	g.f = f
	if g.unroll == 0 {
		g.unroll = 8
	}
	g.columns = max(g.columns, 1)
	for _, v := range []struct {
		v    *emit.Value
		name string
	}{{&g.a, "a"}, {&g.w, "w"}, {&g.o, "o"}, {&g.ap, "ap"}, {&g.wp, "wp"}, {&g.end, "kEnd"}, {&g.row, "ky"}} {
		*v.v = f.Local(emit.I32, v.name)
	}
	if g.residual != nil {
		g.r = f.Local(emit.I32, "r")
	}
	if g.pre != nil {
		g.p = [2]emit.Value{f.Local(emit.I32, "p0"), f.Local(emit.I32, "p1")}
	}
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
	if g.kBlock > 0 {
		g.kb, g.last = f.Local(emit.I32, "kb"), f.Local(emit.I32, "last")
	}
	return &g
}

// k is the number of products that one output sums.
func (g *gemm) k() int { return g.rows * g.columns * g.segment }

// blockBytes is the size of a packed block of n channels.
func (g *gemm) blockBytes(n int) int { return 16 * vectors(n) * (g.k() + 1) }

// compute writes one tile of n pixels and c channels at a, w, o (and r).
func (g *gemm) compute(n, c int) {
	g.start(n, c)
	g.f.Set(g.ap, g.a)
	switch {
	case g.kBlock > 0:
		g.f.Set(g.ap, emit.I32Add(g.a, g.kb))
		g.blocked(n, c)
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
	g.finish(n, c)
}

// line writes one row of k and moves to the next.
func (g *gemm) line(n, c int) {
	for range g.columns {
		g.loop(n, c)
		if g.columns > 1 {
			g.f.Inc(g.ap, g.columnStep-4*g.segment)
		}
	}
	if g.rows > 1 {
		width := 4 * g.segment
		if g.columns > 1 {
			width = g.columns * g.columnStep
		}
		g.f.Inc(g.ap, g.rowStep-width)
	}
}

// loop writes one segment of k: unrolled steps and the rest.
func (g *gemm) loop(n, c int) {
	body := g.segment / g.unroll * g.unroll
	if g.segment <= 2*g.unroll {
		body = 0
	}
	if body > 0 {
		g.f.Set(g.end, emit.Plus(g.ap, 4*body))
		g.f.DoWhile(func() { g.block(n, c, g.unroll) }, emit.I32LtU(g.ap, g.end))
	}
	g.block(n, c, g.segment-body)
}

// block writes steps of k and moves on.
func (g *gemm) block(n, c, steps int) {
	g.steps(n, c, steps, 0, 0)
	g.f.Inc(g.ap, 4*steps)
	g.f.Inc(g.wp, 16*vectors(c)*steps)
}

// blocked writes one block of k: kBlock products, or the rest in the last one.
func (g *gemm) blocked(n, c int) {
	g.f.Set(g.end, emit.Plus(g.ap, 4*g.kBlock))
	rest := g.segment - (g.segment-1)/g.kBlock*g.kBlock
	if rest < g.kBlock {
		whole := rest / g.unroll * g.unroll
		g.f.If(g.last, func() { g.f.Set(g.end, emit.Plus(g.ap, 4*whole)) })
	}
	g.f.While(emit.I32LtU(g.ap, g.end), func() { g.block(n, c, g.unroll) })
	if rest%g.unroll > 0 {
		g.f.If(g.last, func() { g.block(n, c, rest%g.unroll) })
	}
}

// steps writes products for consecutive k at ap+a and wp+w.
func (g *gemm) steps(n, c, steps, a, w int) {
	f, nv := g.f, vectors(c)
	for k := range steps {
		for j := range nv {
			f.Set(g.wv[j], emit.V128Load(g.wp, w+16*(nv*k+j)))
		}
		for i := range n {
			f.Set(g.x, emit.V128Load32Splat(g.ap, a+i*g.inStep+4*k))
			for j := range nv {
				f.Set(g.acc[i][j], g.madd(g.x, g.wv[j], g.acc[i][j]))
			}
		}
	}
}

// start sets the accumulators to the bias or, in later blocks of k, to the sums so far.
func (g *gemm) start(n, c int) {
	f, nv := g.f, vectors(c)
	bias := func() {
		for j := range nv {
			f.Set(g.wv[j], emit.V128Load(g.w, 16*j))
			for i := range n {
				f.Set(g.acc[i][j], g.wv[j])
			}
		}
		if g.pre != nil {
			g.each(n, c, func(i, j, lanes int) {
				f.Set(g.acc[i][j], emit.F32x4Add(g.acc[i][j], g.before(i, j, lanes)))
			})
		}
	}
	if g.kBlock == 0 {
		bias()
		f.Set(g.wp, emit.Plus(g.w, 16*nv))
		return
	}
	f.If(g.kb, func() {
		g.each(n, c, func(i, j, lanes int) {
			f.Set(g.acc[i][j], loadChannels(g.o, i*g.out.PixelStride+16*j, lanes))
		})
	}, bias)
	f.Set(g.wp, emit.Plus(emit.I32Add(g.w, emit.Times(g.kb, 4*nv)), 16*nv))
}

// before loads the sums that pixel i starts from.
func (g *gemm) before(i, j, lanes int) emit.Value {
	if g.preUp < 2 {
		return loadChannels(g.p[0], i*g.pre.PixelStride+16*j, lanes)
	}
	return loadChannels(g.p[i%2], i/2*g.pre.PixelStride+16*j, lanes)
}

// finish applies the activation, adds the residual and stores.
func (g *gemm) finish(n, c int) {
	if g.act.long() && g.residual == nil {
		g.store(n, c)
		g.lastBlock(func() { g.second(n, c) })
		return
	}
	g.lastBlock(func() {
		act := g.act.apply(g.f, g.Options)
		g.each(n, c, func(i, j, lanes int) {
			act(g.acc[i][j])
			if g.residual != nil {
				r := loadChannels(g.r, i*g.residual.PixelStride+16*j, lanes)
				g.f.Set(g.acc[i][j], emit.F32x4Add(g.acc[i][j], r))
			}
		})
	})
	g.store(n, c)
}

// lastBlock runs body where the sums are complete.
func (g *gemm) lastBlock(body func()) {
	if g.kBlock > 0 {
		g.f.If(g.last, body)
	} else {
		body()
	}
}

func (g *gemm) store(n, c int) {
	g.each(n, c, func(i, j, lanes int) {
		storeChannels(g.f, g.o, i*g.out.PixelStride+16*j, lanes, g.acc[i][j])
	})
}

// second goes through the stored sums of the tile once more, pixel by pixel. In place of
// the sums the registers hold the activation's constants. (A residual would be gone
// by then where it is the output itself.)
func (g *gemm) second(n, c int) {
	act := g.act.apply(g.f, g.Options)
	o, x := g.ap, g.acc[0]
	g.f.Set(o, g.o)
	g.f.Set(g.end, emit.Plus(g.o, n*g.out.PixelStride))
	g.f.DoWhile(func() {
		for j := range vectors(c) {
			lanes := min(4, c-4*j)
			g.f.Set(x[j], loadChannels(o, 16*j, lanes))
			act(x[j])
			storeChannels(g.f, o, 16*j, lanes, x[j])
		}
		g.f.Inc(o, g.out.PixelStride)
	}, emit.I32LtU(o, g.end))
}

// each visits the accumulators of a tile; lanes of the last vector may be fewer than 4.
func (g *gemm) each(n, c int, do func(i, j, lanes int)) {
	for i := range n {
		for j := range vectors(c) {
			do(i, j, min(4, c-4*j))
		}
	}
}
