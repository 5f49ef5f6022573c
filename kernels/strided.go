package kernels

import (
	"fmt"
	"slices"

	"spotter/kernels/emit"
)

// StridedParams describe out[i, j, ...] = act(kind(a[i, j, ...], b[i, j, ...])) over any
// number of dimensions, each operand with strides of its own in bytes; 0 repeats. With Left and
// no activation this is any transposition, slice or broadcast. Feature maps of one
// layout are ElementwiseParams' business, which is faster.
type StridedParams struct {
	Kind      BinaryKind
	Dims      []int
	Out, A, B []int // strides a dimension; B counts for nothing with Left
	Act       Activation
	Options
}

// normal drops dimensions of 1, sorts the rest by the output's strides, outermost
// first, and joins neighbours that all operands pass in one stride.
func (p StridedParams) normal() StridedParams {
	if p.Kind == Left {
		p.B = make([]int, len(p.Dims))
	}
	if len(p.Out) != len(p.Dims) || len(p.A) != len(p.Dims) || len(p.B) != len(p.Dims) {
		panic(fmt.Sprintf("BUG: strided %+v", p))
	}
	order := make([]int, 0, len(p.Dims))
	for i, d := range p.Dims {
		if d > 1 {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(i, j int) int { return p.Out[j] - p.Out[i] })
	n := StridedParams{Kind: p.Kind, Act: p.Act, Options: p.Options}
	for _, i := range order {
		k := len(n.Dims) - 1
		d := p.Dims[i]
		if k >= 0 && n.Out[k] == d*p.Out[i] && n.A[k] == d*p.A[i] && n.B[k] == d*p.B[i] {
			n.Dims[k] *= d
			n.Out[k], n.A[k], n.B[k] = p.Out[i], p.A[i], p.B[i]
			continue
		}
		n.Dims, n.Out, n.A, n.B = append(n.Dims, d), append(n.Out, p.Out[i]), append(n.A, p.A[i]), append(n.B, p.B[i])
	}
	if len(n.Dims) == 0 {
		n.Dims, n.Out, n.A, n.B = []int{1}, []int{4}, []int{4}, []int{4}
	}
	return n
}

// Units are the indices of the outermost dimension.
func (p StridedParams) Units() int { return p.normal().Dims[0] }

// Name is the kernel's name in tables.
func (p StridedParams) Name() string {
	return fmt.Sprintf("strided_%s_f32%s", binaryNames[p.Kind], p.suffix())
}

// StridedFunc emits f(a, b, out, begin, end), without b for Left.
func StridedFunc(m *emit.Module, p StridedParams) *emit.Func {
	p = p.normal()
	name := fmt.Sprintf("%s%s %v %v %v %v", p.Name(), p.Act.suffix(), p.Dims, p.Out, p.A, p.B)
	if f := m.Func(name); f != nil {
		return f
	}
	params := []string{"a", "b", "out", "begin", "end"}
	if p.Kind == Left {
		params = []string{"a", "out", "begin", "end"}
	}
	f, v := m.NewRoutine(name, params...)
	s := &strided{StridedParams: p, f: f, x: f.Local(emit.V128, "x")}
	s.act = p.Act.apply(f, p.Options)
	ptr := strides{v[len(v)-3], v[0], v[0]}
	if p.Kind != Left {
		ptr[2] = v[1]
	}
	begin, end := v[len(v)-2], v[len(v)-1]
	for i := range ptr {
		ptr[i] = f.Define("at", emit.I32Add(ptr[i], emit.I32Mul(begin, emit.I32Const(s.stride(i, 0)))))
	}
	s.level(0, ptr, f.Define("n", emit.I32Sub(end, begin)))
	return f
}

// strides are the pointers to out, a and b.
type strides [3]emit.Value

type strided struct {
	StridedParams
	f   *emit.Func
	x   emit.Value
	act func(emit.Value)
}

// stride of pointer i along dimension d.
func (s *strided) stride(i, d int) int { return [3][]int{s.Out, s.A, s.B}[i][d] }

// level loops n times over dimension d.
func (s *strided) level(d int, ptr strides, n emit.Value) {
	f := s.f
	if d == len(s.Dims)-1 && s.vector(d) {
		four := f.Define("fours", emit.I32ShrU(n, emit.I32Const(2)))
		f.While(four, func() {
			s.element(d, ptr, 4)
			f.Inc(four, -1)
		})
		f.Set(n, emit.I32And(n, emit.I32Const(3)))
	}
	f.While(emit.I32GtS(n, emit.I32Const(0)), func() {
		if d == len(s.Dims)-1 {
			s.element(d, ptr, 1)
		} else {
			var inner strides
			for i := range ptr {
				inner[i] = f.Define("at", ptr[i])
			}
			s.level(d+1, inner, f.Define("n", emit.I32Const(s.Dims[d+1])))
			s.advance(d, ptr, 1)
		}
		f.Inc(n, -1)
	})
}

func (s *strided) advance(d int, ptr strides, n int) {
	for i := range ptr {
		if i < 2 || s.Kind != Left {
			s.f.Inc(ptr[i], n*s.stride(i, d))
		}
	}
}

// vector reports whether four indices of the dimension are a vector of each operand, or one value.
func (s *strided) vector(d int) bool {
	ok := func(n int) bool { return n == 4 || n == 0 }
	return s.Out[d] == 4 && ok(s.A[d]) && ok(s.B[d])
}

// element computes n results, 4 or 1, and moves on.
func (s *strided) element(d int, ptr strides, n int) {
	load := func(i int) emit.Value {
		if s.stride(i, d) == 0 {
			return emit.V128Load32Splat(ptr[i], 0)
		}
		return loadChannels(ptr[i], 0, n)
	}
	v := load(1)
	if s.Kind != Left {
		v = binaryOps[s.Kind](v, load(2))
	}
	s.f.Set(s.x, v)
	s.act(s.x)
	storeChannels(s.f, ptr[0], 0, n, s.x)
	s.advance(d, ptr, n)
}

// Strided is the scalar twin: operands as memory from their first element on.
func Strided(p StridedParams, a, b []float32) []float32 {
	last := 0
	for i, d := range p.Dims {
		last += (d - 1) * p.Out[i] / 4
	}
	out := make([]float32, last+1)
	index := make([]int, len(p.Dims))
	at := func(strides []int) int {
		n := 0
		for i, k := range index {
			n += k * strides[i] / 4
		}
		return n
	}
	var visit func(d int)
	visit = func(d int) {
		if d < len(p.Dims) {
			for index[d] = range p.Dims[d] {
				visit(d + 1)
			}
			return
		}
		v := a[at(p.A)]
		if p.Kind != Left {
			v = binaryScalar(p.Kind, v, b[at(p.B)])
		}
		out[at(p.Out)] = p.Act.Scalar(v)
	}
	visit(0)
	return out
}
