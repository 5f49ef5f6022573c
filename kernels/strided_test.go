package kernels

import (
	"fmt"
	"math"
	"testing"

	"spotter/kernels/emit"
)

// rowMajor gives the strides in bytes of a dense tensor.
func rowMajor(dims ...int) []int {
	strides, n := make([]int, len(dims)), 4
	for i := len(dims) - 1; i >= 0; i-- {
		strides[i] = n
		n *= dims[i]
	}
	return strides
}

func stridedCases() []StridedParams {
	var cases []StridedParams
	for _, n := range []int{1, 2, 3, 4, 5, 8, 9} {
		cases = append(cases,
			StridedParams{Dims: []int{n}, Out: []int{4}, A: []int{4}},
			StridedParams{Dims: []int{n}, Out: []int{8}, A: []int{12}},
			StridedParams{Dims: []int{3, n}, Out: rowMajor(3, n), A: []int{4, 12}}, // transposed
			StridedParams{Dims: []int{2, 3, n}, Out: []int{4, 8 * n, 8}, A: rowMajor(2, 3, n), Act: Activation{Kind: ActReLU}},
			StridedParams{Dims: []int{2, 1, n, 3}, Out: rowMajor(2, 1, n, 3), A: []int{0, 4, 4, 4 * n}, B: []int{4, 0, 0, 8}, Kind: Mul},
			StridedParams{Dims: []int{5, n}, Out: rowMajor(5, n), A: rowMajor(5, n), B: []int{0, 4}, Kind: Sub},
			StridedParams{Dims: []int{5, n}, Out: rowMajor(5, n), A: []int{4, 0}, B: rowMajor(5, n), Kind: Div},
		)
	}
	for kind := Left; kind <= Min; kind++ {
		cases = append(cases, StridedParams{Kind: kind, Dims: []int{2, 7}, Out: rowMajor(2, 7), A: rowMajor(2, 7), B: rowMajor(2, 7), Act: Activation{Kind: ActSigmoid}})
	}
	return cases
}

// span is the number of floats from the first to the last that the strides reach.
func floatSpan(dims, strides []int) int {
	n := 1
	for i, d := range dims {
		if strides != nil {
			n += (d - 1) * strides[i] / 4
		}
	}
	return n
}

func TestStrided(t *testing.T) {
	m := newTestModule(1)
	cases := stridedCases()
	funcs := make([]*emit.Func, len(cases))
	for i, p := range cases {
		funcs[i] = StridedFunc(m, p)
	}
	onRig(t, m, func(t *testing.T, x *rig) {
		for i, p := range cases {
			for _, parts := range []int{1, 3} {
				label := fmt.Sprintf("%+v in %d parts", p, parts)
				a, b := noise(floatSpan(p.Dims, p.A), 1), noise(floatSpan(p.Dims, p.B), 2)
				want := Strided(p, a, b)
				x.reset()
				args := []int{x.floats(a)}
				if p.Kind != Left {
					args = append(args, x.floats(b))
				}
				out := x.take(4 * len(want))
				args = append(args, out)
				for part := range parts {
					x.call(t, funcs[i], append(args, p.Units()*part/parts, p.Units()*(part+1)/parts)...)
				}
				compareStrided(t, x, label, p, out, want)
			}
		}
	})
}

// compareStrided checks what the strides reach, and that nothing else was written.
func compareStrided(t *testing.T, x *rig, label string, p StridedParams, out int, want []float32) {
	t.Helper()
	reached := map[int]bool{}
	var visit func(d, at int)
	visit = func(d, at int) {
		if d == len(p.Dims) {
			reached[at] = true
			return
		}
		for k := range p.Dims[d] {
			visit(d+1, at+k*p.Out[d]/4)
		}
	}
	visit(0, 0)
	for i, w := range want {
		got := x.get(out + 4*i)
		switch {
		case reached[i] && !near(got, w, 1e-6):
			t.Fatalf("%s: element %d is %v, want %v", label, i, got, w)
		case !reached[i] && math.Float32bits(got) != poison:
			t.Fatalf("%s: element %d between the output's was written: %v", label, i, got)
		}
	}
}
