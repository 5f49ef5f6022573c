package models

import (
	"encoding/json"
	"math"

	"spotter/models/say"
)

// MetadataKey is the property of an ONNX file under which an export says what its outputs
// are, as the JSON of Described.
const MetadataKey = "spotter"

// Provenance are the words about a network that go from file to file.
var Provenance = []string{"licence", "map", "source"}

// Described is what a file of a network cannot say with its nodes alone: how pictures are
// fed and, where the outputs are raw maps, how they become boxes.
type Described struct {
	Head *Head `json:"head,omitempty"`
	Feed *Feed `json:"feed,omitempty"`
}

// Describe reads a Described that a file holds. A head that is no head, or a feed that gives
// no numbers, is an error; whether the head fits the outputs, Head.Check tells.
func Describe(text string) (*Described, error) {
	d := &Described{}
	if err := json.Unmarshal([]byte(text), d); err != nil {
		return nil, err
	}
	if d.Feed == nil {
		return d, nil
	}
	switch d.Feed.Fit {
	case FitLetterbox, FitTopLeft, FitSquash, FitCropCentre:
	default:
		return nil, say.Errorf("%.40q is no way to fit a picture", d.Feed.Fit)
	}
	for _, std := range d.Feed.Std {
		if std == 0 {
			return nil, say.Errorf("a deviation of 0 has no inverse")
		}
	}
	return d, nil
}

// Bounds of what a head may name: beyond any network, and sums of it don't overflow.
const (
	maxChannel = 1 << 24
	maxLevels  = 16
	maxAnchors = 64
)

// Check holds a head that gives boxes against the shapes of a network's outputs.
func (h *Head) Check(outputs []Shape) error {
	switch h.Kind {
	case HeadYOLOv5, HeadYOLOX, HeadGFL, HeadYOLOv8:
	default:
		return say.Errorf("a head of kind %.40q has no boxes to decode", h.Kind)
	}
	within := func(n, least int) bool { return n >= least && n <= maxChannel }
	if !within(h.Classes, 1) || !within(h.Masks, 0) || !within(h.Bins, 0) || len(h.Levels) == 0 || len(h.Levels) > maxLevels {
		return say.Errorf("a head of %d classes, %d mask coefficients and %d bins on %d levels", h.Classes, h.Masks, h.Bins, len(h.Levels))
	}
	for i := range h.Levels {
		if err := h.CheckLevel(i, outputs); err != nil {
			return err
		}
	}
	if h.Masks > 0 && (h.Proto < 0 || h.Proto >= len(outputs) || len(outputs[h.Proto]) != 3 || outputs[h.Proto][0] != h.Masks) {
		return say.Errorf("the head has %d mask coefficients, but no output has as many prototypes", h.Masks)
	}
	return nil
}

// CheckLevel holds level i alone against the outputs' shapes.
func (h *Head) CheckLevel(i int, outputs []Shape) error {
	if err := h.checkLevel(&h.Levels[i], outputs); err != nil {
		return say.Errorf("level %d of the %s head: %w", i, h.Kind, err)
	}
	return nil
}

func (h *Head) checkLevel(l *Level, outputs []Shape) error {
	if l.Stride < 1 || l.Stride > maxChannel || l.AnchorStep < 0 || l.AnchorStep > maxChannel ||
		len(l.Anchors) > maxAnchors || (h.Kind == HeadYOLOv5) != (len(l.Anchors) > 0) {
		return say.Errorf("%d anchors, %d channels apart, at stride %d", len(l.Anchors), l.AnchorStep, l.Stride)
	}
	for _, a := range l.Anchors {
		for _, side := range a {
			if !(side > 0) || math.IsInf(float64(side), 0) {
				return say.Errorf("an anchor of %gx%g pixels", a[0], a[1])
			}
		}
	}
	for _, p := range []struct {
		name string
		part Part
		size int
	}{{"box", l.Box, 4 * max(h.Bins, 1)}, {"objectness", l.Obj, 1}, {"class", l.Cls, h.Classes}, {"mask", l.Coef, h.Masks}} {
		if p.part.Map < 0 && (p.name == "objectness" || p.size == 0) {
			continue
		}
		if p.part.Map < 0 || p.part.Map >= len(outputs) {
			return say.Errorf("its %s part lies in output %d of %d", p.name, p.part.Map, len(outputs))
		}
		cells, m := outputs[l.Box.Map], outputs[p.part.Map]
		if len(cells) != 3 || len(m) != 3 {
			return say.Errorf("its %s part lies in an output of shape %v", p.name, []int(m))
		}
		last := p.part.Channel + (max(len(l.Anchors), 1)-1)*l.AnchorStep + p.size
		if p.part.Channel < 0 || p.part.Channel > maxChannel || last > m[0] || m[1] != cells[1] || m[2] != cells[2] {
			return say.Errorf("its %s part needs %d channels of %dx%d, the output is %v", p.name, last, cells[1], cells[2], []int(m))
		}
	}
	return nil
}
