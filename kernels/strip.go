package kernels

import (
	"fmt"

	"spotter/kernels/emit"
)

// strip describes a function that computes a row of tiles for one block of channels of a
// product, whatever the sizes of the layer: those are its parameters. All layers of a
// network share a few of them, so that a browser has little to compile before the first
// result, and each is optimised by the second layer that calls it.
type strip struct {
	Options
	tile     Tile // pixels and channels; the channels may be fewer than whole vectors
	rest     int  // input channels behind the last whole step of the unrolled loop
	residual bool
	pre      int  // 1: sums that another product began are added; 2: of half the size
	blocked  bool // the sums of a tile are computed in blocks of k and wait in the output
	act      Activation
}

// stripUnroll is the number of k in a step of the loop. A multiply and an addition apiece leave
// a processor hardly a slot for what moves the addresses, so that has to be rare.
func (o Options) stripUnroll() int {
	if o.Relaxed {
		return 8
	}
	return 16
}

func (s strip) funcName() string {
	name := fmt.Sprintf("gemm_f32_%dx%d%s%s", s.tile.Pixels, s.tile.Channels, s.suffix(), s.act.suffix())
	if s.rest > 0 {
		name += fmt.Sprintf("_k%d", s.rest)
	}
	if s.residual {
		name += "_residual"
	}
	if s.pre > 0 {
		name += fmt.Sprintf("_pre%d", s.pre)
	}
	if s.blocked {
		name += "_blocked"
	}
	return name
}

// params names the function's parameters: addresses of the first tile's input, of the block of weights,
// of the output, number of tiles; bytes of k in whole steps; bytes from one pixel to
// the next in the input and the output; then what the variant needs: address and step of the residual
// and of the sums so far (for those of half the size also the pixel in its row), the bytes of k done before and
// whether the rest completes the sums.
func (s strip) params() []string {
	names := []string{"a", "w", "o", "tiles", "k", "aStep", "oStep"}
	if s.residual {
		names = append(names, "r", "rStep")
	}
	if s.pre > 0 {
		names = append(names, "p", "pStep")
	}
	if s.pre > 1 {
		names = append(names, "x")
	}
	if s.blocked {
		names = append(names, "kb", "last")
	}
	return names
}

// stripper writes the function.
type stripper struct {
	strip
	*gemm
	p  map[string]emit.Value
	pp walk // sums so far
}

// stripFunc emits the function, once for a module.
func stripFunc(m *emit.Module, s strip) *emit.Func {
	if f := m.Func(s.funcName()); f != nil {
		return f
	}
	names := s.params()
	f, values := m.NewRoutine(s.funcName(), names...)
	w := &stripper{strip: s, p: map[string]emit.Value{}}
	for i, name := range names {
		w.p[name] = values[i]
	}
	w.gemm = &gemm{Options: s.Options, f: f, tile: s.tile, unroll: s.stripUnroll(), act: s.act, a: w.p["a"], w: w.p["w"], o: w.p["o"]}
	w.registers()
	w.ap = w.walk("a", w.p["aStep"])
	w.op = w.walk("o", w.p["oStep"])
	if s.residual {
		w.rp = w.walk("r", w.p["rStep"])
	}
	if s.pre > 0 {
		w.pp = w.walk("p", w.p["pStep"])
	}
	f.While(emit.I32GtS(w.p["tiles"], emit.I32Const(0)), func() {
		w.compute()
		w.forward()
		f.Inc(w.p["tiles"], -1)
	})
	return f
}

// walk makes the variables of a tile's pixels.
func (w *stripper) walk(name string, by emit.Value) walk {
	k := walk{by: by}
	for i := range w.strip.tile.Pixels {
		k.at = append(k.at, w.f.Local(emit.I32, fmt.Sprintf("%s%d", name, i)))
	}
	return k
}

// place sets a walk's addresses, from that of the first pixel on.
func (w *stripper) place(k walk, first emit.Value) {
	w.f.Set(k.at[0], first)
	for i, at := range k.at[1:] {
		w.f.Set(at, emit.I32Add(k.at[i], k.by))
	}
}

// compute writes a tile.
func (w *stripper) compute() {
	f, n, c := w.f, w.strip.tile.Pixels, w.strip.tile.Channels
	w.begin(n, c)
	k := emit.I32Add(w.ap.at[0], w.p["k"])
	f.Set(w.end, k)
	f.While(emit.I32LtU(w.ap.at[0], w.end), func() { w.block(n, c, w.unroll) })
	complete := func(body func()) { body() }
	if w.blocked {
		complete = func(body func()) { f.If(w.p["last"], body) }
	}
	if w.rest > 0 {
		complete(func() { w.block(n, c, w.rest) })
	}
	w.place(w.op, w.o)
	if w.strip.residual {
		w.place(w.rp, w.p["r"])
	}
	w.finish(n, c, complete)
}

