// Package checkpoint reads PyTorch's files: training checkpoints of YOLOv5 as
// torch.save writes them, with whole modules pickled in them, and plain
// state_dicts; in the zip format (PyTorch 1.6 and later) and the one before it.
//
// Nothing in a file is run. Its pickle becomes data (package pickle), and what is
// known of YOLOv5's and the tutorial's classes is matched by class name: the
// tutorial's own text puts MobileNetV4 into a file of another name.
//
// Open says what a file holds; Load makes a graph and its weights of it. What the
// file cannot say (a state_dict has no YAML) is worked out from the names and
// shapes of its parameters where that is unambiguous, and asked for otherwise by
// the error *NeedYAML.
package checkpoint

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"spotter/models"
	"spotter/models/checkpoint/pickle"
	"spotter/models/say"
)

// Checkpoint is what a file holds.
type Checkpoint struct {
	Format string // "zip" or "legacy": which of torch.save's formats
	Source string // where the parameters came from: "ema", "model", "state_dict", ...
	// Modules by path ("model.1.cv1.bn"; "" is the root), for a checkpoint that
	// pickles modules; nil for one of parameters only.
	Modules map[string]Module
	YAML    []byte         // the network's YAML, nil when the file does not hold it
	Names   []string       // classes by id, nil when the file does not say
	Classes int            // of the head; 0 unknown
	Masks   int            // mask coefficients of the head
	Strides []int          // of the head's levels; nil when the file does not say
	Anchors [][][2]float32 // per level, in strides as YOLOv5 saves them; nil when there are none
	Epoch   int            // -1 unknown; YOLOv5 writes -1 too once training has finished
	Fitness float64        // 0 unknown
	Imgsz   int            // of the training; 0 unknown
	Date    string         // as the file gives it
	Fused   bool           // batch normalisations are folded into convolutions
	Notes   []say.Text     // what the reader left out or found odd, in sentences

	archive *archive
	head    string // path of the head's module, "" unknown
	tensors map[string]*tensor
	order   []string // names of tensors as the file has them
}

// Module is what a pickled module says of itself besides its parameters.
type Module struct {
	Class  string // without its module path: "Conv2d", "C3", "MobileNetV4"
	object *pickle.Object
}

// Number gives a numeric attribute; false when there is none of that name.
func (m Module) Number(name string) (float64, bool) {
	return pickle.Float(m.object.Attr(name))
}

// Open reads a file of torch.save.
func Open(data []byte) (*Checkpoint, error) {
	a, err := openArchive(data)
	if err != nil {
		return nil, err
	}
	c := &Checkpoint{Format: a.format, Epoch: -1, archive: a, tensors: map[string]*tensor{}}
	source, value, err := pick(a.root)
	if err != nil {
		return nil, err
	}
	c.Source = source
	if o, ok := module(value); ok {
		err = c.readModules(o)
	} else {
		err = c.readStateDict(value)
	}
	if err != nil {
		return nil, err
	}
	c.readRecord(a.root)
	c.normaliseNames()
	c.readAnchors()
	if len(c.tensors) == 0 {
		return nil, say.Errorf("the file holds no parameters")
	}
	return c, nil
}

// FromWeights takes parameters that another reader has read, a .safetensors file's for
// example; names are the classes, nil when they are not known.
func FromWeights(w models.Weights, names []string) (*Checkpoint, error) {
	c := &Checkpoint{Source: "weights", Names: names, Epoch: -1, archive: &archive{}, tensors: map[string]*tensor{}}
	for _, name := range slices.Sorted(maps.Keys(w)) {
		c.order = append(c.order, name)
		c.tensors[name] = &tensor{size: w[name].Shape, ready: w[name]}
	}
	c.normaliseNames()
	c.readAnchors()
	if len(c.tensors) == 0 {
		return nil, say.Errorf("the file holds no parameters")
	}
	return c, nil
}

// sources are the keys under which checkpoints keep their parameters, best first.
var sources = []string{"ema", "state_dict_ema", "model_ema", "model", "state_dict", "model_state_dict", "net", "weights"}

// pick finds the parameters in a file's value.
func pick(root any) (source string, value any, err error) {
	if _, ok := module(root); ok {
		return "module", root, nil
	}
	if !pickle.IsDict(root) {
		return "", nil, say.Errorf("the file holds %s: neither a checkpoint nor a state_dict", describe(root))
	}
	for _, key := range sources {
		v := pickle.Get(root, key)
		if _, ok := module(v); ok || hasTensors(v) {
			return key, v, nil
		}
	}
	if hasTensors(root) {
		return "state_dict", root, nil
	}
	return "", nil, say.Errorf("the file holds a dictionary without a model: its keys are %s", keys(root))
}

