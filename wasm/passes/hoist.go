package passes

import (
	"spotter/models"
	"spotter/wasm/ir"
)

// hoistPointwise swaps a nearest upsampling and the pointwise convolution behind
// it: each output pixel depends on one input pixel, so the product is needed
// once for all its copies (a quarter of the work at factor 2).
func hoistPointwise(p *ir.Program) {
	uses := p.Uses()
	for _, s := range snapshot(p) {
		conv, ok := s.Op.(*ir.Conv)
		if !ok || !conv.Pointwise() || conv.Residual || conv.Pre {
			continue
		}
		up := s.In[0].From
		if up == nil || uses[s.In[0]] != 1 || !enlarges(up) {
			continue
		}
		small, out := up.In[0], s.Out
		s.In[0] = small
		s.NewValue(s.Name, models.Shape{conv.Out, small.Shape[1], small.Shape[2]})
		up.In[0], up.Out = s.Out, out
		out.From = up
		p.Remove(s)
		p.InsertBefore(up, s)
	}
}

// enlarges says whether the step is a nearest upsampling: a shrinking one drops
// pixels, and the product behind it is cheaper.
func enlarges(s *ir.Step) bool {
	r, ok := s.Op.(*models.Resize)
	return ok && r.Mode == "nearest" && s.Out.Elements() > s.In[0].Elements()
}
