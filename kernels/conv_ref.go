package kernels

// Conv is the scalar twin of ConvFunc for the shapes of p: dense tensors (H, W, C),
// weights [Out.C][In.C/Groups][KH][KW], bias and residual or nil.
func Conv(p ConvParams, in, weight, bias, residual []float32) []float32 {
	p = p.normal()
	inC, outC := p.In.C/p.Groups, p.Out.C/p.Groups
	out := make([]float32, 0, p.Out.H*p.Out.W*p.Out.C)
	for i := range p.Out.H * p.Out.W * p.Out.C {
		y, x, o := i/p.Out.C/p.Out.W, i/p.Out.C%p.Out.W, i%p.Out.C
		sum := 0.0
		if bias != nil {
			sum = float64(bias[o])
		}
		for c := range inC {
			for ky := range p.Kernel[0] {
				for kx := range p.Kernel[1] {
					iy := y*p.Stride[0] + ky*p.Dilation[0] - p.Pad[0]
					ix := x*p.Stride[1] + kx*p.Dilation[1] - p.Pad[1]
					if iy < 0 || iy >= p.In.H || ix < 0 || ix >= p.In.W {
						continue
					}
					v := in[(iy*p.In.W+ix)*p.In.C+o/outC*inC+c]
					sum += float64(v) * float64(weight[((o*inC+c)*p.Kernel[0]+ky)*p.Kernel[1]+kx])
				}
			}
		}
		v := p.Act.Scalar(float32(sum))
		if residual != nil {
			v += residual[i]
		}
		out = append(out, v)
	}
	return out
}
