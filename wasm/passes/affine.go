package passes

import "spotter/wasm/ir"

// foldAffine takes a normalisation or layer scale behind a convolution into the
// convolution's scale and bias. The weights stay as they are: they are scaled
// where they are unpacked.
func foldAffine(p *ir.Program) {
	uses := p.Uses()
	for _, s := range snapshot(p) {
		a, ok := s.Op.(*ir.Affine)
		if !ok || len(s.Out.Shape) != 3 {
			continue
		}
		from := s.In[0].From
		if from == nil || uses[s.In[0]] != 1 {
			continue
		}
		switch op := from.Op.(type) {
		case *ir.Conv:
			op.Filter.Apply(op.Out, a.Scale, a.Shift)
		case *ir.ConvTranspose:
			op.Filter.Apply(op.Out, a.Scale, a.Shift)
		case *ir.Affine:
			from.Op = compose(op, a, s.Out.Shape[0])
		default:
			continue
		}
		absorb(p, from, s)
	}
}

// compose is b after a, for n channels.
func compose(a, b *ir.Affine, n int) *ir.Affine {
	f := ir.Filter{Scale: a.Scale, Bias: a.Shift}
	f.Apply(n, b.Scale, b.Shift)
	return &ir.Affine{Scale: f.Scale, Shift: f.Bias}
}

// absorb lets step s produce the result of gone, which leaves the program.
func absorb(p *ir.Program, s, gone *ir.Step) {
	s.Out = gone.Out
	s.Out.From = s
	p.Remove(gone)
}

// snapshot is the list of steps, safe against changes of the program.
func snapshot(p *ir.Program) []*ir.Step { return append([]*ir.Step(nil), p.Steps...) }
