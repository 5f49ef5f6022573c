// Package load turns a file with a network in it into a graph with weights,
// whatever the file's format.
package load

import (
	"math"
	"path"
	"strings"

	"spotter/models"
	"spotter/models/say"
)

// Tasks.
const (
	Detect   = "detect"
	Segment  = "segment"
	Classify = "classify"
)

// Model is a network with everything that the file says of it.
type Model struct {
	Name     string // the file's, without folder and ending
	Format   string // "safetensors", "pytorch" or "onnx"
	Graph    *models.Graph
	Weights  models.Weights // exactly those that Graph names
	Task     string         // Detect, Segment or Classify
	YAML     []byte         // the network's text, nil when there is none
	Unnamed  bool           // the file has no class names: Graph's are numbers in their place
	Residual bool           // blocks add their input (see config.Options)
	// Meta is what else the file says in words: map, note, epochs, licence, ...
	Meta map[string]string
	// Took says which head an ONNX file's outputs were taken for, and why; Fixed why it
	// runs at its own size only, "" when it runs at any.
	Took  say.Text
	Fixed string
	// Tensors are an ONNX file's own names of the graph's outputs; nil for other formats.
	Tensors []string
	// Notes are sentences on what was ignored or decided.
	Notes []say.Text
}

// Options say what a file leaves open, and what shall be done otherwise than it says.
type Options struct {
	YAML          []byte          // instead of the file's own
	Scale         string          // n, s, m, l or x instead of the YAML's multiples
	Residual      *bool           // instead of what the file says
	Classes       []string        // instead of the file's
	Width, Height int             // of the input, multiples of 32; 0 is the file's size
	Task          string          // Detect makes a detector of a segmentation network; "" leaves it
	Head          models.HeadKind // what an ONNX file's outputs are to be taken for; "" recognises it
}

// Open reads a model. The format is told by the file's content; name is its name
// in errors.
func Open(name string, data []byte, o Options) (*Model, error) {
	switch {
	case isSafetensors(data):
		return Safetensors(name, data, o)
	case isTorch(data):
		return Checkpoint(name, data, o)
	case isONNX(data):
		return ONNX(name, data, o)
	}
	return nil, say.Errorf("%s: this is neither a .safetensors file, nor a checkpoint of PyTorch, nor an ONNX file", name)
}

// stem is a file's name without folder and ending.
func stem(name string) string {
	base := path.Base(strings.ReplaceAll(name, `\`, "/"))
	return strings.TrimSuffix(base, path.Ext(base))
}

func taskOf(g *models.Graph) string {
	switch {
	case g.Head.Kind == models.HeadClassify:
		return Classify
	case g.Head.Masks > 0:
		return Segment
	}
	return Detect
}

// checkValues refuses weights that can only give nonsense.
func checkValues(g *models.Graph, w models.Weights) error {
	for _, p := range g.Params() {
		for i, v := range w[p.Name].Data {
			if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
				return say.Errorf("weight %s holds %v (element %d): the training of this file broke down", p.Name, v, i)
			}
		}
	}
	for _, n := range g.Nodes {
		norm, ok := n.Op.(*models.BatchNorm)
		if !ok {
			continue
		}
		for i, v := range w[norm.Var].Data {
			if v < 0 {
				return say.Errorf("weight %s holds the variance %v (element %d): a variance is not negative", norm.Var, v, i)
			}
		}
	}
	return nil
}
