package config

import (
	"slices"

	"spotter/models"
)

// listDetect builds YOLOv5's head: one 1x1 convolution per level to anchors x (4 box values,
// objectness, classes).
func listDetect(l *layer) []*models.Value {
	// classes, anchors; parse_model appends the input channels
	l.args.atMost(2)
	return l.detect(0)
}

// listSegment adds mask coefficients per anchor and the prototypes, from the first level.
func listSegment(l *layer) []*models.Value {
	// classes, anchors, masks, prototype channels
	l.args.atMost(4)
	masks := l.args.number(2, "masks", 32, 1, 1024)
	inner := divisible(float64(l.args.number(3, "prototype channels", 256, 1, maxChannels)) * l.doc.width)
	if len(l.args.list) == 4 {
		l.args.list[3] = intValue(inner)
	}
	out := l.detect(masks)
	if l.args.err != nil || l.err != nil {
		return []*models.Value{placeholder()}
	}
	name := l.name + ".proto"
	l.count(2) // Proto and its Upsample
	x := l.plain(name+".cv1", l.in[0], square(inner, 3, 1))
	x = l.node(name+".upsample", &models.Resize{Scale: [2]float32{2, 2}, Mode: "nearest"}, x)
	x = l.plain(name+".cv2", x, square(inner, 3, 1))
	x = l.plain(name+".cv3", x, square(masks, 1, 1))
	l.graph.Outputs = append(l.graph.Outputs, x)
	l.graph.Head.Proto = len(l.graph.Outputs) - 1
	return append(out, x)
}

// detect builds the convolutions and describes the head.
func (l *layer) detect(masks int) []*models.Value {
	classes := l.args.must(0, "the number of classes", 1, maxClasses)
	anchors := l.levelAnchors(1)
	if l.args.err != nil {
		return []*models.Value{placeholder()}
	}
	if len(anchors) != len(l.in) {
		return []*models.Value{l.fail("%d levels of anchors for %d inputs", len(anchors), len(l.in))}
	}
	if l.doc.classes != nil && classes != len(l.doc.classes) {
		return []*models.Value{l.fail("%d classes, but %d class names", classes, len(l.doc.classes))}
	}
	head := &l.graph.Head
	*head = models.Head{Kind: models.HeadYOLOv5, Classes: classes, Masks: masks, Proto: -1}
	step := 5 + classes + masks
	l.count(2) // the head and its ModuleList
	var channels []value
	for i, x := range l.in {
		s := square(len(anchors[i])*step, 1, 1)
		s.bias = true
		out := l.conv2d(l.name+".m."+intValue(i).String(), x, s)
		l.graph.Outputs = append(l.graph.Outputs, out)
		head.Levels = append(head.Levels, l.level(i, anchors[i], step, classes, masks))
		channels = append(channels, intValue(x.Shape[0]))
	}
	l.args.list = append(l.args.list, listValue(channels...))
	return slices.Clone(l.graph.Outputs)
}

// level describes output map i: per anchor box, objectness, classes, coefficients.
func (l *layer) level(i int, anchors [][2]float32, step, classes, masks int) models.Level {
	level := models.Level{
		Stride: l.stride(l.in[i]), Anchors: anchors, AnchorStep: step,
		Box: models.Part{Map: i}, Obj: models.Part{Map: i, Channel: 4}, Cls: models.Part{Map: i, Channel: 5},
		Coef: models.Part{Map: -1},
	}
	if masks > 0 {
		level.Coef = models.Part{Map: i, Channel: 5 + classes}
	}
	return level
}

// stride is the input's size over a map's, the same whole number in both directions.
func (l *layer) stride(x *models.Value) int {
	in := l.graph.Input.Shape
	s := in[1] / x.Shape[1]
	if l.err == nil && (s*x.Shape[1] != in[1] || s*x.Shape[2] != in[2]) {
		l.fail("a map of %d x %d is no whole fraction of the input of %d x %d", x.Shape[2], x.Shape[1], in[2], in[1])
	}
	return s
}

// levelAnchors reads the anchors of each level in pixels. For a number of anchors it
// makes YOLOv5's placeholders 0, 1, 2, ..., which a checkpoint replaces.
func (l *layer) levelAnchors(i int) [][][2]float32 {
	v, ok := l.args.at(i)
	if !ok {
		l.args.fail("the anchors are missing")
		return nil
	}
	table, err := anchorTable(v)
	if err != nil {
		l.args.fail("%w", err.(*Error).Err)
		return nil
	}
	if table != nil {
		return table
	}
	var count []value
	var pairs [][2]float32
	for a := range v.int {
		pairs = append(pairs, [2]float32{float32(2 * a), float32(2*a + 1)})
		count = append(count, intValue(2*a), intValue(2*a+1))
	}
	levels := make([]value, len(l.in))
	for j := range l.in {
		table = append(table, pairs)
		levels[j] = listValue(count...)
	}
	l.args.list[i] = listValue(levels...)
	return table
}
