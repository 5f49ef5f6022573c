package kernels

import "math"

// poolScalar slides the window over in [H][W][C].
func poolScalar(p PoolParams, in []float32) []float32 {
	out := make([]float32, 0, p.Out.H*p.Out.W*p.Out.C)
	for y := range p.Out.H {
		for x := range p.Out.W {
			for c := range p.Out.C {
				best, sum, n := math.Inf(-1), 0.0, 0
				for k := range p.Kernel[0] * p.Kernel[1] {
					iy, ix := y*p.Stride[0]-p.Pad[0]+k/p.Kernel[1], x*p.Stride[1]-p.Pad[1]+k%p.Kernel[1]
					if iy < 0 || iy >= p.In.H || ix < 0 || ix >= p.In.W {
						continue
					}
					v := float64(in[(iy*p.In.W+ix)*p.In.C+c])
					best, sum, n = max(best, v), sum+v, n+1
				}
				switch p.Kind {
				case PoolMean:
					best = sum / float64(n)
				case PoolMeanCountPad:
					best = sum / float64(p.Kernel[0]*p.Kernel[1])
				}
				out = append(out, float32(best))
			}
		}
	}
	return out
}
