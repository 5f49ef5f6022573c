package passes

import (
	"slices"

	"spotter/models"
	"spotter/wasm/ir"
)

// mergeSiblings computes pointwise convolutions of one input as a single product
// whose output channels are theirs side by side: the input is read once.
//
// Where one of two siblings goes into a concatenation (a C3 block), the product
// is laid over it. In concat(m(a(x)), b(x)) the channels that m writes hold a's
// result until then, so the product [a b] and the concatenation [m b] are one
// storage.
func mergeSiblings(p *ir.Program) {
	done := map[*ir.Step]bool{}
	for _, s := range snapshot(p) {
		if done[s] || !mergeable(s) {
			continue
		}
		var group []*ir.Step
		for _, r := range p.Readers(s.In[0]) {
			if !done[r] && mergeable(r) && r.Op.(*ir.Conv).Act == s.Op.(*ir.Conv).Act {
				group = append(group, r)
			}
		}
		if len(group) < 2 {
			continue
		}
		if joined := joinedIn(p, group); joined == nil {
			merge(p, group, nil)
		} else if g, base := overlay(p, group, joined); g != nil {
			group = g
			merge(p, group, base)
		} else {
			continue
		}
		for _, g := range group {
			done[g] = true
		}
	}
}

func mergeable(s *ir.Step) bool {
	c, ok := s.Op.(*ir.Conv)
	return ok && c.Pointwise() && !c.Residual && !c.Pre
}

// joinedIn is the first channel concatenation that reads a result of the group.
func joinedIn(p *ir.Program, group []*ir.Step) *ir.Step {
	for _, s := range group {
		for _, r := range p.Readers(s.Out) {
			if c, ok := r.Op.(*models.Concat); ok && c.Axis == 0 {
				return r
			}
		}
	}
	return nil
}

// overlay finds, for two siblings a and b of which join reads b alone, the part
// of the concatenation that the product of both can be laid over. It gives the
// siblings in the order of the channels, and where the product begins.
func overlay(p *ir.Program, group []*ir.Step, join *ir.Step) ([]*ir.Step, *ir.Place) {
	if len(group) != 2 {
		return nil, nil
	}
	a, b := group[0], group[1]
	if slices.Contains(join.In, a.Out) {
		a, b = b, a
	}
	i := slices.Index(join.In, b.Out)
	if i < 0 || slices.Contains(join.In, a.Out) || p.Uses()[b.Out] != 1 {
		return nil, nil
	}
	for _, j := range []int{i - 1, i + 1} {
		if j < 0 || j >= len(join.In) || !replaces(p, join.In[j], a.Out) {
			continue
		}
		order := []*ir.Step{a, b}
		if j > i {
			order = []*ir.Step{b, a}
		}
		first := min(i, j)
		return order, &ir.Place{Base: join.Out, Start: channelsBefore(join, first)}
	}
	return nil, nil
}

func channelsBefore(join *ir.Step, i int) int {
	n := 0
	for _, v := range join.In[:i] {
		n += v.Shape[0]
	}
	return n
}

// replaces says whether v can be written over old: same shape, nothing reads old
// once v is there, and the step that writes v reads old pixel by pixel if at all.
func replaces(p *ir.Program, v, old *ir.Value) bool {
	if v.From == nil || !slices.Equal(v.Shape, old.Shape) || slices.Contains(p.Outputs, old) || p.Uses()[v] != 1 {
		return false
	}
	if _, ok := v.From.Op.(*models.Slice); ok {
		return false
	}
	at := p.Index(v.From)
	for _, r := range p.Readers(old) {
		if i := p.Index(r); i > at || i == at && !inPlace(r, old) {
			return false
		}
	}
	return true
}

// merge puts one convolution in the place of the group's first.
func merge(p *ir.Program, group []*ir.Step, place *ir.Place) {
	first := earliest(p, group)
	conv := *group[0].Op.(*ir.Conv)
	conv.Out, conv.Filter = 0, ir.Filter{Half: true}
	for _, s := range group {
		c := s.Op.(*ir.Conv)
		conv.Filter.Half = conv.Filter.Half && c.Filter.Half
		conv.Filter.Data = append(conv.Filter.Data, c.Filter.Data...)
		for o := range c.Out {
			scale, bias := c.Filter.At(o)
			conv.Filter.Scale = append(conv.Filter.Scale, scale)
			conv.Filter.Bias = append(conv.Filter.Bias, bias)
		}
		conv.Out += c.Out
	}
	in := first.In[0]
	s := &ir.Step{Name: first.Name, Layer: first.Layer, Op: &conv, In: []*ir.Value{in}}
	both := s.NewValue(first.Name+" and siblings", models.Shape{conv.Out, in.Shape[1], in.Shape[2]})
	if place != nil {
		both.Place = *place
	}
	p.InsertBefore(first, s)
	start := 0
	for _, old := range group {
		old.Out.Place = ir.Place{Base: both, Start: start}
		old.Out.From = s
		start += old.Out.Shape[0]
		p.Remove(old)
	}
}

func earliest(p *ir.Program, group []*ir.Step) *ir.Step {
	return slices.MinFunc(group, func(a, b *ir.Step) int { return p.Index(a) - p.Index(b) })
}
