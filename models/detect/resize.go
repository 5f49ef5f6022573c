package detect

import "math"

// coefBits are the bits of a bilinear weight: OpenCV's INTER_LINEAR on bytes
// works in fixed point.
const coefBits = 11

// tap is where one output pixel reads along one axis: two neighbours and the
// weight of each, in 1/2048.
type tap struct {
	at     [2]int
	weight [2]int32
}

// taps gives the taps of every output pixel of an axis: half-pixel centres, no
// antialiasing, edges repeated.
func taps(src, dst int) []tap {
	list := make([]tap, dst)
	scale := 1 / (float64(dst) / float64(src))
	for i := range list {
		f := float32(float64((float64(i)+0.5)*scale) - 0.5) // the product rounded, never fused
		floor := float32(math.Floor(float64(f)))
		at, frac := int(floor), f-floor
		list[i] = tap{
			at:     [2]int{min(max(at, 0), src-1), min(max(at+1, 0), src-1)},
			weight: [2]int32{fixed(1 - frac), fixed(frac)},
		}
	}
	return list
}

func fixed(f float32) int32 { return int32(math.RoundToEven(float64(f * (1 << coefBits)))) }

// Resize scales a picture of interleaved bytes bilinearly, as cv2.resize does
// with INTER_LINEAR. Channels are the bytes of a pixel.
func Resize(src []byte, w, h, channels, dw, dh int) []byte {
	dst := make([]byte, dw*dh*channels)
	xs, ys := taps(w, dw), taps(h, dh)
	rows := [2][]int32{make([]int32, dw*channels), make([]int32, dw*channels)}
	for y, t := range ys {
		for k := range rows {
			resizeRow(rows[k], src[t.at[k]*w*channels:], xs, channels)
		}
		for i := range rows[0] {
			// Two roundings, as OpenCV's 16-bit multiplies make them.
			a := t.weight[0] * (rows[0][i] >> 4) >> 16
			b := t.weight[1] * (rows[1][i] >> 4) >> 16
			dst[y*dw*channels+i] = byte((a + b + 2) >> 2)
		}
	}
	return dst
}

// resizeRow scales one row to fixed point with coefBits after the point.
func resizeRow(dst []int32, src []byte, xs []tap, channels int) {
	for x, t := range xs {
		for c := range channels {
			a, b := int32(src[t.at[0]*channels+c]), int32(src[t.at[1]*channels+c])
			dst[x*channels+c] = a*t.weight[0] + b*t.weight[1]
		}
	}
}
