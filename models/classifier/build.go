package classifier

import (
	"fmt"
	"math"

	"spotter/models"
	"spotter/models/config"
)

// epsilon of every BatchNorm is PyTorch's own.
const epsilon = 1e-5

// Graph builds the network for a square input of side pixels (0 is Side). Its
// output is the logits, [Classes, 1, 1].
func (s *Spec) Graph(side int) (*models.Graph, error) {
	if side == 0 {
		side = s.Side()
	}
	b := &builder{spec: s, names: s.names(), g: &models.Graph{
		Name:  s.Name(),
		Input: &models.Value{Name: "images", Shape: models.Shape{3, side, side}},
		Head:  models.Head{Kind: models.HeadClassify, Classes: s.Classes, Proto: -1},
		Feed:  Feed(),
	}}
	for i := range s.Classes {
		b.g.Classes = append(b.g.Classes, fmt.Sprintf("class %d", i))
	}
	x := b.g.Input
	for i, stage := range s.Backbone.Stages {
		for k := range stage.Blocks {
			x = b.stageBlock(i, k, x)
		}
	}
	x = b.row("Linear", x, func() *models.Value {
		if s.Naming == Tutorial {
			x = b.node("pool", &models.GlobalAvgPool{}, x)
		}
		return b.conv(s.Linear, x, s.Classes, 1, 1, 1, s.Linear+".bias")
	})
	b.g.Outputs = []*models.Value{x}
	return b.g, b.err
}

// builder appends nodes; the first error stays.
type builder struct {
	spec  *Spec
	names *names
	g     *models.Graph
	err   error
}

// stageBlock builds a block with timm's two exceptions: the stem has no number, and
// the last convolution comes behind the pool.
func (b *builder) stageBlock(stage, index int, x *models.Value) *models.Value {
	s, stages := b.spec, b.spec.Backbone.Stages
	block := &stages[stage].Blocks[index]
	return b.row(string(block.Kind), x, func() *models.Value {
		last := stage == len(stages)-1 && index == len(stages[stage].Blocks)-1
		switch {
		case s.Naming == Timm && stage == 0:
			return b.unit(unit{s.Prefix + "conv_stem", s.Prefix + "bn1"}, x, block.Out, block.Kernel, block.Stride, 1, true)
		case s.Naming == Timm && last:
			x = b.node(s.Prefix+"global_pool", &models.GlobalAvgPool{}, x)
			return b.unit(unit{s.Prefix + "conv_head", s.Prefix + s.HeadNorm}, x, block.Out, 1, 1, 1, true)
		}
		return b.block(s.path(stage, index, block), x, block)
	})
}

func (b *builder) block(path string, x *models.Value, s *config.Block) *models.Value {
	n := b.names
	at := func(u unit) unit { return unit{path + u.conv, path + u.norm} }
	switch s.Kind {
	case config.ConvBN:
		return b.unit(at(n.conv), x, s.Out, s.Kernel, s.Stride, 1, true)
	case config.EdgeIB:
		y := b.unit(at(n.edge), x, s.Hidden, 3, s.Stride, 1, true)
		return b.skip(path, s, x, b.unit(at(n.edgeOut), y, s.Out, 1, 1, 1, false))
	case config.FusedIB:
		y := b.unit(at(n.fused), x, s.Hidden, 1, 1, 1, true)
		y = b.unit(at(n.fusedMiddle), y, s.Hidden, 3, s.Stride, s.Hidden, true)
		return b.skip(path, s, x, b.unit(at(n.edgeOut), y, s.Out, 1, 1, 1, s.Act))
	case config.MHSA:
		return b.attention(path, x, s)
	case config.UIB:
		y := x
		if s.Start > 0 {
			y = b.unit(at(n.start), y, s.In, s.Start, s.StartStride, s.In, false)
		}
		y = b.unit(at(n.expand), y, s.Hidden, 1, 1, 1, true)
		if s.Middle > 0 {
			y = b.unit(at(n.middle), y, s.Hidden, s.Middle, s.MiddleStride, s.Hidden, true)
		}
		y = b.unit(at(n.out), y, s.Out, 1, 1, 1, false)
		if s.LayerScale {
			y = b.scale(path, y)
		}
		return b.skip(path, s, x, y)
	}
	panic("BUG: a block of kind " + string(s.Kind))
}

