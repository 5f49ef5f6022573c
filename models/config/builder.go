package config

import (
	"spotter/models"
	"spotter/models/say"
)

// Limits of a graph; the largest real one has about 1500 nodes and 87 million parameters.
const (
	maxNodes  = 20_000
	maxParams = 1 << 30
)

// epsilon of every BatchNorm: YOLOv5 sets it at start, in the backbone too.
const epsilon = 1e-3

// builder appends nodes to a graph and infers their shapes. The first error is
// kept in err; from then on nothing is added and values are placeholders.
type builder struct {
	graph   *models.Graph
	act     models.Activation // of the network's convolutions
	layer   int               // row that nodes belong to
	modules int               // torch modules in that row
	shared  bool              // the shared activation is in use
	err     error
}

// placeholder stands for a value after an error.
func placeholder() *models.Value { return &models.Value{Shape: models.Shape{1, 1, 1}} }

func (b *builder) fail(format string, args ...any) *models.Value {
	if b.err == nil {
		b.err = say.Errorf(format, args...)
	}
	return placeholder()
}

// node appends an operation and gives its output.
func (b *builder) node(name string, op models.Op, in ...*models.Value) *models.Value {
	if b.err != nil {
		return placeholder()
	}
	if len(b.graph.Nodes) >= maxNodes {
		return b.fail("the network has more than %d operations", maxNodes)
	}
	n := &models.Node{Name: name, Op: op, In: in, Layer: b.layer}
	n.Out = &models.Value{Name: name, From: n}
	if err := models.InferNode(n, nil); err != nil {
		return b.fail("%w", err)
	}
	b.graph.Nodes = append(b.graph.Nodes, n)
	return n.Out
}

// count adds torch modules to the row.
func (b *builder) count(n int) { b.modules += n }

// convSpec is a convolution as torch's nn.Conv2d takes it.
type convSpec struct {
	out            int
	kernel, stride [2]int  // height, width
	pad            *[2]int // nil keeps the size at stride 1
	groups         int     // 0 counts as 1
	dilation       int     // 0 counts as 1
	bias           bool
}

// square is a convolution with automatic padding.
func square(out, kernel, stride int) convSpec {
	return convSpec{out: out, kernel: [2]int{kernel, kernel}, stride: [2]int{stride, stride}}
}

func (s convSpec) in(groups int) convSpec {
	s.groups = groups
	return s
}

// conv2d adds a bare convolution: name.weight, and name.bias with bias.
func (b *builder) conv2d(name string, x *models.Value, s convSpec) *models.Value {
	b.count(1)
	d := max(s.dilation, 1)
	op := &models.Conv{
		Out: s.out, Kernel: s.kernel, Stride: s.stride, Dilation: [2]int{d, d},
		Groups: max(s.groups, 1), Weight: name + ".weight",
	}
	for i, k := range s.kernel {
		pad := (d*(k-1) + 1) / 2
		if s.pad != nil {
			pad = s.pad[i]
		}
		op.Pad[i], op.Pad[i+2] = pad, pad
	}
	if s.bias {
		op.Bias = name + ".bias"
	}
	return b.node(name, op, x)
}

func (b *builder) batchNorm(name string, x *models.Value) *models.Value {
	b.count(1)
	return b.node(name, &models.BatchNorm{
		Weight: name + ".weight", Bias: name + ".bias",
		Mean: name + ".running_mean", Var: name + ".running_var", Eps: epsilon,
	}, x)
}

// activate adds an activation; none adds nothing but torch's Identity to the count.
func (b *builder) activate(name string, a activation, x *models.Value) *models.Value {
	if a.shared {
		b.shared = true
	} else {
		b.count(1)
	}
	if a.Kind == models.ActNone {
		return x
	}
	act := a.Activation
	return b.node(name, &act, x)
}

// conv adds YOLOv5's Conv: convolution, BatchNorm and activation in name.conv, .bn and .act.
func (b *builder) conv(name string, x *models.Value, s convSpec, a activation) *models.Value {
	b.count(1)
	x = b.conv2d(name+".conv", x, s)
	x = b.batchNorm(name+".bn", x)
	return b.activate(name+".act", a, x)
}

// plain is conv with the network's activation.
func (b *builder) plain(name string, x *models.Value, s convSpec) *models.Value {
	return b.conv(name, x, s, b.own())
}

func (b *builder) own() activation { return activation{Activation: b.act, shared: true} }

func (b *builder) concat(name string, in ...*models.Value) *models.Value {
	return b.node(name, &models.Concat{Axis: 0}, in...)
}

func (b *builder) add(name string, x, y *models.Value) *models.Value {
	return b.node(name, &models.Binary{Kind: models.Add}, x, y)
}

// maxPool keeps the size at stride 1.
func (b *builder) maxPool(name string, x *models.Value, kernel, stride, pad int) *models.Value {
	return b.node(name, &models.MaxPool{
		Kernel: [2]int{kernel, kernel}, Stride: [2]int{stride, stride}, Pad: [4]int{pad, pad, pad, pad},
	}, x)
}
