package export

import (
	"errors"
	"fmt"
	"maps"

	"spotter/models"
)

// Decoded returns the network with its head's arithmetic behind it, as other projects'
// exporters write detectors. Boxes are centre, width and height in pixels of the input.
//
//   - YOLOv5 and YOLOX: output0 [1, predictions, 5 + classes + masks], a row a prediction:
//     box, objectness, classes, mask coefficients.
//   - PicoDet, NanoDet, YOLOv8: output0 [1, 4 + classes + masks, predictions], a column a
//     prediction, without objectness.
//   - Segmentation: the prototypes are output1.
//   - Classifiers: probabilities instead of logits.
//
// Neither the graph nor the weights given are changed.
func Decoded(g *models.Graph, weights models.Weights) (*models.Graph, models.Weights, error) {
	d := &decoder{g: *g, w: maps.Clone(weights)}
	d.g.Nodes = append([]*models.Node(nil), g.Nodes...)
	d.g.Outputs = nil
	if g.Head.Kind == models.HeadClassify {
		d.output(&models.Softmax{}, g.Outputs[0])
		return d.finish()
	}
	if err := g.Head.Check(shapes(g.Outputs)); err != nil {
		return nil, nil, err
	}
	d.outputs = g.Outputs
	var rows []*models.Value
	for i := range g.Head.Levels {
		l, err := d.level(i)
		if err != nil {
			return nil, nil, fmt.Errorf("level %d of the head: %w", i, err)
		}
		rows = append(rows, l)
	}
	along := 0
	if !d.anchored() {
		along = 1
	}
	d.output(&models.Concat{Axis: along}, rows...)
	if g.Head.Masks > 0 {
		d.output(&models.Activation{}, g.Outputs[g.Head.Proto])
	}
	return d.finish()
}

// decoder appends nodes to a graph.
type decoder struct {
	g       models.Graph
	w       models.Weights
	outputs []*models.Value // of the network
	name    string          // of the next nodes
}

func (d *decoder) finish() (*models.Graph, models.Weights, error) {
	if err := models.InferShapes(&d.g, d.w); err != nil {
		return nil, nil, err
	}
	return &d.g, d.w, nil
}

// anchored tells rows with objectness, as YOLOv5 and YOLOX have them.
func (d *decoder) anchored() bool {
	return d.g.Head.Kind == models.HeadYOLOv5 || d.g.Head.Kind == models.HeadYOLOX
}

// node appends an operation, named by what it belongs to and its number in the graph.
func (d *decoder) node(op models.Op, in ...*models.Value) *models.Value {
	n := &models.Node{Name: fmt.Sprintf("%s.%d", d.name, len(d.g.Nodes)), Op: op, In: in, Layer: -1}
	n.Out = &models.Value{Name: n.Name, From: n}
	d.g.Nodes = append(d.g.Nodes, n)
	return n.Out
}

// output appends the operation that gives the next output.
func (d *decoder) output(op models.Op, in ...*models.Value) {
	d.name = "output"
	v := d.node(op, in...)
	v.Name = fmt.Sprintf("output%d", len(d.g.Outputs))
	d.g.Outputs = append(d.g.Outputs, v)
}

func shapes(values []*models.Value) []models.Shape {
	list := make([]models.Shape, len(values))
	for i, v := range values {
		list[i] = v.Shape
	}
	return list
}

func (d *decoder) constant(shape []int, data ...float32) string {
	name := fmt.Sprintf("decode.%d", len(d.w))
	d.w[name] = &models.Tensor{Shape: shape, Data: data}
	return name
}

func (d *decoder) with(kind models.BinaryKind, v *models.Value, shape []int, data ...float32) *models.Value {
	return d.node(&models.Binary{Kind: kind, Const: d.constant(shape, data...)}, v)
}

func (d *decoder) cut(v *models.Value, from, count int) *models.Value {
	return d.node(&models.Slice{Axis: 1, Start: from, End: from + count, Step: 1}, v)
}

func (d *decoder) act(kind models.ActKind, v *models.Value) *models.Value {
	return d.node(&models.Activation{Kind: kind}, v)
}

func (d *decoder) binary(kind models.BinaryKind, a, b *models.Value) *models.Value {
	return d.node(&models.Binary{Kind: kind}, a, b)
}

