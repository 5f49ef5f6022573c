package onnx

import (
	"spotter/models"
	"spotter/models/say"
)

// description is what Spotter's own export wrote into the file; nil where another wrote
// it, or where what it says is no description.
func (n *net) description() *models.Described {
	text := n.model.metadata[models.MetadataKey]
	if text == "" {
		return nil
	}
	d, err := models.Describe(text)
	if err != nil {
		return nil
	}
	return d
}

// declared takes the head that the file describes, where it is that of its outputs: a tool
// that rewrote the file may have put others behind them and left the description.
func (n *net) declared() *finding {
	d := n.description()
	if d == nil || d.Head == nil {
		return nil
	}
	f := &finding{head: *d.Head}
	var shapes []models.Shape
	for _, v := range n.model.graph.outputs {
		shape := n.shapes[v.name]
		if len(shape) != 4 || shape[0] != 1 || n.from[v.name] == nil {
			return nil
		}
		shapes = append(shapes, shape[1:])
		f.values = append(f.values, v.name)
	}
	if f.head.Check(shapes) != nil {
		return nil
	}
	f.reason = say.Sprintf("%s with %d classes, as the file itself describes its %d outputs", f.head.Kind, f.head.Classes, len(f.values))
	if f.head.Masks > 0 {
		f.reason = say.Sprintf("%s, with %d mask coefficients and prototypes", f.reason, f.head.Masks)
	}
	return f
}

// provenance is what the file says of licence, accuracy and source.
func (m *modelProto) provenance() map[string]string {
	words := map[string]string{}
	for _, key := range models.Provenance {
		if v := m.metadata[key]; v != "" {
			words[key] = v
		}
	}
	return words
}
