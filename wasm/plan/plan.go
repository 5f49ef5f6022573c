// Package plan gives every value of a program its place in memory.
//
// A value's storage is needed from the step that first writes any part of it to
// the one that last reads any part. Storages whose times do not overlap may share
// memory: the arena is as small as greedy placement, largest first, makes it.
package plan

import (
	"slices"

	"spotter/kernels"
	"spotter/wasm/ir"
)

// Align is the alignment of every storage, a cache line.
const Align = 64

// slack behind each storage lets a kernel load a whole vector at its last element.
const slack = 16

// Arena is the result: where each storage begins, and how many bytes all take.
type Arena struct {
	Bytes  int
	Sum    int // bytes that storages without sharing would take
	offset map[*ir.Value]int
}

// storage is a root value with its time.
type storage struct {
	root        *ir.Value
	bytes       int
	first, last int // steps
	offset      int
}

// New plans a program. The input is written before the first step and the
// outputs are read after the last.
func New(p *ir.Program) *Arena {
	list := storages(p)
	order := slices.Clone(list)
	slices.SortStableFunc(order, func(a, b *storage) int { return b.bytes - a.bytes })
	a := &Arena{offset: map[*ir.Value]int{}}
	for i, s := range order {
		s.offset = lowest(s, order[:i])
		a.offset[s.root] = s.offset
		a.Bytes = max(a.Bytes, s.offset+s.bytes)
		a.Sum += s.bytes
	}
	return a
}

// lowest finds the smallest gap among the storages that live at the same time;
// the lowest of equal ones.
func lowest(s *storage, placed []*storage) int {
	var busy []*storage
	for _, o := range placed {
		if o.first <= s.last && s.first <= o.last {
			busy = append(busy, o)
		}
	}
	slices.SortFunc(busy, func(a, b *storage) int { return a.offset - b.offset })
	best, gap, end := -1, 0, 0
	for _, o := range busy {
		if room := o.offset - end; room >= s.bytes && (best < 0 || room < gap) {
			best, gap = end, room
		}
		end = max(end, o.offset+o.bytes)
	}
	if best >= 0 {
		return best
	}
	return end
}

// storages lists the roots in order of first use.
func storages(p *ir.Program) []*storage {
	byRoot := map[*ir.Value]*storage{}
	var list []*storage
	touch := func(v *ir.Value, step int) {
		root := v.Root()
		s := byRoot[root]
		if s == nil {
			s = &storage{root: root, bytes: (4*root.Elements() + slack + Align - 1) / Align * Align, first: step, last: step}
			byRoot[root] = s
			list = append(list, s)
		}
		s.first, s.last = min(s.first, step), max(s.last, step)
	}
	touch(p.Input, -1)
	for i, s := range p.Steps {
		if s.View {
			continue
		}
		for _, v := range s.In {
			touch(v, i)
		}
		touch(s.Out, i)
	}
	for _, v := range p.Outputs {
		touch(v, len(p.Steps))
	}
	return list
}

// Offset is the distance of v's first element from the arena's start, in bytes.
func (a *Arena) Offset(v *ir.Value) int {
	_, offset := v.Strides()
	return a.offset[v.Root()] + 4*offset
}

// View is the layout of a feature map; a value of another rank counts as pixels
// of its last dimension, in one row.
func View(v *ir.Value) kernels.View {
	strides, _ := v.Strides()
	if len(v.Shape) != 3 {
		c := 1
		if n := len(v.Shape); n > 0 {
			c = v.Shape[n-1]
		}
		return kernels.Packed(1, v.Elements()/c, c)
	}
	view := kernels.View{C: v.Shape[0], H: v.Shape[1], W: v.Shape[2], PixelStride: 4 * strides[2], RowStride: 4 * strides[1]}
	// A single pixel or row has no neighbours: any stride does, and the plainest lets kernels flatten.
	if view.W == 1 {
		view.PixelStride = max(view.PixelStride, 4*view.C)
	}
	view.RowStride = max(view.RowStride, view.W*view.PixelStride)
	return view
}
