package kernels

import (
	"fmt"

	"spotter/kernels/emit"
)

// DepthwiseParams describe a convolution of each channel with its own kernel, with
// bias and activation: out[y,x,c] = act(bias[c] + sum in[y*Stride-PadTop+ky,
// x*Stride-PadLeft+kx, c] * weight[c,ky,kx]), zeros outside.
type DepthwiseParams struct {
	In, Out View
	Kernel  [2]int // height, width
	Stride  [2]int
	Pad     [2]int // top, left; what Out needs below and right is implied
	Act     Activation
	Options
}

// Units are the rows of the output.
func (p DepthwiseParams) Units() int { return p.Out.H }

// MACs are the multiply-adds of the whole layer, padding counted.
func (p DepthwiseParams) MACs() int {
	return p.Out.H * p.Out.W * p.Out.C * p.Kernel[0] * p.Kernel[1]
}

// PackDepthwise lays weight [C][KH*KW] and bias [C] (nil for zeros) out as the kernel
// reads them: for each four channels the bias, then the taps, [ceil(C/4)][1+KH*KW][4].
func PackDepthwise(weight, bias []float32, channels, taps int) []float32 {
	packed := make([]float32, (channels+3)/4*(1+taps)*4)
	for c := range channels {
		block := packed[c/4*(1+taps)*4+c%4:]
		if bias != nil {
			block[0] = bias[c]
		}
		for k := range taps {
			block[4*(1+k)] = weight[c*taps+k]
		}
	}
	return packed
}

func (p DepthwiseParams) tile() int {
	return max(1, min(8, 14-p.Kernel[1], p.Out.W))
}

// Name is the kernel's name in tables: dw3x3s2_f32_8x4_relaxed.
func (p DepthwiseParams) Name() string {
	return fmt.Sprintf("dw%dx%ds%d_f32_%dx4%s", p.Kernel[0], p.Kernel[1], p.Stride[1], p.tile(), p.suffix())
}

func (p DepthwiseParams) check() {
	p.In.check("depthwise input")
	p.Out.check("depthwise output")
	if p.In.C != p.Out.C || min(p.Kernel[0], p.Kernel[1], p.Stride[0], p.Stride[1]) < 1 || min(p.Pad[0], p.Pad[1]) < 0 {
		panic(fmt.Sprintf("BUG: depthwise %+v", p))
	}
}

// DepthwiseFunc emits dw(in, packed, out, begin, end) for rows of the output.
func DepthwiseFunc(m *emit.Module, p DepthwiseParams) *emit.Func {
	p.check()
	name := fmt.Sprintf("%s%s_pad%d.%d_%v_%v", p.Name(), p.Act.suffix(), p.Pad[0], p.Pad[1], p.In, p.Out)
	if f := m.Func(name); f != nil {
		return f
	}
	i := emit.I32
	f := m.NewFunc(name, []emit.Type{i, i, i, i, i}, nil)
	v := f.Params("in", "packed", "out", "begin", "end")
	d := &depthwise{DepthwiseParams: p, f: f, packed: v[1], act: p.Act.apply(f, p.Options)}
	y := f.Local(i, "y")
	d.row, d.out = f.Local(i, "row"), f.Define("out_row", emit.I32Add(v[2], emit.Times(v[3], p.Out.RowStride)))
	d.ky0, d.taps = f.Local(i, "ky0"), f.Local(i, "rows")
	f.For(y, v[3], v[4], 1, func() {
		top := f.Define("top", emit.Plus(emit.Times(y, p.Stride[0]), -p.Pad[0]))
		f.Set(d.ky0, clampLow(f, emit.I32Sub(emit.I32Const(0), top)))
		below := emit.I32Sub(emit.I32Const(p.In.H), top)
		f.Set(d.taps, emit.I32Sub(emit.Select(emit.I32LtS(below, emit.I32Const(p.Kernel[0])), below, emit.I32Const(p.Kernel[0])), d.ky0))
		f.Set(d.row, emit.I32Add(v[0], emit.Times(emit.I32Add(top, d.ky0), p.In.RowStride)))
		for _, t := range tilesOf(p.Out.W, p.tile(), p.whole) {
			d.run(t)
		}
		f.Inc(d.out, p.Out.RowStride)
	})
	return f
}

// clampLow is max(x, 0).
func clampLow(f *emit.Func, x emit.Value) emit.Value {
	v := f.Define("clamped", x)
	return emit.Select(emit.I32LtS(v, emit.I32Const(0)), emit.I32Const(0), v)
}

// whole reports whether outputs [x, x+n) read inside the rows only.
func (p DepthwiseParams) whole(x, n int) bool {
	first := x*p.Stride[1] - p.Pad[1]
	return first >= 0 && (x+n-1)*p.Stride[1]-p.Pad[1]+p.Kernel[1] <= p.In.W
}

// span is a run of tiles of n pixels from x on, repeated.
type span struct{ x, n, repeat int }

