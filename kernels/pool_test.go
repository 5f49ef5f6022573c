package kernels

import (
	"fmt"
	"testing"

	"spotter/kernels/emit"
)

func poolCases() []PoolParams {
	var cases []PoolParams
	add := func(kind PoolKind, h, w, c, k, stride, pad int) {
		size := func(n int) int { return (n+2*pad-k)/stride + 1 }
		cases = append(cases, PoolParams{Kind: kind, In: Packed(h, w, c), Out: Packed(size(h), size(w), c),
			Kernel: [2]int{k, k}, Stride: [2]int{stride, stride}, Pad: [2]int{pad, pad}})
	}
	for kind := PoolMax; kind <= PoolMeanCountPad; kind++ {
		for side := 1; side <= 20; side++ {
			add(kind, 6, side, 4, 5, 1, 2)
			add(kind, side, 7, 4, 3, 2, 1)
		}
		for c := 1; c <= 9; c++ {
			add(kind, 5, 9, c, 5, 1, 2)
		}
		add(kind, 8, 12, 4, 2, 2, 0)
		add(kind, 13, 14, 4, 13, 1, 6)
		add(kind, 7, 9, 4, 7, 7, 0)
		add(kind, 3, 3, 4, 3, 1, 1)
	}
	last := cases[8]
	last.In, last.Out = wide(last.In, 3, 1), wide(last.Out, 1, 3)
	return append(cases, last)
}

func TestPool(t *testing.T) {
	m := newTestModule(4)
	cases := poolCases()
	funcs := make([]*emit.Func, len(cases))
	for i, p := range cases {
		funcs[i] = PoolFunc(m, p)
	}
	onRig(t, m, func(t *testing.T, x *rig) {
		for i, p := range cases {
			in := noise(p.In.H*p.In.W*p.In.C, uint32(i))
			for k := range in {
				in[k] -= 2 // so that a padding of zeros would win
			}
			x.reset()
			src, dst := x.tensor(p.In, in), x.blank(p.Out)
			split := p.Out.H / 2
			x.call(t, funcs[i], src, dst, split, p.Out.H)
			x.call(t, funcs[i], src, dst, 0, split)
			tol := 1e-6
			if p.Kind == PoolMax {
				tol = 0
			}
			x.check(t, fmt.Sprintf("%s of %+v", funcs[i].Name, p), p.Out, dst, poolScalar(p, in), tol)
		}
	})
}

func TestGlobalPool(t *testing.T) {
	m := newTestModule(1)
	var cases []GlobalPoolParams
	for c := 1; c <= 40; c++ {
		cases = append(cases, GlobalPoolParams{In: wide(Packed(1+c%3, 1+c%4, c), c%5, c%2), Out: Packed(1, 1, c)})
	}
	funcs := make([]*emit.Func, len(cases))
	for i, p := range cases {
		funcs[i] = GlobalPoolFunc(m, p)
	}
	onRig(t, m, func(t *testing.T, x *rig) {
		for i, p := range cases {
			in := noise(p.In.H*p.In.W*p.In.C, uint32(i))
			x.reset()
			src, dst := x.tensor(p.In, in), x.blank(p.Out)
			x.call(t, funcs[i], src, dst, p.Units()/2, p.Units())
			x.call(t, funcs[i], src, dst, 0, p.Units()/2)
			whole := PoolParams{Kind: PoolMean, In: p.In, Out: p.Out, Kernel: [2]int{p.In.H, p.In.W}, Stride: [2]int{1, 1}}
			x.check(t, fmt.Sprintf("%s of %+v", funcs[i].Name, p), p.Out, dst, poolScalar(whole, in), 1e-6)
		}
	})
}
