package kernels

import "math"

// softmaxScalar is softmax over runs of n numbers, in float64.
func softmaxScalar(in []float32, n int) []float32 {
	out := make([]float32, 0, len(in))
	for row := range len(in) / n {
		x := in[row*n:][:n]
		top, sum := math.Inf(-1), 0.0
		for _, v := range x {
			top = max(top, float64(v))
		}
		for _, v := range x {
			sum += math.Exp(float64(v) - top)
		}
		for _, v := range x {
			out = append(out, float32(math.Exp(float64(v)-top)/sum))
		}
	}
	return out
}
