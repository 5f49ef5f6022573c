package checkpoint

import (
	"slices"
	"strings"

	"spotter/models"
	"spotter/models/config"
	"spotter/models/say"
)

// Options say what a file may leave open.
type Options struct {
	YAML     []byte   // instead of the file's own; nil for that
	File     string   // name of the YAML or of the checkpoint, for errors and for the graph
	Scale    string   // n, s, m, l or x instead of the YAML's multiples
	Residual bool     // UIBs add their input (the paper's form); no checkpoint says
	Names    []string // classes instead of the file's
	Width    int      // of the input in pixels; 0 is the size of the training, or 640
	Height   int
}

// Model is a network read from a checkpoint.
type Model struct {
	Graph      *models.Graph
	Weights    models.Weights
	YAML       []byte // that the graph was built from
	Checkpoint *Checkpoint
}

// NeedYAML says that a file's parameters are there and its network is not.
type NeedYAML struct {
	Reason say.Text
	Guess  string // the built-in network that resembles it most, "" for none
	Scale  string // with that scale
}

// Error is a sentence that says what to do.
func (e *NeedYAML) Error() string { return e.Say().String() }

// Say is Error for other languages.
func (e *NeedYAML) Say() say.Text {
	s := say.Sprintf("the file holds parameters and not the network they belong to: give the YAML too (%s)", e.Reason)
	if e.Guess != "" {
		s = say.Sprintf("%s; it resembles %s", s, e.Guess)
	}
	if e.Scale != "" {
		s = say.Sprintf("%s, size %s", s, e.Scale)
	}
	return s
}

// Load reads a file of torch.save and builds its network.
func Load(data []byte, o Options) (*Model, error) {
	c, err := Open(data)
	if err != nil {
		return nil, err
	}
	return c.Load(o)
}

// Load builds the network. The YAML is that of the options, the file's own, or one
// worked out from the parameters.
func (c *Checkpoint) Load(o Options) (*Model, error) {
	plan := &plan{yaml: o.YAML, scale: o.Scale}
	if plan.yaml == nil {
		plan.yaml = c.YAML
	}
	if err := c.complete(plan, o); err != nil {
		return nil, err
	}
	g, err := c.graph(plan, o)
	if err != nil {
		return nil, err
	}
	w, err := c.Weights()
	if err != nil {
		return nil, err
	}
	if err := c.checkParams(g, w); err != nil {
		return nil, err
	}
	return &Model{Graph: g, Weights: w, YAML: plan.yaml, Checkpoint: c}, nil
}

// plan is how a graph is built: a YAML, a scale that overrides its multiples, and
// the blocks of a backbone that was changed.
type plan struct {
	yaml     []byte
	scale    string
	backbone *config.BackboneSpec
}

func (c *Checkpoint) graph(p *plan, o Options) (*models.Graph, error) {
	names := o.Names
	if names == nil {
		names = c.Names
	}
	opts := config.Options{Scale: p.scale, Residual: o.Residual, Width: o.Width, Height: o.Height, Backbone: p.backbone, NC: c.Classes}
	if c.Classes == 0 || len(names) == c.Classes {
		opts.Classes = names
	} else if names != nil {
		c.note("%d class names for a head of %d classes: the names are left out", len(names), c.Classes)
	}
	if o.Width == 0 && o.Height == 0 && c.Imgsz%32 == 0 {
		opts.Width, opts.Height = c.Imgsz, c.Imgsz
	}
	g, err := config.Load(p.yaml, o.File, opts)
	if err != nil {
		return nil, err
	}
	patch := patch{c: c, g: g, has: func(name string) bool { return c.tensors[name] != nil }}
	if err := patch.apply(); err != nil {
		return nil, err
	}
	return g, patch.anchors()
}

// checkParams holds the parameters against the graph's: each must be there with
// its shape. Parameters that the graph does not use are left out and noted.
func (c *Checkpoint) checkParams(g *models.Graph, w models.Weights) error {
	used := map[string]bool{}
	for _, p := range g.Params() {
		used[p.Name] = true
		t := w[p.Name]
		if t == nil {
			return say.Errorf("the checkpoint lacks %s, which the YAML's network has: they do not belong together", p.Name)
		}
		if p.Shape != nil && !slices.Equal(p.Shape, t.Shape) {
			return c.wrongShape(g, p, t.Shape)
		}
	}
	var extra []string
	for _, name := range c.order {
		if !used[name] {
			extra = append(extra, name)
			delete(w, name)
		}
	}
	if len(extra) > 0 {
		c.note("%d parameters are no part of the network and are left out: %s", len(extra), strings.Join(extra[:min(len(extra), 5)], ", "))
	}
	return nil
}

// wrongShape explains a parameter of another shape, by the number of classes where
// that is what differs.
func (c *Checkpoint) wrongShape(g *models.Graph, p models.Param, got []int) error {
	if anchors := len(g.Head.Levels); anchors > 0 && strings.Contains(p.Name, ".m.") && len(got) > 0 {
		per := max(len(g.Head.Levels[0].Anchors), 1)
		want := p.Shape[0]/per - 5 - g.Head.Masks
		have := got[0]/per - 5 - g.Head.Masks
		if want == g.Head.Classes && have > 0 && have != want {
			return say.Errorf("the YAML's network has %d classes and the checkpoint's head %d: they do not belong together", want, have)
		}
	}
	return say.Errorf("%s is %v in the checkpoint and %v in the YAML's network: they do not belong together (another scale?)", p.Name, got, p.Shape)
}
