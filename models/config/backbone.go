package config

import (
	"math"
	"slices"

	"spotter/models"
)

// BlockKind is a kind of MobileNetV4 block.
type BlockKind string

// Kinds, named as in the tutorial's table.
const (
	ConvBN  BlockKind = "convbn"   // convolution, BatchNorm, activation
	UIB     BlockKind = "uib"      // universal inverted bottleneck: up to two depthwise convolutions
	FusedIB BlockKind = "fused_ib" // the tutorial's: 1x1, depthwise 3x3, 1x1
	EdgeIB  BlockKind = "edge_ib"  // the paper's fused one: dense 3x3, 1x1
	MHSA    BlockKind = "mhsa"     // mobile multi-query attention
)

// Block is one block with everything resolved. Channels are counts, kernels and strides
// pixels; a depthwise kernel of 0 means that there is none.
type Block struct {
	Kind          BlockKind
	Name          string // its parameters stand under model.0.STAGE.NAME
	In, Out       int
	Hidden        int  // expanded channels of UIB, FusedIB and EdgeIB
	Kernel        int  // of ConvBN
	Stride        int  // of the whole block
	Act           bool // FusedIB: activation behind the projection
	Start, Middle int  // UIB's depthwise kernels
	StartStride   int  // of that depthwise
	MiddleStride  int
	LayerScale    bool // UIB: multiplies its result per channel
	Heads, Dim    int  // MHSA
	KVStride      int  // MHSA: 2 halves the size of keys and values
}

// Stage is a run of blocks: conv0, layer1 ... layer5.
type Stage struct {
	Name   string
	Blocks []Block
}

// BackboneSpec is a MobileNetV4: its stages, in order, and its activation.
type BackboneSpec struct {
	Stages   []Stage
	Act      models.ActKind
	Residual bool // UIBs add their input whatever the options say (hybrids)
}

// mobileNet is the module of a backbone from the table of specs.
func mobileNet(name string) *module {
	return &module{torch: name, backbone: true, lists: func(l *layer) []*models.Value {
		spec := l.opts.Backbone
		if spec == nil {
			spec = Backbone(name)
		}
		return l.mobileNet(spec)
	}}
}

// mobileNet builds all stages and gives the maps at strides 4, 8, 16 and 32, the last of each.
func (l *layer) mobileNet(spec *BackboneSpec) []*models.Value {
	l.args.atMost(0)
	if len(l.values) > 0 || l.in[0] != l.graph.Input {
		return []*models.Value{l.fail("a MobileNetV4 must be the first row")}
	}
	l.count(2) // the network and its ModuleList features
	m := &mobile{layer: l, act: activation{Activation: models.Activation{Kind: spec.Act}}}
	m.residual = spec.Residual || l.opts.Residual
	maps := make([]*models.Value, 4)
	x := l.in[0]
	for _, stage := range spec.Stages {
		l.count(1)
		for _, block := range stage.Blocks {
			x = m.block(l.name+"."+stage.Name+"."+block.Name, x, block)
		}
		stride := l.graph.Input.Shape[1] / x.Shape[1]
		if i := slices.Index([]int{4, 8, 16, 32}, stride); i >= 0 {
			maps[i] = x
		}
	}
	for i, m := range maps {
		if m == nil && l.err == nil {
			return []*models.Value{l.fail("the backbone gives no map at stride %d", 4<<i)}
		}
	}
	return maps
}

// mobile builds MobileNetV4's blocks.
type mobile struct {
	*layer
	act      activation
	residual bool
}

func (m *mobile) block(name string, x *models.Value, s Block) *models.Value {
	if m.err == nil && x.Shape[0] != s.In {
		return m.fail("%s takes %d channels and would get %d", name, s.In, x.Shape[0])
	}
	switch s.Kind {
	case ConvBN:
		return m.unit(name, x, square(s.Out, s.Kernel, s.Stride), m.act)
	case UIB:
		return m.uib(name, x, s)
	case FusedIB:
		return m.fusedIB(name, x, s)
	case EdgeIB:
		return m.edgeIB(name, x, s)
	case MHSA:
		return m.mhsa(name, x, s)
	}
	return m.fail("%s is a block of unknown kind %q", name, s.Kind)
}

// unit is the tutorial's conv_2d: convolution, BatchNorm and, where there is one, activation.
func (m *mobile) unit(name string, x *models.Value, s convSpec, a activation) *models.Value {
	m.count(1)
	s.pad = &[2]int{(s.kernel[0] - 1) / 2, (s.kernel[1] - 1) / 2}
	x = m.conv2d(name+".conv", x, s)
	x = m.batchNorm(name+".BatchNorm2d", x)
	if a.Kind == models.ActNone {
		return x
	}
	return m.activate(name+".Activation", a, x)
}

