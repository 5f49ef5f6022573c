// Package config reads a network's YAML as YOLOv5 writes it and builds the graph.
//
// The rows of backbone and head are [from, number, module, args]. The rules are
// those of YOLOv5's parse_model (v6 and v7) and of the MobileNetV4 tutorial's
// change to it: numbers of repeats scale with depth_multiple and round half to
// even, channels scale with width_multiple and round up to a multiple of 8, and
// behind a backbone that gives a list of feature maps all indices move by 4, so
// that 1 to 4 are its maps at strides 4, 8, 16 and 32.
//
// Parameters are named as in the network's state_dict, for example
// model.0.layer3.uib_0._expand_conv.BatchNorm2d.weight or model.1.cv1.bn.weight.
// Convolution, batch normalisation and activation are nodes of their own.
//
// Mistakes in the file come back as *Error with file, line and layer.
package config

import (
	"errors"
	"strings"

	"spotter/models"
	"spotter/models/say"
	files "spotter/models/yaml"
)

// Options say what the YAML leaves open.
type Options struct {
	Scale         string        // n, s, m, l or x instead of the YAML's multiples; "" keeps them
	Residual      bool          // UIBs add their input where stride is 1 and channels match (the paper), or not (the tutorial)
	Width, Height int           // of the input in pixels, multiples of the largest stride; 0 is 640
	NC            int           // number of classes instead of the YAML's; 0 keeps it
	Classes       []string      // names of the classes; their number is the number of classes
	Backbone      *BackboneSpec // a MobileNetV4 with other blocks than the module's own; nil for its own
}

// scales are YOLOv5's depth and width multiples.
var scales = map[string][2]float64{
	"n": {0.33, 0.25},
	"s": {0.33, 0.50},
	"m": {0.67, 0.75},
	"l": {1.00, 1.00},
	"x": {1.33, 1.25},
}

// Load builds the graph of a YAML text; file is its name in errors.
func Load(yamlText []byte, file string, opts Options) (*models.Graph, error) {
	g, err := load(yamlText, opts)
	if err == nil {
		g.Name = strings.TrimSuffix(file[strings.LastIndexByte(file, '/')+1:], ".yaml")
		return g, nil
	}
	var wrong *Error
	if errors.As(err, &wrong) {
		wrong.File = file
		return nil, wrong
	}
	return nil, &Error{File: file, Layer: -1, Err: err}
}

func load(yamlText []byte, opts Options) (*models.Graph, error) {
	v, err := parse(yamlText)
	if err != nil {
		return nil, err
	}
	doc, err := readDocument(v, opts)
	if err != nil {
		return nil, err
	}
	return build(doc, opts)
}

// Builtin gives a YAML that comes with Spotter, by file name with or without .yaml.
func Builtin(name string) ([]byte, error) {
	name = strings.TrimSuffix(name, ".yaml")
	data, err := files.FS.ReadFile(name + ".yaml")
	if err == nil {
		return data, nil
	}
	if hint := nearest(name, BuiltinNames()); hint != "" {
		return nil, say.Errorf("no built-in network %q; did you mean %q?", name, hint)
	}
	return nil, say.Errorf("no built-in network %q", name)
}

// BuiltinNames lists the names that Builtin knows, without .yaml, sorted.
func BuiltinNames() []string {
	entries, err := files.FS.ReadDir(".")
	if err != nil {
		panic("BUG: the embedded YAML files do not list: " + err.Error())
	}
	var names []string
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), ".yaml"))
	}
	return names
}
