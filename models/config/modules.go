package config

import (
	"slices"
	"strings"

	"spotter/models"
)

// module is a kind of row.
type module struct {
	torch    string // as the summary prints it
	scaled   bool   // args start with output channels, which width_multiple scales
	repeats  bool   // takes the number of repeats itself, as third argument
	backbone bool   // gives a list of feature maps
	head     bool
	many     bool // takes several inputs
	build    func(l *layer, name string, in *models.Value) *models.Value
	lists    func(l *layer) []*models.Value // instead of build, for several inputs or outputs
}

// layer is the row being built: the network, the arguments and the inputs.
type layer struct {
	*network
	args    arguments
	module  *module
	name    string // model.N
	in      []*models.Value
	number  int // of copies in a row
	printed int // number as the summary prints it
}

// newLayer prepares a row's arguments as parse_model does.
func newLayer(n *network, r *row, m *module, in []*models.Value) *layer {
	l := &layer{network: n, module: m, in: in, number: r.number}
	l.name = "model." + intValue(r.index).String()
	if r.number > 1 {
		l.number = max(roundHalfEven(float64(r.number)*n.doc.depth), 1)
	}
	l.printed = l.number
	for _, a := range r.args {
		l.args.list = append(l.args.list, a.evaluated(n.doc.names))
	}
	if len(in) > 1 && !m.many {
		l.args.fail("takes one input, has %d", len(in))
	}
	if m.scaled {
		l.scale()
	}
	if m.repeats && l.args.err == nil {
		l.args.list = slices.Insert(l.args.list, 2, intValue(l.number))
		l.number = 1
	}
	return l
}

// scale puts the input channels in front and widens the output channels, unless
// they are those of a detection map.
func (l *layer) scale() {
	out := l.args.channels(0, "the number of output channels")
	if out != l.rawChannels() {
		out = divisible(float64(out) * l.doc.width)
	}
	if l.args.err == nil && out > maxChannels {
		l.args.fail("%d output channels; at most %d are possible", out, maxChannels)
	}
	if l.args.err == nil {
		l.args.list = append([]value{intValue(l.in[0].Shape[0]), intValue(out)}, l.args.list[1:]...)
	}
}

// rawChannels is the number of values per pixel of a detection map.
func (l *layer) rawChannels() int {
	anchors := l.doc.anchors.int
	if l.doc.anchors.kind == list {
		anchors = len(l.doc.anchors.items[0].items) / 2
	}
	return anchors * (l.doc.nc + 5)
}

// outputs builds the row, several times in a row where number says so.
func (m *module) outputs(l *layer) []*models.Value {
	if l.args.err != nil {
		return []*models.Value{placeholder()}
	}
	if m.lists != nil {
		if l.number > 1 {
			return []*models.Value{l.fail("cannot be repeated")}
		}
		return m.lists(l)
	}
	if l.number == 1 {
		return []*models.Value{m.build(l, l.name, l.in[0])}
	}
	l.count(1)
	x := l.in[0]
	for i := range l.number {
		if m.scaled && x.Shape[0] != l.args.list[0].int {
			return []*models.Value{l.fail("repeat %d takes %v channels and would get %d", i+1, l.args.list[0], x.Shape[0])}
		}
		x = m.build(l, l.name+"."+intValue(i).String(), x)
	}
	return []*models.Value{x}
}

// lookup finds a row's module; a name may carry its Python package.
func lookup(r *row) (*module, error) {
	if m, ok := modules[r.module]; ok {
		return m, nil
	}
	short := r.module
	for _, prefix := range []string{"torch.", "models.common.", "models.yolo.", "common."} {
		short = strings.TrimPrefix(short, prefix)
	}
	if m, ok := modules[short]; ok {
		return m, nil
	}
	if why, ok := unsupported[r.module]; ok {
		return nil, r.errorf("this module is not supported: %s", why)
	}
	if hint := nearest(r.module, moduleNames()); hint != "" {
		return nil, r.errorf("unknown module %q; did you mean %q?", r.module, hint)
	}
	return nil, r.errorf("unknown module %q; known are %s", r.module, strings.Join(moduleNames(), ", "))
}

func moduleNames() []string {
	var names []string
	for name := range modules {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
