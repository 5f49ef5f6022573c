package kernels

import (
	"fmt"
	"math"

	"spotter/kernels/emit"
)

// ActKind names an elementwise function.
type ActKind int

// Elementwise functions. Clip uses Lo and Hi, LeakyReLU Lo as the slope;
// HardSigmoid is clamp(Lo*x+Hi, 0, 1); GELU is the exact form with erf.
const (
	ActNone ActKind = iota
	ActReLU
	ActReLU6
	ActSiLU
	ActSigmoid
	ActHardSwish
	ActHardSigmoid
	ActLeakyReLU
	ActGELU
	ActClip
	ActTanh
	ActExp
	ActSqrt
	ActNeg
)

var actNames = [...]string{"", "relu", "relu6", "silu", "sigmoid", "hardswish", "hardsigmoid", "leaky", "gelu", "clip", "tanh", "exp", "sqrt", "neg"}

// Activation is an elementwise function, fused into the kernel that makes its input.
type Activation struct {
	Kind   ActKind
	Lo, Hi float32
}

// suffix is the activation's part of a function's name.
func (a Activation) suffix() string {
	switch a.Kind {
	case ActNone:
		return ""
	case ActClip, ActLeakyReLU, ActHardSigmoid:
		return fmt.Sprintf("_%s(%g,%g)", actNames[a.Kind], a.Lo, a.Hi)
	}
	return "_" + actNames[a.Kind]
}

// Scalar is the function in float64, rounded once.
func (a Activation) Scalar(x float32) float32 {
	v := float64(x)
	clamp := func(v float64) float64 { return min(max(v, 0), 1) }
	switch a.Kind {
	case ActReLU:
		v = max(v, 0)
	case ActReLU6:
		v = min(max(v, 0), 6)
	case ActSiLU:
		v /= 1 + math.Exp(-v)
	case ActSigmoid:
		v = 1 / (1 + math.Exp(-v))
	case ActHardSwish:
		v *= clamp(v/6 + 0.5)
	case ActHardSigmoid:
		v = clamp(v*float64(a.Lo) + float64(a.Hi))
	case ActLeakyReLU:
		v = max(v, 0) + float64(a.Lo)*min(v, 0)
	case ActGELU:
		v *= 0.5 * math.Erfc(-v/math.Sqrt2)
	case ActClip:
		v = min(max(v, float64(a.Lo)), float64(a.Hi))
	case ActTanh:
		v = math.Tanh(v)
	case ActExp:
		v = math.Exp(v)
	case ActSqrt:
		v = math.Sqrt(v)
	case ActNeg:
		v = -v
	}
	return float32(v)
}

// madd is a*b+c, fused where relaxed SIMD may do so.
func (o Options) madd(a, b, c emit.Value) emit.Value {
	if o.Relaxed {
		return emit.F32x4RelaxedMadd(a, b, c)
	}
	return emit.F32x4Add(emit.F32x4Mul(a, b), c)
}

// clampAll is v between two constants; NaN stays NaN. One instruction each on x86.
func clampAll(v emit.Value, lo, hi float32) emit.Value {
	return emit.F32x4Pmin(emit.F32x4Pmax(v, emit.F32x4All(lo)), emit.F32x4All(hi))
}

// apply gives a statement that applies a to the four lanes of a local of f. The
// temporaries are shared between its uses.
func (a Activation) apply(f *emit.Func, o Options) func(x emit.Value) {
	set := func(g func(x emit.Value) emit.Value) func(x emit.Value) {
		return func(x emit.Value) { f.Set(x, g(x)) }
	}
	all, one := emit.F32x4All, emit.F32x4All(1)
	switch a.Kind {
	case ActNone:
		return func(emit.Value) {}
	case ActReLU:
		return set(func(x emit.Value) emit.Value { return emit.F32x4Pmax(x, all(0)) })
	case ActReLU6:
		return set(func(x emit.Value) emit.Value { return clampAll(x, 0, 6) })
	case ActClip:
		return set(func(x emit.Value) emit.Value { return clampAll(x, a.Lo, a.Hi) })
	case ActHardSwish:
		return set(func(x emit.Value) emit.Value {
			return emit.F32x4Mul(x, clampAll(o.madd(x, all(1./6), all(0.5)), 0, 1))
		})
	case ActHardSigmoid:
		return set(func(x emit.Value) emit.Value { return clampAll(o.madd(x, all(a.Lo), all(a.Hi)), 0, 1) })
	case ActLeakyReLU:
		return set(func(x emit.Value) emit.Value {
			return o.madd(emit.F32x4Pmin(x, all(0)), all(a.Lo), emit.F32x4Pmax(x, all(0)))
		})
	case ActSqrt:
		return set(emit.F32x4Sqrt)
	case ActNeg:
		return set(emit.F32x4Neg)
	case ActGELU:
		return gelu(f, o)
	}
	exp := newExp(f, o)
	switch a.Kind {
	case ActExp:
		return set(exp)
	case ActSigmoid:
		return set(func(x emit.Value) emit.Value {
			return emit.F32x4Div(one, emit.F32x4Add(one, exp(emit.F32x4Neg(x))))
		})
	case ActSiLU:
		return set(func(x emit.Value) emit.Value {
			return emit.F32x4Div(x, emit.F32x4Add(one, exp(emit.F32x4Neg(x))))
		})
	case ActTanh: // absolute error 2e-7
		return set(func(x emit.Value) emit.Value {
			return emit.F32x4Sub(one, emit.F32x4Div(all(2), emit.F32x4Add(one, exp(emit.F32x4Add(x, x)))))
		})
	}
	panic(fmt.Sprintf("BUG: activation %d", a.Kind))
}

