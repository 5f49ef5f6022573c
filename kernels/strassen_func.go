package kernels

import (
	"fmt"

	"spotter/kernels/emit"
)

// strassenLayout places a thread's scratch memory: the input's sums for each product,
// then sums of products of half a chunk and a block of channels, then zeros, for
// sums to start from and for pixels behind the last.
type strassenLayout struct {
	plane, sums, sum, zeros, end int
}

func (p StrassenParams) layout() strassenLayout {
	l := strassenLayout{plane: planeBytes(4 * p.half() * p.In.C / 2), sum: 4 * p.half() * p.Tile.Channels}
	l.sums = 7 * l.plane
	l.zeros = l.sums + 5*l.sum
	l.end = l.zeros + max(l.sum, 4*p.In.C)
	return l
}

// ScratchBytes is the memory in bytes that each thread needs.
func (p StrassenParams) ScratchBytes() int {
	p.check()
	return p.layout().end
}

// strassen holds the locals of a StrassenFunc while it is emitted.
type strassen struct {
	StrassenParams
	f                         *emit.Func
	at                        strassenLayout
	in, weights, out, scratch emit.Value
	pixel                     emit.Value // first of the chunk
	product, finish           *emit.Func
}

// StrassenFunc emits f(in, weights, out, scratch, begin, end).
func StrassenFunc(m *emit.Module, p StrassenParams) *emit.Func {
	p.check()
	if f := m.Func(p.funcName()); f != nil {
		return f
	}
	i := emit.I32
	f := m.NewFunc(p.funcName(), []emit.Type{i, i, i, i, i, i}, nil)
	v := f.Params("in", "weights", "out", "scratch", "begin", "end")
	begin, end := v[4], v[5]
	s := &strassen{
		StrassenParams: p, f: f, at: p.layout(), in: v[0], weights: f.Local(i, "w"), out: f.Local(i, "o"), scratch: v[3],
		pixel: f.Local(i, "pixel"), product: p.productFunc(m), finish: p.finishFunc(m),
	}
	f.If(emit.I32GeS(begin, end), func() { f.Return() })
	f.Do(emit.MemoryFill(emit.Plus(s.scratch, s.at.zeros), emit.I32Const(0), emit.I32Const(s.at.end-s.at.zeros)))
	unit := f.Local(i, "unit")
	f.For(s.pixel, emit.I32Const(0), emit.I32Const(p.pixels()), 2*p.half(), func() {
		s.planes()
		f.Set(s.weights, emit.I32Add(v[1], emit.Times(begin, 4*p.pairFloats())))
		offset := emit.I32Add(emit.Times(begin, 4*p.Tile.Channels), emit.Times(s.pixel, p.Out.PixelStride))
		f.Set(s.out, emit.I32Add(v[2], offset))
		f.For(unit, begin, end, 1, func() {
			s.pair()
			f.Inc(s.weights, 4*p.pairFloats())
			f.Inc(s.out, 4*p.Tile.Channels)
		})
	})
	return f
}

// planes writes the sums of the quarters of the chunk's input.
func (s *strassen) planes() {
	f, i := s.f, emit.I32
	y, dst, stop := f.Local(i, "y"), f.Define("dst", s.scratch), f.Local(i, "stop")
	var row [2]emit.Value
	for h := range row {
		row[h] = f.Local(i, "row")
	}
	var q [4]emit.Value
	for k := range q {
		q[k] = f.Local(emit.V128, "q")
	}
	below := 2 * s.In.C // bytes of half the channels
	f.For(y, s.pixel, emit.Plus(s.pixel, s.half()), 1, func() {
		for h := range row {
			at := emit.Plus(y, h*s.half())
			address := emit.I32Add(s.in, emit.Times(at, s.In.PixelStride))
			f.Set(row[h], emit.Select(emit.I32LtS(at, emit.I32Const(s.pixels())), address, emit.Plus(s.scratch, s.at.zeros)))
		}
		f.Set(stop, emit.Plus(dst, below))
		f.DoWhile(func() {
			for k := range q {
				f.Set(q[k], emit.V128Load(row[k/2], k%2*below, 4))
			}
			for k, product := range strassenProducts {
				f.Do(emit.V128Store(dst, k*s.at.plane, signed(product.in, q)))
			}
			for h := range row {
				f.Inc(row[h], 16)
			}
			f.Inc(dst, 16)
		}, emit.I32LtU(dst, stop))
	})
}

