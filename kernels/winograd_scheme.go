package kernels

import "spotter/kernels/emit"

// scheme is minimal filtering in one direction: m outputs of a filter with 3 taps.
// Stride 2 filters the even inputs with taps 0 and 2 by minimal filtering and
// multiplies the odd ones by tap 1.
type scheme struct {
	stride, m int
	g         [][3]float64 // transforms taps; stride 2: the last row stands for all odd inputs
}

// Rows of the transforms belong to the points 0, 1, -1, 2, -2 and infinity; with fewer rows
// the last of the finite ones are left out.
var schemes = []scheme{
	{1, 2, [][3]float64{{1, 0, 0}, {.5, .5, .5}, {.5, -.5, .5}, {0, 0, 1}}},
	{1, 4, [][3]float64{{1. / 4, 0, 0}, {-1. / 6, -1. / 6, -1. / 6}, {-1. / 6, 1. / 6, -1. / 6}, {1. / 24, 1. / 12, 1. / 6}, {1. / 24, -1. / 12, 1. / 6}, {0, 0, 1}}},
	{2, 2, [][3]float64{{1, 0, 0}, {1, 0, 1}, {0, 0, 1}, {0, 1, 0}}},
	{2, 3, [][3]float64{{1, 0, 0}, {.5, 0, .5}, {.5, 0, -.5}, {0, 0, 1}, {0, 1, 0}}},
	{2, 4, [][3]float64{{.5, 0, 0}, {.5, 0, .5}, {-1. / 6, 0, 1. / 6}, {1. / 6, 0, 1. / 3}, {0, 0, 1}, {0, 1, 0}}},
}

func hasScheme(stride, m int) bool {
	for _, s := range schemes {
		if s.stride == stride && s.m == m {
			return true
		}
	}
	return false
}

func schemeOf(stride, m int) scheme {
	for _, s := range schemes {
		if s.stride == stride && s.m == m {
			return s
		}
	}
	panic("BUG: no such scheme")
}

// step is the inputs from one tile to the next, inputs what one tile reads, points
// the products that it takes.
func (s scheme) step() int   { return s.m * s.stride }
func (s scheme) inputs() int { return (s.m-1)*s.stride + 3 }
func (s scheme) points() int {
	if s.stride == 1 {
		return s.m + 2
	}
	return 2*s.m + 1
}

// transforms emits a scheme's additions; its temporaries are shared by all of them.
type transforms struct {
	scheme
	Options
	f *emit.Func
	t [4]emit.Value
	k map[float32]emit.Value
}

func newTransforms(f *emit.Func, s scheme, o Options) *transforms {
	t := &transforms{scheme: s, Options: o, f: f, k: map[float32]emit.Value{}}
	for i := range t.t {
		t.t[i] = f.Local(emit.V128, "t")
	}
	if s.m == 4 {
		for _, x := range []float32{-4, -3, -2, 2, 4, 8} {
			t.k[x] = f.Define("k", emit.F32x4All(x))
		}
	}
	return t
}

// times is a*k + b.
func (t *transforms) times(k float32, a, b emit.Value) emit.Value { return t.madd(a, t.k[k], b) }

// temp sets temporary i.
func (t *transforms) temp(i int, x emit.Value) emit.Value {
	t.f.Set(t.t[i], x)
	return t.t[i]
}

// in transforms inputs() values. The results are expressions over them and the
// temporaries: use each once, before the next transform.
func (t *transforms) in(d []emit.Value) []emit.Value {
	add, sub := emit.F32x4Add, emit.F32x4Sub
	switch {
	case t.stride == 1 && t.m == 2:
		return []emit.Value{sub(d[0], d[2]), add(d[1], d[2]), sub(d[2], d[1]), sub(d[1], d[3])}
	case t.stride == 2 && t.m == 2:
		return []emit.Value{sub(d[0], d[2]), d[2], sub(d[4], d[2]), d[1], d[3]}
	case t.stride == 2 && t.m == 3:
		return []emit.Value{sub(d[0], d[4]), add(d[2], d[4]), sub(d[4], d[2]), sub(d[6], d[2]), d[1], d[3], d[5]}
	}
	if t.stride == 2 {
		return t.in24(d)
	}
	even := t.temp(0, sub(d[4], d[2]))
	odd := t.temp(1, sub(d[3], d[1]))
	a := t.temp(2, t.times(-4, d[2], d[4]))
	b := t.temp(3, t.times(-4, d[1], d[3]))
	twice := add(odd, odd)
	return []emit.Value{
		t.times(4, sub(d[0], d[2]), even), add(a, b), sub(a, b), add(even, twice), sub(even, twice),
		t.times(-4, odd, sub(d[5], d[3])),
	}
}

// in24 is in of stride 2, m 4.
func (t *transforms) in24(d []emit.Value) []emit.Value {
	add, sub := emit.F32x4Add, emit.F32x4Sub
	two := t.temp(0, sub(d[6], d[2]))
	return []emit.Value{
		t.times(2, sub(d[0], d[4]), two), sub(add(d[2], d[4]), two), t.times(-3, d[4], t.times(2, d[2], d[6])), two,
		t.times(-2, two, sub(d[8], d[4])), d[1], d[3], d[5], d[7],
	}
}

// out transforms points() sums to m outputs, under the same rule.
func (t *transforms) out(x []emit.Value) []emit.Value {
	add, sub := emit.F32x4Add, emit.F32x4Sub
	switch {
	case t.stride == 1 && t.m == 2:
		return []emit.Value{add(add(x[0], x[1]), x[2]), sub(sub(x[1], x[2]), x[3])}
	case t.stride == 2 && t.m == 2:
		return []emit.Value{add(add(x[0], x[1]), x[3]), add(add(x[1], x[2]), x[4])}
	case t.stride == 2 && t.m == 3:
		sum := t.temp(0, add(x[1], x[2]))
		return []emit.Value{add(add(x[0], x[4]), sum), add(sub(x[1], x[2]), x[5]), add(add(x[3], x[6]), sum)}
	}
	p, q := t.temp(0, add(x[1], x[2])), t.temp(1, sub(x[1], x[2]))
	if t.stride == 2 {
		return []emit.Value{
			add(add(x[0], x[5]), add(p, x[3])), t.times(2, x[3], add(q, x[6])), t.times(4, x[3], add(p, x[7])),
			t.times(8, x[3], add(q, add(x[4], x[8]))),
		}
	}
	r, s := t.temp(2, add(x[3], x[4])), t.temp(3, sub(x[3], x[4]))
	return []emit.Value{add(add(x[0], p), r), t.times(2, s, q), t.times(4, r, p), add(t.times(8, s, q), x[5])}
}
