package passes

import (
	"slices"

	"spotter/models"
	"spotter/wasm/ir"
)

// placeConcats lets what is joined be computed where it belongs in the result.
// An input that already lies elsewhere (it is joined twice, or is a slice of
// something, or the picture) is copied there.
func placeConcats(p *ir.Program) {
	fixed := pinned(p)
	for _, s := range snapshot(p) {
		op, ok := s.Op.(*models.Concat)
		if !ok {
			continue
		}
		start := 0
		for i, v := range s.In {
			place := ir.Place{Base: s.Out, Axis: op.Axis, Start: start}
			start += v.Shape[op.Axis]
			switch {
			case liesAt(v, place):
			case v.From != nil && v.Place.Base == nil && !fixed[v] && !wantsRows(v.From):
				v.Place = place
			default:
				s.In[i] = copyTo(p, s, v, place)
			}
		}
		s.View = true
	}
}

// liesAt says whether v's storage is the one that place names.
func liesAt(v *ir.Value, place ir.Place) bool {
	there := &ir.Value{Shape: v.Shape, Place: place}
	if v.Root() != there.Root() {
		return false
	}
	a, from := v.Strides()
	b, to := there.Strides()
	return from == to && slices.Equal(a, b)
}

// copyTo puts a step before s that copies v to place.
func copyTo(p *ir.Program, s *ir.Step, v *ir.Value, place ir.Place) *ir.Value {
	c := &ir.Step{Name: s.Name, Layer: s.Layer, Op: &ir.Copy{}, In: []*ir.Value{v}}
	out := c.NewValue(v.Name+" in "+s.Out.Name, v.Shape)
	out.Place, out.Source = place, v.Source
	p.InsertBefore(s, c)
	return out
}
