package kernels

import (
	"fmt"

	"spotter/kernels/emit"
)

// WinogradWeightsFunc emits f(plain, weights): transforms the weights that
// p.Plain().Pack makes, once they are in memory, to what p.Pack makes.
func WinogradWeightsFunc(m *emit.Module, p WinogradParams) *emit.Func {
	p = p.normal()
	name := fmt.Sprintf("wino_weights%dx%ds%d_f32_%d %dx%d", p.M, p.M, p.Stride, p.Tile.Channels, p.Out.C, p.In.C)
	if f := m.Func(name); f != nil {
		return f
	}
	f := m.NewFunc(name, []emit.Type{emit.I32, emit.I32}, nil)
	v := f.Params("plain", "weights")
	w := &winogradWeights{f: f, p: p, s: schemeOf(p.Stride, p.M), plain: v[0], to: v[1]}
	for i := range 9 {
		w.tap = append(w.tap, f.Local(emit.V128, fmt.Sprintf("tap%d", i)))
	}
	for range 3 * len(w.s.g) {
		w.half = append(w.half, f.Local(emit.V128, "half"))
	}
	w.end = f.Local(emit.I32, "end")
	full, rest := p.Out.C/p.Tile.Channels, p.Out.C%p.Tile.Channels
	if full > 0 {
		block := f.Local(emit.I32, "block")
		f.For(block, emit.I32Const(0), emit.I32Const(full), 1, func() { w.block(p.Tile.Channels) })
	}
	if rest > 0 {
		w.block(rest)
	}
	return f
}

// winogradWeights transforms block by block.
type winogradWeights struct {
	f              *emit.Func
	p              WinogradParams
	s              scheme
	plain, to, end emit.Value
	tap, half      []emit.Value // 3x3; points x 3
}

// block writes the transform of a block of c output channels and moves on.
func (w *winogradWeights) block(c int) {
	f, row, n := w.f, 4*c, len(w.s.g)
	matrix := 4 * w.p.matrixFloats()
	for j := 0; j < row; j += 16 {
		for i := range n * n {
			bias := emit.F32x4All(0)
			if i == n+1 {
				bias = emit.V128Load(w.plain, j)
			}
			f.Do(emit.V128Store(w.to, i*matrix+j, bias))
		}
	}
	f.Inc(w.plain, row)
	f.Inc(w.to, row)
	f.Set(w.end, emit.Plus(w.plain, row*w.p.In.C))
	f.DoWhile(func() {
		for j := 0; j < row; j += 16 {
			for t := range w.tap {
				f.Set(w.tap[t], emit.V128Load(w.plain, t*row*w.p.In.C+j))
			}
			w.vector(matrix, j)
		}
		f.Inc(w.plain, row)
		f.Inc(w.to, row)
	}, emit.I32LtU(w.plain, w.end))
	f.Inc(w.plain, 8*row*w.p.In.C)
}

// vector transforms the nine taps of four output channels.
func (w *winogradWeights) vector(matrix, offset int) {
	n := len(w.s.g)
	for u := range n {
		for x := range 3 {
			w.f.Set(w.half[3*u+x], combine(w.s.g[u], w.tap[x], w.tap[3+x], w.tap[6+x]))
		}
	}
	for u := range n {
		for v := range n {
			sum := combine(w.s.g[v], w.half[3*u], w.half[3*u+1], w.half[3*u+2])
			w.f.Do(emit.V128Store(w.to, (u*n+v)*matrix+offset, sum))
		}
	}
}

// combine is the sum of k[i]*x[i].
func combine(k [3]float64, x ...emit.Value) emit.Value {
	var sum emit.Value
	for i, v := range x {
		if k[i] == 0 {
			continue
		}
		if k[i] != 1 {
			v = emit.F32x4Mul(v, emit.F32x4All(float32(k[i])))
		}
		if sum != (emit.Value{}) {
			v = emit.F32x4Add(sum, v)
		}
		sum = v
	}
	return sum
}