// module tells a pickled torch.nn.Module by its attributes.
func module(v any) (*pickle.Object, bool) {
	o, ok := v.(*pickle.Object)
	return o, ok && pickle.IsDict(o.Attr("_modules")) && pickle.IsDict(o.Attr("_parameters"))
}

func hasTensors(v any) bool {
	for _, p := range pickle.Pairs(v) {
		if _, ok := p.Value.(*tensor); ok {
			return true
		}
	}
	return false
}

func describe(v any) say.Text {
	switch v := v.(type) {
	case nil:
		return say.Sprintf("nothing")
	case *pickle.Object:
		return say.Sprintf("an object of class %s.%s", v.Class.Module, v.Class.Name)
	case *tensor:
		return say.Sprintf("one tensor")
	case string, []byte:
		return say.Sprintf("a text")
	}
	if pickle.IsList(v) {
		return say.Sprintf("a list")
	}
	return say.Sprintf("a value of type %T", v)
}

// keys lists a dictionary's first keys for an error.
func keys(v any) string {
	var list []string
	for _, p := range pickle.Pairs(v) {
		if s, ok := p.Key.(string); ok && len(list) < 12 {
			list = append(list, fmt.Sprintf("%.40q", s))
		}
	}
	if list == nil {
		return "no texts"
	}
	return strings.Join(list, ", ")
}

// Params lists the parameters' names in the file's order.
func (c *Checkpoint) Params() []string { return slices.Clone(c.order) }

// Shape gives a parameter's shape, nil when there is none of that name.
func (c *Checkpoint) Shape(name string) []int {
	if t := c.tensors[name]; t != nil {
		return t.size
	}
	return nil
}

// maxGrowth times the file's size is what its parameters may take together:
// they may share storages, but only as aliases of each other.
const maxGrowth = 4

// Weights converts all parameters. One that is not finite is an error: nothing such a
// network says means anything.
func (c *Checkpoint) Weights() (models.Weights, error) {
	w := models.Weights{}
	read := map[string]*models.Tensor{} // by storage and view: aliases stay one tensor
	left := int64(inflateFloor) + maxGrowth*int64(c.archive.size)
	for _, name := range c.order {
		t := c.tensors[name]
		if t.ready != nil {
			w[name] = t.ready
			continue
		}
		key := fmt.Sprint(t.storage.key, t.storage.offset, t.offset, t.size, t.stride, t.kind.name)
		if w[name] = read[key]; w[name] != nil {
			continue
		}
		n, _ := t.elements()
		if left -= int64(n) * int64(t.kind.width); left < 0 {
			return nil, say.Errorf("%s: the parameters take several times the file's size", name)
		}
		v, err := t.read()
		if err != nil {
			return nil, say.Errorf("%s: %w", name, err)
		}
		w[name], read[key] = v, v
	}
	return w, checkFinite(c.order, w)
}

func checkFinite(order []string, w models.Weights) error {
	for _, name := range order {
		nan, inf := notFinite(w[name].Data)
		if nan+inf > 0 {
			return say.Errorf("%s: of its %d values %d are NaN and %d infinite: the training diverged; take an earlier checkpoint", name, len(w[name].Data), nan, inf)
		}
	}
	return nil
}

func (c *Checkpoint) note(format string, args ...any) {
	s := say.Sprintf(format, args...)
	if !slices.Contains(say.Strings(c.Notes), s.String()) && len(c.Notes) < 100 {
		c.Notes = append(c.Notes, s)
	}
}

// strides of the levels when the file holds none: YOLOv5's, from 8 on.
func (c *Checkpoint) strides() []int {
	if c.Strides != nil {
		return c.Strides
	}
	var list []int
	for i := range c.Anchors {
		list = append(list, 8<<i)
	}
	return list
}

// PixelAnchors are the anchors in pixels of the network's input, per level.
func (c *Checkpoint) PixelAnchors() [][][2]float32 {
	strides := c.strides()
	if len(c.Anchors) == 0 || len(strides) != len(c.Anchors) {
		return nil
	}
	out := make([][][2]float32, len(c.Anchors))
	for l, level := range c.Anchors {
		for _, a := range level {
			s := float32(strides[l])
			out[l] = append(out[l], [2]float32{round6(a[0] * s), round6(a[1] * s)})
		}
	}
	return out
}

// round6 takes off what division by the stride left beyond six digits.
func round6(v float32) float32 { return float32(math.Round(float64(v)*1e4) / 1e4) }
