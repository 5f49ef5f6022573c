package models

import (
	"slices"

	"spotter/models/say"
)

// Shapes of the operations that join values or work on any rank.

func (op *Concat) shape(in []*Value) (Shape, error) {
	if len(in) == 0 {
		return nil, say.Errorf("takes at least one input")
	}
	out := slices.Clone(in[0].Shape)
	if err := needAxis(op.Axis, out); err != nil {
		return nil, err
	}
	for _, v := range in[1:] {
		if len(v.Shape) != len(out) {
			return nil, say.Errorf("%s %v and %s %v differ in rank", in[0].Name, []int(in[0].Shape), v.Name, []int(v.Shape))
		}
		for d := range out {
			if d != op.Axis && v.Shape[d] != out[d] {
				return nil, say.Errorf("%s %v and %s %v differ beside dimension %d", in[0].Name, []int(in[0].Shape), v.Name, []int(v.Shape), op.Axis)
			}
		}
		out[op.Axis] += v.Shape[op.Axis]
	}
	return out, nil
}

// Bounds gives the first index and the number of indices that the slice takes from
// a dimension of the given size. Negative Start and End count from the
// end, as in numpy; an End beyond the dimension means its end.
func (op *Slice) Bounds(size int) (start, count int) {
	place := func(i int) int {
		if i < 0 {
			i += size
		}
		return min(max(i, 0), size)
	}
	start = place(op.Start)
	end := place(op.End)
	if end <= start || op.Step < 1 {
		return start, 0
	}
	return start, (end-start-1)/op.Step + 1
}

func (op *Slice) shape(in Shape) (Shape, error) {
	if err := needAxis(op.Axis, in); err != nil {
		return nil, err
	}
	out := slices.Clone(in)
	_, out[op.Axis] = op.Bounds(in[op.Axis])
	if out[op.Axis] == 0 {
		return nil, say.Errorf("%d:%d:%d takes nothing from dimension %d of %v", op.Start, op.End, op.Step, op.Axis, []int(in))
	}
	return out, nil
}

// constShape is the shape of a constant operand.
func constShape(name string, w Weights) (Shape, error) {
	t := w[name]
	if t == nil {
		return nil, say.Errorf("constant %q is missing", name)
	}
	return t.Shape, nil
}

// operands gives the shapes of both sides, a constant among them or not.
func operands(in []*Value, name string, first bool, w Weights) (a, b Shape, err error) {
	if name == "" {
		if len(in) != 2 {
			return nil, nil, say.Errorf("takes two inputs, has %d", len(in))
		}
		return in[0].Shape, in[1].Shape, nil
	}
	if len(in) != 1 {
		return nil, nil, say.Errorf("takes one input beside its constant, has %d", len(in))
	}
	c, err := constShape(name, w)
	if first {
		return c, in[0].Shape, err
	}
	return in[0].Shape, c, err
}

func (op *Binary) shape(in []*Value, w Weights) (Shape, error) {
	a, b, err := operands(in, op.Const, op.ConstFirst, w)
	if err != nil {
		return nil, err
	}
	return broadcast(a, b)
}

// broadcast aligns the last dimensions; a dimension of 1 stretches.
func broadcast(a, b Shape) (Shape, error) {
	out := make(Shape, max(len(a), len(b)))
	for i := range out {
		x, y := fromEnd(a, len(out)-i), fromEnd(b, len(out)-i)
		if x != y && x != 1 && y != 1 {
			return nil, say.Errorf("shapes %v and %v do not broadcast", []int(a), []int(b))
		}
		out[i] = max(x, y)
	}
	return out, nil
}

func fromEnd(s Shape, i int) int {
	if i > len(s) {
		return 1
	}
	return s[len(s)-i]
}

// shape follows numpy's matmul: a vector on the left counts as a row, one on the
// right as a column, and that dimension is dropped from the result.
func (op *MatMul) shape(in []*Value, w Weights) (Shape, error) {
	a, b, err := operands(in, op.Const, op.ConstFirst, w)
	if err != nil {
		return nil, err
	}
	if len(a) == 0 || len(b) == 0 {
		return nil, say.Errorf("shapes %v and %v do not multiply", []int(a), []int(b))
	}
	row, column := len(a) == 1, len(b) == 1
	left, right := a, b
	if row {
		left = Shape{1, a[0]}
	}
	if column {
		right = Shape{b[0], 1}
	}
	if left[len(left)-1] != right[len(right)-2] {
		return nil, say.Errorf("shapes %v and %v do not multiply", []int(a), []int(b))
	}
	out, err := broadcast(left[:len(left)-2], right[:len(right)-2])
	if err != nil {
		return nil, err
	}
	if !row {
		out = append(out, left[len(left)-2])
	}
	if !column {
		out = append(out, right[len(right)-1])
	}
	return out, nil
}

func (op *MQA) shape(in []*Value) (Shape, error) {
	if len(in) != 3 {
		return nil, say.Errorf("takes query, key and value, has %d inputs", len(in))
	}
	for _, v := range in {
		if err := needMap(v.Shape); err != nil {
			return nil, say.Errorf("%s: %w", v.Name, err)
		}
	}
	q, k, v := in[0].Shape, in[1].Shape, in[2].Shape
	if op.Heads < 1 || op.Dim < 1 || q[0] != op.Heads*op.Dim {
		return nil, say.Errorf("query of %d channels for %d heads of %d", q[0], op.Heads, op.Dim)
	}
	if k[0] != op.Dim || !slices.Equal(k, v) {
		return nil, say.Errorf("key %v and value %v must both have %d channels and one size", []int(k), []int(v), op.Dim)
	}
	return slices.Clone(q), nil
}

func (op *Reshape) shape(in Shape) (Shape, error) {
	elements, known, open := 1, 1, -1
	for _, d := range in {
		elements *= d
	}
	out := slices.Clone(op.Shape)
	for i, d := range out {
		switch {
		case d == -1 && open < 0:
			open = i
		case d < 1 || d > elements:
			return nil, say.Errorf("shape %v does not fit %v", []int(op.Shape), []int(in))
		default:
			known *= d
		}
		if known > elements {
			return nil, say.Errorf("shape %v does not fit %v", []int(op.Shape), []int(in))
		}
	}
	if open >= 0 && elements%known == 0 {
		out[open] = elements / known
		known = elements
	}
	if known != elements {
		return nil, say.Errorf("shape %v does not fit %v", []int(op.Shape), []int(in))
	}
	return out, nil
}

func (op *Transpose) shape(in Shape) (Shape, error) {
	if len(op.Perm) != len(in) {
		return nil, say.Errorf("order %v does not fit shape %v", op.Perm, []int(in))
	}
	out := make(Shape, len(in))
	for i, p := range op.Perm {
		if p < 0 || p >= len(in) || slices.Contains(op.Perm[:i], p) {
			return nil, say.Errorf("order %v does not fit shape %v", op.Perm, []int(in))
		}
		out[i] = in[p]
	}
	return out, nil
}
