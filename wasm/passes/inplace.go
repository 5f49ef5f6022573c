package passes

import (
	"slices"

	"spotter/models"
	"spotter/wasm/ir"
)

// placeInPlace lets elementwise steps, and convolutions that add a residual,
// write over an operand that nothing reads afterwards.
func placeInPlace(p *ir.Program) {
	fixed := pinned(p)
	last := lastReads(p)
	for i, s := range p.Steps {
		if s.View {
			continue
		}
		for _, v := range s.In {
			if !inPlace(s, v) || !slices.Equal(v.Shape, s.Out.Shape) || !expires(p, v, last, i) {
				continue
			}
			root, end := v.Root(), last[s.Out.Root()]
			switch {
			case s.Out.Place.Base == nil && !fixed[s.Out]:
				s.Out.Place = ir.Place{Base: v}
			case s.Out.Place.Base != nil && !fixed[root] && s.Out.Root() != root && !shared(p, s.Out):
				root.Place = ir.Place{Base: s.Out}
			default:
				continue
			}
			last[v.Root()] = max(last[v.Root()], end)
			break
		}
	}
}

// inPlace says whether s reads v only at the place that it writes, and through no
// other input.
func inPlace(s *ir.Step, v *ir.Value) bool {
	for _, u := range s.In {
		if u != v && u.Root() == v.Root() {
			return false
		}
	}
	switch op := s.Op.(type) {
	case *models.Activation, *ir.Affine:
		return true
	case *ir.Binary:
		return op.Kind != models.Pow
	case *ir.Conv:
		if op.Pre && v == s.In[len(s.In)-1] {
			return v != s.In[0] && op.PreUp <= 1
		}
		depthwise := op.Depthwise(s.In[0].Shape[0]) // adds the residual when its own result is written
		return op.Residual && !depthwise && s.In[1] == v && s.In[0] != v
	}
	return false
}

// expires says whether v is all of a storage that only step i still reads, and that
// is not the network's input.
func expires(p *ir.Program, v *ir.Value, last map[*ir.Value]int, i int) bool {
	root := v.Root()
	return root != p.Input && v.From != nil && last[root] == i && slices.Equal(root.Shape, v.Shape)
}

// shared says whether something else lies, at another time, where v does.
func shared(p *ir.Program, v *ir.Value) bool {
	for _, s := range p.Steps {
		for _, u := range append(slices.Clone(s.In), s.Out) {
			if u.Root() == v.Root() && !within(u, v) && !within(v, u) && meet(u, v) {
				return true
			}
		}
	}
	return false
}

// within says whether u is a part of v by its places.
func within(u, v *ir.Value) bool {
	for ; u != nil; u = u.Place.Base {
		if u == v {
			return true
		}
	}
	return false
}

// meet says whether two parts of a storage may have elements in common: not when
// they are different channels of the same pixels.
func meet(u, v *ir.Value) bool {
	a, first := u.Strides()
	b, second := v.Strides()
	if len(u.Shape) != 3 || len(v.Shape) != 3 || !slices.Equal(a, b) || !slices.Equal(u.Shape[1:], v.Shape[1:]) || max(first, second) >= a[2] {
		return true
	}
	return first < second+v.Shape[0] && second < first+u.Shape[0]
}

// lastReads gives for each root the last step that reads any part of it;
// outputs are read behind the last step.
func lastReads(p *ir.Program) map[*ir.Value]int {
	last := map[*ir.Value]int{}
	for i, s := range p.Steps {
		if s.View {
			continue
		}
		for _, v := range s.In {
			last[v.Root()] = i
		}
		last[s.Out.Root()] = max(last[s.Out.Root()], i)
	}
	for _, v := range p.Outputs {
		last[v.Root()] = len(p.Steps)
	}
	return last
}
