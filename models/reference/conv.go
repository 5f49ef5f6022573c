package reference

import "spotter/models"

// window is a kernel's walk over a padded map.
type window struct {
	kernel, stride, dilation [2]int
	pad                      [2]int // top, left
}

// inside is the run of outputs, along an axis, for which the kernel's k-th tap
// lies inside an input of size pixels; output i reads i*stride + offset.
func (w *window) inside(axis, k, size, outputs int) (from, to, offset int) {
	offset = k*max(w.dilation[axis], 1) - w.pad[axis]
	stride := w.stride[axis]
	for from < outputs && from*stride+offset < 0 {
		from++
	}
	for to = outputs; to > from && (to-1)*stride+offset >= size; to-- {
	}
	return from, to, offset
}

func conv(op *models.Conv, w models.Weights, in, out tensor) {
	win := window{op.Kernel, op.Stride, op.Dilation, [2]int{op.Pad[0], op.Pad[1]}}
	if op.Kernel == [2]int{1, 1} && op.Stride == [2]int{1, 1} && op.Pad == [4]int{} {
		// Pointwise: the whole map is one long row.
		in.shape = models.Shape{in.shape[0], 1, in.shape[1] * in.shape[2]}
		out.shape = models.Shape{out.shape[0], 1, out.shape[1] * out.shape[2]}
	}
	groups := max(op.Groups, 1)
	perGroup := in.shape[0] / groups
	taps := op.Kernel[0] * op.Kernel[1]
	weight := w[op.Weight].Data
	parallel(op.Out, func(oc int) {
		sums := start(op.Bias, w, oc, out)
		first := oc / (op.Out / groups) * perGroup
		for i := range perGroup {
			k := (oc*perGroup + i) * taps
			convPlane(&win, weight[k:k+taps], plane(in, first+i), in.shape, sums, out.shape)
		}
		round(plane(out, oc), sums)
	})
}

// convPlane adds one input channel's part to one output channel.
func convPlane(win *window, weight, src []float32, in models.Shape, sums []float64, out models.Shape) {
	for ky := range win.kernel[0] {
		y0, y1, dy := win.inside(0, ky, in[1], out[1])
		for kx := range win.kernel[1] {
			x0, x1, dx := win.inside(1, kx, in[2], out[2])
			if x0 >= x1 {
				continue
			}
			v := float64(weight[ky*win.kernel[1]+kx])
			for y := y0; y < y1; y++ {
				row := src[(y*win.stride[0]+dy)*in[2]:]
				multiplyAdd(sums[y*out[2]+x0:y*out[2]+x1], v, row[x0*win.stride[1]+dx:], win.stride[1])
			}
		}
	}
}

// multiplyAdd adds v*src[i*stride] to sums[i].
func multiplyAdd(sums []float64, v float64, src []float32, stride int) {
	if stride != 1 {
		for i := range sums {
			sums[i] += v * float64(src[i*stride])
		}
		return
	}
	src = src[:len(sums)]
	for i := range sums {
		sums[i] += v * float64(src[i])
	}
}

// convTranspose scatters: input pixel i adds to outputs i*stride + k - pad.
func convTranspose(op *models.ConvTranspose, w models.Weights, in, out tensor) {
	groups := max(op.Groups, 1)
	inGroup, outGroup := in.shape[0]/groups, op.Out/groups
	taps := op.Kernel[0] * op.Kernel[1]
	weight := w[op.Weight].Data
	// Seen from the output, the scatter is a window over the output map.
	win := window{op.Kernel, op.Stride, [2]int{1, 1}, [2]int{op.Pad[0], op.Pad[1]}}
	parallel(op.Out, func(oc int) {
		sums := start(op.Bias, w, oc, out)
		for ic := oc / outGroup * inGroup; ic < (oc/outGroup+1)*inGroup; ic++ {
			k := (ic*outGroup + oc%outGroup) * taps
			scatterPlane(&win, weight[k:k+taps], plane(in, ic), in.shape, sums, out.shape)
		}
		round(plane(out, oc), sums)
	})
}

func scatterPlane(win *window, weight, src []float32, in models.Shape, sums []float64, out models.Shape) {
	for ky := range win.kernel[0] {
		y0, y1, dy := win.inside(0, ky, out[1], in[1])
		for kx := range win.kernel[1] {
			x0, x1, dx := win.inside(1, kx, out[2], in[2])
			v := float64(weight[ky*win.kernel[1]+kx])
			for y := y0; y < y1; y++ {
				for x := x0; x < x1; x++ {
					sums[(y*win.stride[0]+dy)*out[2]+x*win.stride[1]+dx] += v * float64(src[y*in[2]+x])
				}
			}
		}
	}
}

// plane is one channel of a [C, H, W] tensor.
func plane(t tensor, c int) []float32 {
	n := t.shape[1] * t.shape[2]
	return t.data[c*n : (c+1)*n]
}

// start is one output channel filled with its bias. Sums are float64, so that the
// reference stays nearer to the truth than whatever is measured against it.
func start(bias string, w models.Weights, oc int, out tensor) []float64 {
	sums := make([]float64, out.shape[1]*out.shape[2])
	if bias != "" {
		for i := range sums {
			sums[i] = float64(w[bias].Data[oc])
		}
	}
	return sums
}

func round(dst []float32, sums []float64) {
	for i, v := range sums {
		dst[i] = float32(v)
	}
}
