package kernels

import (
	"fmt"
	"testing"

	"spotter/kernels/emit"
)

func elementwiseCases() []ElementwiseParams {
	var cases []ElementwiseParams
	add := func(kind BinaryKind, a, b, out View) {
		cases = append(cases, ElementwiseParams{Kind: kind, A: a, B: b, Out: out, Act: allActivations[len(cases)%3]})
	}
	for c := 1; c <= 20; c++ {
		v := Packed(3, 5, c)
		add(Left, v, View{}, v)
		add(Left, wide(v, 3, 0), View{}, wide(v, 7, 5))
		add(Add, v, v, v)
		add(Add, wide(v, 1, 2), v, wide(v, 2, 0))
		add(Mul, v, Packed(1, 1, c), v)
	}
	for kind := Left; kind <= Min; kind++ {
		for _, c := range []int{32, 35, 47, 48, 63} {
			v := Packed(2, 3, c)
			add(kind, v, v, wide(v, 5, 0))
			add(kind, wide(v, 4, 4), Packed(1, 1, c), v)
			add(kind, v, Packed(2, 3, 1), v)
			add(kind, v, Packed(1, 3, c), v)
			add(kind, v, Packed(2, 1, 1), v)
		}
	}
	for _, a := range allActivations {
		cases = append(cases, ElementwiseParams{A: Packed(1, 2, 9), Out: Packed(1, 2, 9), Act: a})
	}
	return cases
}

func TestElementwise(t *testing.T) {
	m := newTestModule(4)
	cases := elementwiseCases()
	funcs := make([]*emit.Func, len(cases))
	for i, p := range cases {
		funcs[i] = ElementwiseFunc(m, p)
	}
	onRig(t, m, func(t *testing.T, x *rig) {
		for i, p := range cases {
			a, b := noise(p.A.H*p.A.W*p.A.C, 1), noise(p.B.H*p.B.W*p.B.C, 2)
			if p.Act.Kind == ActSqrt {
				for i := range a {
					a[i] = max(a[i], -a[i])
				}
			}
			x.reset()
			args := []int{x.tensor(p.A, a)}
			if p.Kind != Left {
				args = append(args, x.tensor(p.B, b))
			}
			out := x.blank(p.Out)
			args = append(args, out)
			x.call(t, funcs[i], append(args, 1, p.Out.H)...)
			x.call(t, funcs[i], append(args, 0, 1)...)
			x.check(t, fmt.Sprintf("%s of %+v", funcs[i].Name, p), p.Out, out, elementwiseScalar(p, a, b), 1e-6)
		}
	})
}

func TestElementwiseInPlace(t *testing.T) {
	m := newTestModule(1)
	p := ElementwiseParams{Kind: Add, A: Packed(3, 4, 37), B: Packed(3, 4, 37), Out: Packed(3, 4, 37), Act: Activation{Kind: ActReLU}}
	f := ElementwiseFunc(m, p)
	onRig(t, m, func(t *testing.T, x *rig) {
		a, b := noise(3*4*37, 1), noise(3*4*37, 2)
		x.reset()
		at, bt := x.tensor(p.A, a), x.tensor(p.B, b)
		x.call(t, f, at, bt, at, 0, 3)
		x.check(t, f.Name+" in place", p.Out, at, elementwiseScalar(p, a, b), 0)
	})
}
