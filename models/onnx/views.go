package onnx

import (
	"slices"

	"spotter/models/say"
)

// Operations that move elements without computing: their shapes, and the moves.

// reshaped resolves a target with 0 (keep) and -1 (the rest).
func reshaped(in, target []int, allowZero bool) ([]int, error) {
	out := slices.Clone(target)
	rest, known := -1, 1
	for i, d := range target {
		switch {
		case d == 0 && !allowZero && i < len(in):
			out[i] = in[i]
		case d == -1 && rest < 0:
			rest = i
			continue
		case d < 0:
			return nil, say.Errorf("it reshapes to %v", target)
		}
		if out[i] > maxArray*8/known {
			return nil, say.Errorf("it reshapes %v to %v", in, target)
		}
		known *= max(out[i], 1)
	}
	if rest >= 0 {
		out[rest] = elements(in) / known
	}
	if elements(out) != elements(in) {
		return nil, say.Errorf("it reshapes %v to %v, which has another number of elements", in, target)
	}
	return out, nil
}

// viewShape is the result's shape of Reshape, Flatten, Squeeze and Unsqueeze.
func (c *call) viewShape() ([]int, error) {
	in, err := c.shape(0)
	if err != nil {
		return nil, err
	}
	switch c.op {
	case "Reshape":
		target, err := c.constant(1)
		if err != nil {
			return nil, err
		}
		return reshaped(in, target.ints(), c.int("allowzero", 0) != 0)
	case "Flatten":
		at := c.int("axis", 1)
		if at < 0 {
			at += len(in)
		}
		if at < 0 || at > len(in) {
			return nil, say.Errorf("it flattens from axis %d of %v", at, in)
		}
		return []int{elements(in[:at]), elements(in[at:])}, nil
	}
	list, err := c.listOr("axes", 1)
	if err != nil {
		return nil, err
	}
	if c.op == "Squeeze" {
		return squeezed(in, list)
	}
	return unsqueezed(in, list)
}

func squeezed(in, list []int) ([]int, error) {
	drop, err := axes(list, len(in))
	if err != nil {
		return nil, err
	}
	out := []int{}
	for i, d := range in {
		if !slices.Contains(drop, i) || d != 1 && list == nil {
			out = append(out, d)
		} else if d != 1 {
			return nil, say.Errorf("it squeezes dimension %d of %v", i, in)
		}
	}
	return out, nil
}

func unsqueezed(in, list []int) ([]int, error) {
	rank := len(in) + len(list)
	if rank > 16 {
		return nil, say.Errorf("it makes %d dimensions", rank)
	}
	put, err := axes(list, rank)
	if err != nil {
		return nil, err
	}
	out := make([]int, 0, rank)
	for i, next := 0, 0; i < rank; i++ {
		if slices.Contains(put, i) || next == len(in) {
			out = append(out, 1)
			continue
		}
		out = append(out, in[next])
		next++
	}
	if elements(out) != elements(in) {
		return nil, say.Errorf("it unsqueezes axes %v of %v", list, in)
	}
	return out, nil
}

// perm is Transpose's permutation.
func (c *call) perm(rank int) ([]int, error) {
	p := c.list("perm")
	if p == nil {
		for i := range rank {
			p = append(p, rank-1-i)
		}
	}
	seen := map[int]bool{}
	for _, a := range p {
		seen[a] = true
		if a < 0 || a >= rank {
			return nil, say.Errorf("permutation %v of %d dimensions", p, rank)
		}
	}
	if len(p) != rank || len(seen) != rank {
		return nil, say.Errorf("permutation %v of %d dimensions", p, rank)
	}
	return p, nil
}

// cut takes count elements of one axis: start, start+step, ...
type cut struct{ axis, start, step, count int }

