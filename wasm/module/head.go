package module

import (
	"slices"

	"spotter/kernels"
	"spotter/models"
	"spotter/models/say"
	"spotter/wasm/plan"
)

// head is what follows the network: boxes and masks, or classes, or nothing.
type head struct {
	classes  int
	detect   *kernels.DetectParams
	mask     *kernels.MaskParams
	classify *kernels.ClassifyParams
}

// scratch is the memory of detect or classify, and of mask.
func (h *head) scratch() (detect, mask int) {
	switch {
	case h.detect != nil:
		detect = h.detect.ScratchBytes()
	case h.classify != nil:
		detect = h.classify.ScratchBytes()
	}
	if h.mask != nil {
		mask = h.mask.ScratchBytes()
	}
	return detect, mask
}

// classifier checks the one vector of logits.
func (b *builder) classifier(h *head) error {
	if len(b.p.Outputs) != 1 {
		return say.Errorf("a classifier has one output, this one %d", len(b.p.Outputs))
	}
	v := b.p.Outputs[0]
	h.classes = v.Elements()
	if h.classes != slices.Max(v.Shape) || len(v.Shape) == 3 && v.Shape[0] != h.classes {
		return say.Errorf("the classifier's output %s has shape %v: want one number a class", v.Name, []int(v.Shape))
	}
	h.classify = &kernels.ClassifyParams{Classes: h.classes, MaxResults: maxResults}
	return nil
}

var boxKinds = map[models.HeadKind]kernels.BoxKind{
	models.HeadYOLOv5: kernels.BoxAnchors, models.HeadYOLOX: kernels.BoxGrid,
	models.HeadGFL: kernels.BoxBins, models.HeadYOLOv8: kernels.BoxBins,
}

// head checks the graph's head against its outputs.
func (b *builder) head() (*head, error) {
	g := b.p.Graph
	h := &head{classes: g.Head.Classes}
	switch g.Head.Kind {
	case "": // raw maps only
		return h, nil
	case models.HeadClassify:
		return h, b.classifier(h)
	}
	kind, ok := boxKinds[g.Head.Kind]
	if !ok {
		return nil, say.Errorf("head %q is not known", g.Head.Kind)
	}
	for i, v := range b.p.Outputs {
		if len(v.Shape) != 3 {
			return nil, say.Errorf("output %d (%s) has shape %v: heads read maps of channels, height and width", i, v.Name, []int(v.Shape))
		}
	}
	d := &kernels.DetectParams{Kind: kind, Classes: g.Head.Classes, Bins: g.Head.Bins, Masks: g.Head.Masks, MaxResults: maxResults}
	for i := range g.Head.Levels {
		level, err := b.level(&g.Head, i)
		if err != nil {
			return nil, err
		}
		d.Levels = append(d.Levels, level)
	}
	h.detect = d
	if g.Head.Masks > 0 {
		if g.Head.Proto < 0 || g.Head.Proto >= len(b.p.Outputs) || b.p.Outputs[g.Head.Proto].Shape[0] != g.Head.Masks {
			return nil, say.Errorf("the head has %d mask coefficients, but no output has as many prototypes", g.Head.Masks)
		}
		h.mask = &kernels.MaskParams{MaxResults: maxResults}
	}
	return h, nil
}

func (b *builder) level(h *models.Head, i int) (kernels.DetectLevel, error) {
	l := &h.Levels[i]
	level := kernels.DetectLevel{
		Stride: l.Stride, Anchors: l.Anchors, AnchorStep: l.AnchorStep,
		Box: kernels.DetectPart(l.Box), Cls: kernels.DetectPart(l.Cls), Obj: kernels.DetectPart(l.Obj), Coef: kernels.DetectPart(l.Coef),
		ClsSigmoid: l.ClsSigmoid, ObjSigmoid: l.ObjSigmoid,
	}
	last := (max(len(l.Anchors), 1) - 1) * l.AnchorStep
	for _, part := range []struct {
		name     string
		at       models.Part
		channels int
		optional bool
	}{
		{"boxes", l.Box, 4 * max(h.Bins, 1), false}, {"classes", l.Cls, h.Classes, false},
		{"objectness", l.Obj, 1, true}, {"mask coefficients", l.Coef, h.Masks, h.Masks == 0},
	} {
		if part.optional && part.at.Map < 0 || part.channels == 0 {
			continue
		}
		if part.at.Map < 0 || part.at.Map >= len(b.p.Outputs) {
			return level, say.Errorf("level %d of the head reads %s from output %d of %d", i, part.name, part.at.Map, len(b.p.Outputs))
		}
		v := b.p.Outputs[part.at.Map]
		if end := part.at.Channel + last + part.channels; part.at.Channel < 0 || end > v.Shape[0] {
			return level, say.Errorf("level %d of the head reads %s up to channel %d of %s, which has %d", i, part.name, end, v.Name, v.Shape[0])
		}
	}
	return level, nil
}

// place fills in the addresses, as far as they are fixed: scratch follows.
func (h *head) place(b *builder) {
	d, l := h.detect, &b.layout
	if h.classify != nil {
		h.classify.Logits = l.Arena + b.arena.Offset(b.p.Outputs[0])
		h.classify.Results = l.Results
	}
	if d == nil {
		return
	}
	for _, v := range b.p.Outputs {
		d.Maps = append(d.Maps, kernels.DetectMap{Address: l.Arena + b.arena.Offset(v), View: plan.View(v)})
	}
	d.Results, d.ClassMask, d.Flags, d.Placement = l.Results, l.ClassMask, l.Flags, l.Placement
	if h.mask != nil {
		in := b.p.Input.Shape
		h.mask.Proto = d.Maps[b.p.Graph.Head.Proto]
		h.mask.NetWidth, h.mask.NetHeight = in[2], in[1]
		h.mask.Placement, h.mask.Rect = l.Placement, l.MaskRect
	}
}

// post emits detect and mask, or classify.
func (b *builder) post(h *head) {
	if h.classify != nil {
		h.classify.Scratch = b.layout.Detect
		b.export("classify", kernels.ClassifyFunc(b.m, *h.classify))
	}
	if h.detect == nil {
		return
	}
	h.detect.Scratch = b.layout.Detect
	b.export("detect", kernels.DetectFunc(b.m, *h.detect))
	if h.mask == nil {
		return
	}
	h.mask.Kept, h.mask.KeptStride = h.detect.Kept(), h.detect.KeptStride()
	h.mask.Scratch = b.layout.Mask
	b.export("mask", kernels.MaskFunc(b.m, *h.mask))
}
