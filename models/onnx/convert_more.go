package onnx

import (
	"fmt"
	"slices"

	"spotter/models"
	"spotter/models/say"
)

func convertView(b *builder, c *call) error {
	x, err := b.value(c.in[0])
	if err != nil {
		return err
	}
	shape, err := plain(b.shapes[c.out[0]])
	if err != nil {
		return err
	}
	if slices.Equal(shape, x.Shape) {
		b.values[c.out[0]] = x
		return nil
	}
	return b.emit(c.nodeProto, 0, &models.Reshape{Shape: shape}, x)
}

func convertTranspose(b *builder, c *call) error {
	x, err := b.value(c.in[0])
	if err != nil {
		return err
	}
	p, err := c.perm(len(x.Shape) + 1)
	if err != nil {
		return err
	}
	if p[0] != 0 {
		return say.Errorf("the permutation %v moves the dimension of the one picture", p)
	}
	perm := make([]int, len(x.Shape))
	for i := range perm {
		perm[i] = p[i+1] - 1
	}
	return b.emit(c.nodeProto, 0, &models.Transpose{Perm: perm}, x)
}

func convertSlice(b *builder, c *call) error {
	x, err := b.value(c.in[0])
	if err != nil {
		return err
	}
	list, err := c.cuts()
	if err != nil {
		return err
	}
	for _, cut := range list {
		if cut.axis == 0 && cut.count == 1 || cut.axis > 0 && cut.count == c.shapes[0][cut.axis] && cut.step == 1 {
			continue
		}
		if x, err = b.cut(b.title(c.nodeProto, 0), cut, x); err != nil {
			return err
		}
	}
	b.values[c.out[0]] = x
	return nil
}

// cut appends a Slice.
func (b *builder) cut(name string, x cut, v *models.Value) (*models.Value, error) {
	if x.axis == 0 || x.step < 1 || x.count < 1 {
		return nil, say.Errorf("it takes %d elements from %d in steps of %d along axis %d", x.count, x.start, x.step, x.axis)
	}
	end := x.start + (x.count-1)*x.step + 1
	return b.op(name, &models.Slice{Axis: x.axis - 1, Start: x.start, End: end, Step: x.step}, v)
}

func convertSplit(b *builder, c *call) error {
	x, err := b.value(c.in[0])
	if err != nil {
		return err
	}
	along, sizes, err := c.parts()
	if err != nil {
		return err
	}
	from := 0
	for i, name := range c.out {
		if name != "" && b.uses[name] > 0 {
			v, err := b.cut(b.title(c.nodeProto, i), cut{axis: along, start: from, step: 1, count: sizes[i]}, x)
			if err != nil {
				return err
			}
			b.values[name] = v
		}
		from += sizes[i]
	}
	return nil
}

func convertConcat(b *builder, c *call) error {
	along, _, err := c.joined()
	if err != nil {
		return err
	}
	if along == 0 {
		return say.Errorf("it joins pictures")
	}
	var in []*models.Value
	for _, name := range c.in {
		x, err := b.value(name)
		if err != nil {
			return err
		}
		in = append(in, x)
	}
	if len(in) == 1 {
		b.values[c.out[0]] = in[0]
		return nil
	}
	return b.emit(c.nodeProto, 0, &models.Concat{Axis: along - 1}, in...)
}

// convertGather takes one index of one axis.
func convertGather(b *builder, c *call) error {
	x, err := b.value(c.in[0])
	if err != nil {
		return err
	}
	index, err := c.constant(1)
	if err != nil {
		return err
	}
	along, err := axis(c.int("axis", 0), len(c.shapes[0]))
	if err != nil {
		return err
	}
	if len(index.data) != 1 || along == 0 {
		return say.Errorf("it takes %d indices along axis %d (one, behind the first axis, can run)", len(index.data), along)
	}
	i := index.ints()[0]
	if i < 0 {
		i += c.shapes[0][along]
	}
	if i < 0 || i >= c.shapes[0][along] {
		return say.Errorf("index %d of %d", i, c.shapes[0][along])
	}
	if x, err = b.cut(b.title(c.nodeProto, 0)+".slice", cut{axis: along, start: i, step: 1, count: 1}, x); err != nil {
		return err
	}
	shape, err := plain(b.shapes[c.out[0]])
	if err != nil {
		return err
	}
	return b.emit(c.nodeProto, 0, &models.Reshape{Shape: shape}, x)
}

// convertExpand can run where it changes nothing.
func convertExpand(b *builder, c *call) error {
	if !slices.Equal(c.shapes[0], b.shapes[c.out[0]]) {
		return say.Errorf("it repeats %v to %v, which has no kernel", c.shapes[0], b.shapes[c.out[0]])
	}
	return convertSame(b, c)
}

