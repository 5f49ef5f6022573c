package config

import (
	"cmp"

	"spotter/models"
	"spotter/models/say"
)

// defaultInput is the side of the input in pixels when the options give none.
const defaultInput = 640

// features is the number of indices that a backbone's list of maps takes: 0 holds
// nothing, 1 to 4 the maps at strides 4 to 32.
const features = 5

// network is a build in progress: parse_model's state.
type network struct {
	builder
	doc    *document
	opts   Options
	values []*models.Value // by YOLO index; nil where there is none
	last   *models.Value
	shift  int // 4 behind a backbone that gives a list
	head   bool
}

// build walks over the rows.
func build(doc *document, opts Options) (*models.Graph, error) {
	n := &network{doc: doc, opts: opts}
	n.graph = &models.Graph{Classes: doc.classes, Feed: feed()}
	n.act = models.Activation{Kind: models.ActSiLU}
	if err := n.start(); err != nil {
		return nil, err
	}
	for i := range doc.rows {
		if err := n.row(&doc.rows[i]); err != nil {
			return nil, err
		}
	}
	if !n.head {
		return nil, errorAt(doc.rows[len(doc.rows)-1].at, "the network ends without Detect or Segment")
	}
	n.finish()
	return n.graph, n.countParams()
}

// feed is YOLOv5's: letterbox with grey 114, RGB, values from 0 to 1. The training
// divides float32(byte) by 255; Scale is the float32 nearest to 1/255, so that the
// product differs from the quotient by one unit in the last place at most.
func feed() models.Feed {
	return models.Feed{Fit: models.FitLetterbox, Pad: 114, Scale: 1.0 / 255, Std: [3]float32{1, 1, 1}}
}

// start sets the input and the network's activation.
func (n *network) start() error {
	width, height := n.opts.Width, n.opts.Height
	if width == 0 && height == 0 {
		width, height = defaultInput, defaultInput
	}
	for _, side := range []int{width, height} {
		if side < 32 || side > maxInput || side%32 != 0 {
			return say.Errorf("input of %d x %d pixels: both must be multiples of 32 from 32 to %d", width, height, maxInput)
		}
	}
	n.last = &models.Value{Name: "images", Shape: models.Shape{3, height, width}}
	n.graph.Input = n.last
	if n.doc.activation.kind == none {
		return nil
	}
	act, err := parseActivation(n.doc.activation)
	if err != nil {
		return errorAt(n.doc.activation.at, "activation: %v", err)
	}
	n.act = act
	return nil
}

// row builds one row and notes its outputs.
func (n *network) row(r *row) error {
	m, err := lookup(r)
	if err != nil {
		return err
	}
	if n.head {
		return r.errorf("a row behind the head's Detect or Segment")
	}
	in, err := n.inputs(r)
	if err != nil {
		return err
	}
	n.layer, n.modules = r.index, 0
	l := newLayer(n, r, m, in)
	out := m.outputs(l)
	if err := cmp.Or(l.args.err, n.err); err != nil {
		return r.errorf("%w", err)
	}
	n.note(r, l, out)
	return nil
}

// inputs resolves from: -1 is the layer before, other negatives count back, the rest
// are YOLO indices.
func (n *network) inputs(r *row) ([]*models.Value, error) {
	var in []*models.Value
	for _, ref := range r.from {
		if ref == -1 {
			in = append(in, n.last)
			continue
		}
		index := ref
		if ref < 0 {
			index = len(n.values) + ref
		}
		if index < 0 || index >= len(n.values) {
			return nil, r.errorf("from %d names no layer before this one (index %d)", ref, len(n.values))
		}
		if n.values[index] == nil {
			return nil, r.errorf("from %d names a place of the backbone that holds no feature map", ref)
		}
		in = append(in, n.values[index])
	}
	return in, nil
}

// note keeps a row's outputs for later references and for the summary.
func (n *network) note(r *row, l *layer, out []*models.Value) {
	if l.module.backbone {
		n.shift = features - 1
		n.values = append(make([]*models.Value, features-len(out)), out...)
	} else {
		n.values = append(n.values, out[0])
	}
	n.last = out[len(out)-1]
	n.head = l.module.head
	n.graph.Layers = append(n.graph.Layers, models.Layer{
		Index: r.index + n.shift, From: r.fromText(), Repeat: l.printed, Module: l.module.torch,
		Args: listValue(l.args.list...).String(), Modules: n.modules, Out: out,
	})
}

// finish counts the modules around the rows: the model, its Sequential, and the
// activation that all convolutions share, which the first row gets.
func (n *network) finish() {
	n.graph.Layers[0].Modules += 2
	if n.shared {
		n.graph.Layers[0].Modules++
	}
}

// countParams gives each row its number of trainable parameters.
func (n *network) countParams() error {
	total := 0
	for _, node := range n.graph.Nodes {
		size := models.Trainable(node)
		n.graph.Layers[node.Layer].Params += size
		if total += size; total > maxParams {
			return n.doc.rows[node.Layer].errorf("the network has more than %d parameters", maxParams)
		}
	}
	return nil
}
