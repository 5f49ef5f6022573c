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
	d := &depthwise{
		DepthwiseParams: p, packed: v[1], act: p.Act.apply(f, p.Options), pixel: f.Local(emit.V128, "pixel"),
		window: window{f: f, in: p.In, kernel: p.Kernel, stride: p.Stride, pad: p.Pad},
	}
	y, outRow := f.Local(i, "y"), f.Define("out_row", emit.I32Add(v[2], emit.Times(v[3], p.Out.RowStride)))
	f.For(y, v[3], v[4], 1, func() {
		d.window.rows(y, v[0])
		for _, t := range tilesOf(p.Out.W, p.tile(), d.window.whole) {
			d.window.run(t, p.Out, outRow, d.tilePixels)
		}
		f.Inc(outRow, p.Out.RowStride)
	})
	return f
}

// depthwise holds the locals of a DepthwiseFunc while it is emitted.
type depthwise struct {
	DepthwiseParams
	window        window
	packed, pixel emit.Value
	acc, weight   []emit.Value
	act           func(x emit.Value)
}

// tilePixels emits all channels of a tile; left is the column that in points to.
func (d *depthwise) tilePixels(t span, left int, in, out emit.Value) {
	f := d.window.f
	for len(d.acc) < t.n {
		d.acc = append(d.acc, f.Local(emit.V128, fmt.Sprintf("acc%02d", len(d.acc))))
	}
	for len(d.weight) < d.Kernel[1] {
		d.weight = append(d.weight, f.Local(emit.V128, fmt.Sprintf("w%d", len(d.weight))))
	}
	weights := f.Define("weights", d.packed)
	d.window.blocks(d.Out.C, in, out, func(src, dst emit.Value, channels int) {
		d.block(t, left, src, weights, channels)
		for i := range t.n {
			d.act(d.acc[i])
			storeChannels(f, dst, i*d.Out.PixelStride, channels, d.acc[i])
		}
		f.Inc(weights, 16*(1+d.Kernel[0]*d.Kernel[1]))
	})
}

// block emits the sums of one to four channels of a tile.
func (d *depthwise) block(t span, left int, src, weights emit.Value, channels int) {
	f := d.window.f
	for i := range t.n {
		f.Set(d.acc[i], emit.V128Load(weights, 0))
	}
	row := f.Define("src_row", src)
	taps := f.Define("taps", emit.I32Add(weights, emit.Times(d.window.ky0, 16*d.Kernel[1])))
	n := f.Define("n", d.window.taps)
	f.While(emit.I32GtS(n, emit.I32Const(0)), func() {
		for k := range d.Kernel[1] {
			f.Set(d.weight[k], emit.V128Load(taps, 16*(1+k)))
		}
		for _, x := range d.window.columns(t) {
			f.Set(d.pixel, loadChannels(row, (x-left)*d.In.PixelStride, channels))
			d.column(t, x)
		}
		f.Inc(row, d.In.RowStride)
		f.Inc(taps, 16*d.Kernel[1])
		f.Inc(n, -1)
	})
}

// column adds the pixel at column x, loaded once, to every output that it touches.
func (d *depthwise) column(t span, x int) {
	for i := range t.n {
		k := x - (t.x+i)*d.Stride[1] + d.Pad[1]
		if k >= 0 && k < d.Kernel[1] {
			d.window.f.Set(d.acc[i], d.madd(d.pixel, d.weight[k], d.acc[i]))
		}
	}
}
