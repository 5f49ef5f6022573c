package load

import (
	"slices"

	"spotter/models"
)

// dropMasks makes a detector of a network that also segments: the mask coefficients go
// from the last convolutions, and the prototypes with all that only they need.
func dropMasks(g *models.Graph, w models.Weights) error {
	keep := map[*models.Value]bool{}
	for i := range g.Head.Levels {
		l := &g.Head.Levels[i]
		if l.Coef.Map == l.Box.Map && l.AnchorStep > 0 {
			l.AnchorStep = narrow(g.Outputs[l.Box.Map].From, w, l, 5+g.Head.Classes)
		}
		l.Coef = models.Part{Map: -1}
		for _, p := range []models.Part{l.Box, l.Obj, l.Cls} {
			if p.Map >= 0 {
				keep[g.Outputs[p.Map]] = true
			}
		}
	}
	before := g.Outputs
	g.Outputs = slices.DeleteFunc(slices.Clone(before), func(v *models.Value) bool { return !keep[v] })
	for i := range g.Head.Levels {
		for _, p := range []*models.Part{&g.Head.Levels[i].Box, &g.Head.Levels[i].Obj, &g.Head.Levels[i].Cls} {
			if p.Map >= 0 {
				p.Map = slices.Index(g.Outputs, before[p.Map])
			}
		}
	}
	g.Head.Masks, g.Head.Proto = 0, -1
	prune(g)
	if err := models.InferShapes(g, w); err != nil {
		return err
	}
	used := map[string]bool{}
	for _, p := range g.Params() {
		used[p.Name] = true
	}
	for name := range w {
		if !used[name] {
			delete(w, name)
		}
	}
	return nil
}

// narrow keeps the first rows of every anchor in a head's convolution, and gives how far
// anchors are apart then.
func narrow(n *models.Node, w models.Weights, l *models.Level, keep int) int {
	step := l.AnchorStep
	op, ok := n.Op.(*models.Conv)
	if !ok || l.Box.Channel != 0 || op.Out != step*len(l.Anchors) || step < keep {
		return step
	}
	for _, name := range []string{op.Weight, op.Bias} {
		if t := w[name]; t != nil {
			w[name] = keepRows(t, step, keep)
		}
	}
	op.Out = op.Out / step * keep
	return keep
}

// prune drops the nodes that no output needs.
func prune(g *models.Graph) {
	needed := map[*models.Value]bool{}
	for _, v := range g.Outputs {
		needed[v] = true
	}
	for i := len(g.Nodes) - 1; i >= 0; i-- {
		if n := g.Nodes[i]; needed[n.Out] {
			for _, v := range n.In {
				needed[v] = true
			}
		}
	}
	g.Nodes = slices.DeleteFunc(g.Nodes, func(n *models.Node) bool { return !needed[n.Out] })
	for i := range g.Layers {
		g.Layers[i].Out = slices.DeleteFunc(slices.Clone(g.Layers[i].Out), func(v *models.Value) bool { return !needed[v] })
	}
}