// pair writes the products of a pair of blocks and the four quarters of their output.
func (s *strassen) pair() {
	f, none := s.f, -1
	sum := func(i int) emit.Value {
		if i == none {
			return emit.Plus(s.scratch, s.at.zeros)
		}
		return emit.Plus(s.scratch, s.at.sums+i*s.at.sum)
	}
	product := func(i, to, from int) {
		w := emit.Plus(s.weights, 4*(2*s.Tile.Channels+i*s.matrixFloats()))
		f.Do(s.product.Call(emit.Plus(s.scratch, i*s.at.plane), w, sum(to), sum(from)))
	}
	finish := func(a, b, row, column int) {
		first := emit.Plus(s.pixel, row*s.half())
		left := emit.I32Sub(emit.I32Const(s.pixels()), first)
		n := emit.Select(emit.I32LtS(left, emit.I32Const(s.half())), left, emit.I32Const(s.half()))
		out := emit.Plus(s.out, row*s.half()*s.Out.PixelStride+column*2*s.Out.C)
		f.Do(s.finish.Call(sum(a), sum(b), emit.Plus(s.weights, 4*column*s.Tile.Channels), out, n))
	}
	product(0, 0, none)
	product(1, 1, 0)
	finish(1, none, 0, 0)
	product(2, 1, 0)
	product(3, 2, none)
	product(4, 3, 1)
	product(5, 4, 1)
	finish(4, 2, 0, 1)
	product(6, 4, 3)
	finish(4, none, 1, 0)
	finish(3, 2, 1, 1)
}

// productFunc emits f(in, weights, to, from): to = in * weights + from, half a
// chunk by a block of channels.
func (p StrassenParams) productFunc(m *emit.Module) *emit.Func {
	name := fmt.Sprintf("strassen_product_f32_%dx%d%s %dx%d", p.Tile.Pixels, p.Tile.Channels, p.suffix(), p.half(), p.In.C/2)
	if f := m.Func(name); f != nil {
		return f
	}
	i := emit.I32
	f := m.NewFunc(name, []emit.Type{i, i, i, i}, nil)
	v := f.Params("in", "weights", "to", "from")
	sums := Packed(1, p.half(), p.Tile.Channels)
	g := newGemm(f, gemm{
		Options: p.Options, tile: p.Tile, rows: 1, segment: p.In.C / 2, inStep: 2 * p.In.C, out: sums, pre: &sums, noBias: true,
	})
	f.Set(g.a, v[0])
	f.Set(g.w, v[1])
	f.Set(g.o, v[2])
	f.Set(g.p[0], v[3])
	whole, rest := p.half()/p.Tile.Pixels, p.half()%p.Tile.Pixels
	if whole > 0 {
		end := f.Define("end", emit.Plus(g.a, whole*p.Tile.Pixels*g.inStep))
		f.DoWhile(func() {
			g.compute(p.Tile.Pixels, p.Tile.Channels)
			f.Inc(g.a, p.Tile.Pixels*g.inStep)
			f.Inc(g.o, p.Tile.Pixels*sums.PixelStride)
			f.Inc(g.p[0], p.Tile.Pixels*sums.PixelStride)
		}, emit.I32LtU(g.a, end))
	}
	if rest > 0 {
		g.compute(rest, p.Tile.Channels)
	}
	return f
}

// finishFunc emits f(a, b, bias, out, pixels): out = act(a + b + bias) for a block of channels.
func (p StrassenParams) finishFunc(m *emit.Module) *emit.Func {
	name := fmt.Sprintf("strassen_sum_f32_%d%s%s %d", p.Tile.Channels, p.suffix(), p.Act.suffix(), p.Out.PixelStride)
	if f := m.Func(name); f != nil {
		return f
	}
	i := emit.I32
	f := m.NewFunc(name, []emit.Type{i, i, i, i, i}, nil)
	v := f.Params("a", "b", "bias", "out", "pixels")
	a, b, out := v[0], v[1], v[3]
	bytes := 4 * p.Tile.Channels
	var bias []emit.Value
	for j := 0; j < bytes; j += 16 {
		bias = append(bias, f.Define("bias", emit.V128Load(v[2], j)))
	}
	act := p.Act.apply(f, p.Options)
	x, end := f.Local(emit.V128, "x"), f.Define("end", emit.I32Add(a, emit.Times(v[4], bytes)))
	f.While(emit.I32LtU(a, end), func() {
		for j := range bias {
			f.Set(x, emit.F32x4Add(emit.F32x4Add(emit.V128Load(a, 16*j), emit.V128Load(b, 16*j)), bias[j]))
			act(x)
			f.Do(emit.V128Store(out, 16*j, x, 4))
		}
		f.Inc(a, bytes)
		f.Inc(b, bytes)
		f.Inc(out, p.Out.PixelStride)
	})
	return f
}