// uib is the universal inverted bottleneck (paper, section 3.1): depthwise, 1x1 expansion,
// depthwise, 1x1 projection, where both depthwise convolutions are optional. No activation
// follows the first depthwise and the projection.
func (m *mobile) uib(name string, x *models.Value, s Block) *models.Value {
	m.count(1)
	y, none := x, activation{}
	if s.Start > 0 {
		y = m.unit(name+"._start_dw_", y, square(s.In, s.Start, s.StartStride).in(s.In), none)
	}
	y = m.unit(name+"._expand_conv", y, square(s.Hidden, 1, 1), m.act)
	if s.Middle > 0 {
		y = m.unit(name+"._middle_dw", y, square(s.Hidden, s.Middle, s.MiddleStride).in(s.Hidden), m.act)
	}
	y = m.unit(name+"._proj_conv", y, square(s.Out, 1, 1), none)
	if s.LayerScale {
		y = m.scale(name, y)
	}
	return m.skip(name, x, y, s)
}

// scale multiplies each channel by a learnt number (layer scale).
func (m *mobile) scale(name string, y *models.Value) *models.Value {
	m.count(1)
	return m.node(name+".layer_scale", &models.Scale{Weight: name + ".layer_scale._gamma"}, y)
}

// skip adds a block's input where the network does so and stride and channels allow.
func (m *mobile) skip(name string, x, y *models.Value, s Block) *models.Value {
	if m.residual && s.Stride == 1 && s.In == s.Out {
		return m.add(name+".add", x, y)
	}
	return y
}

// fusedIB is the tutorial's InvertedResidual; it adds its input in either form.
func (m *mobile) fusedIB(name string, x *models.Value, s Block) *models.Value {
	m.count(2) // the block and its Sequential
	last := activation{}
	if s.Act {
		last = m.act
	}
	y := x
	if s.Hidden != s.In {
		y = m.unit(name+".block.exp_1x1", y, square(s.Hidden, 1, 1), m.act)
	}
	y = m.unit(name+".block.conv_3x3", y, square(s.Hidden, 3, s.Stride).in(s.Hidden), m.act)
	y = m.unit(name+".block.red_1x1", y, square(s.Out, 1, 1), last)
	if s.Stride == 1 && s.In == s.Out {
		y = m.add(name+".add", x, y)
	}
	return y
}

// edgeIB is the paper's fused inverted bottleneck: a dense 3x3 expansion and a 1x1
// projection. The expansion keeps the name exp_1x1 of the tutorial's block.
func (m *mobile) edgeIB(name string, x *models.Value, s Block) *models.Value {
	m.count(2) // the block and its Sequential
	y := m.unit(name+".block.exp_1x1", x, square(s.Hidden, 3, s.Stride), m.act)
	y = m.unit(name+".block.red_1x1", y, square(s.Out, 1, 1), activation{})
	return m.skip(name, x, y, s)
}

// mhsa is mobile multi-query attention (paper, section 3.2): all heads share one key and
// one value, computed at half the size where KVStride is 2.
func (m *mobile) mhsa(name string, x *models.Value, s Block) *models.Value {
	m.count(2) // the block and its attention
	attention := name + ".multi_query_attention."
	normed := m.batchNorm(name+"._input_norm", x)
	query := m.bare(attention+"_query_proj", normed, s.Heads*s.Dim)
	var shared [2]*models.Value
	for i, part := range []string{"_key", "_value"} {
		y := normed
		if s.KVStride > 1 {
			y = m.unit(attention+part+"_dw_conv", y, square(s.In, 3, s.KVStride).in(s.In), activation{})
		}
		shared[i] = m.bare(attention+part+"_proj", y, s.Dim)
	}
	scale := float32(1 / math.Sqrt(float64(s.Dim)))
	y := m.node(name+".mqa", &models.MQA{Heads: s.Heads, Dim: s.Dim, Scale: scale}, query, shared[0], shared[1])
	y = m.bare(attention+"_output_proj", y, s.Out)
	return m.add(name+".add", x, m.scale(name, y))
}

// bare is a 1x1 convolution without normalisation, in a Sequential.
func (m *mobile) bare(name string, x *models.Value, out int) *models.Value {
	m.count(1)
	return m.conv2d(name+".conv", x, square(out, 1, 1))
}
