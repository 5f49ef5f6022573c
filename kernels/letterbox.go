package kernels

import (
	"fmt"

	"spotter/kernels/emit"
)

// Fit is how a picture is laid into the network's input.
type Fit int

// Fits. Letterbox keeps the aspect and centres; TopLeft pads right and below; Squash
// ignores the aspect; CropCentre covers the input and cuts off what sticks out.
const (
	FitLetterbox Fit = iota
	FitTopLeft
	FitSquash
	FitCropCentre
)

// LetterboxParams describe how RGBA pictures of any size become the network's input.
type LetterboxParams struct {
	Out       View // 3 channels; with a pixel stride of 4 floats or more the fourth is set to 0
	Fit       Fit
	BGR       bool
	Pad       byte // grey level around the picture
	Scale     float32
	Mean, Std [3]float32 // value = (byte*Scale - Mean[c]) / Std[c], c counting the network's channels
}

// Placement in memory, written by PlaceFunc: a net pixel n and a picture pixel p
// correspond by n = p*gain + pad. The resized picture's corner lies at left, top.
const (
	placeGainX  = 8 * iota // float64
	placeGainY             // float64
	placePadX              // float64
	placePadY              // float64
	placeSize              // int32 picture width, height
	placeCorner            // int32 left, top; negative when cropped
	placeOut               // int32 width, height of the resized picture

	// PlacementBytes is the size of a placement in memory; align it to 8.
	PlacementBytes
)

func (p LetterboxParams) name(kernel string) string {
	fit := [...]string{"letterbox", "topleft", "squash", "crop"}[p.Fit]
	return fmt.Sprintf("%s_%s_%v_%t_%d_%g_%g_%g", kernel, fit, p.Out, p.BGR, p.Pad, p.Scale, p.Mean, p.Std)
}

// PlaceFunc emits place(w, h, placement): where a picture of w x h (both at least 1)
// lands. A side that would vanish keeps one pixel.
func PlaceFunc(m *emit.Module, p LetterboxParams) *emit.Func {
	name := p.name("place")
	if f := m.Func(name); f != nil {
		return f
	}
	f := m.NewFunc(name, []emit.Type{emit.I32, emit.I32, emit.I32}, nil)
	w, h, at := f.Param(0, "w"), f.Param(1, "h"), f.Param(2, "placement")
	f.Do(emit.I32Store(at, placeSize, w))
	f.Do(emit.I32Store(at, placeSize+4, h))
	gx := f.Define("gain_x", emit.F64Div(emit.F64Const(float64(p.Out.W)), emit.F64ConvertI32S(w)))
	gy := f.Define("gain_y", emit.F64Div(emit.F64Const(float64(p.Out.H)), emit.F64ConvertI32S(h)))
	switch p.Fit {
	case FitLetterbox, FitTopLeft:
		f.Set(gx, emit.F64Min(gx, gy))
		f.Set(gy, gx)
	case FitCropCentre:
		f.Set(gx, emit.F64Max(gx, gy))
		f.Set(gy, gx)
	}
	p.placeAxis(f, at, 0, p.Out.W, w, gx)
	p.placeAxis(f, at, 1, p.Out.H, h, gy)
	return f
}

// placeAxis writes the placement of a side of size along axis 0 (x) or 1 (y).
func (p LetterboxParams) placeAxis(f *emit.Func, at emit.Value, axis, net int, size, gain emit.Value) {
	long := f.Define("side", emit.F64Mul(emit.F64ConvertI32S(size), gain))
	out := f.Define("out", emit.I32Const(net))
	pad, corner := f.Define("pad", emit.F64Const(0)), f.Define("corner", emit.I32Const(0))
	atLeastOne := func(x emit.Value) emit.Value {
		return emit.I32TruncSatF64S(emit.F64Max(x, emit.F64Const(1)))
	}
	switch p.Fit {
	case FitLetterbox:
		f.Set(out, atLeastOne(emit.F64Nearest(long)))
		f.Set(pad, emit.F64Mul(emit.F64Sub(emit.F64Const(float64(net)), long), emit.F64Const(0.5)))
		half := emit.F64Mul(emit.F64ConvertI32S(emit.I32Sub(emit.I32Const(net), out)), emit.F64Const(0.5))
		// The 0.1 sends the odd pixel right and below, as YOLOv5 does.
		f.Set(corner, emit.I32TruncSatF64S(emit.F64Nearest(emit.F64Sub(half, emit.F64Const(0.1)))))
	case FitTopLeft:
		f.Set(out, atLeastOne(long)) // YOLOX cuts the fraction off
	case FitCropCentre:
		f.Set(out, atLeastOne(emit.F64Nearest(long)))
		f.Set(corner, emit.I32DivS(emit.I32Sub(emit.I32Const(net), out), emit.I32Const(2)))
		f.Set(pad, emit.F64ConvertI32S(corner))
	}
	f.Do(emit.F64Store(at, placeGainX+8*axis, gain))
	f.Do(emit.F64Store(at, placePadX+8*axis, pad))
	f.Do(emit.I32Store(at, placeCorner+4*axis, corner))
	f.Do(emit.I32Store(at, placeOut+4*axis, out))
}
