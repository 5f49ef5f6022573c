package kernels

import (
	"fmt"

	"spotter/kernels/emit"
)

// MatMulParams describe out[b, m, n] = sum over k of a[b, m, k] * b[b, k, n], over any
// batch dimensions; strides are in bytes, 0 repeats. A constant right side of dense
// rows is PointwiseParams' business, which is faster.
type MatMulParams struct {
	M, N, K  int
	Out      [2]int // strides along m and n
	A        [2]int // along m and k
	B        [2]int // along k and n
	Batch    []int
	BatchOut []int // strides a batch dimension
	BatchA   []int
	BatchB   []int
	Options
}

// Units are the rows m, of all batches.
func (p MatMulParams) Units() int { return p.M }

// Name is the kernel's name in tables.
func (p MatMulParams) Name() string {
	if p.vector() {
		return "matmul_f32_1x16" + p.suffix()
	}
	return "matmul_f32_1x1" + p.suffix()
}

// vector reports whether neighbours along n lie side by side.
func (p MatMulParams) vector() bool { return p.B[1] == 4 && p.Out[1] == 4 }

func (p MatMulParams) check() {
	n := len(p.Batch)
	if min(p.M, p.N, p.K) < 1 || len(p.BatchOut) != n || len(p.BatchA) != n || len(p.BatchB) != n {
		panic(fmt.Sprintf("BUG: matmul %+v", p))
	}
}

// MatMulFunc emits matmul(a, b, out, begin, end) for rows.
func MatMulFunc(m *emit.Module, p MatMulParams) *emit.Func {
	p.check()
	name := fmt.Sprintf("%s %dx%dx%d %v %v %v %v %v %v %v", p.Name(), p.M, p.N, p.K, p.Out, p.A, p.B, p.Batch, p.BatchOut, p.BatchA, p.BatchB)
	if f := m.Func(name); f != nil {
		return f
	}
	i := emit.I32
	f := m.NewFunc(name, []emit.Type{i, i, i, i, i}, nil)
	v := f.Params("a", "b", "out", "begin", "end")
	g := &matmul{MatMulParams: p, f: f, begin: v[3], end: v[4], x: f.Local(emit.V128, "x")}
	for j := range 4 {
		g.acc = append(g.acc, f.Local(emit.V128, fmt.Sprintf("acc%d", j)))
	}
	for _, l := range []*emit.Value{&g.ak, &g.bk, &g.k, &g.n} {
		*l = f.Local(i, "walk")
	}
	g.batch(0, v[0], v[1], v[2])
	return f
}

type matmul struct {
	MatMulParams
	f            *emit.Func
	begin, end   emit.Value
	x            emit.Value
	acc          []emit.Value
	ak, bk, k, n emit.Value
}

// batch loops over the batch dimensions from d on.
func (g *matmul) batch(d int, a, b, out emit.Value) {
	f := g.f
	if d == len(g.Batch) {
		g.rows(a, b, out)
		return
	}
	a, b, out = f.Define("a", a), f.Define("b", b), f.Define("out", out)
	left := f.Define("left", emit.I32Const(g.Batch[d]))
	f.DoWhile(func() {
		g.batch(d+1, a, b, out)
		f.Inc(a, g.BatchA[d])
		f.Inc(b, g.BatchB[d])
		f.Inc(out, g.BatchOut[d])
		f.Inc(left, -1)
	}, left)
}

func (g *matmul) rows(a, b, out emit.Value) {
	f, i := g.f, emit.I32
	row := f.Local(i, "row")
	at := f.Define("a_row", emit.I32Add(a, emit.I32Mul(g.begin, emit.I32Const(g.A[0]))))
	to := f.Define("out_row", emit.I32Add(out, emit.I32Mul(g.begin, emit.I32Const(g.Out[0]))))
	column, dst := f.Local(i, "b_column"), f.Local(i, "out_at")
	f.For(row, g.begin, g.end, 1, func() {
		f.Set(column, b)
		f.Set(dst, to)
		step := 1
		if g.vector() {
			step = 16
		}
		if g.N >= step {
			f.Set(g.n, emit.I32Const(g.N/step))
			f.DoWhile(func() {
				g.columns(at, column, dst, step)
				f.Inc(column, step*g.B[1])
				f.Inc(dst, step*g.Out[1])
				f.Inc(g.n, -1)
			}, g.n)
		}
		if rest := g.N % step; rest > 0 {
			g.columns(at, column, dst, rest)
		}
		f.Inc(at, g.A[0])
		f.Inc(to, g.Out[0])
	})
}

// columns computes n neighbouring results, up to 16.
func (g *matmul) columns(a, b, dst emit.Value, n int) {
	f := g.f
	for j := range vectors(n) {
		f.Set(g.acc[j], emit.F32x4All(0))
	}
	f.Set(g.ak, a)
	f.Set(g.bk, b)
	f.Set(g.k, emit.I32Const(g.K))
	f.DoWhile(func() {
		f.Set(g.x, emit.V128Load32Splat(g.ak, 0))
		for j := range vectors(n) {
			f.Set(g.acc[j], g.madd(g.x, loadChannels(g.bk, 16*j, min(4, n-4*j)), g.acc[j]))
		}
		f.Inc(g.ak, g.A[1])
		f.Inc(g.bk, g.B[0])
		f.Inc(g.k, -1)
	}, g.k)
	for j := range vectors(n) {
		storeChannels(f, dst, 16*j, min(4, n-4*j), g.acc[j])
	}
}

// MatMul is the scalar twin: operands as memory from their first element on.
func MatMul(p MatMulParams, a, b []float32) []float32 {
	last := (p.M-1)*p.Out[0] + (p.N-1)*p.Out[1]
	for i, d := range p.Batch {
		last += (d - 1) * p.BatchOut[i]
	}
	out := make([]float32, last/4+1)
	var batch func(d, ao, bo, oo int)
	batch = func(d, ao, bo, oo int) {
		if d < len(p.Batch) {
			for i := range p.Batch[d] {
				batch(d+1, ao+i*p.BatchA[d], bo+i*p.BatchB[d], oo+i*p.BatchOut[d])
			}
			return
		}
		for m := range p.M {
			for n := range p.N {
				sum := 0.0
				for k := range p.K {
					sum += float64(a[(ao+m*p.A[0]+k*p.A[1])/4]) * float64(b[(bo+k*p.B[0]+n*p.B[1])/4])
				}
				out[(oo+m*p.Out[0]+n*p.Out[1])/4] = float32(sum)
			}
		}
	}
	batch(0, 0, 0, 0)
	return out
}