// cuts are those of Slice: starts, ends, axes, steps as inputs, or as attributes
// before opset 10.
func (c *call) cuts() ([]cut, error) {
	in, err := c.shape(0)
	if err != nil {
		return nil, err
	}
	var parts [4][]int
	for i, name := range []string{"starts", "ends", "axes", "steps"} {
		if parts[i], err = c.listOr(name, i+1); err != nil {
			return nil, err
		}
	}
	starts, ends, steps := parts[0], parts[1], parts[3]
	along := parts[2]
	if along == nil {
		along = []int{}
		for i := range starts {
			along = append(along, i)
		}
	}
	if along, err = axes(along, len(in)); err != nil {
		return nil, err
	}
	if len(starts) != len(ends) || len(along) != len(starts) || steps != nil && len(steps) != len(starts) {
		return nil, say.Errorf("%d starts, %d ends, %d axes and %d steps", len(starts), len(ends), len(along), len(steps))
	}
	var list []cut
	for i, a := range along {
		step := 1
		if steps != nil {
			step = steps[i]
		}
		x, err := newCut(a, in[a], starts[i], ends[i], step)
		if err != nil {
			return nil, err
		}
		list = append(list, x)
	}
	return list, nil
}

// newCut resolves negative and overlong bounds.
func newCut(a, size, start, end, step int) (cut, error) {
	if step == 0 {
		return cut{}, say.Errorf("a step of 0")
	}
	lo, hi := 0, size
	if step < 0 {
		lo, hi = -1, size-1
	}
	place := func(i int) int {
		if i < 0 {
			i += size
		}
		return max(lo, min(hi, i))
	}
	from, to := place(start), place(end)
	n := 0
	if step > 0 && to > from {
		n = (to - from + step - 1) / step
	} else if step < 0 && to < from {
		n = (from - to - step - 1) / -step
	}
	return cut{axis: a, start: from, step: step, count: n}, nil
}

// parts are Split's sizes along its axis.
func (c *call) parts() (along int, sizes []int, err error) {
	in, err := c.shape(0)
	if err != nil {
		return 0, nil, err
	}
	if along, err = axis(c.int("axis", 0), len(in)); err != nil {
		return 0, nil, err
	}
	if sizes, err = c.listOr("split", 1); err != nil {
		return 0, nil, err
	}
	if sizes == nil {
		n := max(len(c.out), 1)
		each := (in[along] + n - 1) / n
		for left := in[along]; len(sizes) < n; left -= each {
			sizes = append(sizes, max(min(each, left), 0))
		}
	}
	total := 0
	for _, s := range sizes {
		if total += s; s < 0 {
			return 0, nil, say.Errorf("it splits into %v", sizes)
		}
	}
	if total != in[along] || len(sizes) < len(c.out) {
		return 0, nil, say.Errorf("it splits %d into %v", in[along], sizes)
	}
	return along, sizes, nil
}

// joined is Concat's shape.
func (c *call) joined() (along int, out []int, err error) {
	for i := range c.in {
		in, err := c.shape(i)
		if err != nil {
			return 0, nil, err
		}
		if out == nil {
			out = slices.Clone(in)
			if along, err = axis(c.int("axis", 0), len(in)); err != nil {
				return 0, nil, err
			}
			continue
		}
		if len(in) != len(out) {
			return 0, nil, say.Errorf("it joins %v and %v", out, in)
		}
		for d := range in {
			if d != along && in[d] != out[d] {
				return 0, nil, say.Errorf("it joins %v and %v along axis %d", out, in, along)
			}
		}
		out[along] += in[along]
	}
	return along, out, nil
}

// broadcast is numpy's rule for two shapes.
func broadcast(a, b []int) ([]int, error) {
	rank := max(len(a), len(b))
	out := make([]int, rank)
	for i := range rank {
		x, y := 1, 1
		if j := len(a) - rank + i; j >= 0 {
			x = a[j]
		}
		if j := len(b) - rank + i; j >= 0 {
			y = b[j]
		}
		if x != y && x != 1 && y != 1 {
			return nil, say.Errorf("shapes %v and %v do not fit together", a, b)
		}
		out[i] = max(x, y)
		if x == 0 || y == 0 {
			out[i] = 0
		}
	}
	return out, nil
}
