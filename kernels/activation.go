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
func clampAll(v, lo, hi emit.Value) emit.Value {
	return emit.F32x4Pmin(emit.F32x4Pmax(v, lo), hi)
}

// constants gives locals of f that hold a number in all lanes, set where it is called.
func constants(f *emit.Func) func(x float32) emit.Value {
	return func(x float32) emit.Value { return f.Define(fmt.Sprint("k", x), emit.F32x4All(x)) }
}

// long reports whether a takes so many instructions that repeating them for each
// register is a waste of code.
func (a Activation) long() bool {
	switch a.Kind {
	case ActSiLU, ActSigmoid, ActTanh, ActExp, ActGELU:
		return true
	}
	return false
}

// apply gives a statement that applies a to the four lanes of a local of f. It sets
// the constants here, ahead of the loop that uses the statement; they and the
// temporaries are shared between its uses.
func (a Activation) apply(f *emit.Func, o Options) func(x emit.Value) {
	switch a.Kind {
	case ActNone:
		return func(emit.Value) {}
	case ActGELU:
		return gelu(f, o)
	}
	g := a.expression(f, o)
	return func(x emit.Value) { f.Set(x, g(x)) }
}

func (a Activation) expression(f *emit.Func, o Options) func(x emit.Value) emit.Value {
	k := constants(f)
	switch a.Kind {
	case ActReLU:
		zero := k(0)
		return func(x emit.Value) emit.Value { return emit.F32x4Pmax(x, zero) }
	case ActReLU6:
		return between(k(0), k(6))
	case ActClip:
		return between(k(a.Lo), k(a.Hi))
	case ActHardSwish:
		scale, shift, clamp := k(1./6), k(0.5), between(k(0), k(1))
		return func(x emit.Value) emit.Value { return emit.F32x4Mul(x, clamp(o.madd(x, scale, shift))) }
	case ActHardSigmoid:
		scale, shift, clamp := k(a.Lo), k(a.Hi), between(k(0), k(1))
		return func(x emit.Value) emit.Value { return clamp(o.madd(x, scale, shift)) }
	case ActLeakyReLU:
		zero, slope := k(0), k(a.Lo)
		return func(x emit.Value) emit.Value {
			return o.madd(emit.F32x4Pmin(x, zero), slope, emit.F32x4Pmax(x, zero))
		}
	case ActSqrt:
		return emit.F32x4Sqrt
	case ActNeg:
		return emit.F32x4Neg
	case ActExp:
		return newExp(f, o)
	}
	return a.sigmoids(f, o)
}

func between(lo, hi emit.Value) func(x emit.Value) emit.Value {
	return func(x emit.Value) emit.Value { return clampAll(x, lo, hi) }
}

// sigmoids are the functions made of 1 / (1 + exp(-x)).
func (a Activation) sigmoids(f *emit.Func, o Options) func(x emit.Value) emit.Value {
	if a.Kind == ActSiLU {
		return silu(f, o)
	}
	k, exp := constants(f), newExp(f, o)
	one := k(1)
	down := func(x emit.Value) emit.Value { return emit.F32x4Add(one, exp(emit.F32x4Neg(x))) }
	switch a.Kind {
	case ActSigmoid:
		return func(x emit.Value) emit.Value { return emit.F32x4Div(one, down(x)) }
	case ActTanh: // absolute error 2e-7
		two := k(2)
		return func(x emit.Value) emit.Value {
			up := emit.F32x4Add(one, exp(emit.F32x4Add(x, x)))
			return emit.F32x4Sub(one, emit.F32x4Div(two, up))
		}
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
	k := constants(f)
	clamp, log2e, magic, hi, lo, one := between(k(expMin), k(expMax)), k(math.Log2E), k(roundMagic), k(-ln2Hi), k(-ln2Lo), k(1)
	c6, coefficients := k(exp6), []emit.Value{k(exp5), k(exp4), k(exp3), k(exp2)}
	return func(x emit.Value) emit.Value {
		f.Set(r, clamp(x))
		f.Set(n, o.madd(r, log2e, magic))
		f.Set(p, emit.F32x4Sub(n, magic))
		f.Set(r, o.madd(p, hi, r))
		f.Set(r, o.madd(p, lo, r))
		f.Set(p, c6)
		for _, c := range coefficients {
			f.Set(p, o.madd(p, r, c))
		}
		f.Set(p, emit.F32x4Add(o.madd(emit.F32x4Mul(r, r), p, r), one))
		return emit.I32x4Add(p, emit.I32x4Shl(n, emit.I32Const(23)))
	}
}

// gelu is x * Phi(x), with erfc by Abramowitz and Stegun 7.1.26: absolute error
// of Phi 1e-7.
func gelu(f *emit.Func, o Options) func(x emit.Value) {
	exp, k := newExp(f, o), constants(f)
	t, q := f.Local(emit.V128, "geluT"), f.Local(emit.V128, "geluQ")
	zero, one, half, scale := k(0), k(1), k(-0.5), k(0.3275911/math.Sqrt2)
	c5, coefficients := k(1.061405429/2), []emit.Value{k(-1.453152027 / 2), k(1.421413741 / 2), k(-0.284496736 / 2), k(0.254829592 / 2)}
	return func(x emit.Value) {
		f.Set(t, emit.F32x4Div(one, o.madd(emit.F32x4Abs(x), scale, one)))
		f.Set(q, c5)
		for _, c := range coefficients {
			f.Set(q, o.madd(q, t, c))
		}
		f.Set(q, emit.F32x4Mul(emit.F32x4Mul(q, t), exp(emit.F32x4Mul(emit.F32x4Mul(x, x), half))))
		f.Set(x, emit.F32x4Mul(x, emit.V128Bitselect(q, emit.F32x4Sub(one, q), emit.F32x4Lt(x, zero))))
	}
}

// silu is x / (1 + exp(-x)). As it is all over the head of a network, its exp is a
// cheaper one, 2^n * 2^r with a polynomial of degree 4 for 2^r on |r| <= 1/2: relative
// error 2.6e-6, and without fused multiply-add the rounding of x*log2(e) on top.
func silu(f *emit.Func, o Options) func(x emit.Value) emit.Value {
	n, r, p := f.Local(emit.V128, "siluN"), f.Local(emit.V128, "siluR"), f.Local(emit.V128, "siluP")
	k := constants(f)
	clamp, scale, magic, one := between(k(-expMax), k(-expMin)), k(-math.Log2E), k(roundMagic), k(1)
	c4, coefficients := k(0.00957000602157971), []emit.Value{k(0.05591868239224286), k(0.2402475319343185), k(0.6931217144732744), k(0.9999992570303684)}
	return func(x emit.Value) emit.Value {
		f.Set(r, clamp(x))
		f.Set(n, o.madd(r, scale, magic))
		f.Set(r, o.madd(r, scale, emit.F32x4Sub(magic, n)))
		f.Set(p, c4)
		for _, c := range coefficients {
			f.Set(p, o.madd(p, r, c))
		}
		return emit.F32x4Div(x, emit.F32x4Add(one, emit.I32x4Add(p, emit.I32x4Shl(n, emit.I32Const(23)))))
	}
}
