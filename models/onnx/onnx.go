// Package onnx reads ONNX files of detectors and classifiers: their body becomes a
// models.Graph, and the part behind the last convolutions, which turns maps into boxes,
// becomes a description of the head. Spotter decodes by itself.
//
// Heads are recognised by what they compute, not by how an exporter spelled it: every
// element of the outputs is traced to the element of a last convolution that it is made
// of (origins), the tail is computed on zeros, where sigmoids give a half and decoded
// widths the anchors, and a head that decodes must agree with Spotter's decoding on
// random values before it is believed (verify).
//
// Operator sets 7 to 30 are read; 11 to 19 are tested.
package onnx

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"spotter/models"
	"spotter/models/say"
)

// Options say what the file leaves open, or is to be taken for.
type Options struct {
	File          string          // name for the graph
	Width, Height int             // of the input in pixels; 0 is the file's own size, or 640 where it is open
	Head          models.HeadKind // what the outputs are to be taken for; "" recognises it
	Names         []string        // classes instead of the file's
	Feed          *models.Feed    // how pictures are fed instead of what is usual for the head
	Anchors       [][][2]float32  // of a YOLOv5 head by level, in pixels, instead of the file's
}

// Model is a network read from an ONNX file.
type Model struct {
	Graph     *models.Graph
	Weights   models.Weights
	Took      say.Text // which head it was taken for, and why: a sentence for people
	Fixed     string   // why it runs at its own size only; "" when it runs at any
	Opset     int
	Producer  string
	Imgsz     [2]int // width and height of the file's own size; 0 where it is open
	Notes     []say.Text
	Meta      map[string]string // of models.Provenance, what the file says
	Tensors   []string          // the file's names of the graph's outputs
	TailNodes int               // nodes behind the last convolutions, which are replaced by Spotter's decoding
}

// defaultSize of an input that the file leaves open.
const defaultSize = 640

// Load reads an ONNX file. What cannot run is an *Unsupported error, outputs of no known
// head an *UnknownHead.
func Load(data []byte, o Options) (*Model, error) {
	m, err := parseModel(data)
	if err != nil {
		return nil, err
	}
	n, err := newNet(m)
	if err != nil {
		return nil, err
	}
	own := n.ownSize()
	size, err := chosenSize(o, own)
	if err != nil {
		return nil, err
	}
	native, err := n.at(orElse(own[0], size[0]), orElse(own[1], size[1]), nil)
	if err != nil {
		return nil, err
	}
	names := o.Names
	if names == nil {
		names = parseNames(m.metadata["names"])
	}
	f, err := native.recognise(o.Head, len(names))
	if err != nil {
		return nil, native.explain(err)
	}
	model := &Model{Opset: int(n.opset), Producer: m.producer, Imgsz: own, Took: f.reason, Notes: f.notes, Tensors: f.values, Meta: m.provenance()}
	at := native
	if size != [2]int{native.width, native.height} {
		if at, err = n.at(size[0], size[1], native); err != nil {
			return nil, err
		}
	}
	if model.Graph, model.Weights, err = at.build(f.values); err != nil {
		return nil, err
	}
	model.finish(f, names, o, n)
	if err := model.checkSize(f); err != nil {
		return nil, err
	}
	model.Fixed = n.whyFixed(native, f)
	return model, nil
}

// ownSize is the file's width and height, 0 where they are open.
func (n *net) ownSize() [2]int {
	return [2]int{max(n.native[3], 0), max(n.native[2], 0)}
}

func orElse(v, otherwise int) int {
	if v > 0 {
		return v
	}
	return otherwise
}

// chosenSize is the options' size, or the file's.
func chosenSize(o Options, own [2]int) ([2]int, error) {
	size := [2]int{orElse(o.Width, orElse(own[0], defaultSize)), orElse(o.Height, orElse(own[1], defaultSize))}
	for _, v := range size {
		if v < 8 || v > 1<<13 {
			return size, say.Errorf("an input of %dx%d pixels: 8 to 8192 are possible", size[0], size[1])
		}
	}
	return size, nil
}

// explain gives the operation that stopped shapes in the body as the reason, where that
// is why the outputs are those of no known head.
func (n *net) explain(err error) error {
	var unknown *UnknownHead
	if !errors.As(err, &unknown) {
		return err
	}
	body := n.body()
	for _, node := range n.nodes {
		for _, v := range node.out {
			if n.problems[v] != nil && body[v] {
				return unsupported(node, n.problems[v])
			}
		}
	}
	return err
}

// body are the values that a convolution or pool depends on.
func (n *net) body() map[string]bool {
	body := map[string]bool{}
	for i := len(n.nodes) - 1; i >= 0; i-- {
		node := n.nodes[i]
		if n.isSource(node) || slices.ContainsFunc(node.out, func(v string) bool { return v != "" && body[v] }) {
			for _, v := range node.in {
				body[v] = true
			}
		}
	}
	return body
}