// begin sets the accumulators to the bias and the sums of another product or, in later blocks of k, to
// the sums so far.
func (w *stripper) begin(n, c int) {
	f := w.f
	first := func() {
		w.start(n, c)
		if w.pre > 0 {
			w.placePre()
			w.each(n, c, func(i, j, lanes int) {
				at, offset := w.pp.pixel(i)
				f.Set(w.acc[i][j], emit.F32x4Add(w.acc[i][j], loadChannels(at, offset+16*j, lanes)))
			})
		}
	}
	if !w.blocked {
		first()
		w.place(w.ap, w.a)
		return
	}
	kb, nv := w.p["kb"], vectors(c)
	f.If(kb, func() {
		w.place(w.op, w.o)
		w.each(n, c, func(i, j, lanes int) {
			at, offset := w.op.pixel(i)
			f.Set(w.acc[i][j], loadChannels(at, offset+16*j, lanes))
		})
		f.Set(w.wp, emit.Plus(emit.I32Add(w.w, emit.Times(kb, 4*nv)), 16*nv))
	}, first)
	w.place(w.ap, emit.I32Add(w.a, kb))
}

// placePre sets the addresses of the sums to start from. Of those of half the size two pixels read the
// same one.
func (w *stripper) placePre() {
	if w.pre < 2 {
		w.place(w.pp, w.p["p"])
		return
	}
	for i, at := range w.pp.at {
		half := emit.I32ShrU(emit.Plus(w.p["x"], i), emit.I32Const(1))
		w.f.Set(at, emit.I32Add(w.p["p"], emit.I32Mul(half, w.pp.by)))
	}
}

// forward moves to the next tile.
func (w *stripper) forward() {
	n := w.strip.tile.Pixels
	move := func(at, step string) {
		w.f.Set(w.p[at], emit.I32Add(w.p[at], emit.Times(w.p[step], n)))
	}
	move("a", "aStep")
	move("o", "oStep")
	if w.strip.residual {
		move("r", "rStep")
	}
	switch w.pre {
	case 1:
		move("p", "pStep")
	case 2:
		w.f.Inc(w.p["x"], n)
	}
}

// stripCaller is the tiler that calls strips, one function for each size of a tile that the layer
// needs.
type stripCaller struct {
	strip
	*nest
}

// newStripNest makes a nest whose tiles are strips.
func newStripNest(f *emit.Func, s strip, n nest, params []emit.Value, views ...*View) *nest {
	made := newNest(f, n, params, views...)
	if s.pre > 1 {
		made.beside[len(made.beside)-1].up = s.pre
	}
	s.rest, s.blocked = n.k%s.stripUnroll(), n.kBlock > 0
	made.tiles = &stripCaller{s, made}
	return made
}

// row calls the strip for tiles of n pixels and c channels.
func (s *stripCaller) row(n, c int, count emit.Value, skip int) {
	kind := s.strip
	kind.tile = Tile{n, c}
	args := []emit.Value{
		emit.Plus(s.a, skip*s.inStep), s.w, emit.Plus(s.o, skip*s.out.PixelStride), count, s.bytes(),
		emit.I32Const(s.inStep), emit.I32Const(s.out.PixelStride),
	}
	for _, b := range s.beside {
		behind := skip * b.view.PixelStride
		if b.up > 1 {
			behind = 0
		}
		args = append(args, emit.Plus(b.at, behind), emit.I32Const(b.view.PixelStride))
	}
	if s.pre > 1 {
		args = append(args, emit.I32Const(skip))
	}
	if s.blocked {
		args = append(args, s.kb, s.last)
	}
	s.f.Do(stripFunc(s.f.Module(), kind).Call(args...))
}

// bytes of k in whole steps: those of a block of k, fewer in the last one.
func (s *stripCaller) bytes() emit.Value {
	if !s.blocked {
		return emit.I32Const(4 * (s.k - s.rest))
	}
	last := s.k - (s.k-1)/s.kBlock*s.kBlock
	return emit.Select(s.nest.last, emit.I32Const(4*(last-s.rest)), emit.I32Const(4*s.kBlock))
}