// convertBlocks moves blocks of pixels into channels or back, as two reshapes around
// a permutation.
func convertBlocks(b *builder, c *call) error {
	x, err := b.value(c.in[0])
	if err != nil {
		return err
	}
	out, err := plain(b.shapes[c.out[0]])
	if err != nil {
		return err
	}
	s, n := x.Shape, c.int("blocksize", 1)
	var apart models.Shape
	var perm []int
	switch {
	case c.op == "SpaceToDepth":
		apart, perm = models.Shape{s[0], s[1] / n, n, s[2] / n, n}, []int{2, 4, 0, 1, 3}
	case c.text("mode", "DCR") == "CRD":
		apart, perm = models.Shape{out[0], n, n, s[1], s[2]}, []int{0, 3, 1, 4, 2}
	default:
		apart, perm = models.Shape{n, n, out[0], s[1], s[2]}, []int{2, 3, 0, 4, 1}
	}
	name := b.title(c.nodeProto, 0)
	if x, err = b.op(name+".apart", &models.Reshape{Shape: apart}, x); err != nil {
		return err
	}
	if x, err = b.op(name+".permute", &models.Transpose{Perm: perm}, x); err != nil {
		return err
	}
	return b.emit(c.nodeProto, 0, &models.Reshape{Shape: out}, x)
}

// convertPad keeps a padding of zeros for the convolution behind it (padBefore).
func convertPad(b *builder, c *call) error {
	list, err := c.pads()
	if err != nil {
		return err
	}
	value := c.float("value", 0)
	if c.has(2) {
		v, ok := b.scalar(c.in[2])
		if !ok {
			return say.Errorf("it pads with a computed value")
		}
		value = v
	}
	if c.text("mode", "constant") != "constant" || value != 0 || len(list) != 8 || list[0]|list[1]|list[4]|list[5] != 0 {
		return say.Errorf("only a padding of height and width with zeros can run")
	}
	for _, p := range list {
		if p < 0 {
			return say.Errorf("it pads by %v", list)
		}
	}
	x, err := b.value(c.in[0])
	if err != nil {
		return err
	}
	if !b.onlyConvs(c.out[0]) {
		return b.padAlone(c, x, list)
	}
	// A node that only padBefore looks at: it never enters the graph.
	n := &models.Node{Name: b.title(c.nodeProto, 0), In: []*models.Value{x}, Layer: -1}
	shape, err := plain(b.shapes[c.out[0]])
	n.Out = &models.Value{Name: n.Name, Shape: shape, From: n}
	b.values[c.out[0]] = n.Out
	return err
}

// onlyConvs tells whether all users of a value are convolutions over it.
func (b *builder) onlyConvs(name string) bool {
	return b.convUses[name] == b.uses[name]
}

// padAlone pads with a depthwise convolution of one pixel whose weights are 1.
func (b *builder) padAlone(c *call, x *models.Value, list []int) error {
	if len(x.Shape) != 3 || x.Shape[0] > 1<<16 {
		return say.Errorf("it pads %v", c.shapes[0])
	}
	channels := x.Shape[0]
	name := c.out[0] + ".ones"
	b.weights[name] = &models.Tensor{Shape: []int{channels, 1, 1, 1}, Data: slices.Repeat([]float32{1}, channels)}
	return b.emit(c.nodeProto, 0, &models.Conv{
		Out: channels, Kernel: [2]int{1, 1}, Stride: [2]int{1, 1}, Pad: [4]int{list[2], list[3], list[6], list[7]}, Groups: channels, Weight: name,
	}, x)
}

// padBefore gives the padding that a Pad node adds in front of a convolution.
func (b *builder) padBefore(name string) ([4]int, bool) {
	node, v := b.from[name], b.values[name]
	if node == nil || node.op != "Pad" || v == nil || v.From == nil || v.From.Op != nil {
		return [4]int{}, false
	}
	list, err := b.call(node).pads()
	if err != nil {
		return [4]int{}, false
	}
	return [4]int{list[2], list[3], list[6], list[7]}, true
}

func convertSoftmax(b *builder, c *call) error {
	x, err := b.value(c.in[0])
	if err != nil {
		return err
	}
	along, err := c.softmaxAxis(c.shapes[0])
	if err != nil {
		return err
	}
	if along == 0 {
		return say.Errorf("a softmax over pictures")
	}
	return b.emit(c.nodeProto, 0, &models.Softmax{Axis: along - 1}, x)
}

// convertSum adds any number of values.
func convertSum(b *builder, c *call) error {
	acc, err := b.value(c.in[0])
	if err != nil {
		return err
	}
	for i, name := range c.in[1:] {
		x, err := b.value(name)
		if err != nil {
			return err
		}
		if acc, err = b.op(fmt.Sprintf("%s.%d", b.title(c.nodeProto, 0), i), &models.Binary{Kind: models.Add}, acc, x); err != nil {
			return err
		}
	}
	b.values[c.out[0]] = acc
	return nil
}
