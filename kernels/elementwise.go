package kernels

import (
	"fmt"

	"spotter/kernels/emit"
)

// BinaryKind is a function of two numbers.
type BinaryKind int

// Functions of two numbers. Left is the first operand alone: a copy, or an activation.
// Max and Min are a < b ? b : a and b < a ? b : a, so a NaN in a stays and one in b does not.
const (
	Left BinaryKind = iota
	Add
	Sub
	Mul
	Div
	Max
	Min
)

var binaryNames = [...]string{"copy", "add", "sub", "mul", "div", "max", "min"}

// ElementwiseParams describe out = act(kind(a, b)), pixel by pixel. A dimension of B
// that is 1 is repeated: per-channel scales are 1x1xC. Out may be A or B, in place, and
// any view may be a channel slice: with Left and no activation this copies into
// a concatenation.
type ElementwiseParams struct {
	Kind BinaryKind
	A, B View // B counts for nothing with Left
	Out  View
	Act  Activation
	Options
}

// Units are the rows of the output.
func (p ElementwiseParams) Units() int { return p.Out.H }

// Name is the kernel's name in tables: add_f32_4.
func (p ElementwiseParams) Name() string {
	return fmt.Sprintf("%s_f32_4%s", binaryNames[p.Kind], p.suffix())
}

func (p ElementwiseParams) check() {
	p.A.check("elementwise input")
	p.Out.check("elementwise output")
	ok := p.A.H == p.Out.H && p.A.W == p.Out.W && p.A.C == p.Out.C
	if p.Kind != Left {
		p.B.check("elementwise second input")
		for _, d := range [][2]int{{p.B.H, p.Out.H}, {p.B.W, p.Out.W}, {p.B.C, p.Out.C}} {
			ok = ok && (d[0] == d[1] || d[0] == 1)
		}
	}
	if !ok {
		panic(fmt.Sprintf("BUG: elementwise %+v", p))
	}
}

// flat turns rows of pixels without gaps into rows of one long pixel.
func (p ElementwiseParams) flat() ElementwiseParams {
	views := []*View{&p.A, &p.Out}
	if p.Kind != Left {
		views = append(views, &p.B)
	}
	for _, v := range views {
		if v.W != p.Out.W || v.C != p.Out.C || v.PixelStride != 4*v.C {
			return p
		}
	}
	for _, v := range views {
		v.C *= v.W
		v.W, v.PixelStride = 1, 4*v.C
	}
	return p
}

// ElementwiseFunc emits f(a, b, out, begin, end), without b for Left.
func ElementwiseFunc(m *emit.Module, p ElementwiseParams) *emit.Func {
	p.check()
	name := fmt.Sprintf("%s%s_%v", p.Name(), p.Act.suffix(), p.A)
	if p.Kind != Left {
		name += fmt.Sprintf("_%v", p.B)
	}
	name += fmt.Sprintf("_%v", p.Out)
	if f := m.Func(name); f != nil {
		return f
	}
	e := &elementwise{ElementwiseParams: p.flat()}
	params := []string{"a", "b", "out", "begin", "end"}
	if p.Kind == Left {
		params = []string{"a", "out", "begin", "end"}
	}
	f, v := m.NewRoutine(name, params...)
	e.f = f
	e.rows(v)
	return f
}

type elementwise struct {
	ElementwiseParams
	f     *emit.Func
	x     []emit.Value // values on their way
	apply func(x emit.Value)
}

// step is a pointer and how far a row, a pixel and a channel move it: 0 where the
// operand repeats.
type step struct {
	at                  emit.Value
	row, pixel, channel int
}

func (e *elementwise) step(base, begin emit.Value, v View) step {
	s := step{row: v.RowStride, pixel: v.PixelStride, channel: 4}
	if v.H == 1 && e.Out.H > 1 {
		s.row = 0
	}
	if v.W == 1 && e.Out.W > 1 {
		s.pixel = 0
	}
	if v.C == 1 && e.Out.C > 1 {
		s.channel = 0
	}
	s.at = e.f.Define("row", emit.I32Add(base, emit.I32Mul(begin, emit.I32Const(s.row))))
	return s
}

func (e *elementwise) rows(v []emit.Value) {
	f := e.f
	begin, end := v[len(v)-2], v[len(v)-1]
	for i := range 4 {
		e.x = append(e.x, f.Local(emit.V128, fmt.Sprintf("x%d", i)))
	}
	e.apply = e.Act.apply(f, e.Options)
	rows := []step{e.step(v[len(v)-3], begin, e.Out), e.step(v[0], begin, e.A)}
	if e.Kind != Left {
		rows = append(rows, e.step(v[1], begin, e.B))
	}
	y := f.Local(emit.I32, "y")
	f.For(y, begin, end, 1, func() {
		pixels := e.copies(rows, "pixel")
		last := f.Define("row_end", emit.Plus(pixels[0].at, e.Out.W*e.Out.PixelStride))
		f.DoWhile(func() {
			e.pixel(pixels)
			for _, s := range pixels {
				f.Inc(s.at, s.pixel)
			}
		}, emit.I32LtU(pixels[0].at, last))
		for _, s := range rows {
			f.Inc(s.at, s.row)
		}
	})
}

func (e *elementwise) copies(steps []step, name string) []step {
	out := append([]step(nil), steps...)
	for i := range out {
		out[i].at = e.f.Define(name, steps[i].at)
	}
	return out
}

// pixel emits all channels of a pixel: sixteen at a time, then what is left.
func (e *elementwise) pixel(pixels []step) {
	c := e.Out.C
	if c >= 32 {
		at := e.copies(pixels, "channel")
		last := e.f.Define("end", emit.Plus(at[0].at, c/16*64))
		e.f.DoWhile(func() {
			e.vectors(at, 0, 16)
			for _, s := range at {
				e.f.Inc(s.at, 16*s.channel)
			}
		}, emit.I32LtU(at[0].at, last))
		pixels, c = at, c%16
	}
	for first := 0; first < c; first += 16 {
		e.vectors(pixels, first, min(16, c-first))
	}
}

// vectors emits n channels, up to 16, from first on.
func (e *elementwise) vectors(at []step, first, n int) {
	load := func(s step, c, n int) emit.Value {
		if s.channel == 0 {
			return emit.V128Load32Splat(s.at, 0)
		}
		return loadChannels(s.at, 4*c, n)
	}
	for i := 0; i < n; i += 4 {
		x, k := e.x[i/4], min(4, n-i)
		v := load(at[1], first+i, k)
		if e.Kind != Left {
			v = binaryOps[e.Kind](v, load(at[2], first+i, k))
		}
		e.f.Set(x, v)
	}
	for i := 0; i < n; i += 4 {
		e.apply(e.x[i/4])
		storeChannels(e.f, at[0].at, 4*(first+i), min(4, n-i), e.x[i/4])
	}
}

var binaryOps = [...]func(a, b emit.Value) emit.Value{
	Add: emit.F32x4Add, Sub: emit.F32x4Sub, Mul: emit.F32x4Mul, Div: emit.F32x4Div,
	Max: emit.F32x4Pmax, Min: emit.F32x4Pmin,
}
