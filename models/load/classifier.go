package load

import (
	"slices"

	"spotter/models"
	"spotter/models/checkpoint"
	"spotter/models/classifier"
	"spotter/models/safetensors"
	"spotter/models/say"
)

// recognise finds the classifier that parameters without a YAML belong to; nil when
// they are none.
func recognise(c *checkpoint.Checkpoint, o Options) (*classifier.Spec, error) {
	if o.YAML != nil || c.YAML != nil {
		return nil, nil
	}
	shapes := models.Weights{}
	for _, name := range c.Params() {
		shapes[name] = &models.Tensor{Shape: c.Shape(name)}
	}
	return classifier.Recognise(shapes)
}

// fromClassifier builds a classifier from a checkpoint or from bare parameters.
func (m *Model) fromClassifier(s *classifier.Spec, c *checkpoint.Checkpoint, o Options) error {
	w, err := c.Weights()
	if err != nil {
		return err
	}
	if m.Graph, err = s.Graph(0); err != nil {
		return err
	}
	if m.Weights, err = s.Fit(m.Graph, w); err != nil {
		return err
	}
	if o.Width > 0 && o.Height > 0 {
		if err := m.Graph.SetInput(o.Width, o.Height, m.Weights); err != nil {
			return err
		}
	}
	m.Graph.Name, m.YAML, m.Residual = m.Name, nil, s.Backbone.Residual
	m.Meta["network"], m.Notes = s.Name(), c.Notes
	switch n := len(o.Classes); {
	case n == s.Classes:
		m.Graph.Classes = slices.Clone(o.Classes)
	case n > 0:
		return say.Errorf("%d class names for a classifier of %d classes", n, s.Classes)
	case len(c.Names) == s.Classes:
		m.Graph.Classes = c.Names
	default:
		m.Unnamed = true
	}
	return m.finish(o)
}

// asState puts a classifier's weights into the shapes that its state_dict has, so that
// they are recognised again; an error when they are no known classifier's.
func (m *Model) asState(file *safetensors.File) error {
	linear := ""
	if op, ok := m.Graph.Outputs[0].From.Op.(*models.Conv); ok {
		linear = op.Weight
	}
	if t := file.Weights[linear]; t != nil && len(t.Shape) == 4 && t.Shape[2] == 1 && t.Shape[3] == 1 {
		file.Weights[linear] = &models.Tensor{Shape: t.Shape[:2], Data: t.Data, Half: t.Half}
	}
	s, err := classifier.Recognise(file.Weights)
	if err == nil && s == nil {
		err = say.Errorf("%s is no known classifier and has no YAML: a .safetensors file could not say which network it holds", m.Name)
	}
	return err
}