// tilesOf divides w pixels into tiles of at most t, as equal as can be; like tiles
// that are whole become one run.
func tilesOf(w, t int, whole func(x, n int) bool) []span {
	var out []span
	count := (w + t - 1) / t
	for i := range count {
		x := i * w / count
		n := (i+1)*w/count - x
		if k := len(out) - 1; k >= 0 && out[k].n == n && whole(x, n) && whole(out[k].x, n) {
			out[k].repeat++
			continue
		}
		out = append(out, span{x, n, 1})
	}
	return out
}

// depthwise holds the locals of a DepthwiseFunc while it is emitted.
type depthwise struct {
	DepthwiseParams
	f                           *emit.Func
	packed, row, out, ky0, taps emit.Value
	in, weights, store          emit.Value
	acc, weight                 []emit.Value
	act                         func(x emit.Value)
	pixel                       emit.Value
}

// run emits a run of tiles of the row.
func (d *depthwise) run(t span) {
	f := d.f
	left := max(0, t.x*d.Stride[1]-d.Pad[1])
	in := f.Define("tile_in", emit.Plus(d.row, left*d.In.PixelStride))
	out := f.Define("tile_out", emit.Plus(d.out, t.x*d.Out.PixelStride))
	if t.repeat == 1 {
		d.tilePixels(t, left, in, out)
		return
	}
	end := f.Define("tile_end", emit.Plus(out, t.repeat*t.n*d.Out.PixelStride))
	f.DoWhile(func() {
		d.tilePixels(t, left, in, out)
		f.Inc(in, t.n*d.Stride[1]*d.In.PixelStride)
		f.Inc(out, t.n*d.Out.PixelStride)
	}, emit.I32LtU(out, end))
}

// tilePixels emits all channels of a tile; left is the column that in points to.
func (d *depthwise) tilePixels(t span, left int, in, out emit.Value) {
	f := d.f
	d.weights = f.Define("weights", d.packed)
	d.in, d.store = f.Define("src", in), f.Define("dst", out)
	if vectors := d.Out.C / 4; vectors > 0 {
		end := f.Define("end", emit.Plus(out, vectors*16))
		f.DoWhile(func() {
			d.block(t, left, 4)
			f.Inc(d.weights, d.blockBytes())
			f.Inc(d.in, 16)
			f.Inc(d.store, 16)
		}, emit.I32LtU(d.store, end))
	}
	if rest := d.Out.C % 4; rest > 0 {
		d.block(t, left, rest)
	}
}

func (d *depthwise) blockBytes() int { return 16 * (1 + d.Kernel[0]*d.Kernel[1]) }

// block emits one to four channels of a tile.
func (d *depthwise) block(t span, left, channels int) {
	f := d.f
	for len(d.acc) < t.n {
		d.acc = append(d.acc, f.Local(emit.V128, fmt.Sprintf("acc%02d", len(d.acc))))
	}
	for len(d.weight) < d.Kernel[1] {
		d.weight = append(d.weight, f.Local(emit.V128, fmt.Sprintf("w%d", len(d.weight))))
	}
	if d.pixel == (emit.Value{}) {
		d.pixel = f.Local(emit.V128, "pixel")
	}
	for i := range t.n {
		f.Set(d.acc[i], emit.V128Load(d.weights, 0))
	}
	src := f.Define("src_row", d.in)
	taps := f.Define("taps", emit.I32Add(d.weights, emit.Times(d.ky0, 16*d.Kernel[1])))
	n := f.Define("n", d.taps)
	f.While(emit.I32GtS(n, emit.I32Const(0)), func() {
		for k := range d.Kernel[1] {
			f.Set(d.weight[k], emit.V128Load(taps, 16*(1+k)))
		}
		d.tapRow(t, left, src, channels)
		f.Inc(src, d.In.RowStride)
		f.Inc(taps, 16*d.Kernel[1])
		f.Inc(n, -1)
	})
	for i := range t.n {
		d.act(d.acc[i])
		storeChannels(f, d.store, i*d.Out.PixelStride, channels, d.acc[i])
	}
}

// tapRow emits the multiply-adds of one row of the kernel: each column of the
// input is loaded once and goes to every output that it touches.
func (d *depthwise) tapRow(t span, left int, src emit.Value, channels int) {
	first := t.x*d.Stride[1] - d.Pad[1]
	for j := range (t.n-1)*d.Stride[1] + d.Kernel[1] {
		column := first + j
		if column < 0 || column >= d.In.W && t.repeat == 1 {
			continue
		}
		loaded := false
		for i := range t.n {
			k := j - i*d.Stride[1]
			if k < 0 || k >= d.Kernel[1] {
				continue
			}
			if !loaded {
				d.f.Set(d.pixel, loadChannels(src, (column-left)*d.In.PixelStride, channels))
				loaded = true
			}
			d.f.Set(d.acc[i], d.madd(d.pixel, d.weight[k], d.acc[i]))
		}
	}
}
