package load

import (
	"encoding/json"
	"maps"
	"strconv"

	"spotter/models/safetensors"
	"spotter/models/say"
)

// Safetensors writes the model as a .safetensors file that Safetensors reads back:
// the graph's weights and anchors, and the metadata. Equal models give equal bytes.
func (m *Model) Safetensors(e safetensors.Encoding) ([]byte, error) {
	if m.YAML == nil && m.Task != Classify {
		return nil, say.Errorf("%s has no YAML: a .safetensors file could not say which network it holds", m.Name)
	}
	file := &safetensors.File{Weights: maps.Clone(m.Weights), Metadata: maps.Clone(m.Meta)}
	if file.Metadata == nil {
		file.Metadata = map[string]string{}
	}
	if t := m.anchorsTensor(); t != nil {
		file.Weights[m.anchorsName()] = t
	}
	if m.Task == Classify {
		if err := m.asState(file); err != nil {
			return nil, err
		}
	}
	names := map[string]string{} // encoding/json sorts the keys
	for i, name := range m.Graph.Classes {
		names[strconv.Itoa(i)] = name
	}
	text, err := json.Marshal(names)
	if err != nil {
		return nil, err
	}
	stride := 0
	for _, l := range m.Graph.Head.Levels {
		stride = max(stride, l.Stride)
	}
	for k, v := range map[string]string{
		keyYAML: string(m.YAML), keySize: strconv.Itoa(max(m.Graph.Input.Shape[1], m.Graph.Input.Shape[2])),
		keyResidual: strconv.FormatBool(m.Residual), keyTask: m.Task, keyStride: strconv.Itoa(stride), keyFormat: "pt",
	} {
		file.Metadata[k] = v
	}
	if len(names) > 0 {
		file.Metadata[keyNames] = string(text)
	}
	if m.YAML == nil {
		delete(file.Metadata, keyYAML)
	}
	return safetensors.Marshal(file, e)
}

// Encoding is the smallest in which Safetensors loses nothing: half floats where every
// weight came from them.
func (m *Model) Encoding() safetensors.Encoding {
	for _, t := range m.Weights {
		if !t.Half {
			return safetensors.F32
		}
	}
	return safetensors.F16
}
