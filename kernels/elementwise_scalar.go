package kernels

// elementwiseScalar is act(kind(a, b)) of packed tensors, b repeated where it is 1.
func elementwiseScalar(p ElementwiseParams, a, b []float32) []float32 {
	out := make([]float32, 0, len(a))
	for i, v := range a {
		if p.Kind != Left {
			c, x, y := i%p.A.C, i/p.A.C%p.A.W, i/p.A.C/p.A.W
			v = binaryScalar(p.Kind, v, b[(y%p.B.H*p.B.W+x%p.B.W)*p.B.C+c%p.B.C])
		}
		out = append(out, p.Act.Scalar(v))
	}
	return out
}

func binaryScalar(kind BinaryKind, a, b float32) float32 {
	switch kind {
	case Add:
		return a + b
	case Sub:
		return a - b
	case Mul:
		return a * b
	case Div:
		return a / b
	case Max:
		if a < b {
			return b
		}
	case Min:
		if b < a {
			return b
		}
	}
	return a
}
