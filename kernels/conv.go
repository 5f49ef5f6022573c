package kernels

import (
	"fmt"

	"spotter/kernels/emit"
)

// ConvParams describe a KxK convolution: out = act(in * weights + bias) + residual.
// Each thread gathers the rows that it reads into its own scratch memory, with zeros
// for the padding, so the sums run over whole rows and never look outside the input.
type ConvParams struct {
	In, Out  View
	Residual *View // nil: none; may be the output itself
	Kernel   [2]int
	Stride   [2]int
	Pad      [2]int // top, left; bottom and right follow from the output's size
	Dilation [2]int // 0 is 1
	Groups   int    // 0 is 1
	Act      Activation
	Tile     Tile
	Split    Split // SplitChannels only for one group
	Chunk    int   // output pixels, in whole rows, that pass all channels before the next; 0: all
	Options
}

// Name is the kernel's name: conv3x3s2_f32_5x8_relaxed.
func (p ConvParams) Name() string {
	return fmt.Sprintf("conv%dx%ds%d_f32_%dx%d%s", p.Kernel[0], p.Kernel[1], p.Stride[0], p.Tile.Pixels, p.Tile.Channels, p.suffix())
}

func (p ConvParams) funcName() string {
	s := fmt.Sprintf("%s%s %v-%v pad%v stride%v dil%v", p.Name(), p.Act.suffix(), p.In, p.Out, p.Pad, p.Stride, p.Dilation)
	if p.Residual != nil {
		s += fmt.Sprintf("+%v", *p.Residual)
	}
	if p.Groups > 1 {
		s += fmt.Sprintf(" groups%d", p.Groups)
	}
	if p.Split == SplitChannels {
		s += " channels"
	}
	if p.Chunk > 0 {
		s += fmt.Sprintf(" %d", p.Chunk)
	}
	return s
}

// normal fills in the defaults and panics where the shapes do not fit.
func (p ConvParams) normal() ConvParams {
	p.Groups = max(p.Groups, 1)
	p.Dilation[0], p.Dilation[1] = max(p.Dilation[0], 1), max(p.Dilation[1], 1)
	p.In.check("input of " + p.Name())
	p.Out.check("output of " + p.Name())
	bad := p.In.C%p.Groups != 0 || p.Out.C%p.Groups != 0 || p.Groups > 1 && p.Split == SplitChannels || p.Tile.Channels%4 != 0
	for i := range 2 {
		bad = bad || p.Kernel[i] < 1 || p.Stride[i] < 1 || p.Pad[i] < 0
	}
	if r := p.Residual; r != nil {
		bad = bad || r.H != p.Out.H || r.W != p.Out.W || r.C != p.Out.C
	}
	if bad {
		panic("BUG: " + p.funcName())
	}
	return p
}

// Units is the number of units of work: rows of the output, or blocks of channels.
func (p ConvParams) Units() int {
	if p.Split == SplitChannels {
		return ceilDiv(p.Out.C, p.Tile.Channels)
	}
	return p.Out.H
}

// Pack lays out weights [Out.C][In.C/Groups][KH][KW] and bias [Out.C] (or nil) for the
// kernel: group by group as PackGemm does, k in the order row, column, channel.
func (p ConvParams) Pack(weight, bias []float32) []float32 {
	p = p.normal()
	in, out, taps := p.In.C/p.Groups, p.Out.C/p.Groups, p.Kernel[0]*p.Kernel[1]
	k := in * taps
	ordered := make([]float32, len(weight))
	for o := range p.Out.C {
		for c := range in {
			for t := range taps {
				ordered[o*k+t*in+c] = weight[o*k+c*taps+t]
			}
		}
	}
	var packed []float32
	for g := range p.Groups {
		var b []float32
		if bias != nil {
			b = bias[g*out : (g+1)*out]
		}
		packed = append(packed, PackGemm(ordered[g*out*k:(g+1)*out*k], b, out, k, p.Tile.Channels)...)
	}
	return packed
}

// chunkRows is the number of output rows computed at a time.
func (p ConvParams) chunkRows() int {
	if p.Chunk == 0 {
		return p.Out.H
	}
	return min(max(p.Chunk/p.Out.W, 1), p.Out.H)
}

// gathered is the layout of the scratch memory: the padded input of a chunk.
func (p ConvParams) gathered() View {
	p = p.normal()
	h := (p.chunkRows()-1)*p.Stride[0] + (p.Kernel[0]-1)*p.Dilation[0] + 1
	w := (p.Out.W-1)*p.Stride[1] + (p.Kernel[1]-1)*p.Dilation[1] + 1
	return Packed(h, w, p.In.C/p.Groups)
}

// ScratchBytes is the memory in bytes that each thread needs.
func (p ConvParams) ScratchBytes() int { return p.gathered().Bytes() }

// newDense begins a dense convolution, f(in, weights, out[, residual], scratch, begin, end).
func newDense(m *emit.Module, name string, residual *View) (*emit.Func, []emit.Value) {
	names := []string{"in", "weights", "out"}
	if residual != nil {
		names = append(names, "residual")
	}
	return m.NewRoutine(name, append(names, "scratch", "begin", "end")...)
}

// ConvFunc emits f(in, weights, out[, residual], scratch, begin, end).
func ConvFunc(m *emit.Module, p ConvParams) *emit.Func {
	p = p.normal()
	if f := m.Func(p.funcName()); f != nil {
		return f
	}
	f, v := newDense(m, p.funcName(), p.Residual)
	c := newConv(f, p, v)
	if p.Groups == 1 {
		c.nest.all()
		return f
	}
	group := f.Local(emit.I32, "group")
	f.For(group, emit.I32Const(0), emit.I32Const(p.Groups), 1, func() {
		c.nest.all()
		f.Inc(v[0], 4*p.In.C/p.Groups)
		f.Inc(v[1], 4*packedLen(p.Out.C/p.Groups, c.nest.k, p.Tile.Channels))
		for _, out := range v[2 : len(v)-3] {
			f.Inc(out, 4*p.Out.C/p.Groups)
		}
	})
	return f
}

