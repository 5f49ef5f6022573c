package passes

import (
	"slices"

	"spotter/models"
	"spotter/wasm/ir"
)

// placeSlices lets slices and reshapings that move nothing lie in their input.
func placeSlices(p *ir.Program) {
	for _, s := range p.Steps {
		in := s.In[0]
		switch op := s.Op.(type) {
		case *models.Slice:
			if len(in.Shape) == 3 && op.Axis == 0 && op.Step > 1 {
				continue // kernels want a pixel's channels together
			}
			if slices.ContainsFunc(p.Readers(s.Out), wantsRows) {
				continue
			}
			start, _ := op.Bounds(in.Shape[op.Axis])
			s.Out.Place = ir.Place{Base: in, Axis: op.Axis, Start: start, Step: op.Step}
			s.View = true
		case *models.Reshape:
			if in.Place.Base == nil && in.RowMajor() && s.Out.RowMajor() {
				s.Out.Place = ir.Place{Base: in, Reshaped: true}
				s.View = true
			}
		}
	}
}

// pinned is the set of values that must keep storage of their own: something
// lies in them that relies on their elements being adjacent.
func pinned(p *ir.Program) map[*ir.Value]bool {
	set := map[*ir.Value]bool{}
	for _, s := range p.Steps {
		if s.Out.Place.Reshaped {
			set[s.Out.Place.Base] = true
		}
	}
	return set
}
