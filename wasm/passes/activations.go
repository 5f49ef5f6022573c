package passes

import (
	"spotter/models"
	"spotter/wasm/ir"
)

// recogniseActivations finds activations that exporters spell out:
// x * sigmoid(x) is SiLU, x * hardsigmoid(x) with slope 1/6 is HardSwish.
func recogniseActivations(p *ir.Program) {
	uses := p.Uses()
	for _, s := range snapshot(p) {
		b, ok := s.Op.(*ir.Binary)
		if !ok || b.Kind != models.Mul || len(s.In) != 2 {
			continue
		}
		for i, gate := range s.In {
			x := s.In[1-i]
			kind, ok := gatedBy(gate, x)
			if !ok || uses[gate] != 1 {
				continue
			}
			p.Remove(gate.From)
			s.Op, s.In = &models.Activation{Kind: kind}, []*ir.Value{x}
			break
		}
	}
}

// gatedBy says which activation x * gate is.
func gatedBy(gate, x *ir.Value) (models.ActKind, bool) {
	if gate.From == nil || len(gate.From.In) == 0 || gate.From.In[0] != x {
		return 0, false
	}
	a, ok := gate.From.Op.(*models.Activation)
	switch {
	case !ok:
		return 0, false
	case a.Kind == models.ActSigmoid:
		return models.ActSiLU, true
	case a.Kind == models.ActHardSigmoid && nearly(a.Lo, 1.0/6) && a.Hi == 0.5:
		return models.ActHardSwish, true
	}
	return 0, false
}

func nearly(a, b float32) bool { return a-b < 1e-6 && b-a < 1e-6 }

// fuseActivations lets a convolution apply the activation that follows it.
func fuseActivations(p *ir.Program) {
	uses := p.Uses()
	for _, s := range snapshot(p) {
		a, ok := s.Op.(*models.Activation)
		if !ok || uses[s.In[0]] != 1 || s.In[0].From == nil || len(s.In[0].Shape) != 3 {
			continue
		}
		from := s.In[0].From
		switch op := from.Op.(type) {
		case *ir.Conv:
			if op.Act.Kind != models.ActNone {
				continue
			}
			op.Act = normalised(*a)
		case *ir.ConvTranspose:
			if op.Act.Kind != models.ActNone {
				continue
			}
			op.Act = normalised(*a)
		default:
			continue
		}
		absorb(p, from, s)
	}
}

// fuseLateActivations turns act(conv(x) + y) into a pointwise convolution that begins
// its sums with y.
func fuseLateActivations(p *ir.Program) {
	uses := p.Uses()
	for _, s := range snapshot(p) {
		a, ok := s.Op.(*models.Activation)
		if !ok || uses[s.In[0]] != 1 || s.In[0].From == nil {
			continue
		}
		from := s.In[0].From
		conv, ok := from.Op.(*ir.Conv)
		if !ok || !conv.Residual || conv.Pre || !conv.Product() || conv.Act.Kind != models.ActNone {
			continue
		}
		conv.Residual, conv.Pre, conv.Act = false, true, normalised(*a)
		absorb(p, from, s)
	}
}

// normalised gives the plainest name of an activation.
func normalised(a models.Activation) models.Activation {
	switch {
	case a.Kind == models.ActClip && a.Lo == 0 && a.Hi == 6:
		return models.Activation{Kind: models.ActReLU6}
	case a.Kind == models.ActLeakyReLU && a.Lo == 0:
		return models.Activation{Kind: models.ActReLU}
	}
	return a
}
