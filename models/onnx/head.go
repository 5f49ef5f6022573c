package onnx

import (
	"fmt"
	"slices"
	"strings"

	"spotter/models"
	"spotter/models/say"
)

// finding is a recognised head: its description, the values that it reads, and why.
type finding struct {
	head   models.Head
	values []string // the maps that the head's parts name, prototypes among them
	reason say.Text // "YOLOv5: ..." for people
	notes  []say.Text
}

// UnknownHead says that a network's outputs are those of no head that is known.
type UnknownHead struct {
	Outputs []string // "output0 [1, 10, 7]"
	Reasons []error  // why each head is not it
}

// Error lists the outputs and what does not fit.
func (e *UnknownHead) Error() string { return e.Say().String() }

// Say is Error for other languages.
func (e *UnknownHead) Say() say.Text {
	var reasons []say.Text
	for _, r := range e.Reasons {
		reasons = append(reasons, say.Sprintf("%w", r))
	}
	return say.Sprintf("the outputs %s are those of no head that is known: %s", strings.Join(e.Outputs, ", "), say.Join(reasons))
}

// maxOutputs is beyond any head: three maps for each of five strides, and prototypes.
const maxOutputs = 32

// output is one of the file's, with what can be told of its elements.
type output struct {
	name    string
	shape   []int
	tail    *tail
	origins *array
	zero    *array // its values where all sources are 0: a sigmoid's are 0.5
	err     error  // why it is not computed here
}

// recognise finds the head. Force, when not "", admits only that kind; classes is the
// number of class names, 0 when there are none.
func (n *net) recognise(force models.HeadKind, classes int) (*finding, error) {
	r := &recogniser{net: n, force: force, classes: classes}
	if outputs := len(n.model.graph.outputs); outputs > maxOutputs {
		return nil, say.Errorf("%d outputs: at most %d are looked at", outputs, maxOutputs)
	}
	if f := n.declared(); f != nil && (force == "" || force == f.head.Kind) {
		return f, nil
	}
	for _, v := range n.model.graph.outputs {
		o := &output{name: v.name, shape: n.shapes[v.name]}
		o.analyse(n)
		r.outputs = append(r.outputs, o)
	}
	if len(r.outputs) == 0 {
		return nil, say.Errorf("the network has no output")
	}
	var reasons []error
	for _, try := range []func() (*finding, error){r.classifier, r.rows, r.maps} {
		f, err := try()
		if err == nil && force != "" && f.head.Kind != force {
			err = say.Errorf("it is no %s head", force)
		}
		if err == nil {
			return f, nil
		}
		if !slices.ContainsFunc(reasons, func(r error) bool { return r.Error() == err.Error() }) {
			reasons = append(reasons, err)
		}
	}
	e := &UnknownHead{Reasons: reasons}
	for _, o := range r.outputs {
		e.Outputs = append(e.Outputs, fmt.Sprintf("%.60s %v", o.name, o.shape))
	}
	return nil, e
}

// analyse finds the tail, and evaluates it once on origins and once on zeros.
func (o *output) analyse(n *net) {
	if o.tail, o.err = n.findTail([]string{o.name}); o.err != nil {
		return
	}
	total := 0
	for _, s := range o.tail.sources {
		total += elements(n.shapes[s])
	}
	if total == 0 || total > maxArray {
		o.err = say.Errorf("its last convolutions give %d values", total)
		return
	}
	origins, err := o.tail.origins()
	if err != nil {
		o.err = err
		return
	}
	zero, err := o.tail.values(o.tail.fill(func(int, int) float64 { return 0 }))
	if err != nil {
		o.err = err
		return
	}
	o.origins, o.zero, o.shape = origins[0], zero[0], zero[0].shape
}

// recogniser tries the heads on a network's outputs.
type recogniser struct {
	*net
	force   models.HeadKind
	classes int
	outputs []*output
}

// classifier is one vector of logits, with or without softmax.
func (r *recogniser) classifier() (*finding, error) {
	o := r.outputs[0]
	shape := r.shapes[o.name]
	if len(r.outputs) != 1 || len(shape) < 2 || elements(shape) != shape[1] || shape[1] < 2 {
		return nil, say.Errorf("a classifier has one output [1, classes]")
	}
	name, reason := o.name, say.Sprintf("a classifier: one output of %d logits", shape[1])
	if node := r.from[name]; node != nil && node.op == "Softmax" {
		name, reason = node.in[0], say.Sprintf("a classifier: one output of %d classes behind a softmax", shape[1])
	}
	return &finding{
		head:   models.Head{Kind: models.HeadClassify, Classes: shape[1], Proto: -1},
		values: []string{name}, reason: reason,
	}, nil
}

// mapIndex gives a source's index among a finding's values, and adds it when it is new.
func (f *finding) mapIndex(name string) int {
	i := slices.Index(f.values, name)
	if i < 0 {
		i = len(f.values)
		f.values = append(f.values, name)
	}
	return i
}

// part is a run of channels of a source.
func (f *finding) part(t *tail, p place) models.Part {
	return models.Part{Map: f.mapIndex(t.sources[p.source]), Channel: p.channel}
}

// strideOf is the input's size over a source's. A convolution of stride 2 over an odd
// size rounds up: 416 pixels are 7 places of stride 64.
func (n *net) strideOf(source string) (int, error) {
	s := n.shapes[source]
	for _, stride := range []int{max(n.width/s[3], 1), 4, 8, 16, 32, 64, 128} {
		if places(n.width, stride) == s[3] && places(n.height, stride) == s[2] {
			return stride, nil
		}
	}
	return 0, say.Errorf("a map of %dx%d is no fraction of the input of %dx%d", s[3], s[2], n.width, n.height)
}

func places(size, stride int) int { return (size + stride - 1) / stride }

// absent marks a part that a head has not.
var absent = models.Part{Map: -1}
