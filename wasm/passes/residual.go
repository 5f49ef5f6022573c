package passes

import (
	"slices"

	"spotter/models"
	"spotter/wasm/ir"
)

// fuseResiduals lets the later of an addition's operands, where it is a
// convolution that nothing else reads, add the other one itself.
func fuseResiduals(p *ir.Program) {
	uses := p.Uses()
	for _, s := range snapshot(p) {
		b, ok := s.Op.(*ir.Binary)
		if !ok || b.Kind != models.Add || len(s.In) != 2 || len(s.Out.Shape) != 3 ||
			!slices.Equal(s.In[0].Shape, s.In[1].Shape) {
			continue
		}
		i := later(p, s)
		if i < 0 || uses[s.In[i]] != 1 {
			i = 1 - max(i, 0)
		}
		from := s.In[i].From
		if from == nil || uses[s.In[i]] != 1 {
			continue
		}
		conv, ok := from.Op.(*ir.Conv)
		if !ok || conv.Residual || conv.Pre {
			continue
		}
		conv.Residual = true
		from.In = append(from.In, s.In[1-i])
		p.Remove(from)
		p.InsertBefore(s, from)
		absorb(p, from, s)
	}
}

// later says which operand of s is computed last, -1 for neither.
func later(p *ir.Program, s *ir.Step) int {
	a, b := -1, -1
	if s.In[0].From != nil {
		a = p.Index(s.In[0].From)
	}
	if s.In[1].From != nil {
		b = p.Index(s.In[1].From)
	}
	switch {
	case a < 0 && b < 0:
		return -1
	case a > b:
		return 0
	}
	return 1
}
