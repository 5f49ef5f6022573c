package kernels

import (
	"fmt"

	"spotter/kernels/emit"
)

// ResizeMode is how ResizeParams read between pixels.
type ResizeMode int

// Modes: the pixel at floor(out/scale); bilinear with half-pixel centres; bilinear with
// the corners' centres kept in place. Edges repeat.
const (
	ResizeNearest ResizeMode = iota
	ResizeLinear
	ResizeCorners
)

// ResizeParams describe scaling by any factor. UpsampleParams are faster for nearest
// by whole factors.
type ResizeParams struct {
	In, Out View
	Mode    ResizeMode
	Scale   [2]float64 // output over input, height and width; 0 is the ratio of the views
}

// Units are the rows of the output.
func (p ResizeParams) Units() int { return p.Out.H }

// Name is the kernel's name in tables: resize_linear_f32_4.
func (p ResizeParams) Name() string {
	return "resize_" + [...]string{"nearest", "linear", "corners"}[p.Mode] + "_f32_4"
}

func (p ResizeParams) check() {
	p.In.check("resize input")
	p.Out.check("resize output")
	if p.In.C != p.Out.C || p.Mode < ResizeNearest || p.Mode > ResizeCorners || p.Scale[0] < 0 || p.Scale[1] < 0 {
		panic(fmt.Sprintf("BUG: resize %+v", p))
	}
}

// sizes gives the axis's sides and scale.
func (p ResizeParams) sizes(axis int) (in, out int, scale float64) {
	in, out = p.In.H, p.Out.H
	if axis == 1 {
		in, out = p.In.W, p.Out.W
	}
	if scale = p.Scale[axis]; scale == 0 {
		scale = float64(out) / float64(in)
	}
	return in, out, scale
}

// resizer holds the locals of ResizeFunc while it is emitted.
type resizer struct {
	ResizeParams
	f            *emit.Func
	at, lower    emit.Value // float64: where an output reads, and the whole part
	corner       [4]emit.Value
	fx, fy, a, b emit.Value
	out, end     emit.Value
}

// ResizeFunc emits resize(in, out, begin, end) for rows of the output.
func ResizeFunc(m *emit.Module, p ResizeParams) *emit.Func {
	p.check()
	name := fmt.Sprintf("%s_%gx%g_%v_%v", p.Name(), p.Scale[0], p.Scale[1], p.In, p.Out)
	if f := m.Func(name); f != nil {
		return f
	}
	i := emit.I32
	f := m.NewFunc(name, []emit.Type{i, i, i, i}, nil)
	v := f.Params("in", "out", "begin", "end")
	r := &resizer{ResizeParams: p, f: f, at: f.Local(emit.F64, "at"), lower: f.Local(emit.F64, "lower"),
		fx: f.Local(emit.V128, "fx"), fy: f.Local(emit.V128, "fy"), a: f.Local(emit.V128, "a"), b: f.Local(emit.V128, "b"),
		out: f.Local(i, "dst"), end: f.Local(i, "dst_end")}
	for k := range r.corner {
		r.corner[k] = f.Local(i, fmt.Sprintf("corner%d", k))
	}
	x, y := f.Local(i, "x"), f.Local(i, "y")
	upper, lower, pixel := f.Local(i, "upper"), f.Local(i, "lower"), f.Local(i, "pixel")
	f.For(y, v[2], v[3], 1, func() {
		r.tap(y, 0, v[0], p.In.RowStride, upper, lower, r.fy)
		f.Set(pixel, emit.I32Add(v[1], emit.Times(y, p.Out.RowStride)))
		f.For(x, emit.I32Const(0), emit.I32Const(p.Out.W), 1, func() {
			r.tap(x, 1, upper, p.In.PixelStride, r.corner[0], r.corner[1], r.fx)
			below := emit.I32Sub(lower, upper)
			f.Set(r.corner[2], emit.I32Add(r.corner[0], below))
			f.Set(r.corner[3], emit.I32Add(r.corner[1], below))
			r.channels(pixel)
			f.Inc(pixel, p.Out.PixelStride)
		})
	})
	return f
}

// tap sets first and second to the addresses that output i reads along an axis, and
// weight to the second one's.
func (r *resizer) tap(i emit.Value, axis int, base emit.Value, stride int, first, second, weight emit.Value) {
	f := r.f
	in, out, scale := r.sizes(axis)
	n := emit.F64ConvertI32S(i)
	switch r.Mode {
	case ResizeNearest:
		n = emit.F64Floor(emit.F64Div(n, emit.F64Const(scale)))
	case ResizeLinear:
		n = emit.F64Sub(emit.F64Div(emit.F64Add(n, emit.F64Const(0.5)), emit.F64Const(scale)), emit.F64Const(0.5))
	case ResizeCorners:
		n = emit.F64Div(emit.F64Mul(n, emit.F64Const(float64(in-1))), emit.F64Const(float64(max(out-1, 1))))
	}
	f.Set(r.at, emit.F64Min(emit.F64Max(n, emit.F64Const(0)), emit.F64Const(float64(in-1))))
	f.Set(r.lower, emit.F64Floor(r.at))
	f.Set(weight, emit.F32x4Splat(emit.F32DemoteF64(emit.F64Sub(r.at, r.lower))))
	f.Set(first, emit.I32Add(base, emit.Times(emit.I32TruncSatF64S(r.lower), stride)))
	last := emit.F64Ge(r.lower, emit.F64Const(float64(in-1)))
	f.Set(second, emit.Select(last, first, emit.Plus(first, stride)))
}

// channels writes a pixel.
func (r *resizer) channels(pixel emit.Value) {
	f := r.f
	f.Set(r.out, pixel)
	if whole := r.Out.C / 4; whole > 0 {
		f.Set(r.end, emit.Plus(pixel, 16*whole))
		f.DoWhile(func() {
			r.vector(4)
			for _, c := range r.corner {
				f.Inc(c, 16)
			}
			f.Inc(r.out, 16)
		}, emit.I32LtU(r.out, r.end))
	}
	if rest := r.Out.C % 4; rest > 0 {
		r.vector(rest)
	}
}

// vector writes n channels.
func (r *resizer) vector(n int) {
	f := r.f
	load := func(k int) emit.Value { return loadChannels(r.corner[k], 0, n) }
	f.Set(r.a, load(0))
	if r.Mode != ResizeNearest {
		lerp := func(a, b, w emit.Value) emit.Value {
			return emit.F32x4Add(a, emit.F32x4Mul(emit.F32x4Sub(b, a), w))
		}
		f.Set(r.a, lerp(r.a, load(1), r.fx))
		f.Set(r.b, load(2))
		f.Set(r.b, lerp(r.b, load(3), r.fx))
		f.Set(r.a, lerp(r.a, r.b, r.fy))
	}
	storeChannels(f, r.out, 0, n, r.a)
}
