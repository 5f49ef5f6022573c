package load

import (
	"bytes"
	"strconv"
	"strings"

	"spotter/models"
	"spotter/models/checkpoint"
	"spotter/models/onnx"
	"spotter/models/say"
)

// isTorch tells both formats of torch.save: a zip archive, and pickles (protocol 2 to 5).
func isTorch(data []byte) bool {
	return bytes.HasPrefix(data, []byte("PK\x03\x04")) || len(data) > 1 && data[0] == 0x80 && data[1] >= 2 && data[1] <= 5
}

// isONNX tells a protocol buffer that begins with a small number, the IR's version.
func isONNX(data []byte) bool { return len(data) > 2 && data[0] == 0x08 && data[1] < 0x80 }

// Checkpoint reads a file of torch.save: a training checkpoint or a state_dict. When the
// YAML is needed and missing, the error is a *checkpoint.NeedYAML.
func Checkpoint(name string, data []byte, o Options) (*Model, error) {
	m, err := readCheckpoint(name, data, o)
	if err != nil {
		return nil, say.Errorf("%s: %w", name, err)
	}
	return m, nil
}

func readCheckpoint(name string, data []byte, o Options) (*Model, error) {
	c, err := checkpoint.Open(data)
	if err != nil {
		return nil, err
	}
	m := &Model{Name: stem(name), Format: "pytorch", Meta: map[string]string{"source": c.Source}}
	if c.Epoch >= 0 {
		m.Meta["epoch"] = strconv.Itoa(c.Epoch)
	}
	if c.Date != "" {
		m.Meta["date"] = c.Date
	}
	return m, m.fromCheckpoint(c, o)
}

// fromCheckpoint builds the network of a checkpoint, or of parameters without a YAML.
func (m *Model) fromCheckpoint(c *checkpoint.Checkpoint, o Options) error {
	if spec, err := recognise(c, o); spec != nil || err != nil {
		if err != nil {
			return err
		}
		return m.fromClassifier(spec, c, o)
	}
	m.Residual = o.Residual != nil && *o.Residual
	built, err := c.Load(checkpoint.Options{
		YAML: o.YAML, File: m.Name + ".yaml", Scale: o.Scale, Residual: m.Residual,
		Names: o.Classes, Width: o.Width, Height: o.Height,
	})
	if err != nil {
		return err
	}
	m.Graph, m.Weights, m.YAML = built.Graph, built.Weights, built.YAML
	m.Graph.Name, m.Task, m.Notes = m.Name, taskOf(m.Graph), c.Notes
	if o.Residual == nil && asksResidual(m.Graph) {
		m.Notes = append(m.Notes, say.Sprintf("whether the backbone's blocks add their input is in no checkpoint: the tutorial's form, without, is taken (the paper's adds)"))
	}
	if o.Task == Detect && m.Task == Segment {
		if m.YAML, err = detectorYAML(m.YAML); err != nil {
			return err
		}
	}
	return m.finish(o)
}

// asksResidual tells a backbone that comes in both forms: inverted bottlenecks without
// attention, whose networks always add.
func asksResidual(g *models.Graph) bool {
	bottlenecks := false
	for _, p := range g.Params() {
		if strings.Contains(p.Name, ".mhsa_") {
			return false
		}
		bottlenecks = bottlenecks || strings.Contains(p.Name, "._proj_conv.")
	}
	return bottlenecks
}

// finish holds a network against the task that is asked for, and looks at its weights.
func (m *Model) finish(o Options) error {
	m.Task = taskOf(m.Graph)
	if o.Task == Detect && m.Task == Segment {
		m.Task = Detect
		if err := dropMasks(m.Graph, m.Weights); err != nil {
			return err
		}
	}
	if o.Task != "" && o.Task != m.Task {
		return say.Errorf("the network does %s, not %.40q", m.Task, o.Task)
	}
	return checkValues(m.Graph, m.Weights)
}

// ONNX reads an ONNX file. Errors: see onnx.Load.
func ONNX(name string, data []byte, o Options) (*Model, error) {
	read, err := onnx.Load(data, onnx.Options{File: stem(name), Width: o.Width, Height: o.Height, Head: o.Head, Names: o.Classes})
	if err != nil {
		return nil, say.Errorf("%s: %w", name, err)
	}
	m := &Model{
		Name: stem(name), Format: "onnx", Graph: read.Graph, Weights: read.Weights,
		Meta: read.Meta,
		Took: read.Took, Fixed: read.Fixed, Notes: read.Notes, Tensors: read.Tensors,
	}
	m.Meta["opset"] = strconv.Itoa(read.Opset)
	if read.Producer != "" {
		m.Meta["producer"] = read.Producer
	}
	if err := m.finish(o); err != nil {
		return nil, say.Errorf("%s: %w", name, err)
	}
	return m, nil
}