// level gives one stride's predictions: [anchors * H * W, columns], or [columns, H * W]
// where there are no anchors and no objectness.
func (d *decoder) level(i int) (*models.Value, error) {
	h, l := &d.g.Head, &d.g.Head.Levels[i]
	d.name = fmt.Sprintf("decode%d", i)
	s := d.outputs[l.Box.Map].Shape
	c := &cells{decoder: d, level: l, anchors: max(len(l.Anchors), 1), height: s[1], width: s[2], maps: map[int]*models.Value{}}
	parts, err := c.boxes()
	if err != nil {
		return nil, err
	}
	add := func(p models.Part, count int, sigmoid bool) error {
		v, err := c.part(p, count)
		if err == nil && sigmoid {
			v = d.act(models.ActSigmoid, v)
		}
		parts = append(parts, v)
		return err
	}
	if d.anchored() {
		err = add(l.Obj, 1, !l.ObjSigmoid)
	}
	err = errors.Join(err, add(l.Cls, h.Classes, !l.ClsSigmoid))
	if h.Masks > 0 {
		err = errors.Join(err, add(l.Coef, h.Masks, false))
	}
	if err != nil {
		return nil, err
	}
	columns := d.node(&models.Concat{Axis: 1}, parts...)
	if !d.anchored() {
		return d.node(&models.Reshape{Shape: models.Shape{-1, s[1] * s[2]}}, columns), nil
	}
	turned := d.node(&models.Transpose{Perm: []int{0, 2, 1}}, columns)
	return d.node(&models.Reshape{Shape: models.Shape{c.anchors * s[1] * s[2], -1}}, turned), nil
}

// cells are one level's values as [anchors, channels, H * W].
type cells struct {
	*decoder
	level                  *models.Level
	anchors, height, width int
	maps                   map[int]*models.Value // by output
}

func (c *cells) part(p models.Part, count int) (*models.Value, error) {
	channels := c.outputs[p.Map].Shape[0]
	step := channels / c.anchors
	if c.anchors > 1 && (step*c.anchors != channels || step != c.level.AnchorStep || p.Channel+count > step) {
		return nil, fmt.Errorf("its %d anchors do not share the %d channels of output %d evenly", c.anchors, channels, p.Map)
	}
	if c.maps[p.Map] == nil {
		c.maps[p.Map] = c.node(&models.Reshape{Shape: models.Shape{c.anchors, step, c.height * c.width}}, c.outputs[p.Map])
	}
	return c.cut(c.maps[p.Map], p.Channel, count), nil
}

// grid is the place of each cell, x and y, moved by off and in strides, as a constant's data.
func (c *cells) grid(off float32) ([]int, []float32) {
	n := c.height * c.width
	data := make([]float32, 2*n)
	for i := range n {
		data[i], data[n+i] = (float32(i%c.width)+off)*float32(c.level.Stride), (float32(i/c.width)+off)*float32(c.level.Stride)
	}
	return []int{1, 2, n}, data
}

// boxes are centres and sizes in pixels, [anchors, 2, H * W] each.
func (c *cells) boxes() ([]*models.Value, error) {
	stride := float32(c.level.Stride)
	bins := max(c.g.Head.Bins, 1)
	raw, err := c.part(c.level.Box, 4*bins)
	if err != nil {
		return nil, err
	}
	switch c.g.Head.Kind {
	case models.HeadYOLOv5:
		s := c.act(models.ActSigmoid, raw)
		shape, places := c.grid(-0.5)
		var anchors []float32
		for _, a := range c.level.Anchors {
			anchors = append(anchors, 4*a[0], 4*a[1])
		}
		size := c.cut(s, 2, 2)
		return []*models.Value{
			c.with(models.Add, c.with(models.Mul, c.cut(s, 0, 2), []int{1}, 2*stride), shape, places...),
			c.with(models.Mul, c.binary(models.Mul, size, size), []int{c.anchors, 2, 1}, anchors...),
		}, nil
	case models.HeadYOLOX:
		shape, places := c.grid(0)
		return []*models.Value{
			c.with(models.Add, c.with(models.Mul, c.cut(raw, 0, 2), []int{1}, stride), shape, places...),
			c.with(models.Mul, c.act(models.ActExp, c.cut(raw, 2, 2)), []int{1}, stride),
		}, nil
	}
	if bins > 1 {
		raw = c.expectation(raw, bins)
	}
	near, far := c.cut(raw, 0, 2), c.cut(raw, 2, 2)
	shape, places := c.grid(0.5)
	return []*models.Value{
		c.with(models.Add, c.with(models.Mul, c.binary(models.Sub, far, near), []int{1}, stride/2), shape, places...),
		c.with(models.Mul, c.binary(models.Add, far, near), []int{1}, stride),
	}, nil
}

// expectation is the mean bin of the four sides' distributions, [1, 4, H * W].
func (c *cells) expectation(raw *models.Value, bins int) *models.Value {
	n := c.height * c.width
	likely := c.node(&models.Softmax{Axis: 1}, c.node(&models.Reshape{Shape: models.Shape{4, bins, n}}, raw))
	index := make([]float32, bins)
	for b := range index {
		index[b] = float32(b)
	}
	mean := c.node(&models.MatMul{Const: c.constant([]int{1, bins}, index...), ConstFirst: true}, likely)
	return c.node(&models.Reshape{Shape: models.Shape{1, 4, n}}, mean)
}
