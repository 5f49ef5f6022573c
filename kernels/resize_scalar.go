package kernels

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
