package passes

import (
	"slices"

	"spotter/models"
	"spotter/wasm/ir"
)

// fitLayouts rewrites what the memory layout does not allow in one step: a softmax
// over a dimension whose elements do not lie side by side is turned there and
// back, and a reshaping between shapes without common cuts goes through one dimension.
func fitLayouts(p *ir.Program) {
	for _, s := range snapshot(p) {
		switch op := s.Op.(type) {
		case *models.Softmax:
			turnSoftmax(p, s, op)
		case *models.Reshape:
			if _, ok := ir.Refine(s.In[0].Shape, s.Out.Shape); !ok {
				flat := models.Shape{s.Out.Elements()}
				before(p, s, &models.Reshape{Shape: flat}, flat)
			}
		}
	}
}

// before puts a step on s's input in front of s, and lets s read its result.
func before(p *ir.Program, s *ir.Step, op models.Op, shape models.Shape) {
	fresh := &ir.Step{Name: s.Name, Layer: s.Layer, Op: op, In: []*ir.Value{s.In[0]}}
	s.In[0] = fresh.NewValue(s.In[0].Name+" turned", shape)
	p.InsertBefore(s, fresh)
}

// turnSoftmax brings the dimension to where elements are adjacent: the channels of a
// feature map, the last dimension of anything else.
func turnSoftmax(p *ir.Program, s *ir.Step, op *models.Softmax) {
	rank := len(s.Out.Shape)
	inner := rank - 1
	if rank == 3 {
		inner = 0
	}
	if op.Axis == inner {
		return
	}
	perm := make([]int, rank)
	for i := range perm {
		perm[i] = i
	}
	perm[op.Axis], perm[inner] = inner, op.Axis
	turned := slices.Clone(s.Out.Shape)
	turned[op.Axis], turned[inner] = turned[inner], turned[op.Axis]
	before(p, s, &models.Transpose{Perm: perm}, turned)
	back := &ir.Step{Name: s.Name, Layer: s.Layer, Op: &models.Transpose{Perm: perm}, Out: s.Out}
	s.Out.From = back
	back.In = []*ir.Value{s.NewValue(s.Name+" turned", turned)}
	s.Op = &models.Softmax{Axis: inner}
	p.Steps = slices.Insert(p.Steps, p.Index(s)+1, back)
}

// wantsRows says whether the step reads and writes values of other ranks than
// feature maps only as dense rows.
func wantsRows(s *ir.Step) bool {
	_, ok := s.Op.(*models.Softmax)
	return ok && len(s.Out.Shape) != 3
}
