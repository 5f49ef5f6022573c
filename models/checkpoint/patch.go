package checkpoint

import (
	"slices"
	"strings"

	"spotter/models"
	"spotter/models/say"
)

// patch is what a checkpoint changes about the graph that its YAML gives.
type patch struct {
	c       *Checkpoint
	g       *models.Graph
	has     func(name string) bool
	dropped int // batch normalisations that were folded
}

// apply takes over folded batch normalisations, and the attributes that pickled
// modules have and a YAML has not.
func (p *patch) apply() error {
	p.foldedNorms()
	for _, n := range slices.Clone(p.g.Nodes) {
		m, ok := p.c.Modules[n.Name]
		if !ok {
			continue
		}
		switch op := n.Op.(type) {
		case *models.BatchNorm:
			if eps, ok := m.Number("eps"); ok && eps > 0 && eps < 1 {
				op.Eps = float32(eps)
			}
		case *models.Activation:
			if err := p.activation(n, op, m); err != nil {
				return err
			}
		}
	}
	return nil
}

// foldedNorms drops the batch normalisations that the file has no parameters for and
// gives their convolutions a bias, as YOLOv5's fuse leaves a model: there the
// convolution keeps its name and gains NAME.bias.
func (p *patch) foldedNorms() {
	for _, n := range slices.Clone(p.g.Nodes) {
		bn, ok := n.Op.(*models.BatchNorm)
		if !ok || p.has(bn.Weight) || p.has(bn.Var) {
			continue
		}
		conv := n.In[0].From
		if conv == nil || len(n.In) != 1 {
			continue
		}
		switch op := conv.Op.(type) {
		case *models.Conv:
			p.foldInto(n, &op.Bias, op.Weight)
		case *models.ConvTranspose:
			p.foldInto(n, &op.Bias, op.Weight)
		}
	}
	p.c.Fused = p.dropped > 0
}

func (p *patch) foldInto(norm *models.Node, bias *string, weight string) {
	name := strings.TrimSuffix(weight, ".weight") + ".bias"
	if *bias == "" && p.has(name) {
		*bias = name
		p.remove(norm)
		p.dropped++
	}
}

// remove takes a node of one input out of the graph.
func (p *patch) remove(n *models.Node) {
	in, out := n.In[0], n.Out
	swap := func(list []*models.Value) {
		for i, v := range list {
			if v == out {
				list[i] = in
			}
		}
	}
	for _, other := range p.g.Nodes {
		swap(other.In)
	}
	swap(p.g.Outputs)
	for i := range p.g.Layers {
		swap(p.g.Layers[i].Out)
	}
	p.g.Nodes = slices.DeleteFunc(p.g.Nodes, func(o *models.Node) bool { return o == n })
}

// activation takes the pickled module's function for the YAML's.
func (p *patch) activation(n *models.Node, op *models.Activation, m Module) error {
	number := func(name string, otherwise float32) float32 {
		if v, ok := m.Number(name); ok {
			return float32(v)
		}
		return otherwise
	}
	switch m.Class {
	case "SiLU":
		*op = models.Activation{Kind: models.ActSiLU}
	case "ReLU":
		*op = models.Activation{Kind: models.ActReLU}
	case "ReLU6":
		*op = models.Activation{Kind: models.ActReLU6}
	case "Hardswish":
		*op = models.Activation{Kind: models.ActHardSwish}
	case "Hardsigmoid":
		*op = models.Activation{Kind: models.ActHardSigmoid, Lo: 1.0 / 6, Hi: 0.5}
	case "LeakyReLU":
		*op = models.Activation{Kind: models.ActLeakyReLU, Lo: number("negative_slope", 0.01)}
	case "GELU":
		if m.object.Attr("approximate") == "tanh" {
			return say.Errorf("%s: GELU in its tanh approximation has no kernel; the exact form has", n.Name)
		}
		*op = models.Activation{Kind: models.ActGELU}
	case "Sigmoid":
		*op = models.Activation{Kind: models.ActSigmoid}
	case "Tanh":
		*op = models.Activation{Kind: models.ActTanh}
	case "Hardtanh":
		*op = models.Activation{Kind: models.ActClip, Lo: number("min_val", -1), Hi: number("max_val", 1)}
	case "Identity":
		p.remove(n)
	default:
		return say.Errorf("%s: the activation %s has no kernel", n.Name, m.Class)
	}
	return nil
}

// anchors takes those that the training settled on: YOLOv5 may have fitted them to
// the data set, and the YAML keeps the old ones. Half precision rounds them, so
// anchors that agree with the YAML's to a thousandth leave those alone.
func (p *patch) anchors() error {
	pixels := p.c.PixelAnchors()
	if pixels == nil || p.g.Head.Kind != models.HeadYOLOv5 {
		return nil
	}
	levels := p.g.Head.Levels
	if len(pixels) != len(levels) {
		return say.Errorf("the checkpoint's anchors are for %d levels, the YAML's head has %d", len(pixels), len(levels))
	}
	for i := range levels {
		if len(pixels[i]) != len(levels[i].Anchors) {
			return say.Errorf("level %d: the checkpoint has %d anchors, the YAML %d", i, len(pixels[i]), len(levels[i].Anchors))
		}
		if !sameAnchors(pixels[i], levels[i].Anchors) {
			levels[i].Anchors = pixels[i]
			p.c.note("the anchors are the checkpoint's: its training changed those of the YAML")
		}
	}
	return nil
}

func sameAnchors(a, b [][2]float32) bool {
	for i := range a {
		for j := range a[i] {
			if d := a[i][j] - b[i][j]; d > b[i][j]/1000 || -d > b[i][j]/1000 {
				return false
			}
		}
	}
	return true
}
