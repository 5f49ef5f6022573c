// Package summary counts what a network costs and prints it as YOLOv5 does.
package summary

import "spotter/models"

// MACs is the number of multiply-adds that a node takes on one picture: those of
// convolutions and matrix products, attention among them. BatchNorm counts nothing, since
// it folds into a convolution; neither do activations, pools, additions and copies.
// Shapes must be inferred.
func MACs(n *models.Node) int {
	if len(n.In) == 0 || n.Out == nil {
		return 0
	}
	switch op := n.Op.(type) {
	case *models.Conv:
		return n.Out.Shape.Elements() * n.In[0].Shape[0] / max(op.Groups, 1) * op.Kernel[0] * op.Kernel[1]
	case *models.ConvTranspose:
		return n.In[0].Shape.Elements() * op.Out / max(op.Groups, 1) * op.Kernel[0] * op.Kernel[1]
	case *models.MatMul:
		return n.Out.Shape.Elements() * inner(op, n.In)
	case *models.MQA:
		// Two products: query by key, and the weights by value.
		return 2 * n.In[0].Shape.Elements() * n.In[1].Shape[1] * n.In[1].Shape[2]
	}
	return 0
}

// inner is the dimension that a matrix product sums over: the input's last one, or its
// last but one where it stands on the right of a constant.
func inner(op *models.MatMul, in []*models.Value) int {
	s := in[0].Shape
	if op.ConstFirst && op.Const != "" && len(s) > 1 {
		return s[len(s)-2]
	}
	return s[len(s)-1]
}

// Total is what a whole network costs.
type Total struct {
	Layers  int // torch modules, containers included, as YOLOv5 counts layers; 0 where unknown
	Nodes   int // operations of the graph
	Params  int // trainable
	MACs    int // of one picture of the input's size
	Width   int // of the input, pixels
	Height  int
	counted float64
}

// GFLOPs is two operations per multiply-add, in 10^9.
func (t Total) GFLOPs() float64 { return 2 * float64(t.MACs) / 1e9 }

// Count adds a graph up.
func Count(g *models.Graph) Total {
	t := Total{Nodes: len(g.Nodes)}
	if s := g.Input.Shape; len(s) == 3 {
		t.Height, t.Width = s[1], s[2]
	}
	for _, l := range g.Layers {
		t.Layers += l.Modules
	}
	seen := map[string]bool{}
	for _, n := range g.Nodes {
		t.MACs += MACs(n)
		if p := n.Params(); len(p) > 0 && !seen[p[0].Name] {
			seen[p[0].Name] = true
			t.Params += models.Trainable(n)
		}
	}
	t.counted = tutorialGFLOPs(g)
	return t
}

// TutorialGFLOPs is the figure that YOLOv5's own summary prints for a network with a
// MobileNetV4 backbone, false for others. It is not a true count: the profiler visits the
// backbone's modules under two names (conv0 to layer5, and features) and sums twice at both, so
// that they count four times, and it takes each BatchNorm element for four operations. For
// ConvSmall at width and depth 1 and 640 x 640 it gives the tutorial's 58.1.
func (t Total) TutorialGFLOPs() (gflops float64, ok bool) { return t.counted, t.counted > 0 }

func tutorialGFLOPs(g *models.Graph) float64 {
	macs, found := 0, false
	for _, n := range g.Nodes {
		times := 1
		if n.Layer >= 0 && n.Layer < len(g.Layers) && isBackbone(g.Layers[n.Layer]) {
			times, found = 4, true
		}
		switch n.Op.(type) {
		case *models.Conv, *models.ConvTranspose: // products outside of modules stay unseen
			macs += times * MACs(n)
		case *models.BatchNorm:
			macs += times * 4 * n.Out.Shape.Elements()
		}
	}
	if !found {
		return 0
	}
	return 2 * float64(macs) / 1e9
}
