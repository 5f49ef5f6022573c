package kernels

import "fmt"

// View is the layout of a tensor in memory: pixel (y, x), channel c stands at
// y*RowStride + x*PixelStride + 4*c from its address. A pixel stride larger than
// the channels makes it a slice of a concatenation.
type View struct {
	H, W, C     int
	PixelStride int // bytes, at least 4*C
	RowStride   int // bytes, at least W*PixelStride
}

// Packed is a view without gaps.
func Packed(h, w, c int) View {
	return View{H: h, W: w, C: c, PixelStride: 4 * c, RowStride: 4 * c * w}
}

// At is the offset in bytes of a channel of a pixel.
func (v View) At(y, x, c int) int { return y*v.RowStride + x*v.PixelStride + 4*c }

// Bytes from the first to behind the last channel.
func (v View) Bytes() int {
	if v.H <= 0 || v.W <= 0 {
		return 0
	}
	return v.At(v.H-1, v.W-1, v.C)
}

// Run reports whether all pixels follow each other at PixelStride, over the ends of rows.
func (v View) Run() bool { return v.H == 1 || v.RowStride == v.W*v.PixelStride }

// Slice is the view of n of the channels, at an address 4*first higher.
func (v View) Slice(n int) View {
	v.C = n
	return v
}

// String gives 20x20x64 (H, W, C), with the strides where there are gaps.
func (v View) String() string {
	s := fmt.Sprintf("%dx%dx%d", v.H, v.W, v.C)
	if v != Packed(v.H, v.W, v.C) {
		s += fmt.Sprintf(":%d:%d", v.PixelStride, v.RowStride)
	}
	return s
}

// check panics where a view cannot be one: kernels are made by the compiler, never by input.
func (v View) check(what string) {
	if v.H < 1 || v.W < 1 || v.C < 1 || v.PixelStride < 4*v.C || v.PixelStride%4 != 0 ||
		v.RowStride < v.W*v.PixelStride || v.RowStride%4 != 0 {
		panic(fmt.Sprintf("BUG: %s is no view: %+v", what, v))
	}
}

// Options are the instruction sets that a kernel may use beyond SIMD128.
type Options struct {
	Relaxed bool // relaxed SIMD: fused multiply-add
}

// suffix is the features part of a kernel's name.
func (o Options) suffix() string {
	if o.Relaxed {
		return "_relaxed"
	}
	return ""
}
