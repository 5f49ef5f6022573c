package kernels

import "math"

// fitting says where a picture of w x h lands in the network's input.
// A net pixel n and a picture pixel p correspond by n = p*gain + pad.
type fitting struct {
	gainX, gainY, padX, padY float64
	left, top, outW, outH    int // the resized picture; left and top are negative when cropped
}

// fitScalar lays a picture into p's input. Pads of a letterbox are rounded as
// YOLOv5 does: left = round(pad-0.1), so that the odd pixel goes right and below.
func fitScalar(p LetterboxParams, w, h int) fitting {
	gx, gy := float64(p.Out.W)/float64(w), float64(p.Out.H)/float64(h)
	switch p.Fit {
	case FitLetterbox, FitTopLeft:
		gx = min(gx, gy)
		gy = gx
	case FitCropCentre:
		gx = max(gx, gy)
		gy = gx
	}
	f := fitting{gainX: gx, gainY: gy, outW: p.Out.W, outH: p.Out.H}
	switch p.Fit {
	case FitLetterbox, FitCropCentre:
		f.outW = max(1, int(math.RoundToEven(float64(w)*gx)))
		f.outH = max(1, int(math.RoundToEven(float64(h)*gy)))
	case FitTopLeft: // as YOLOX, which cuts the fraction off
		f.outW = max(1, int(float64(w)*gx))
		f.outH = max(1, int(float64(h)*gy))
	}
	switch p.Fit {
	case FitLetterbox:
		f.left = int(math.RoundToEven(float64(p.Out.W-f.outW)/2 - 0.1))
		f.top = int(math.RoundToEven(float64(p.Out.H-f.outH)/2 - 0.1))
		f.padX = (float64(p.Out.W) - float64(w)*gx) / 2
		f.padY = (float64(p.Out.H) - float64(h)*gy) / 2
	case FitCropCentre:
		f.left, f.top = -((f.outW - p.Out.W) / 2), -((f.outH - p.Out.H) / 2)
		f.padX, f.padY = float64(f.left), float64(f.top)
	}
	return f
}

// linearTap is OpenCV's INTER_LINEAR along one axis: output d of out comes from
// source index i and i+1 (edges repeat) with 11-bit weights a0 and a1.
func linearTap(d, out, src int) (i int, a0, a1 int32) {
	scale := 1 / (float64(out) / float64(src))
	f := float32((float64(d)+0.5)*scale - 0.5)
	floor := float32(math.Floor(float64(f)))
	f -= floor
	return int(floor), int32(math.RoundToEven(float64((1 - f) * 2048))), int32(math.RoundToEven(float64(f * 2048)))
}

// letterboxScalar returns the network's input [H][W][3] for the RGBA picture.
func letterboxScalar(p LetterboxParams, rgba []byte, w, h int) []float32 {
	f := fitScalar(p, w, h)
	out := make([]float32, p.Out.H*p.Out.W*3)
	at := func(x, y, c int) int32 {
		return int32(rgba[(min(max(y, 0), h-1)*w+min(max(x, 0), w-1))*4+c])
	}
	for y := range p.Out.H {
		for x := range p.Out.W {
			dx, dy := x-f.left, y-f.top
			inside := dx >= 0 && dx < f.outW && dy >= 0 && dy < f.outH
			for c := range 3 {
				v, from := int32(p.Pad), c
				if p.BGR {
					from = 2 - c
				}
				if inside {
					sx, a0, a1 := linearTap(dx, f.outW, w)
					sy, b0, b1 := linearTap(dy, f.outH, h)
					s0 := at(sx, sy, from)*a0 + at(sx+1, sy, from)*a1
					s1 := at(sx, sy+1, from)*a0 + at(sx+1, sy+1, from)*a1
					v = (b0*(s0>>4)>>16 + b1*(s1>>4)>>16 + 2) >> 2
				}
				out[(y*p.Out.W+x)*3+c] = p.level(c, v)
			}
		}
	}
	return out
}
