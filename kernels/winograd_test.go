package kernels

import (
	"fmt"
	"testing"

	"spotter/kernels/emit"
)

// winogradSchemes are stride and size of the tile of each.
var winogradSchemes = [][2]int{{1, 2}, {1, 4}, {2, 2}, {2, 3}, {2, 4}}

// winogradOf is a convolution of a dense input with padding on all sides.
func winogradOf(h, w, in, out int, s [2]int, pad int, tile Tile) WinogradParams {
	size := func(n int) int { return (n+2*pad-3)/s[0] + 1 }
	return WinogradParams{
		In: Packed(h, w, in), Out: Packed(size(h), size(w), out), Stride: s[0], M: s[1], Pad: [2]int{pad, pad}, Tile: tile,
	}
}

func runWinograd(t *testing.T, cases []WinogradParams) {
	m := newTestModule(128)
	funcs, transforms := make([]*emit.Func, len(cases)), make([]*emit.Func, len(cases))
	for i, p := range cases {
		funcs[i], transforms[i] = WinogradFunc(m, p), WinogradWeightsFunc(m, p)
	}
	onRig(t, m, func(t *testing.T, x *rig) {
		failed := 0
		for i, p := range cases {
			if x.slow() && p.Out.H*p.Out.W*p.In.C*p.Out.C > 4000 {
				continue
			}
			if !winogradCase(t, x, p, funcs[i], transforms[i]) {
				if failed++; failed == 5 {
					t.Fatal("and so on")
				}
			}
		}
	})
}

// winogradCase runs a kernel as two threads would, on weights that Pack has transformed and
// on weights that the module has.
func winogradCase(t *testing.T, x *rig, p WinogradParams, f, transform *emit.Func) bool {
	t.Helper()
	in, weight, bias := noise(p.In.H*p.In.W*p.In.C, 1), noise(p.Out.C*p.In.C*9, 2), noise(p.Out.C, 3)
	var residual []float32
	if p.Residual != nil {
		residual = noise(p.Out.H*p.Out.W*p.Out.C, 4)
	}
	want := Conv(p.Plain(), in, weight, bias, residual)
	tol := 3e-6 * float64(9*p.In.C)
	for _, packed := range []bool{true, false} {
		x.reset()
		weights := x.take(4 * p.WeightFloats())
		if packed {
			for i, v := range p.Pack(weight, bias) {
				x.put(weights+4*i, v)
			}
		} else {
			x.call(t, transform, x.floats(p.Plain().Pack(weight, bias)), weights)
			if !x.check(t, transform.Name, Packed(1, 1, p.WeightFloats()), weights, p.Pack(weight, bias), 1e-6) {
				return false
			}
		}
		args := []int{x.tensor(p.In, in), weights, x.blank(p.Out)}
		if p.Residual != nil {
			args = append(args, x.tensor(*p.Residual, residual))
		}
		scratch, units := x.take(p.ScratchBytes()), p.Units()
		x.call(t, f, append(args, scratch, units/3, units)...)
		before := append([]byte(nil), x.before...)
		x.call(t, f, append(args, scratch, 0, units/3)...)
		x.before = before
		if !x.check(t, f.Name, p.Out, args[2], want, tol, [2]int{scratch, p.ScratchBytes()}) {
			return false
		}
	}
	return true
}

// TestWinogradSizes sweeps sizes around the tiles, and channels.
func TestWinogradSizes(t *testing.T) {
	for _, s := range winogradSchemes {
		t.Run(fmt.Sprintf("stride%d_%dx%d", s[0], s[1], s[1]), func(t *testing.T) {
			t.Parallel()
			var cases []WinogradParams
			for h := 1; h <= 2*s[0]*s[1]+2; h++ {
				for _, w := range []int{h, 5} {
					cases = append(cases, winogradOf(h, w, 4, 8, s, 1, Tile{3, 8}))
				}
			}
			for pad := 0; pad <= 2; pad++ {
				for w := 3; w < 8; w++ {
					cases = append(cases, winogradOf(w, w+2, 4, 4, s, pad, Tile{2, 4}))
				}
			}
			for _, in := range []int{4, 8, 12, 20, 32} {
				for _, out := range []int{4, 8, 12, 20} {
					cases = append(cases, winogradOf(7, 6, in, out, s, 1, Tile{5, 8}), winogradOf(6, 7, in, out, s, 1, Tile{3, 12}))
				}
			}
			runWinograd(t, cases)
		})
	}
}

// TestWinogradViews has gaps, residuals, activations, blocks of tiles and channel splits.
func TestWinogradViews(t *testing.T) {
	for _, s := range winogradSchemes {
		t.Run(fmt.Sprintf("stride%d_%dx%d", s[0], s[1], s[1]), func(t *testing.T) {
			t.Parallel()
			var cases []WinogradParams
			for _, gap := range []int{0, 1, 4} {
				for _, act := range []ActKind{ActNone, ActReLU6, ActSiLU} {
					for _, block := range []int{0, 3, 6} {
						p := winogradOf(11, 9, 8, 12, s, 1, Tile{3, 8})
						p.In, p.Out, p.Block, p.Act.Kind = wide(p.In, gap, gap), wide(p.Out, 2*gap, gap), block, act
						cases = append(cases, p)
						residual := wide(Packed(p.Out.H, p.Out.W, 12), gap, 3*gap)
						q := p
						q.Residual = &residual
						cases = append(cases, q)
						p.Split, q.Split = SplitChannels, SplitChannels
						cases = append(cases, p, q)
					}
				}
			}
			bottom := WinogradParams{In: Packed(6, 6, 4), Out: Packed(3, 3, 8), Stride: s[0], M: s[1], Tile: Tile{5, 8}} // padded below and right only
			beyond := WinogradParams{In: Packed(3, 2, 4), Out: Packed(7, 6, 8), Stride: s[0], M: s[1], Tile: Tile{5, 8}, Pad: [2]int{2, 1}}
			runWinograd(t, append(cases, bottom, beyond))
		})
	}
}
