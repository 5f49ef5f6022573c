package kernels

import (
	"fmt"
	"math"
	"testing"

	"spotter/kernels/emit"
)

func TestSoftmax(t *testing.T) {
	m := newTestModule(1)
	var cases []SoftmaxParams
	for c := 1; c <= 20; c++ {
		cases = append(cases, SoftmaxParams{In: wide(Packed(2, 3, c), c%3, 0), Out: wide(Packed(2, 3, c), 1, c%2)})
	}
	funcs := make([]*emit.Func, len(cases))
	for i, p := range cases {
		funcs[i] = SoftmaxFunc(m, p)
	}
	onRig(t, m, func(t *testing.T, x *rig) {
		for i, p := range cases {
			for _, size := range []float32{1, 30, 1000} {
				in := noise(6*p.In.C, uint32(i))
				for k := range in {
					in[k] *= size
				}
				x.reset()
				src, dst := x.tensor(p.In, in), x.blank(p.Out)
				x.call(t, funcs[i], src, dst, 1, 2)
				x.call(t, funcs[i], src, dst, 0, 1)
				x.check(t, fmt.Sprintf("%s of %+v, inputs up to %g", funcs[i].Name, p, size), p.Out, dst, softmaxScalar(in, p.In.C), 1e-6)
			}
		}
	})
}

func TestClassify(t *testing.T) {
	for _, classes := range []int{1, 2, 3, 5, 16, 1000} {
		p := ClassifyParams{Logits: 64, Classes: classes, MaxResults: 6}
		p.Results = 64 + 4*classes + 12
		p.Scratch = p.Results + 32*p.MaxResults
		m := newTestModule(1)
		f := ClassifyFunc(m, p)
		onRig(t, m, func(t *testing.T, x *rig) {
			logits := noise(classes, 5)
			for i := range logits {
				logits[i] = float32(int(logits[i]*40)) / 4 // with ties
			}
			x.reset()
			x.floats(logits)
			want := softmaxScalar(logits, classes)
			n := x.call(t, f, 100)
			if n != min(classes, p.MaxResults) {
				t.Fatalf("%d classes: %d results", classes, n)
			}
			for i := range n {
				best := 0
				for k, v := range want {
					if v > want[best] {
						best = k
					}
				}
				got, class := x.get(p.Results+32*i+16), x.word(p.Results+32*i+20)
				if class != best || !near(got, want[best], 1e-6) {
					t.Fatalf("%d classes, result %d: class %d score %v, want %d %v", classes, i, class, got, best, want[best])
				}
				want[best] = -1
			}
			x.put(64, float32(math.NaN()))
			if n := x.call(t, f, -3) + x.call(t, f, 5); n != 0 {
				t.Errorf("%d classes: %d results of NaN", classes, n)
			}
		})
	}
}
