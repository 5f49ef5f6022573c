package kernels

import "math"

// upsampleScalar repeats the pixels of in [H][W][C].
func upsampleScalar(p UpsampleParams, in []float32) []float32 {
	out := make([]float32, 0, p.Out.H*p.Out.W*p.Out.C)
	for y := range p.Out.H {
		for x := range p.Out.W {
			at := (y/p.Factor[0]*p.In.W + x/p.Factor[1]) * p.In.C
			out = append(out, in[at:at+p.In.C]...)
		}
	}
	return out
}

// resizeScalar scales in [H][W][C] in float64.
func resizeScalar(p ResizeParams, in []float32) []float32 {
	out := make([]float32, 0, p.Out.H*p.Out.W*p.Out.C)
	for y := range p.Out.H {
		y0, y1, fy := resizeTap(p, 0, y)
		for x := range p.Out.W {
			x0, x1, fx := resizeTap(p, 1, x)
			for c := range p.Out.C {
				at := func(y, x int) float64 { return float64(in[(y*p.In.W+x)*p.In.C+c]) }
				row := func(y int) float64 { return at(y, x0)*(1-fx) + at(y, x1)*fx }
				out = append(out, float32(row(y0)*(1-fy)+row(y1)*fy))
			}
		}
	}
	return out
}

// resizeTap is where output i reads along an axis: a*(1-f) + b*f.
func resizeTap(p ResizeParams, axis, i int) (a, b int, f float64) {
	in, out, scale := p.sizes(axis)
	at := math.Floor(float64(i) / scale)
	switch p.Mode {
	case ResizeLinear:
		at = (float64(i)+0.5)/scale - 0.5
	case ResizeCorners:
		at = float64(i) * float64(in-1) / float64(max(out-1, 1))
	}
	at = min(max(at, 0), float64(in-1))
	return int(at), min(int(at)+1, in-1), at - math.Floor(at)
}
