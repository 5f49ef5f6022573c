package detect

import "math"

// Prototypes are a segmentation network's masks that detections mix:
// [Masks, H, W], a quarter of the network's input a side.
type Prototypes = Map

// LowMask is a detection's mask at the prototypes' size, H x W: the sigmoid of
// the coefficients' mix, 0 outside the box. Box is in pixels of a network input
// of netW x netH.
func LowMask(p Prototypes, coef []float32, box [4]float32, netW, netH int) []float32 {
	x0, y0, x1, y1 := crop(p, box, netW, netH)
	low := make([]float32, p.H*p.W)
	for y := y0; y < y1; y++ {
		for x := x0; x < x1; x++ {
			var sum float32
			for k, c := range coef {
				sum += float32(c * p.Data[(k*p.H+y)*p.W+x])
			}
			low[y*p.W+x] = sigmoid(sum)
		}
	}
	return low
}

// crop is the box on the prototypes: the pixels x with x1 <= x < x2, likewise y.
func crop(p Prototypes, box [4]float32, netW, netH int) (x0, y0, x1, y1 int) {
	sx, sy := float32(float64(p.W)/float64(netW)), float32(float64(p.H)/float64(netH))
	first := func(v float32, limit int) int {
		return int(min(max(math.Ceil(float64(v)), 0), float64(limit)))
	}
	return first(box[0]*sx, p.W), first(box[1]*sy, p.H), first(box[2]*sx, p.W), first(box[3]*sy, p.H)
}

// Mask is a detection's mask on a grid over the whole picture. Outside the
// rectangle X0 <= x < X1, Y0 <= y < Y1 it is empty.
type Mask struct {
	W, H           int // the grid
	X0, Y0, X1, Y1 int
	Bits           []byte // 0 or 255, (X1-X0)*(Y1-Y0), row by row
}

// PictureMask is a detection's mask on a grid of w x h over the whole picture:
// the low mask, bilinear (half-pixel centres, edges repeated), where it is above
// 0.5. Box is in pixels of the network's input. When the picture has the
// network's size and the grid too, this is YOLOv5's mask.
//
// A sample above 0.5 needs its nearest low pixel inside the box, so the rectangle
// is the grid points that fall into those pixels.
func PictureMask(p Prototypes, coef []float32, box [4]float32, place *Placement, w, h int) *Mask {
	low := LowMask(p, coef, box, place.Net[0], place.Net[1])
	cx0, cy0, cx1, cy1 := crop(p, box, place.Net[0], place.Net[1])
	xs := gridAxis(w, place, 0, p.W)
	ys := gridAxis(h, place, 1, p.H)
	m := &Mask{W: w, H: h}
	m.X0, m.X1 = span(xs, cx0, cx1)
	m.Y0, m.Y1 = span(ys, cy0, cy1)
	m.Bits = make([]byte, (m.X1-m.X0)*(m.Y1-m.Y0))
	for y := m.Y0; y < m.Y1; y++ {
		for x := m.X0; x < m.X1; x++ {
			if bilinear(low, p.W, p.H, xs[x], ys[y]) > 0.5 {
				m.Bits[(y-m.Y0)*(m.X1-m.X0)+x-m.X0] = 255
			}
		}
	}
	return m
}

// gridAxis places the centres of n grid cells over the picture on the axis of a
// prototype of size pixels: 0.5 is the first pixel's centre.
func gridAxis(n int, place *Placement, axis, size int) []float64 {
	list := make([]float64, n)
	for i := range list {
		picture := (float64(i) + 0.5) * float64(place.Picture[axis]) / float64(n)
		net := float64(picture*place.Gain[axis]) + place.Pad[axis]
		list[i] = net * float64(size) / float64(place.Net[axis])
	}
	return list
}

// span is the run of grid points in [lo, hi).
func span(points []float64, lo, hi int) (from, to int) {
	for from < len(points) && points[from] < float64(lo) {
		from++
	}
	for to = from; to < len(points) && points[to] < float64(hi); to++ {
	}
	return from, to
}

// bilinear reads low at a point; centres of pixels are at halves.
func bilinear(low []float32, w, h int, x, y float64) float32 {
	x, y = max(x-0.5, 0), max(y-0.5, 0)
	x0, y0 := min(int(x), w-1), min(int(y), h-1)
	x1, y1 := min(x0+1, w-1), min(y0+1, h-1)
	fx, fy := float32(x-float64(x0)), float32(y-float64(y0))
	mix := func(a, b, f float32) float32 { return float32(a*(1-f)) + float32(b*f) }
	top := mix(low[y0*w+x0], low[y0*w+x1], fx)
	bottom := mix(low[y1*w+x0], low[y1*w+x1], fx)
	return mix(top, bottom, fy)
}

// Full is the mask over the whole grid, row by row.
func (m *Mask) Full() []byte {
	full := make([]byte, m.W*m.H)
	n := m.X1 - m.X0
	for y := m.Y0; y < m.Y1; y++ {
		copy(full[y*m.W+m.X0:], m.Bits[(y-m.Y0)*n:(y-m.Y0+1)*n])
	}
	return full
}
