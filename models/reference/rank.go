package reference

import (
	"fmt"
	"math"

	"spotter/models"
)

// Operations on tensors of any rank.

// strides are the distances of neighbours along each dimension.
func strides(s models.Shape) []int {
	list := make([]int, len(s))
	step := 1
	for d := len(s) - 1; d >= 0; d-- {
		list[d] = step
		step *= s[d]
	}
	return list
}

// each calls f for every index of shape, in row-major order, with its offsets in
// tensors that have the given strides.
func each(shape models.Shape, a, b []int, f func(i, a, b int)) {
	index := make([]int, len(shape))
	at, bt := 0, 0
	for i := range shape.Elements() {
		f(i, at, bt)
		for d := len(shape) - 1; d >= 0; d-- {
			index[d]++
			at, bt = at+a[d], bt+b[d]
			if index[d] < shape[d] {
				break
			}
			at, bt = at-index[d]*a[d], bt-index[d]*b[d]
			index[d] = 0
		}
	}
}

// stretched are the strides of a tensor that is broadcast to a rank: aligned at
// the last dimension, 0 where the tensor has one element only.
func stretched(s models.Shape, rank int) []int {
	list := make([]int, rank)
	for d, step := range strides(s) {
		if s[d] > 1 {
			list[rank-len(s)+d] = step
		}
	}
	return list
}

func binary(kind models.BinaryKind, a, b, out tensor) error {
	f := binaryFunc(kind)
	if f == nil {
		return fmt.Errorf("function %d of two values is unknown", kind)
	}
	rank := len(out.shape)
	each(out.shape, stretched(a.shape, rank), stretched(b.shape, rank), func(i, ai, bi int) {
		out.data[i] = f(a.data[ai], b.data[bi])
	})
	return nil
}

func binaryFunc(kind models.BinaryKind) func(a, b float32) float32 {
	switch kind {
	case models.Add:
		return func(a, b float32) float32 { return a + b }
	case models.Sub:
		return func(a, b float32) float32 { return a - b }
	case models.Mul:
		return func(a, b float32) float32 { return a * b }
	case models.Div:
		return func(a, b float32) float32 { return a / b }
	case models.Pow:
		return func(a, b float32) float32 { return float32(math.Pow(float64(a), float64(b))) }
	case models.Max:
		return func(a, b float32) float32 { return max(a, b) }
	case models.Min:
		return func(a, b float32) float32 { return min(a, b) }
	}
	return nil
}

// around splits a shape at an axis: the elements before it, along it and after it.
func around(s models.Shape, axis int) (before, n, after int) {
	return s[:axis].Elements(), s[axis], s[axis+1:].Elements()
}

func concat(axis int, in []tensor, out tensor) {
	before, n, after := around(out.shape, axis)
	at := 0
	for _, t := range in {
		run := t.shape[axis] * after
		for i := range before {
			copy(out.data[i*n*after+at:], t.data[i*run:(i+1)*run])
		}
		at += run
	}
}

func slice(op *models.Slice, in, out tensor) {
	start, count := op.Bounds(in.shape[op.Axis])
	before, n, after := around(in.shape, op.Axis)
	for i := range before {
		for k := range count {
			from := (i*n + start + k*op.Step) * after
			copy(out.data[(i*count+k)*after:], in.data[from:from+after])
		}
	}
}

func softmax(axis int, in, out tensor) {
	before, n, after := around(in.shape, axis)
	run := make([]float64, n)
	for i := range before * after {
		base := i/after*n*after + i%after
		for k := range run {
			run[k] = float64(in.data[base+k*after])
		}
		normalise(run)
		for k, v := range run {
			out.data[base+k*after] = float32(v)
		}
	}
}

func transpose(perm []int, in, out tensor) {
	from := strides(in.shape)
	steps := make([]int, len(perm))
	for d, p := range perm {
		steps[d] = from[p]
	}
	each(out.shape, steps, steps, func(i, at, _ int) { out.data[i] = in.data[at] })
}

// matMul follows numpy: a vector on the left is a row, on the right a column.
func matMul(a, b, out tensor) {
	if len(a.shape) == 1 {
		a.shape = models.Shape{1, a.shape[0]}
	}
	if len(b.shape) == 1 {
		b.shape = models.Shape{b.shape[0], 1}
	}
	ra, rb := len(a.shape), len(b.shape)
	m, inner, n := a.shape[ra-2], a.shape[ra-1], b.shape[rb-1]
	batch := batchShape(a.shape[:ra-2], b.shape[:rb-2])
	sa, sb := stretched(a.shape[:ra-2], len(batch)), stretched(b.shape[:rb-2], len(batch))
	each(batch, sa, sb, func(i, ai, bi int) {
		product(a.data[ai*m*inner:], b.data[bi*inner*n:], out.data[i*m*n:], m, inner, n)
	})
}

func batchShape(a, b models.Shape) models.Shape {
	out := make(models.Shape, max(len(a), len(b)))
	for i := range out {
		out[i] = 1
		for _, s := range []models.Shape{a, b} {
			if d := i - (len(out) - len(s)); d >= 0 {
				out[i] = max(out[i], s[d])
			}
		}
	}
	return out
}

// product multiplies m x inner by inner x n.
func product(a, b, out []float32, m, inner, n int) {
	parallel(m, func(y int) {
		for x := range n {
			var sum float64
			for k := range inner {
				sum += float64(a[y*inner+k]) * float64(b[k*n+x])
			}
			out[y*n+x] = float32(sum)
		}
	})
}
