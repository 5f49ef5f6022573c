package kernels

import (
	"fmt"
	"testing"

	"spotter/kernels/emit"
)

func matmulCases() []MatMulParams {
	var cases []MatMulParams
	for _, n := range []int{1, 2, 3, 4, 5, 15, 16, 17, 33} {
		m, k := 3, n%5+1
		cases = append(cases,
			MatMulParams{M: m, N: n, K: k, Out: [2]int{4 * n, 4}, A: [2]int{4 * k, 4}, B: [2]int{4 * n, 4}},
			MatMulParams{M: m, N: n, K: k, Out: [2]int{4 * n, 4}, A: [2]int{4, 4 * m}, B: [2]int{4, 4 * k}}, // both transposed
			MatMulParams{M: m, N: n, K: k, Out: [2]int{4, 4 * m}, A: [2]int{4 * k, 4}, B: [2]int{4 * n, 4}},
			MatMulParams{
				M: m, N: n, K: k, Out: [2]int{4 * n, 4}, A: [2]int{4 * k, 4}, B: [2]int{4 * n, 4},
				Batch: []int{2, 3}, BatchOut: []int{12 * m * n, 4 * m * n}, BatchA: []int{12 * m * k, 4 * m * k}, BatchB: []int{0, 4 * n * k},
			})
	}
	return cases
}

func TestMatMul(t *testing.T) {
	m := newTestModule(1)
	cases := matmulCases()
	funcs := make([]*emit.Func, len(cases))
	for i, p := range cases {
		funcs[i] = MatMulFunc(m, p)
	}
	onRig(t, m, func(t *testing.T, x *rig) {
		for i, p := range cases {
			for _, parts := range []int{1, 2} {
				a, b := noise(200, 1), noise(600, 2)
				want := MatMul(p, a, b)
				x.reset()
				args := []int{x.floats(a), x.floats(b)}
				out := x.take(4 * len(want))
				args = append(args, out)
				for part := range parts {
					x.call(t, funcs[i], append(args, p.Units()*part/parts, p.Units()*(part+1)/parts)...)
				}
				x.check(t, fmt.Sprintf("%+v in %d parts", p, parts), Packed(1, 1, len(want)), out, want, 1e-5)
			}
		}
	})
}
