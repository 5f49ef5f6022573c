package load

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"spotter/models/checkpoint"
	"spotter/models/config"
	"spotter/models/safetensors"
	"spotter/models/say"
)

// Keys of the metadata of a Spotter .safetensors. All values are text.
const (
	keyYAML     = "yaml"     // the network
	keyNames    = "names"    // JSON object: class id to name
	keySize     = "imgsz"    // side of the input in pixels
	keyResidual = "residual" // true or false
	keyTask     = "task"     // detect, segment or classify
	keyStride   = "stride"   // the largest
	keyFormat   = "format"   // pt: parameters are named as in PyTorch's state_dict
)

// described are the keys that Model holds in fields of its own.
var described = []string{keyYAML, keyNames, keySize, keyResidual, keyTask, keyStride, keyFormat}

// maxClasses limits the class names of a file.
const maxClasses = 100_000

func isSafetensors(data []byte) bool { return len(data) > 8 && data[8] == '{' }

// Safetensors reads a .safetensors file with Spotter's metadata, or one with bare
// parameters when the options give the YAML or names and shapes tell the network.
func Safetensors(name string, data []byte, o Options) (*Model, error) {
	m, err := readSafetensors(name, data, o)
	if err != nil {
		return nil, say.Errorf("%s: %w", name, err)
	}
	return m, nil
}

func readSafetensors(name string, data []byte, o Options) (*Model, error) {
	file, err := safetensors.Parse(data)
	if err != nil {
		return nil, err
	}
	m := &Model{Name: stem(name), Format: "safetensors", Weights: file.Weights, YAML: o.YAML, Meta: map[string]string{}}
	if m.YAML == nil {
		m.YAML = []byte(file.Metadata[keyYAML])
	}
	opts, err := m.settings(file.Metadata, o)
	if err != nil {
		return nil, err
	}
	for k, v := range file.Metadata {
		if !slices.Contains(described, k) {
			m.Meta[k] = v
		}
	}
	if len(m.YAML) == 0 {
		c, err := checkpoint.FromWeights(file.Weights, opts.Classes)
		if err != nil {
			return nil, err
		}
		o.Classes, o.Width, o.Height = opts.Classes, opts.Width, opts.Height
		if file.Metadata[keyResidual] != "" {
			o.Residual = &opts.Residual
		}
		return m, m.fromCheckpoint(c, o)
	}
	return m, m.assemble(opts, o.Task)
}

// settings reads the metadata as far as the options do not decide.
func (m *Model) settings(meta map[string]string, o Options) (config.Options, error) {
	opts := config.Options{Scale: o.Scale, Width: o.Width, Height: o.Height, Classes: o.Classes}
	switch r := meta[keyResidual]; {
	case o.Residual != nil:
		opts.Residual = *o.Residual
	case r == "true" || r == "false" || r == "":
		opts.Residual = r == "true"
	default:
		return opts, say.Errorf("the metadata has residual %.40q: it is true or false", r)
	}
	m.Residual = opts.Residual
	if text := meta[keyNames]; text != "" && opts.Classes == nil {
		names, err := classNames(text)
		if err != nil {
			return opts, err
		}
		opts.Classes = names
	}
	if text := meta[keySize]; text != "" && opts.Width == 0 && opts.Height == 0 {
		side, err := strconv.Atoi(text)
		if err != nil || side < 32 || side%32 != 0 {
			return opts, say.Errorf("the metadata has imgsz %.40q: it is a multiple of 32", text)
		}
		opts.Width, opts.Height = side, side
	}
	return opts, nil
}

// classNames reads a JSON object of class ids, or a list, into names by id.
func classNames(text string) ([]string, error) {
	var list []string
	if json.Unmarshal([]byte(text), &list) == nil {
		return list, nil
	}
	var byID map[string]string
	if err := json.Unmarshal([]byte(text), &byID); err != nil {
		return nil, say.Errorf("the metadata's class names are no JSON object of text: %w", err)
	}
	if len(byID) > maxClasses {
		return nil, say.Errorf("the metadata has %d class names, more than %d", len(byID), maxClasses)
	}
	list = make([]string, len(byID))
	for i := range list {
		name, ok := byID[strconv.Itoa(i)]
		if !ok {
			return nil, say.Errorf("the metadata has %d class names and none for class %d", len(byID), i)
		}
		list[i] = name
	}
	return list, nil
}

// assemble builds the graph and fits the weights to it.
func (m *Model) assemble(opts config.Options, task string) error {
	// A backbone with other blocks than its name says shows in the weights only.
	backbone, err := checkpoint.Backbone(m.Weights, m.YAML)
	if err != nil {
		return err
	}
	opts.Backbone = backbone
	g, err := config.Load(m.YAML, m.Name+".yaml", opts)
	if err != nil {
		return err
	}
	if opts.Scale != "" {
		if m.YAML, err = sizedYAML(m.YAML, opts.Scale); err != nil {
			return err
		}
	}
	if task == Detect && taskOf(g) == Segment {
		whole := g
		if g, err = m.withoutMasks(opts); err != nil {
			return err
		}
		m.cutRows(whole, g)
	}
	g.Name = m.Name
	m.Graph, m.Task = g, taskOf(g)
	if task != "" && task != m.Task {
		return say.Errorf("the network does %s, not %.40q", m.Task, task)
	}
	if err := m.takeAnchors(); err != nil {
		return err
	}
	return m.fitWeights()
}

// aliases begins the names under which a state_dict of the tutorial's network holds its
// backbone a second time.
const aliases = "model.0.features."

// fitWeights drops what every state_dict has besides parameters and holds the
// rest against the graph: missing, misshaped and unknown tensors are an error.
func (m *Model) fitWeights() error {
	used := map[string]bool{}
	for _, p := range m.Graph.Params() {
		used[p.Name] = true
	}
	var extra []say.Text
	for _, name := range slices.Sorted(maps.Keys(m.Weights)) {
		switch {
		case used[name]:
			continue
		case strings.HasPrefix(name, aliases), strings.HasSuffix(name, ".num_batches_tracked"), name == m.anchorsName():
		default:
			extra = append(extra, say.Sprintf("%.100s %v", name, m.Weights[name].Shape))
		}
		delete(m.Weights, name)
	}
	err := m.Graph.CheckWeights(m.Weights)
	switch {
	case err != nil && extra != nil:
		return say.Errorf("%w; the file has besides: %s", err, say.Join(extra))
	case err != nil:
		return err
	case extra != nil:
		return say.Errorf("the file has tensors that the network has not: %s", say.Join(extra))
	}
	return checkValues(m.Graph, m.Weights)
}
