package reference

import (
	"fmt"
	"math"

	"spotter/models"
)

// Operations on feature maps.

// perChannel is the size of one channel: the first dimension of any rank.
func perChannel(t tensor) int { return len(t.data) / t.shape[0] }

func batchNorm(op *models.BatchNorm, w models.Weights, in, out tensor) {
	weight, bias, mean, variance := w[op.Weight].Data, w[op.Bias].Data, w[op.Mean].Data, w[op.Var].Data
	n := perChannel(in)
	for c := range in.shape[0] {
		f := float64(weight[c]) / math.Sqrt(float64(variance[c])+float64(op.Eps))
		for i := c * n; i < (c+1)*n; i++ {
			out.data[i] = float32((float64(in.data[i])-float64(mean[c]))*f + float64(bias[c]))
		}
	}
}

func scale(weight []float32, in, out tensor) {
	n := perChannel(in)
	for i, v := range in.data {
		out.data[i] = v * weight[i/n]
	}
}

func activate(op *models.Activation, in, out tensor) error {
	f := activation(op)
	if f == nil {
		return fmt.Errorf("elementwise function %d is unknown", op.Kind)
	}
	for i, v := range in.data {
		out.data[i] = float32(f(float64(v)))
	}
	return nil
}

func activation(op *models.Activation) func(float64) float64 {
	lo, hi := float64(op.Lo), float64(op.Hi)
	switch op.Kind {
	case models.ActNone:
		return func(x float64) float64 { return x }
	case models.ActReLU:
		return func(x float64) float64 { return max(x, 0) }
	case models.ActReLU6:
		return func(x float64) float64 { return clamp(x, 0, 6) }
	case models.ActSiLU:
		return func(x float64) float64 { return x * sigmoid(x) }
	case models.ActSigmoid:
		return sigmoid
	case models.ActHardSwish:
		return func(x float64) float64 { return x * clamp(x/6+0.5, 0, 1) }
	case models.ActHardSigmoid:
		return func(x float64) float64 { return clamp(lo*x+hi, 0, 1) }
	case models.ActLeakyReLU:
		return func(x float64) float64 { return max(x, 0) + lo*min(x, 0) }
	case models.ActGELU:
		return func(x float64) float64 { return x / 2 * (1 + math.Erf(x/math.Sqrt2)) }
	case models.ActClip:
		return func(x float64) float64 { return clamp(x, lo, hi) }
	case models.ActTanh:
		return math.Tanh
	case models.ActExp:
		return math.Exp
	case models.ActSqrt:
		return math.Sqrt
	case models.ActNeg:
		return func(x float64) float64 { return -x }
	}
	return nil
}

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

func clamp(x, lo, hi float64) float64 { return min(max(x, lo), hi) }

// pool calls f for every output with the rectangle of inputs under its window,
// cut at the edges.
func pool(win window, in, out tensor, f func(src []float32, y0, y1, x0, x1 int) float32) {
	parallel(in.shape[0], func(c int) {
		src, dst := plane(in, c), plane(out, c)
		for oy := range out.shape[1] {
			y := oy*win.stride[0] - win.pad[0]
			for ox := range out.shape[2] {
				x := ox*win.stride[1] - win.pad[1]
				dst[oy*out.shape[2]+ox] = f(src, max(y, 0), min(y+win.kernel[0], in.shape[1]),
					max(x, 0), min(x+win.kernel[1], in.shape[2]))
			}
		}
	})
}

func maxPool(op *models.MaxPool, in, out tensor) {
	win := window{kernel: op.Kernel, stride: op.Stride, pad: [2]int{op.Pad[0], op.Pad[1]}}
	pool(win, in, out, func(src []float32, y0, y1, x0, x1 int) float32 {
		best := float32(math.Inf(-1))
		for y := y0; y < y1; y++ {
			for _, v := range src[y*in.shape[2]+x0 : y*in.shape[2]+x1] {
				best = max(best, v)
			}
		}
		return best
	})
}

func avgPool(op *models.AvgPool, in, out tensor) {
	win := window{kernel: op.Kernel, stride: op.Stride, pad: [2]int{op.Pad[0], op.Pad[1]}}
	pool(win, in, out, func(src []float32, y0, y1, x0, x1 int) float32 {
		var sum float64
		for y := y0; y < y1; y++ {
			for _, v := range src[y*in.shape[2]+x0 : y*in.shape[2]+x1] {
				sum += float64(v)
			}
		}
		count := max(y1-y0, 0) * max(x1-x0, 0)
		if op.CountPad {
			count = op.Kernel[0] * op.Kernel[1]
		}
		return float32(sum / float64(count))
	})
}

func globalAvgPool(in, out tensor) {
	for c := range in.shape[0] {
		var sum float64
		for _, v := range plane(in, c) {
			sum += float64(v)
		}
		out.data[c] = float32(sum / float64(perChannel(in)))
	}
}

// attention is multi-query attention: every query pixel of every head weighs the
// pixels of the one key and value that all heads share.
func attention(op *models.MQA, query, key, value, out tensor) {
	pixels, keys := query.shape[1]*query.shape[2], key.shape[1]*key.shape[2]
	parallel(op.Heads, func(head int) {
		weights := make([]float64, keys)
		base := head * op.Dim * pixels
		for p := range pixels {
			for k := range weights {
				var dot float64
				for d := range op.Dim {
					dot += float64(query.data[base+d*pixels+p]) * float64(key.data[d*keys+k])
				}
				weights[k] = dot * float64(op.Scale)
			}
			normalise(weights)
			for d := range op.Dim {
				var sum float64
				for k, a := range weights {
					sum += a * float64(value.data[d*keys+k])
				}
				out.data[base+d*pixels+p] = float32(sum)
			}
		}
	})
}

// normalise turns logits into their softmax.
func normalise(logits []float64) {
	top := math.Inf(-1)
	for _, v := range logits {
		top = max(top, v)
	}
	var sum float64
	for i, v := range logits {
		logits[i] = math.Exp(v - top)
		sum += logits[i]
	}
	for i := range logits {
		logits[i] /= sum
	}
}