// finish fills in the description around the graph.
func (m *Model) finish(f *finding, names []string, o Options, n *net) {
	g := m.Graph
	g.Head, g.Name = f.head, o.File
	if g.Name == "" {
		g.Name = n.model.graph.name
	}
	for i, level := range o.Anchors {
		if i < len(g.Head.Levels) && len(level) == len(g.Head.Levels[i].Anchors) {
			g.Head.Levels[i].Anchors = level
		}
	}
	switch {
	case len(names) == f.head.Classes:
		g.Classes = names
	case names != nil:
		m.Notes = append(m.Notes, say.Sprintf("%d class names for a head of %d classes: the names are left out", len(names), f.head.Classes))
	case f.head.Classes == len(models.COCOClasses):
		g.Classes = slices.Clone(models.COCOClasses)
		m.Notes = append(m.Notes, say.Sprintf("the file does not name its 80 classes: COCO's names are taken"))
	}
	g.Feed = usualFeed(f.head.Kind, m.Producer, len(f.head.Levels))
	if d := n.description(); d != nil && d.Feed != nil {
		g.Feed = *d.Feed
	}
	if o.Feed != nil {
		g.Feed = *o.Feed
	}
	needed := map[string]bool{}
	for _, node := range g.Nodes {
		needed[node.Name] = true
	}
	m.TailNodes = max(len(n.nodes)-len(needed), 0)
}

// checkSize holds the maps against the strides: a fixed size within the network shows here.
func (m *Model) checkSize(f *finding) error {
	g := m.Graph
	for i, l := range f.head.Levels {
		s := g.Outputs[l.Box.Map].Shape
		if len(s) != 3 || s[1] != places(g.Input.Shape[1], l.Stride) || s[2] != places(g.Input.Shape[2], l.Stride) {
			return say.Errorf("at %dx%d pixels the map of stride %d (level %d) is %v: the network was exported for its own size, or the size is no multiple of %d",
				g.Input.Shape[2], g.Input.Shape[1], l.Stride, i, []int(s), f.head.Levels[len(f.head.Levels)-1].Stride)
		}
	}
	return nil
}

// whyFixed tries another size, and gives the reason when the network does not follow.
func (n *net) whyFixed(native *net, f *finding) string {
	largest := 32
	for _, l := range f.head.Levels {
		largest = max(largest, l.Stride)
	}
	width, height := native.width+largest, native.height+largest
	at, err := n.at(width, height, native)
	if err != nil {
		return err.Error()
	}
	for _, l := range f.head.Levels {
		name := f.values[l.Box.Map]
		s := at.shapes[name]
		switch {
		case at.problems[name] != nil:
			return at.problems[name].Error()
		case len(s) != 4 || s[2] != places(height, l.Stride) || s[3] != places(width, l.Stride):
			return fmt.Sprintf("at %dx%d pixels its map of stride %d would be %v", width, height, l.Stride, s)
		}
	}
	return ""
}

// usualFeed is how pictures are fed to networks with that head, as their projects do.
func usualFeed(kind models.HeadKind, producer string, levels int) models.Feed {
	ones := [3]float32{1, 1, 1}
	mean, std := [3]float32{123.675, 116.28, 103.53}, [3]float32{58.395, 57.12, 57.375}
	switch kind {
	case models.HeadYOLOX:
		return models.Feed{Fit: models.FitTopLeft, BGR: true, Pad: 114, Scale: 1, Std: ones}
	case models.HeadGFL:
		if levels == 4 || strings.Contains(producer, "addle") { // PicoDet
			return models.Feed{Fit: models.FitSquash, Scale: 1, Mean: mean, Std: std}
		}
		// NanoDet: the same numbers, in the order of its channels.
		slices.Reverse(mean[:])
		slices.Reverse(std[:])
		return models.Feed{Fit: models.FitSquash, BGR: true, Scale: 1, Mean: mean, Std: std}
	case models.HeadClassify:
		// ImageNet's mean and deviation, on the short side cropped.
		for i := range mean {
			mean[i], std[i] = mean[i]/255, std[i]/255
		}
		return models.Feed{Fit: models.FitCropCentre, Scale: 1.0 / 255, Mean: mean, Std: std}
	}
	return models.Feed{Fit: models.FitLetterbox, Pad: 114, Scale: 1.0 / 255, Std: ones}
}

// parseNames reads YOLOv5's metadata: a Python dictionary {0: 'person', ...}, a list, or
// either in JSON.
func parseNames(s string) []string {
	var names []string
	for i := 0; i < len(s); i++ {
		if s[i] != '\'' && s[i] != '"' {
			continue
		}
		text, end, ok := quoted(s, i)
		if !ok || len(names) >= 1<<16 {
			return nil
		}
		i = end
		after := strings.TrimLeft(s[end+1:], " ")
		if strings.HasPrefix(after, ":") {
			continue // a key of JSON: the names come in order
		}
		names = append(names, text)
	}
	return names
}

// quoted reads a text in quotes from i on, and gives the place of its last quote.
func quoted(s string, i int) (string, int, bool) {
	var b strings.Builder
	for j := i + 1; j < len(s); j++ {
		switch {
		case s[j] == s[i]:
			return b.String(), j, true
		case s[j] == '\\' && j+1 < len(s):
			if r, _, tail, err := strconv.UnquoteChar(s[j:], s[i]); err == nil {
				b.WriteRune(r)
				j = len(s) - len(tail) - 1
				continue
			}
			j++
			b.WriteByte(s[j])
		default:
			b.WriteByte(s[j])
		}
	}
	return "", 0, false
}
