package kernels

import (
	"fmt"
	"testing"

	"spotter/kernels/emit"
)

// convOf is a convolution of a dense input with padding on all sides.
func convOf(h, w, in, out, kernel, stride, pad, dilation int, tile Tile) ConvParams {
	size := func(n int) int { return (n+2*pad-(kernel-1)*dilation-1)/stride + 1 }
	return ConvParams{
		In: Packed(h, w, in), Out: Packed(size(h), size(w), out), Tile: tile,
		Kernel: [2]int{kernel, kernel}, Stride: [2]int{stride, stride}, Pad: [2]int{pad, pad}, Dilation: [2]int{dilation, dilation},
	}
}

func runConv(t *testing.T, cases []ConvParams) {
	m := newTestModule(128)
	funcs := make([]*emit.Func, len(cases))
	for i, p := range cases {
		funcs[i] = ConvFunc(m, p)
	}
	onRig(t, m, func(t *testing.T, x *rig) {
		failed := 0
		for i, p := range cases {
			if x.slow() && p.Out.H*p.Out.W*p.In.C*p.Out.C*p.Kernel[0]*p.Kernel[1] > 20000 {
				continue
			}
			if !convCase(t, x, p, funcs[i]) {
				if failed++; failed == 5 {
					t.Fatal("and so on")
				}
			}
		}
	})
}

// convCase runs a kernel as two threads would.
func convCase(t *testing.T, x *rig, p ConvParams, f *emit.Func) bool {
	t.Helper()
	k := p.In.C / max(p.Groups, 1) * p.Kernel[0] * p.Kernel[1]
	in, weight, bias := noise(p.In.H*p.In.W*p.In.C, 1), noise(p.Out.C*k, 2), noise(p.Out.C, 3)
	var residual []float32
	if p.Residual != nil {
		residual = noise(p.Out.H*p.Out.W*p.Out.C, 4)
	}
	want := Conv(p, in, weight, bias, residual)
	x.reset()
	args := []int{x.tensor(p.In, in), x.floats(p.Pack(weight, bias)), x.blank(p.Out)}
	if p.Residual != nil {
		args = append(args, x.tensor(*p.Residual, residual))
	}
	scratch, units := x.take(p.ScratchBytes()), p.Units()
	x.call(t, f, append(args, scratch, units/3, units)...)
	before := append([]byte(nil), x.before...)
	x.call(t, f, append(args, scratch, 0, units/3)...)
	x.before = before
	return x.check(t, p.funcName(), p.Out, args[2], want, 2e-6*float64(k), [2]int{scratch, p.ScratchBytes()})
}

// TestConvSizes sweeps sizes and channels around each tile.
func TestConvSizes(t *testing.T) {
	for _, tile := range Tiles {
		t.Run(fmt.Sprintf("%dx%d", tile.Pixels, tile.Channels), func(t *testing.T) {
			t.Parallel()
			var cases []ConvParams
			for w := 1; w <= 2*tile.Pixels+1; w++ {
				cases = append(cases, convOf(3, w, 3, tile.Channels+1, 3, 1, 1, 1, tile))
			}
			for out := 1; out <= 2*tile.Channels+1; out += 3 {
				cases = append(cases, convOf(2, 4, 2, out, 3, 1, 1, 1, tile))
			}
			for _, in := range []int{1, 3, 4, 5, 6, 8, 11, 17} {
				cases = append(cases, convOf(4, 5, in, 9, 3, 2, 1, 1, tile))
			}
			runConv(t, cases)
		})
	}
}

// TestConvShapes sweeps kernels, strides, padding, dilation and chunks.
func TestConvShapes(t *testing.T) {
	var cases []ConvParams
	for _, kernel := range []int{1, 2, 3, 5, 6} {
		for stride := 1; stride <= 3; stride++ {
			for _, pad := range []int{0, 1, 2, 4} {
				for dilation := 1; dilation <= 2; dilation++ {
					p := convOf(7, 11, 3, 5, kernel, stride, pad, dilation, Tile{5, 8})
					if p.Out.H < 1 || p.Out.W < 1 {
						continue
					}
					cases = append(cases, p)
					p.Chunk, p.Split = 2*p.Out.W, SplitChannels
					cases = append(cases, p)
				}
			}
		}
	}
	uneven := ConvParams{In: Packed(9, 8, 5), Out: Packed(3, 7, 6), Kernel: [2]int{3, 2}, Stride: [2]int{3, 1}, Pad: [2]int{0, 0}, Tile: Tile{4, 8}}
	bottom := ConvParams{In: Packed(6, 6, 3), Out: Packed(3, 3, 8), Kernel: [2]int{3, 3}, Stride: [2]int{2, 2}, Tile: Tile{5, 8}} // padded below and right only
	runConv(t, append(cases, uneven, bottom))
}

// TestConvViews has gaps, residuals, activations, channel splits and groups.
func TestConvViews(t *testing.T) {
	var cases []ConvParams
	for _, gap := range []int{0, 1, 4} {
		for _, groups := range []int{1, 2, 3} {
			p := convOf(5, 6, 12, 18, 3, 1, 1, 1, Tile{4, 8})
			p.In, p.Out = wide(p.In, gap, gap), wide(p.Out, 2*gap, gap)
			p.Groups, p.Chunk = groups, 13
			p.Act = Activation{Kind: ActSiLU}
			cases = append(cases, p)
			residual := wide(Packed(5, 6, 18), gap, 3*gap)
			p.Residual = &residual
			cases = append(cases, p)
			if groups == 1 {
				p.Split = SplitChannels
				cases = append(cases, p)
			}
		}
	}
	runConv(t, cases)
}
