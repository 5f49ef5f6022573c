package kernels

// depthwiseScalar is the convolution of in [H][W][C] with weight [C][KH*KW], summed
// in float64.
func depthwiseScalar(p DepthwiseParams, in, weight, bias []float32) []float32 {
	kh, kw := p.Kernel[0], p.Kernel[1]
	out := make([]float32, 0, p.Out.H*p.Out.W*p.Out.C)
	for y := range p.Out.H {
		for x := range p.Out.W {
			for c := range p.Out.C {
				var sum float64
				if bias != nil {
					sum = float64(bias[c])
				}
				for k := range kh * kw {
					iy, ix := y*p.Stride[0]-p.Pad[0]+k/kw, x*p.Stride[1]-p.Pad[1]+k%kw
					if iy >= 0 && iy < p.In.H && ix >= 0 && ix < p.In.W {
						sum += float64(in[(iy*p.In.W+ix)*p.In.C+c]) * float64(weight[c*kh*kw+k])
					}
				}
				out = append(out, p.Act.Scalar(float32(sum)))
			}
		}
	}
	return out
}
