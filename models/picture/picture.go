// Package picture decodes picture files to the pixels that browsers and OpenCV see.
//
// They decode JPEG with libjpeg, which interpolates the halved colour planes (a
// triangle filter, "fancy upsampling"); Go's decoder repeats their values. At coloured
// edges the two differ by up to 22 grey levels, enough to move a detector's score by
// 0.02. Decode interpolates as libjpeg does.
package picture

import (
	"image"
	"io"
)

// Decode reads a picture in any format that the program registers. JPEG comes back as
// opaque RGBA, other formats as their decoders give them.
func Decode(r io.Reader) (image.Image, error) {
	img, _, err := image.Decode(r)
	if err != nil {
		return nil, err
	}
	if y, ok := img.(*image.YCbCr); ok {
		return fromYCbCr(y), nil
	}
	return img, nil
}

// fromYCbCr converts with interpolated colour planes.
func fromYCbCr(img *image.YCbCr) image.Image {
	r := img.Rect
	w, h := r.Dx(), r.Dy()
	across, down := 1, 1
	switch img.SubsampleRatio {
	case image.YCbCrSubsampleRatio444:
	case image.YCbCrSubsampleRatio422:
		across = 2
	case image.YCbCrSubsampleRatio420:
		across, down = 2, 2
	case image.YCbCrSubsampleRatio440:
		down = 2
	default: // 4:1:1 and 4:1:0, which libjpeg repeats too
		return img
	}
	if r.Min != (image.Point{}) || w == 0 || h == 0 {
		return img
	}
	size := [2]int{(w + across - 1) / across, (h + down - 1) / down}
	cb := upsample(plane{img.Cb, img.CStride, size[0], size[1]}, across, down)
	cr := upsample(plane{img.Cr, img.CStride, size[0], size[1]}, across, down)
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			at := y*cb.stride + x
			rgb := convert(int(img.Y[y*img.YStride+x]), int(cb.data[at])-128, int(cr.data[at])-128)
			p := out.Pix[y*out.Stride+4*x:]
			p[0], p[1], p[2], p[3] = rgb[0], rgb[1], rgb[2], 255
		}
	}
	return out
}

// convert is JFIF's matrix in libjpeg's 16-bit fixed point (jdcolor.c's numbers).
func convert(y, cb, cr int) [3]uint8 {
	const half = 1 << 15
	return [3]uint8{
		clamp(y + (91881*cr+half)>>16),
		clamp(y + (-22554*cb-46802*cr+half)>>16),
		clamp(y + (116130*cb+half)>>16),
	}
}

func clamp(v int) uint8 { return uint8(min(max(v, 0), 255)) }

// plane is one channel of w x h samples.
type plane struct {
	data   []uint8
	stride int
	w, h   int
}

func (p plane) row(y int) []uint8 {
	y = min(max(y, 0), p.h-1)
	return p.data[y*p.stride : y*p.stride+p.w]
}

// upsample widens a plane by 1 or 2 in each direction. Each new sample is three parts
// of the nearer old one and one part of the farther, in each direction.
func upsample(p plane, across, down int) plane {
	out := plane{stride: p.w * across, w: p.w * across, h: p.h * down}
	out.data = make([]uint8, out.stride*out.h)
	sums := make([]int, p.w)
	for y := range out.h {
		near := p.row(y / down)
		far := near
		if down == 2 {
			far = p.row(y/2 - 1 + y%2*2)
		}
		// Sums are 4 times a sample; widening makes them 16 times.
		for x := range sums {
			sums[x] = 3*int(near[x]) + int(far[x])
		}
		widen(out.data[y*out.stride:(y+1)*out.stride], sums, across, down, y%2)
	}
	return out
}

// widen writes a row. Rounding alternates between neighbours, as libjpeg's does, to
// leave the mean where it is.
func widen(dst []uint8, sums []int, across, down, odd int) {
	if across == 1 {
		for x, s := range sums {
			dst[x] = uint8((s + 1 + odd) >> 2)
		}
		return
	}
	last := len(sums) - 1
	for x, s := range sums {
		before, behind := sums[max(x-1, 0)], sums[min(x+1, last)]
		if down == 1 { // sums are 4 times a sample without vertical weights: halve the precision
			s, before, behind = s/4, before/4, behind/4
			dst[2*x], dst[2*x+1] = uint8((3*s+before+1)>>2), uint8((3*s+behind+2)>>2)
			continue
		}
		dst[2*x], dst[2*x+1] = uint8((3*s+before+8)>>4), uint8((3*s+behind+7)>>4)
	}
}
