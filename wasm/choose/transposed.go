package choose

import (
	"spotter/kernels"
	"spotter/wasm/ir"
)

// transposed computes a transposed convolution as one plain convolution for each
// phase of the output: the pixels whose y and x leave the same remainders by
// the stride see the same taps, at neighbouring input pixels.
func (c *chooser) transposed(op *ir.ConvTranspose) error {
	for py := range op.Stride[0] {
		for px := range op.Stride[1] {
			c.phase(op, [2]int{py, px})
		}
	}
	return nil
}

// phase computes the output pixels stride*q + at. With r = (at+pad) mod stride, tap
// r + stride*t meets input pixel q + (at+pad)/stride - t: a convolution with those taps in
// reverse order.
func (c *chooser) phase(op *ir.ConvTranspose, at [2]int) {
	in, out := c.in[0], c.out
	offset := at[0]*out.RowStride + at[1]*out.PixelStride
	size := [2]*int{&out.H, &out.W}
	var first, taps, pad [2]int
	for i := range 2 {
		*size[i] = (*size[i] - at[i] + op.Stride[i] - 1) / op.Stride[i]
		if *size[i] <= 0 {
			return
		}
		first[i] = (at[i] + op.Pad[i]) % op.Stride[i]
		taps[i] = max((op.Kernel[i]-first[i]+op.Stride[i]-1)/op.Stride[i], 1)
		pad[i] = taps[i] - 1 - (at[i]+op.Pad[i])/op.Stride[i]
	}
	out.RowStride *= op.Stride[0]
	out.PixelStride *= op.Stride[1]
	skip := 0 // input pixels that the padding has cut off
	if n := -pad[0]; n > 0 && n < in.H {
		pad[0], skip, in.H = 0, skip+n*in.RowStride, in.H-n
	}
	if n := -pad[1]; n > 0 && n < in.W {
		pad[1], skip, in.W = 0, skip+n*in.PixelStride, in.W-n
	}
	p := kernels.ConvParams{
		In: in, Out: out, Kernel: taps, Stride: [2]int{1, 1}, Pad: [2]int{max(pad[0], 0), max(pad[1], 0)}, Groups: max(op.Groups, 1),
		Act: act(op.Act), Options: c.o.Options,
	}
	conv := &ir.Conv{Filter: phaseFilter(op, in.C, first, taps)}
	conv.Out = op.Out
	c.denseCall(conv, p, Arg{Value: c.step.In[0], Offset: skip}, Arg{Value: c.step.Out, Offset: offset})
}

// phaseFilter turns the weights [In][Out/Groups][KH][KW] that one phase uses into
// a convolution's [Out][In/Groups][taps].
func phaseFilter(op *ir.ConvTranspose, in int, first, taps [2]int) ir.Filter {
	groups := max(op.Groups, 1)
	inG, outG := in/groups, op.Out/groups
	f := ir.Filter{Half: op.Filter.Half, Scale: op.Filter.Scale, Bias: op.Filter.Bias}
	for o := range op.Out {
		for i := range inG {
			from := ((o/outG*inG+i)*outG + o%outG) * op.Kernel[0] * op.Kernel[1]
			for ty := taps[0] - 1; ty >= 0; ty-- {
				for tx := taps[1] - 1; tx >= 0; tx-- {
					ky, kx := first[0]+op.Stride[0]*ty, first[1]+op.Stride[1]*tx
					v := float32(0)
					if ky < op.Kernel[0] && kx < op.Kernel[1] {
						v = op.Filter.Data[from+ky*op.Kernel[1]+kx]
					}
					f.Data = append(f.Data, v)
				}
			}
		}
	}
	return f
}
