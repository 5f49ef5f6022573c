package kernels

import (
	"fmt"
	"testing"

	"spotter/kernels/emit"
)

func TestUpsample(t *testing.T) {
	m := newTestModule(4)
	var cases []UpsampleParams
	for c := 1; c <= 36; c++ {
		in := Packed(3, 4, c)
		cases = append(cases, UpsampleParams{in, wide(Packed(6, 8, c), c%5, c%3), [2]int{2, 2}})
	}
	cases = append(cases,
		UpsampleParams{wide(Packed(1, 1, 5), 2, 1), Packed(3, 2, 5), [2]int{3, 2}},
		UpsampleParams{Packed(2, 5, 3), Packed(2, 20, 3), [2]int{1, 4}})
	funcs := make([]*emit.Func, len(cases))
	for i, p := range cases {
		funcs[i] = UpsampleFunc(m, p)
	}
	onRig(t, m, func(t *testing.T, x *rig) {
		for i, p := range cases {
			in := noise(p.In.H*p.In.W*p.In.C, 1)
			x.reset()
			src, dst := x.tensor(p.In, in), x.blank(p.Out)
			split := p.In.H / 2
			x.call(t, funcs[i], src, dst, split, p.In.H)
			x.call(t, funcs[i], src, dst, 0, split)
			x.check(t, fmt.Sprintf("%s of %+v", funcs[i].Name, p), p.Out, dst, upsampleScalar(p, in), 0)
		}
	})
}

func TestResize(t *testing.T) {
	m := newTestModule(2)
	var cases []ResizeParams
	for mode := ResizeNearest; mode <= ResizeCorners; mode++ {
		for _, s := range [][4]int{{1, 1, 3, 2}, {3, 4, 6, 8}, {7, 5, 3, 2}, {4, 4, 1, 1}, {5, 3, 8, 10}, {6, 6, 6, 6}} {
			for c := 1; c <= 9; c += 2 {
				cases = append(cases, ResizeParams{In: wide(Packed(s[0], s[1], c), c%3, 1), Out: wide(Packed(s[2], s[3], c), c%4, 2), Mode: mode})
			}
		}
		cases = append(cases, ResizeParams{In: Packed(4, 4, 4), Out: Packed(6, 7, 4), Mode: mode, Scale: [2]float64{1.6, 1.75}})
	}
	funcs := make([]*emit.Func, len(cases))
	for i, p := range cases {
		funcs[i] = ResizeFunc(m, p)
	}
	onRig(t, m, func(t *testing.T, x *rig) {
		for i, p := range cases {
			in := noise(p.In.H*p.In.W*p.In.C, uint32(i))
			x.reset()
			src, dst := x.tensor(p.In, in), x.blank(p.Out)
			split := p.Out.H / 2
			x.call(t, funcs[i], src, dst, split, p.Out.H)
			x.call(t, funcs[i], src, dst, 0, split)
			x.check(t, fmt.Sprintf("%s of %+v", funcs[i].Name, p), p.Out, dst, resizeScalar(p, in), 1e-6)
		}
	})
}
