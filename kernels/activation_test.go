package kernels

import (
	"fmt"
	"math"
	"testing"

	"spotter/kernels/emit"
)

// activationLoop applies a to floats from the first address up to the second, in place.
func activationLoop(m *emit.Module, a Activation) *emit.Func {
	f := m.NewFunc("act"+a.suffix(), []emit.Type{emit.I32, emit.I32}, nil)
	p, end, x := f.Param(0, "p"), f.Param(1, "end"), f.Local(emit.V128, "x")
	apply := a.apply(f, Options{})
	f.For(p, p, end, 16, func() {
		f.Set(x, emit.V128Load(p, 0))
		apply(x)
		f.Do(emit.V128Store(p, 0, x))
	})
	return f
}

var allActivations = []Activation{
	{}, {Kind: ActReLU}, {Kind: ActReLU6}, {Kind: ActSiLU}, {Kind: ActSigmoid}, {Kind: ActHardSwish},
	{Kind: ActHardSigmoid, Lo: 0.2, Hi: 0.5}, {Kind: ActLeakyReLU, Lo: 0.1}, {Kind: ActGELU},
	{Kind: ActClip, Lo: -0.5, Hi: 2}, {Kind: ActTanh}, {Kind: ActExp}, {Kind: ActSqrt}, {Kind: ActNeg},
}

// activationTolerance is the error allowed: relative, or absolute below floor.
func activationTolerance(a Activation, want float64) float64 {
	const ulp = 1.0 / (1 << 23)
	switch a.Kind {
	case ActSiLU: // a cheaper exp, see silu
		return 1e-5*math.Abs(want) + 1e-36
	case ActSigmoid:
		return 4*ulp*math.Abs(want) + 1e-36
	case ActGELU, ActTanh:
		return 4*ulp*math.Abs(want) + 6e-7
	case ActHardSwish, ActHardSigmoid:
		return 2*ulp*math.Abs(want) + 2e-7
	}
	return 2 * ulp * math.Abs(want)
}

func activationInputs() []float32 {
	var xs []float32
	for x := -100.0; x <= 100; x += 0.0937 {
		xs = append(xs, float32(x))
	}
	for e := -40; e <= 3; e++ {
		v := float32(math.Ldexp(1.37, e))
		xs = append(xs, v, -v)
	}
	xs = append(xs, 0, -87.3, 87.3, 88.7, 6, 3, -3, 0.5, -0.5)
	for len(xs)%4 != 0 {
		xs = append(xs, 1)
	}
	return xs
}

func TestActivations(t *testing.T) {
	m := newTestModule(2)
	funcs := map[Activation]*emit.Func{}
	for _, a := range allActivations {
		funcs[a] = activationLoop(m, a)
	}
	onRig(t, m, func(t *testing.T, x *rig) {
		for _, a := range allActivations {
			xs := activationInputs()
			x.reset()
			at := x.floats(xs)
			x.call(t, funcs[a], at, at+4*len(xs))
			for i, got := range x.read(at, len(xs)) {
				if a.Kind == ActExp && (xs[i] < expMin || xs[i] > expMax) || a.Kind == ActSqrt && xs[i] < 0 {
					continue // clamped; NaN
				}
				want := float64(a.Scalar(xs[i]))
				if !(math.Abs(float64(got)-want) <= activationTolerance(a, want)) {
					t.Fatalf("%s(%g) = %g, want %g", fmt.Sprint("act", a.suffix()), xs[i], got, want)
				}
			}
		}
	})
}

func TestActivationsKeepNaN(t *testing.T) {
	m := newTestModule(1)
	var funcs []*emit.Func
	for _, a := range allActivations {
		funcs = append(funcs, activationLoop(m, a))
	}
	onRig(t, m, func(t *testing.T, x *rig) {
		nan := float32(math.NaN())
		for i, f := range funcs {
			x.reset()
			at := x.floats([]float32{nan, nan, nan, nan})
			x.call(t, f, at, at+16)
			if got := x.get(at); allActivations[i].Kind != ActGELU && got == got {
				t.Errorf("%s(NaN) = %g", f.Name, got)
			}
		}
	})
}
