package kernels

import "math"

// maskAxis relates grid cells to prototype pixels along one axis: the centre of
// cell g lies at (g+0.5)*scale + shift, where 0.5 is the first prototype's centre.
type maskAxis struct {
	scale, shift float64
	size         int // prototypes
}

// axisScalar maps a grid of n cells over a picture (laid by gain and pad into a
// network input of size net) to prototypes of size proto.
func axisScalar(n, picture, net, proto int, gain, pad float64) maskAxis {
	k := float64(proto) / float64(net)
	return maskAxis{float64(picture) / float64(n) * gain * k, pad * k, proto}
}

// span is the run of n cells in [lo, hi) prototypes. Nothing else can exceed 0.5
// when the prototypes outside are zero.
func (a maskAxis) span(n, lo, hi int) (from, to int) {
	at := func(g int) float64 { return (float64(g)+0.5)*a.scale + a.shift }
	for from < n && at(from) < float64(lo) {
		from++
	}
	for to = from; to < n && at(to) < float64(hi); to++ {
	}
	return from, to
}

// tap is PyTorch's bilinear with align_corners=false and clamped edges.
func (a maskAxis) tap(g int) (int, float32) {
	f := min(max((float64(g)+0.5)*a.scale+a.shift-0.5, 0), float64(a.size-1))
	floor := math.Floor(f)
	return int(floor), float32(f - floor)
}

// maskCrop is the run of prototypes x with lo <= x < hi.
func maskCrop(lo, hi, k float32, size int) (from, to int) {
	first := func(v float32) int { return int(min(max(math.Ceil(float64(v*k)), 0), float64(size))) }
	return first(lo), max(first(lo), first(hi))
}

// lowMaskScalar is sigmoid(coef . prototypes) [h][w], zero outside the box (in pixels
// of the network's input).
func lowMaskScalar(p MaskParams, proto func(y, x, c int) float32, coef []float32, box [4]float32) []float32 {
	low := make([]float32, p.Proto.H*p.Proto.W)
	x0, x1 := maskCrop(box[0], box[2], p.scaleX(), p.Proto.W)
	y0, y1 := maskCrop(box[1], box[3], p.scaleY(), p.Proto.H)
	for y := y0; y < y1; y++ {
		for x := x0; x < x1; x++ {
			var sum float32
			for c, k := range coef {
				sum += float32(k * proto(y, x, c))
			}
			low[y*p.Proto.W+x] = sigmoid(sum)
		}
	}
	return low
}

// upMaskScalar is the low mask's value at grid cell (gx, gy).
func upMaskScalar(low []float32, ax, ay maskAxis, gx, gy int) float32 {
	i, fx := ax.tap(gx)
	j, fy := ay.tap(gy)
	at := func(j, i int) float32 { return low[min(j, ay.size-1)*ax.size+min(i, ax.size-1)] }
	row := func(j int) float32 { return at(j, i) + fx*(at(j, i+1)-at(j, i)) }
	return row(j) + fy*(row(j+1)-row(j))
}
