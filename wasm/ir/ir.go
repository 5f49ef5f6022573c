// Package ir is the compiler's form of a network: a list of steps, each of which
// becomes one kernel call, over values that know where they lie in each other.
//
// Lower makes it from a models.Graph and its parameters; package passes rewrites
// it; package plan gives every value an address; package module emits the code.
package ir

import (
	"slices"

	"spotter/models"
)

// Program is a network in work.
type Program struct {
	Graph   *models.Graph
	Input   *Value
	Steps   []*Step // in order of computation
	Outputs []*Value
}

// Value is the result of a step, or the input. Values of rank 3 are feature maps
// [C, H, W], which lie in memory with their channels contiguous (NHWC); all
// others are row-major.
type Value struct {
	Name   string
	Shape  models.Shape
	From   *Step         // the step that writes it; nil for the input and for values that views make up
	Source *models.Value // the graph's value that it equals; nil when there is none
	Place  Place
}

// Place says that a value is a part of another one: indices Start, Start+Step, ...
// of Base along one dimension; or, Reshaped, all of it in another shape. The zero
// Place is storage of its own.
type Place struct {
	Base        *Value
	Axis, Start int
	Step        int // 0 counts as 1
	Reshaped    bool
}

// Root is the value whose storage v lies in.
func (v *Value) Root() *Value {
	for v.Place.Base != nil {
		v = v.Place.Base
	}
	return v
}

// Strides gives the distance of neighbours along each dimension, and that of the
// first element from the root's, in elements.
func (v *Value) Strides() (strides []int, offset int) {
	if v.Place.Base == nil {
		return v.ownStrides(), 0
	}
	strides, offset = v.Place.Base.Strides()
	if v.Place.Reshaped {
		return v.ownStrides(), offset
	}
	a := v.Place.Axis
	offset += v.Place.Start * strides[a]
	strides[a] *= max(v.Place.Step, 1)
	return strides, offset
}

func (v *Value) ownStrides() []int {
	if len(v.Shape) == 3 {
		return []int{1, v.Shape[2] * v.Shape[0], v.Shape[0]}
	}
	strides := make([]int, len(v.Shape))
	n := 1
	for i := len(v.Shape) - 1; i >= 0; i-- {
		strides[i] = n
		n *= v.Shape[i]
	}
	return strides
}

// RowMajor says whether a value with storage of its own has its elements in
// row-major order of the shape.
func (v *Value) RowMajor() bool {
	return len(v.Shape) != 3 || v.Shape[0] == 1 || v.Shape[1]*v.Shape[2] == 1
}

// Elements counts the value's elements.
func (v *Value) Elements() int {
	n := 1
	for _, d := range v.Shape {
		n *= d
	}
	return n
}

// Step is one operation of the program.
type Step struct {
	Name  string // of the (first) graph node that it came from
	Layer int    // row of the network's summary, -1 when none
	Op    models.Op
	In    []*Value
	Out   *Value
	View  bool // nothing to run: the result lies in its inputs' storage, or they in its
}

// MACs counts the multiply-adds that running the step takes.
func (s *Step) MACs() int {
	switch op := s.Op.(type) {
	case *Conv:
		return op.Filter.Values() * s.Out.Elements() / max(op.Out, 1)
	case *ConvTranspose:
		return op.Filter.Values() * s.In[0].Elements() / max(s.In[0].Shape[0], 1)
	case *models.MQA:
		return 2 * s.In[0].Elements() * s.In[1].Shape[1] * s.In[1].Shape[2]
	case *MatMul:
		return s.Out.Elements() * op.Depth(s)
	}
	return 0
}

// Params counts the parameters that the step holds, normalisation folded.
func (s *Step) Params() int {
	switch op := s.Op.(type) {
	case *Conv:
		return op.Filter.params()
	case *ConvTranspose:
		return op.Filter.params()
	case *Affine:
		return len(op.Scale) + len(op.Shift)
	case *MatMul:
		return tensorSize(op.Const)
	case *Binary:
		return tensorSize(op.Const)
	}
	return 0
}

func tensorSize(t *models.Tensor) int {
	if t == nil {
		return 0
	}
	return len(t.Data)
}

// Uses counts the reads of each value, the program's outputs among them. Reading
// a part of a value counts as reading it.
func (p *Program) Uses() map[*Value]int {
	uses := map[*Value]int{}
	for _, s := range p.Steps {
		for _, v := range s.In {
			Count(uses, v, 1)
		}
	}
	for _, v := range p.Outputs {
		Count(uses, v, 1)
	}
	return uses
}

// Count adds n reads of v and of everything that it is a part of.
func Count(uses map[*Value]int, v *Value, n int) {
	for ; v != nil; v = v.Place.Base {
		uses[v] += n
	}
}

// Readers lists the steps that read v.
func (p *Program) Readers(v *Value) []*Step {
	var list []*Step
	for _, s := range p.Steps {
		if slices.Contains(s.In, v) {
			list = append(list, s)
		}
	}
	return list
}

// Index is the place of s among the steps, -1 when it is not there.
func (p *Program) Index(s *Step) int { return slices.Index(p.Steps, s) }

// Remove takes a step out.
func (p *Program) Remove(s *Step) {
	i := p.Index(s)
	p.Steps = slices.Delete(p.Steps, i, i+1)
}

// InsertBefore puts a new step before s.
func (p *Program) InsertBefore(s, fresh *Step) {
	p.Steps = slices.Insert(p.Steps, p.Index(s), fresh)
}

// NewValue makes the result of s.
func (s *Step) NewValue(name string, shape models.Shape) *Value {
	s.Out = &Value{Name: name, Shape: slices.Clone(shape), From: s}
	return s.Out
}
