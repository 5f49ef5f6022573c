package session

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strconv"
	"strings"

	"spotter/models"
	"spotter/models/checkpoint"
	"spotter/models/config"
	"spotter/models/load"
	"spotter/models/onnx"
	"spotter/models/say"
	"spotter/models/summary"
)

// Kinds of questions.
const (
	AskYAML     = "yaml"     // which network the parameters belong to
	AskHead     = "head"     // what an ONNX file's outputs are
	AskClasses  = "classes"  // what the classes are called
	AskResidual = "residual" // whether the backbone's blocks add their input
)

// Question is something that a file does not say. Unless Needed, the model runs by the guess.
type Question struct {
	Kind   string   `js:"kind"`
	Needed bool     `js:"needed"`
	Reason say.Node `js:"reason"` // a sentence, empty where the kind says it all
	Guess  string   `js:"guess"`  // yaml: a built-in network; head: its kind; residual: true or false
	Scale  string   `js:"scale"`  // yaml: n, s, m, l or x
	Count  int      `js:"count"`  // classes: how many
}

// Description is what a file holds, and what it leaves open.
type Description struct {
	Name      string            `js:"name"`
	Format    string            `js:"format"`
	Task      string            `js:"task"`
	Head      string            `js:"head"`
	Took      say.Node          `js:"took"`  // why an ONNX file's outputs were taken for that head
	Heads     []string          `js:"heads"` // that the outputs may be taken for instead
	Classes   []string          `js:"classes"`
	Count     int               `js:"count"` // of classes, named or not
	Width     int               `js:"width"`
	Height    int               `js:"height"`
	Stride    int               `js:"stride"` // width and height are multiples of it
	Fixed     string            `js:"fixed"`  // why no other size runs, "" when any does
	Layers    []Layer           `js:"layers"`
	Params    int               `js:"params"`
	MACs      int               `js:"macs"`
	Residual  bool              `js:"residual"`
	Savable   bool              `js:"savable"` // Safetensors works
	Questions []Question        `js:"questions"`
	Notes     []say.Node        `js:"notes"`
	Meta      map[string]string `js:"meta"`
	Builtins  []string          `js:"builtins"` // networks that a question of kind yaml may be answered with
}

// Layer is one row of the network: a line of its YAML, or an operation.
type Layer struct {
	Name   string `js:"name"`
	Module string `js:"module"`
	Args   string `js:"args"`
	Shape  []int  `js:"shape"`
	Params int    `js:"params"`
	MACs   int    `js:"macs"`
}

// heads that an ONNX file may be taken for.
var heads = []string{
	string(models.HeadYOLOv5), string(models.HeadYOLOX), string(models.HeadGFL), string(models.HeadYOLOv8), string(models.HeadClassify),
}

func describe(m *load.Model) *Description {
	g := m.Graph
	total := summary.Count(g)
	d := &Description{
		Name: m.Name, Format: m.Format, Task: m.Task, Head: string(g.Head.Kind), Took: say.Apart(m.Took), Heads: []string{},
		Classes: g.Classes, Count: g.Head.Classes, Width: total.Width, Height: total.Height, Stride: stride(g), Fixed: m.Fixed,
		Layers: layers(g), Params: total.Params, MACs: total.MACs, Residual: m.Residual,
		Savable: m.YAML != nil || m.Task == load.Classify, Notes: apart(m.Notes), Meta: m.Meta, Builtins: []string{},
	}
	if m.Unnamed {
		d.Classes = []string{}
	}
	if m.Format == "onnx" {
		d.Heads = heads
	}
	return d
}

func apart(list []say.Text) []say.Node {
	out := make([]say.Node, len(list))
	for i, t := range list {
		out[i] = say.Apart(t)
	}
	return out
}

// stride that sizes must be multiples of.
func stride(g *models.Graph) int {
	s := 32
	for _, l := range g.Head.Levels {
		s = max(s, l.Stride)
	}
	return s
}

// layers are the YAML's rows, or every operation where there is no YAML.
func layers(g *models.Graph) []Layer {
	list := []Layer{}
	for _, l := range g.Layers {
		row := Layer{Name: strconv.Itoa(l.Index), Module: l.Module, Args: l.Args, Params: l.Params, Shape: []int{}}
		if len(l.Out) > 0 {
			row.Shape = l.Out[len(l.Out)-1].Shape
		}
		list = append(list, row)
	}
	for _, n := range g.Nodes {
		switch macs := summary.MACs(n); {
		case n.Layer >= 0 && n.Layer < len(g.Layers):
			list[n.Layer].MACs += macs
		case len(g.Layers) == 0:
			list = append(list, Layer{Name: n.Name, Module: n.Op.OpName(), Shape: n.Out.Shape, Params: models.Trainable(n), MACs: macs})
		}
	}
	return list
}

// open lists what the file left to guesses.
func open(m *load.Model, data []byte, o Options) []Question {
	list := []Question{}
	if (len(m.Graph.Classes) == 0 || m.Unnamed) && o.Classes == nil {
		list = append(list, Question{Kind: AskClasses, Reason: say.Apart(say.Text{}), Count: m.Graph.Head.Classes})
	}
	if bytes.Contains(m.YAML, []byte("MobileNetV4")) && o.Residual == "" && !saysResidual(data) {
		guess := "false"
		if m.Residual {
			guess = "true"
		}
		list = append(list, Question{Kind: AskResidual, Reason: say.Apart(say.Text{}), Guess: guess})
	}
	return list
}

// saysResidual tells a .safetensors file whose metadata has the key.
func saysResidual(data []byte) bool {
	if len(data) < 9 || data[8] != '{' {
		return false
	}
	end := 8 + min(binary.LittleEndian.Uint64(data), uint64(len(data)-8))
	return bytes.Contains(data[8:end], []byte(`"residual"`))
}

// saysOfResidual tells the reader's note on what AskResidual asks.
func saysOfResidual(note say.Node) bool { return strings.Contains(note.Text, "add their input") }

// needs turns an error that an answer would cure into a question; nil for any other.
func needs(name string, err error) *Description {
	d := &Description{
		Name: stem(name), Heads: []string{}, Classes: []string{}, Layers: []Layer{}, Notes: []say.Node{}, Took: say.Apart(say.Text{}),
		Meta: map[string]string{}, Builtins: []string{},
	}
	var yaml *checkpoint.NeedYAML
	var head *onnx.UnknownHead
	switch {
	case errors.As(err, &yaml):
		d.Builtins = config.BuiltinNames()
		d.Questions = []Question{{Kind: AskYAML, Needed: true, Reason: say.Apart(yaml.Reason), Guess: yaml.Guess, Scale: yaml.Scale}}
	case errors.As(err, &head):
		d.Format, d.Heads = "onnx", heads
		d.Questions = []Question{{Kind: AskHead, Needed: true, Reason: say.Apart(head)}}
	default:
		return nil
	}
	return d
}

func stem(name string) string {
	name = name[strings.LastIndexAny(name, `/\`)+1:]
	if i := strings.LastIndexByte(name, '.'); i > 0 {
		name = name[:i]
	}
	return name
}
