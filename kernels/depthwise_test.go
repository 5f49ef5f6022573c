package kernels

import (
	"fmt"
	"strings"
	"testing"

	"spotter/kernels/emit"
)

// depthwiseCase is a layer whose output is as large as its padding makes it.
func depthwiseCase(h, w, c, k, stride, pad int) DepthwiseParams {
	size := func(n int) int { return (n+2*pad-k)/stride + 1 }
	return DepthwiseParams{
		In: Packed(h, w, c), Out: Packed(size(h), size(w), c),
		Kernel: [2]int{k, k}, Stride: [2]int{stride, stride}, Pad: [2]int{pad, pad},
	}
}

func depthwiseCases() []DepthwiseParams {
	var cases []DepthwiseParams
	for w := 5; w <= 20; w++ {
		cases = append(cases, depthwiseCase(6, w, 4, 3, 1, 1), depthwiseCase(7, w, 4, 3, 2, 1),
			depthwiseCase(6, w, 8, 5, 1, 2), depthwiseCase(9, w, 4, 5, 2, 2))
	}
	for c := 1; c <= 9; c++ {
		cases = append(cases, depthwiseCase(4, 9, c, 3, 1, 1), depthwiseCase(5, 9, c, 5, 2, 2))
	}
	for _, side := range []int{1, 2, 3, 33} {
		cases = append(cases, depthwiseCase(side, side, 5, 3, 1, 1), depthwiseCase(side, 2, 4, 5, 1, 2),
			depthwiseCase(2, side, 4, 3, 2, 1), depthwiseCase(side, 7, 4, 7, 1, 3))
	}
	cases = append(cases, depthwiseCase(8, 12, 4, 3, 1, 0), depthwiseCase(9, 40, 4, 1, 3, 0), depthwiseCase(3, 3, 4, 3, 1, 4))
	odd := depthwiseCase(9, 11, 6, 3, 1, 1)
	odd.Kernel, odd.Stride, odd.Pad = [2]int{5, 3}, [2]int{1, 2}, [2]int{0, 1}
	odd.Out = Packed(5, 6, 6)
	asymmetric := depthwiseCase(8, 8, 4, 3, 2, 1) // as TensorFlow pads: below and right only
	asymmetric.Pad, asymmetric.Out = [2]int{0, 0}, Packed(4, 4, 4)
	sliced := depthwiseCase(6, 9, 7, 3, 1, 1)
	sliced.In, sliced.Out = wide(sliced.In, 3, 2), wide(sliced.Out, 5, 1)
	return append(cases, odd, asymmetric, sliced)
}

func TestDepthwise(t *testing.T) {
	m := newTestModule(8)
	cases := depthwiseCases()
	funcs := make([]*emit.Func, len(cases))
	acts := []Activation{{}, {Kind: ActReLU6}, {Kind: ActSiLU}}
	for i := range cases {
		cases[i].Act = acts[i%len(acts)]
		funcs[i] = DepthwiseFunc(m, cases[i])
	}
	onRig(t, m, func(t *testing.T, x *rig) {
		for i, p := range cases {
			taps := p.Kernel[0] * p.Kernel[1]
			in, weight, bias := noise(p.In.H*p.In.W*p.In.C, 1), noise(p.In.C*taps, 2), noise(p.In.C, 3)
			if i%5 == 4 {
				bias = nil
			}
			x.reset()
			packed := x.floats(PackDepthwise(weight, bias, p.In.C, taps))
			src, dst := x.tensor(p.In, in), x.blank(p.Out)
			split := p.Out.H / 3
			x.call(t, funcs[i], src, packed, dst, split, p.Out.H)
			x.call(t, funcs[i], src, packed, dst, 0, split)
			x.check(t, fmt.Sprintf("%s of %+v", funcs[i].Name, p), p.Out, dst, depthwiseScalar(p, in, weight, bias), 2e-6)
		}
	})
}

// TestDepthwiseRelaxed checks that the relaxed kernel is the plain one with its products
// fused; wazero cannot run it.
func TestDepthwiseRelaxed(t *testing.T) {
	for _, p := range depthwiseCases() {
		m := newTestModule(1)
		plain := DepthwiseFunc(m, p).Text()
		p.Relaxed = true
		relaxed := DepthwiseFunc(m, p).Text()
		count := strings.Count
		if a, b := count(plain, "f32x4.mul"), count(relaxed, "f32x4.relaxed_madd"); a != b || a == 0 || count(relaxed, "f32x4.mul") != 0 {
			t.Errorf("%+v: %d products, %d fused, %d not", p, a, b, count(relaxed, "f32x4.mul"))
		}
		if a, b := count(plain, "v128.load"), count(relaxed, "v128.load"); a != b {
			t.Errorf("%+v: %d loads, relaxed %d", p, a, b)
		}
	}
}