// Polynomial of degree 6 for (exp(r)-1-r)/r^2 on |r| <= ln2/2: relative error 3.1e-9.
const (
	exp2 = 0.49999993439951196
	exp3 = 0.16666520515373587
	exp4 = 0.04166838941728227
	exp5 = 0.008368730996333186
	exp6 = 0.0013814569250274347

	// ln 2 in two parts; multiples of the first up to 128 are exact.
	ln2Hi = 0.693359375
	ln2Lo = -0.00021219444

	// Below, exp is the least normal number; above, just under the greatest.
	expMin = -87.336544
	expMax = 88.722832

	// Adding 1.5*2^23 rounds to an integer and leaves it in the low bits.
	roundMagic = 12582912
)

// newExp gives exp of four lanes: at most 2 units in the last place off (1 in the
// mean of cases far less), clamped to the normal numbers; NaN stays NaN.
// Range reduction and reconstruction as in Cephes' expf: x = n*ln2 + r.
func newExp(f *emit.Func, o Options) func(x emit.Value) emit.Value {
	r, n, p := f.Local(emit.V128, "expR"), f.Local(emit.V128, "expN"), f.Local(emit.V128, "expP")
	all := emit.F32x4All
	return func(x emit.Value) emit.Value {
		f.Set(r, clampAll(x, expMin, expMax))
		f.Set(n, o.madd(r, all(math.Log2E), all(roundMagic)))
		f.Set(p, emit.F32x4Sub(n, all(roundMagic)))
		f.Set(r, o.madd(p, all(-ln2Hi), r))
		f.Set(r, o.madd(p, all(-ln2Lo), r))
		f.Set(p, all(exp6))
		for _, c := range []float32{exp5, exp4, exp3, exp2} {
			f.Set(p, o.madd(p, r, all(c)))
		}
		f.Set(p, emit.F32x4Add(o.madd(emit.F32x4Mul(r, r), p, r), all(1)))
		return emit.I32x4Add(p, emit.I32x4Shl(n, emit.I32Const(23)))
	}
}

// gelu is x * Phi(x), with erfc by Abramowitz and Stegun 7.1.26: absolute error
// of Phi 1e-7.
func gelu(f *emit.Func, o Options) func(x emit.Value) {
	exp := newExp(f, o)
	t, q := f.Local(emit.V128, "geluT"), f.Local(emit.V128, "geluQ")
	all := emit.F32x4All
	return func(x emit.Value) {
		f.Set(t, emit.F32x4Div(all(1), o.madd(emit.F32x4Abs(x), all(0.3275911/math.Sqrt2), all(1))))
		f.Set(q, all(1.061405429/2))
		for _, c := range []float32{-1.453152027 / 2, 1.421413741 / 2, -0.284496736 / 2, 0.254829592 / 2} {
			f.Set(q, o.madd(q, t, all(c)))
		}
		f.Set(q, emit.F32x4Mul(emit.F32x4Mul(q, t), exp(emit.F32x4Mul(emit.F32x4Mul(x, x), all(-0.5)))))
		f.Set(x, emit.F32x4Mul(x, emit.V128Bitselect(q, emit.F32x4Sub(all(1), q), emit.F32x4Lt(x, all(0)))))
	}
}