// attention is mobile multi-query attention (paper, section 3.2).
func (b *builder) attention(path string, x *models.Value, s *config.Block) *models.Value {
	n := b.names
	normed := b.norm(path+n.norm, x)
	query := b.conv(path+n.query, normed, s.Heads*s.Dim, 1, 1, 1, "")
	shared := func(name string, down unit) *models.Value {
		y := normed
		if s.KVStride > 1 {
			y = b.unit(unit{path + down.conv, path + down.norm}, y, s.In, 3, s.KVStride, s.In, false)
		}
		return b.conv(path+name, y, s.Dim, 1, 1, 1, "")
	}
	key, value := shared(n.key, n.keyDown), shared(n.value, n.valueDown)
	op := &models.MQA{Heads: s.Heads, Dim: s.Dim, Scale: float32(1 / math.Sqrt(float64(s.Dim)))}
	y := b.conv(path+n.attnOut, b.node(path+"mqa", op, query, key, value), s.Out, 1, 1, 1, "")
	return b.add(path, x, b.scale(path, y))
}

// unit is a convolution that keeps the size at stride 1, BatchNorm and activation.
func (b *builder) unit(u unit, x *models.Value, out, kernel, stride, groups int, act bool) *models.Value {
	y := b.norm(u.norm, b.conv(u.conv, x, out, kernel, stride, groups, ""))
	if !act {
		return y
	}
	return b.node(u.norm+".act", &models.Activation{Kind: b.spec.Backbone.Act}, y)
}

func (b *builder) conv(name string, x *models.Value, out, kernel, stride, groups int, bias string) *models.Value {
	p := kernel / 2
	return b.node(name, &models.Conv{
		Out: out, Kernel: [2]int{kernel, kernel}, Stride: [2]int{stride, stride}, Pad: [4]int{p, p, p, p},
		Dilation: [2]int{1, 1}, Groups: groups, Weight: name + ".weight", Bias: bias,
	}, x)
}

func (b *builder) norm(name string, x *models.Value) *models.Value {
	return b.node(name, &models.BatchNorm{
		Weight: name + ".weight", Bias: name + ".bias", Mean: name + ".running_mean", Var: name + ".running_var", Eps: epsilon,
	}, x)
}

func (b *builder) scale(path string, x *models.Value) *models.Value {
	return b.node(path+"layer_scale", &models.Scale{Weight: path + b.names.gamma}, x)
}

func (b *builder) skip(path string, s *config.Block, x, y *models.Value) *models.Value {
	fused := s.Kind == config.FusedIB // it adds whatever the network does
	if (b.spec.Backbone.Residual || fused) && s.Stride == 1 && s.In == s.Out {
		return b.add(path, x, y)
	}
	return y
}

func (b *builder) add(path string, x, y *models.Value) *models.Value {
	return b.node(path+"add", &models.Binary{Kind: models.Add}, x, y)
}

// node appends an operation of the last row.
func (b *builder) node(name string, op models.Op, in ...*models.Value) *models.Value {
	n := &models.Node{Name: name, Op: op, In: in, Layer: len(b.g.Layers) - 1}
	n.Out = &models.Value{Name: name, From: n, Shape: models.Shape{1, 1, 1}}
	if b.err != nil {
		return n.Out
	}
	b.err = models.InferNode(n, nil)
	b.g.Nodes = append(b.g.Nodes, n)
	return n.Out
}

// row is one line of the summary with the nodes that build makes.
func (b *builder) row(module string, x *models.Value, build func() *models.Value) *models.Value {
	first := len(b.g.Nodes)
	b.g.Layers = append(b.g.Layers, models.Layer{Index: len(b.g.Layers), From: "-1", Repeat: 1, Module: module})
	y := build()
	l := &b.g.Layers[len(b.g.Layers)-1]
	l.Args, l.Out = fmt.Sprintf("[%d, %d]", x.Shape[0], y.Shape[0]), []*models.Value{y}
	for _, n := range b.g.Nodes[first:] {
		l.Params += models.Trainable(n)
	}
	return y
}
