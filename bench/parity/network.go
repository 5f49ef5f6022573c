package parity

import (
	"bytes"
	"fmt"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"

	"spotter/models/export"
	"spotter/models/load"
	"spotter/models/say"
	"spotter/wasm"
)

// network is a model file made ready for both engines.
type network struct {
	name    string
	simd    []byte // this project's module with SIMD128
	relaxed []byte // the same with relaxed SIMD
	weights []byte // of both modules
	onnx    []byte // for onnxruntime-web
	// outputs are the names of onnx's tensors that the module's outputs are to be compared with.
	outputs []string
	// source says in a sentence what onnxruntime-web runs.
	source string
	notes  []string
}

// prepare opens a model file, compiles it, and makes what onnxruntime-web runs of it: an
// ONNX file as it is, with the maps at which this project ends the graph as further
// outputs; of other formats the graph as ONNX. yaml may be nil.
func prepare(name string, data, yaml []byte) (*network, error) {
	m, err := load.Open(name, data, load.Options{YAML: yaml})
	if err != nil {
		return nil, err
	}
	n := &network{name: m.Name, notes: say.Strings(m.Notes)}
	if m.Format == "onnx" {
		err = n.original(m, data)
	} else {
		err = n.exported(m)
	}
	if err != nil {
		return nil, err
	}
	for _, relaxed := range []bool{false, true} {
		out, err := wasm.Compile(m.Graph, m.Weights, wasm.Options{Relaxed: relaxed, Task: m.Task})
		if err != nil {
			return nil, err
		}
		n.weights = out.Weights
		if relaxed {
			n.relaxed = out.Module
		} else {
			n.simd = out.Module
		}
	}
	return n, nil
}

// exported makes ONNX of the graph, with BatchNorm folded as exporters do.
func (n *network) exported(m *load.Model) error {
	g, weights, err := export.FoldBatchNorm(m.Graph, m.Weights)
	if err != nil {
		return err
	}
	var file bytes.Buffer
	if err := export.ONNX(&file, g, weights, m.Meta); err != nil {
		return err
	}
	n.onnx = file.Bytes()
	n.outputs, err = outputNames(n.onnx)
	n.source = "The file is no ONNX: onnxruntime-web runs the graph that `spotter export` would write of it."
	return err
}

// original takes the file itself and adds the outputs that it lacks.
func (n *network) original(m *load.Model, data []byte) error {
	outputs, err := outputNames(data)
	if err != nil {
		return err
	}
	have := map[string]bool{}
	for _, name := range outputs {
		have[name] = true
	}
	var added []string
	for _, name := range m.Tensors {
		if !have[name] {
			have[name] = true
			added = append(added, name)
		}
	}
	n.outputs, n.onnx = m.Tensors, withOutputs(data, added)
	n.source = "onnxruntime-web runs the file itself."
	if len(added) > 0 {
		n.source = fmt.Sprintf("onnxruntime-web runs the file itself, its maps before decoding (%s) added as outputs.", strings.Join(added, ", "))
	}
	return nil
}

// Fields of ONNX's messages (onnx.proto3).
const (
	modelGraph  = 7
	graphOutput = 12
	valueName   = 1
)

// withOutputs adds outputs to a model. Protocol buffers merge a message that comes twice,
// so one with nothing but the outputs is appended.
func withOutputs(model []byte, names []string) []byte {
	var graph []byte
	for _, name := range names {
		value := protowire.AppendTag(nil, valueName, protowire.BytesType)
		value = protowire.AppendString(value, name)
		graph = protowire.AppendTag(graph, graphOutput, protowire.BytesType)
		graph = protowire.AppendBytes(graph, value)
	}
	out := bytes.Clone(model)
	out = protowire.AppendTag(out, modelGraph, protowire.BytesType)
	return protowire.AppendBytes(out, graph)
}

// outputNames reads the names of an ONNX file's outputs, in order.
func outputNames(model []byte) (names []string, err error) {
	err = fields(model, modelGraph, func(graph []byte) error {
		return fields(graph, graphOutput, func(value []byte) error {
			return fields(value, valueName, func(name []byte) error {
				names = append(names, string(name))
				return nil
			})
		})
	})
	return names, err
}

// fields calls each with every value of a field of bytes in a message.
func fields(message []byte, number protowire.Number, each func([]byte) error) error {
	for len(message) > 0 {
		field, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return protowire.ParseError(n)
		}
		message = message[n:]
		n = protowire.ConsumeFieldValue(field, kind, message)
		if n < 0 {
			return protowire.ParseError(n)
		}
		if field == number && kind == protowire.BytesType {
			value, _ := protowire.ConsumeBytes(message)
			if err := each(value); err != nil {
				return err
			}
		}
		message = message[n:]
	}
	return nil
}
