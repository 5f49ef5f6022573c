package onnx

import (
	"spotter/models"
	"spotter/models/say"
)

// piece is an output that shows a run of channels of one map, in whatever order of
// dimensions, with or without sigmoid.
type piece struct {
	tail    *tail
	source  string
	first   int // channel
	count   int
	sigmoid bool
	anchors int // of a shape that says so, [1, anchors, H, W, k]; else 0
	shape   []int
}

// maps tries the heads whose outputs are maps before decoding, one or more of them for
// each stride, and prototypes beside them where the network segments.
func (r *recogniser) maps() (*finding, error) {
	var order [][2]int
	byMap := map[[2]int][]piece{}
	proto := r.prototypes()
	for _, o := range r.outputs {
		if o == proto {
			continue
		}
		p, err := r.piece(o)
		if err != nil {
			return nil, say.Errorf("output %.60s: %w", o.name, err)
		}
		s := r.shapes[p.source]
		key := [2]int{s[2], s[3]}
		if byMap[key] == nil {
			order = append(order, key)
		}
		byMap[key] = append(byMap[key], p)
	}
	var levels [][]piece
	for _, key := range order {
		levels = append(levels, byMap[key])
	}
	for _, l := range levels {
		if len(l) != len(levels[0]) {
			return nil, say.Errorf("its maps do not come in the same number for each size")
		}
		if len(l) == 1 && l[0].count != levels[0][0].count {
			return nil, say.Errorf("its maps have different numbers of channels")
		}
	}
	switch masks := r.channels(proto); {
	case masks > 0 && len(levels[0]) == 1:
		return r.mapsSegment(levels, masks)
	case masks > 0:
		return nil, say.Errorf("prototypes %.60s beside %d outputs for each size of map", proto.name, len(levels[0]))
	}
	switch len(levels[0]) {
	case 1:
		return r.mapsJoined(levels)
	case 2:
		return r.mapsPair(levels)
	case 3:
		return r.mapsYOLOX(levels)
	}
	return nil, say.Errorf("%d outputs for each size of map", len(levels[0]))
}

// prototypes is the output that alone has the finest grid, and another number of channels
// than the others; nil where there is none.
func (r *recogniser) prototypes() *output {
	cells := func(o *output) int {
		if s := r.shapes[o.name]; len(s) == 4 || len(s) == 5 {
			return s[2] * s[3]
		}
		return 0
	}
	var finest *output
	for _, o := range r.outputs {
		if finest == nil || cells(o) > cells(finest) {
			finest = o
		}
	}
	if len(r.outputs) < 2 || len(r.shapes[finest.name]) != 4 {
		return nil
	}
	for _, o := range r.outputs {
		if o != finest && (cells(o) == 0 || cells(o) == cells(finest) || r.channels(o) == r.channels(finest)) {
			return nil
		}
	}
	return finest
}

// channels of an output [1, C, H, W] or [1, anchors, H, W, C]; 0 for any other.
func (r *recogniser) channels(o *output) int {
	if o == nil {
		return 0
	}
	switch s := r.shapes[o.name]; len(s) {
	case 4:
		return s[1]
	case 5:
		return s[1] * s[4]
	}
	return 0
}

// piece finds the channels that an output shows.
func (r *recogniser) piece(o *output) (piece, error) {
	if o.err != nil {
		return piece{}, o.err
	}
	t := o.tail
	if len(t.sources) != 1 {
		return piece{}, say.Errorf("it is made of %d maps", len(t.sources))
	}
	p := piece{tail: t, source: t.sources[0], first: -1, shape: o.shape}
	offsets := t.offsets()
	seen := map[int]bool{}
	for _, origin := range o.origins.data {
		at, ok := t.place(offsets, origin)
		if !ok {
			return p, say.Errorf("its values are sums of a map's")
		}
		seen[at.channel] = true
	}
	for c := range seen {
		if p.first < 0 || c < p.first {
			p.first = c
		}
	}
	p.count = len(seen)
	s := r.shapes[p.source]
	if p.count*s[2]*s[3] != len(o.origins.data) {
		return p, say.Errorf("it shows some of a map's values only")
	}
	for c := range p.count {
		if !seen[p.first+c] {
			return p, say.Errorf("it shows channels that are not consecutive")
		}
	}
	p.sigmoid = o.zero.data[0] == 0.5
	if len(o.shape) == 5 && o.shape[1] <= 64 {
		p.anchors = o.shape[1]
	}
	return p, nil
}

func (f *finding) show(p piece, channel int) models.Part {
	return models.Part{Map: f.mapIndex(p.source), Channel: p.first + channel}
}