func newConv(f *emit.Func, p ConvParams, params []emit.Value) *conv {
	c := &conv{p: p, f: f, in: params[0], scratch: params[len(params)-3], to: p.gathered()}
	channels := p.In.C / p.Groups
	g := gemm{
		Options: p.Options, tile: p.Tile, rows: p.Kernel[0], segment: p.Kernel[1] * channels,
		rowStep: p.Dilation[0] * c.to.RowStride, inStep: p.Stride[1] * c.to.PixelStride, out: p.Out, residual: p.Residual, act: p.Act,
	}
	if p.Dilation[1] > 1 {
		g.columns, g.segment, g.columnStep = p.Kernel[1], channels, p.Dilation[1]*c.to.PixelStride
	}
	c.gemm = newGemm(f, g)
	c.nest = newNest(f, nest{
		tile: p.Tile, k: c.gemm.k(), inStep: g.inStep, out: p.Out.Slice(p.Out.C / p.Groups), width: p.Out.W, height: p.Out.H,
		byRow: true, inRow: p.Stride[0] * c.to.RowStride, split: p.Split, chunk: p.Chunk, prepare: c.gather, tiles: c,
	}, params, p.Residual)
	c.nest.input = func(emit.Value) emit.Value { return c.scratch }
	c.gemm.w, c.left = c.nest.w, f.Local(emit.I32, "tiles")
	for _, l := range []struct {
		v    *emit.Value
		name string
	}{{&c.y, "gatherY"}, {&c.yEnd, "gatherEnd"}, {&c.dst, "gatherTo"}, {&c.src, "gatherFrom"}, {&c.x, "gatherX"}} {
		*l.v = f.Local(emit.I32, l.name)
	}
	return c
}

// conv gathers the input for a nest and computes its tiles.
type conv struct {
	p                    ConvParams
	f                    *emit.Func
	nest                 *nest
	gemm                 *gemm
	to                   View // scratch
	in, scratch          emit.Value
	y, yEnd, dst, src, x emit.Value
	left                 emit.Value // tiles of the row
}

// row computes tiles of a row, one after the other.
func (c *conv) row(n, channels int, count emit.Value, skip int) {
	f, g := c.f, c.gemm
	f.Set(g.a, emit.Plus(c.nest.a, skip*g.inStep))
	f.Set(g.o, emit.Plus(c.nest.o, skip*g.out.PixelStride))
	if g.residual != nil {
		f.Set(g.r, emit.Plus(c.nest.beside[0].at, skip*g.residual.PixelStride))
	}
	f.Set(c.left, count)
	f.DoWhile(func() {
		g.compute(n, channels)
		f.Inc(g.a, n*g.inStep)
		f.Inc(g.o, n*g.out.PixelStride)
		if g.residual != nil {
			f.Inc(g.r, n*g.residual.PixelStride)
		}
		f.Inc(c.left, -1)
	}, c.left)
}

// gather copies the input rows of the output rows y0..y1 to scratch, zeros around them.
func (c *conv) gather(y0, y1 emit.Value) {
	f, p := c.f, c.p
	top := emit.I32Const(p.Pad[0])
	f.Set(c.y, emit.I32Sub(emit.Times(y0, p.Stride[0]), top))
	last := emit.Times(emit.Plus(y1, -1), p.Stride[0])
	f.Set(c.yEnd, emit.Plus(emit.I32Sub(last, top), (p.Kernel[0]-1)*p.Dilation[0]+1))
	f.Set(c.dst, c.scratch)
	f.Set(c.src, emit.I32Add(c.in, emit.Times(c.y, p.In.RowStride)))
	f.DoWhile(func() {
		f.If(emit.I32LtU(c.y, emit.I32Const(p.In.H)), c.copyRow, func() {
			f.Do(emit.MemoryFill(c.dst, emit.I32Const(0), emit.I32Const(c.to.RowStride)))
		})
		f.Inc(c.dst, c.to.RowStride)
		f.Inc(c.src, p.In.RowStride)
		f.Inc(c.y, 1)
	}, emit.I32LtS(c.y, c.yEnd))
}

// copyRow copies one row from src to dst, the padding left and right of it zero.
func (c *conv) copyRow() {
	left := min(c.p.Pad[1], c.to.W)
	n := min(c.p.In.W, c.to.W-left)
	c.zero(0, left)
	c.zero(left+n, c.to.W-left-n)
	if n == 0 {
		return
	}
	f, size := c.f, c.to.PixelStride
	at := emit.Plus(c.dst, left*size)
	if c.p.In.PixelStride == size {
		f.Do(emit.MemoryCopy(at, c.src, emit.I32Const(n*size)))
		return
	}
	from := f.Local(emit.I32, "from")
	f.Set(from, c.src)
	f.For(c.x, at, emit.Plus(c.dst, (left+n)*size), size, func() {
		for ch := 0; ch < c.to.C; ch += 4 {
			lanes := min(4, c.to.C-ch)
			storeChannels(f, c.x, 4*ch, lanes, loadChannels(from, 4*ch, lanes))
		}
		f.Inc(from, c.p.In.PixelStride)
	})
}

// zero clears n pixels of the scratch row.
func (c *conv) zero(first, n int) {
	if n > 0 {
		size := c.to.PixelStride
		c.f.Do(emit.MemoryFill(emit.Plus(c.dst, first*size), emit.I32Const(0), emit.I32Const(n*size)))
	}
}