// mapsJoined is one map for each stride; the number of channels says whose it is.
func (r *recogniser) mapsJoined(levels [][]piece) (*finding, error) {
	k, classes := levels[0][0].count, r.classCount()
	anchors := levels[0][0].anchors
	kind := r.force
	if kind == "" {
		switch {
		case anchors > 0 && k%anchors == 0, k == 3*(5+classes):
			kind = models.HeadYOLOv5
		case k == 5+classes:
			kind = models.HeadYOLOX
		case k == 64+classes:
			kind = models.HeadYOLOv8
		case k > classes+4 && (k-classes)%4 == 0 && k-classes <= 4*32:
			kind = models.HeadGFL
		case k%3 == 0 && k/3 > 5:
			kind = models.HeadYOLOv5
		}
	}
	switch kind {
	case models.HeadYOLOv5:
		return r.mapsYOLOv5(levels, 0)
	case models.HeadYOLOX:
		return r.describeMaps(levels, k, func(f *finding, p piece, l *models.Level) {
			f.head = models.Head{Kind: kind, Classes: k - 5, Proto: -1, Levels: f.head.Levels}
			l.Box, l.Obj, l.Cls = f.show(p, 0), f.show(p, 4), f.show(p, 5)
			f.reason = say.Sprintf("YOLOX: maps of box, objectness and %d classes", k-5)
		})
	case models.HeadYOLOv8, models.HeadGFL:
		bins := 16
		if kind == models.HeadGFL {
			bins = (k - classes) / 4
		}
		if k-4*bins < 1 || bins < 1 {
			return nil, say.Errorf("maps of %d channels are too small for distributions over %d bins", k, bins)
		}
		return r.describeMaps(levels, k, func(f *finding, p piece, l *models.Level) {
			f.head = models.Head{Kind: kind, Classes: k - 4*bins, Bins: bins, Proto: -1, Levels: f.head.Levels}
			l.Box, l.Cls = f.show(p, 0), f.show(p, 4*bins)
			f.reason = say.Sprintf("YOLOv8: maps of four distributions over %d bins and %d classes", bins, k-4*bins)
			if kind == models.HeadGFL {
				l.Cls, l.Box = f.show(p, 0), f.show(p, k-4*bins)
				f.reason = say.Sprintf("NanoDet: maps of %d classes and four distributions over %d bins", k-4*bins, bins)
			}
		})
	}
	return nil, say.Errorf("maps of %d channels fit no head of %d classes", k, classes)
}

// describeMaps makes a finding with one level for each map.
func (r *recogniser) describeMaps(levels [][]piece, k int, describe func(*finding, piece, *models.Level)) (*finding, error) {
	if k < 6 {
		return nil, say.Errorf("maps of %d channels are too small for a head", k)
	}
	f := &finding{}
	for _, l := range levels {
		stride, err := r.strideOf(l[0].source)
		if err != nil {
			return nil, err
		}
		level := models.Level{Stride: stride, Obj: absent, Coef: absent}
		describe(f, l[0], &level)
		f.head.Levels = append(f.head.Levels, level)
	}
	return f, nil
}

// mapsSegment is YOLOv5's maps with prototypes of so many masks beside them.
func (r *recogniser) mapsSegment(levels [][]piece, masks int) (*finding, error) {
	if r.force != "" && r.force != models.HeadYOLOv5 {
		return nil, say.Errorf("maps with prototypes are taken for YOLOv5's, not for %s", r.force)
	}
	f, err := r.mapsYOLOv5(levels, masks)
	if err != nil {
		return nil, err
	}
	if r.classes > 0 && r.classes != f.head.Classes {
		return nil, say.Errorf("maps of %d classes and %d mask coefficients, where there are %d class names", f.head.Classes, masks, r.classes)
	}
	return f, r.withProto(f)
}

// mapsYOLOv5 has three anchors where the shape does not say otherwise.
func (r *recogniser) mapsYOLOv5(levels [][]piece, masks int) (*finding, error) {
	k, anchors := levels[0][0].count, levels[0][0].anchors
	if anchors == 0 {
		anchors = 3
	}
	no := k / anchors
	if k%anchors != 0 || no-masks < 6 {
		return nil, say.Errorf("maps of %d channels are not those of %d anchors", k, anchors)
	}
	f, err := r.describeMaps(levels, k, func(f *finding, p piece, l *models.Level) {
		f.head = models.Head{Kind: models.HeadYOLOv5, Classes: no - 5 - masks, Masks: masks, Proto: -1, Levels: f.head.Levels}
		l.AnchorStep = no
		l.Box, l.Obj, l.Cls = f.show(p, 0), f.show(p, 4), f.show(p, 5)
		if masks > 0 {
			l.Coef = f.show(p, no-masks)
		}
	})
	if err != nil {
		return nil, err
	}
	f.reason = say.Sprintf("YOLOv5: %d maps of %d anchors with box, objectness and %d classes", len(levels), anchors, no-5-masks)
	return f, r.defaultAnchors(f)
}

// cocoAnchors are those of YOLOv5's YAMLs with three levels and with four.
var cocoAnchors = map[int][][2]float32{
	3: {{10, 13}, {16, 30}, {33, 23}, {30, 61}, {62, 45}, {59, 119}, {116, 90}, {156, 198}, {373, 326}},
	4: {{19, 27}, {44, 40}, {38, 94}, {96, 68}, {86, 152}, {180, 137}, {140, 301}, {303, 264}, {238, 542}, {436, 615}, {739, 380}, {925, 792}},
}

// defaultAnchors gives a head of raw maps the anchors that the file lacks.
func (r *recogniser) defaultAnchors(f *finding) error {
	anchors := cocoAnchors[len(f.head.Levels)]
	if anchors == nil || f.head.Levels[0].AnchorStep == 0 {
		return say.Errorf("the file does not hold the anchors, and there are no usual ones for %d levels", len(f.head.Levels))
	}
	for i := range f.head.Levels {
		f.head.Levels[i].Anchors = anchors[3*i : 3*i+3]
	}
	f.notes = append(f.notes, say.Sprintf("the file does not hold the anchors: YOLOv5's for COCO are taken; boxes are wrong if the training had others"))
	return nil
}

// classesOf tells which of two maps is that of the classes: the one with a sigmoid, the
// one that cannot be four distributions, the one with as many channels as there are
// names; else the first.
func (r *recogniser) classesOf(a, b piece) int {
	second := false
	switch {
	case a.sigmoid != b.sigmoid:
		second = b.sigmoid
	case (a.count%4 == 0) != (b.count%4 == 0):
		second = a.count%4 == 0
	case (a.count == r.classCount()) != (b.count == r.classCount()):
		second = b.count == r.classCount()
	}
	if second {
		return 1
	}
	return 0
}

// mapsPair is classes and distances for each stride: PicoDet, NanoDet.
func (r *recogniser) mapsPair(levels [][]piece) (*finding, error) {
	cls := r.classesOf(levels[0][0], levels[0][1])
	c, b := levels[0][cls], levels[0][1-cls]
	if b.sigmoid || b.count%4 != 0 {
		return nil, say.Errorf("maps of %d and %d channels are not classes and distances", c.count, b.count)
	}
	f := &finding{head: models.Head{Kind: models.HeadGFL, Classes: c.count, Bins: b.count / 4, Proto: -1}}
	name := "PicoDet or NanoDet"
	if r.force == models.HeadYOLOv8 || r.force == "" && f.head.Bins == 16 {
		f.head.Kind, name = models.HeadYOLOv8, "YOLOv8"
	}
	for _, l := range levels {
		if l[cls].count != c.count || l[1-cls].count != b.count {
			return nil, say.Errorf("its maps have different numbers of channels")
		}
		stride, err := r.strideOf(l[cls].source)
		if err != nil {
			return nil, err
		}
		f.head.Levels = append(f.head.Levels, models.Level{Stride: stride, Cls: f.show(l[cls], 0), Box: f.show(l[1-cls], 0), Obj: absent, Coef: absent})
	}
	f.reason = say.Sprintf("%s: for each of %d levels an output of %d classes and one of four distributions over %d bins", name, len(levels), f.head.Classes, f.head.Bins)
	return f, nil
}

// mapsYOLOX is box, objectness and classes as three outputs for each stride.
func (r *recogniser) mapsYOLOX(levels [][]piece) (*finding, error) {
	f := &finding{head: models.Head{Kind: models.HeadYOLOX, Proto: -1}}
	for _, l := range levels {
		level := models.Level{Coef: absent, Box: absent, Obj: absent, Cls: absent}
		for _, p := range l {
			switch {
			case p.count == 1 && level.Obj == absent:
				level.Obj = f.show(p, 0)
			case p.count == 4 && !p.sigmoid && level.Box == absent:
				level.Box = f.show(p, 0)
			default:
				level.Cls = f.show(p, 0)
				f.head.Classes = p.count
			}
		}
		if level.Box == absent || level.Obj == absent || level.Cls == absent {
			return nil, say.Errorf("three outputs for each size are not box, objectness and classes")
		}
		var err error
		if level.Stride, err = r.strideOf(l[0].source); err != nil {
			return nil, err
		}
		f.head.Levels = append(f.head.Levels, level)
	}
	f.reason = say.Sprintf("YOLOX: for each of %d levels outputs of box, objectness and %d classes", len(levels), f.head.Classes)
	return f, nil
}
