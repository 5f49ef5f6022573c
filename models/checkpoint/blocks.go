package checkpoint

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"spotter/models"
	"spotter/models/config"
	"spotter/models/say"
)

// backbone reads the blocks of a MobileNetV4 off the shapes of its parameters; nil
// where model.0 is none. Strides are the pickled modules' where there are any; else
// the family's: convolutions larger than one pixel halve the map, and so does the
// first inverted bottleneck of each stage.
func (c *Checkpoint) backbone() (*backbone, error) {
	r := blockReader{c: c, prefix: "model.0.", spec: &config.BackboneSpec{}}
	for _, stage := range stages {
		if err := r.stage(stage); err != nil {
			return nil, err
		}
	}
	if len(r.spec.Stages[0].Blocks) == 0 {
		return nil, nil
	}
	for _, m := range c.Modules {
		if m.Class == "MobileNetV4" {
			r.activation()
		}
	}
	return &backbone{spec: r.spec}, nil
}

type blockReader struct {
	c      *Checkpoint
	prefix string
	spec   *config.BackboneSpec
}

// stage collects a stage's blocks in order: uib_0, mhsa_0, uib_1, ...
func (r *blockReader) stage(name string) error {
	stage := config.Stage{Name: name}
	prefix := r.prefix + name + "."
	var names []string
	for _, param := range r.c.order {
		rest, ok := strings.CutPrefix(param, prefix)
		block, _, _ := strings.Cut(rest, ".")
		if ok && !slices.Contains(names, block) {
			names = append(names, block)
		}
		if len(names) > maxBlocks {
			return say.Errorf("%s has more than %d blocks", name, maxBlocks)
		}
	}
	slices.SortStableFunc(names, func(a, b string) int {
		if d := cmp.Compare(blockNumber(a), blockNumber(b)); d != 0 {
			return d
		}
		return cmp.Compare(b, a) // attention follows the block of its number
	})
	for _, block := range names {
		b, err := r.block(prefix+block, block, len(stage.Blocks) == 0)
		if err != nil {
			return err
		}
		stage.Blocks = append(stage.Blocks, b)
	}
	r.spec.Stages = append(r.spec.Stages, stage)
	return nil
}

// maxBlocks of a stage; the largest has 25.
const maxBlocks = 1000

// blockNumber is the number behind the last underscore, -1 when there is none.
func blockNumber(name string) int {
	n, err := strconv.Atoi(name[strings.LastIndexByte(name, '_')+1:])
	if err != nil {
		return -1
	}
	return n
}

func (r *blockReader) block(path, name string, first bool) (config.Block, error) {
	kind := name[:max(strings.LastIndexByte(name, '_'), 0)]
	b := config.Block{Name: name, Kind: config.BlockKind(kind), Stride: 1}
	var ok bool
	switch b.Kind {
	case config.ConvBN:
		ok = r.convBN(&b, path)
	case config.UIB:
		ok = r.uib(&b, path, first)
	case config.FusedIB:
		ok = r.fused(&b, path, first)
	case config.MHSA:
		ok = r.attention(&b, path)
	}
	if !ok {
		return b, say.Errorf("%s is no block of MobileNetV4 that is known: its parameters have other names or shapes", path)
	}
	return b, nil
}

// conv gives a unit's convolution: out, in per group, kernel.
func (r *blockReader) conv(path string) (out, in, kernel int, ok bool) {
	s := r.c.Shape(path + ".conv.weight")
	if len(s) != 4 || s[2] != s[3] {
		return 0, 0, 0, false
	}
	return s[0], s[1], s[2], true
}

// stride is the pickled convolution's, or the family's.
func (r *blockReader) stride(path string, otherwise int) int {
	m, ok := r.c.Modules[path+".conv"]
	if !ok {
		return otherwise
	}
	if n, ok := firstInt(m.object.Attr("stride")); ok && n > 0 {
		return n
	}
	return otherwise
}

func (r *blockReader) convBN(b *config.Block, path string) (ok bool) {
	b.Out, b.In, b.Kernel, ok = r.conv(path)
	b.Stride = r.stride(path, 1+btoi(b.Kernel > 1))
	return ok
}

func (r *blockReader) uib(b *config.Block, path string, first bool) bool {
	var expand, project bool
	b.Hidden, b.In, _, expand = r.conv(path + "._expand_conv")
	b.Out, _, _, project = r.conv(path + "._proj_conv")
	_, _, b.Start, _ = r.conv(path + "._start_dw_")
	_, _, b.Middle, _ = r.conv(path + "._middle_dw")
	b.LayerScale = r.c.Shape(path+".layer_scale._gamma") != nil
	b.StartStride, b.MiddleStride = 1, 1+btoi(first)
	if b.Middle == 0 {
		b.StartStride = 1 + btoi(first)
	}
	b.StartStride = r.stride(path+"._start_dw_", b.StartStride)
	b.MiddleStride = r.stride(path+"._middle_dw", b.MiddleStride)
	b.Stride = 1
	if b.Start > 0 {
		b.Stride = b.StartStride
	}
	if b.Middle > 0 {
		b.Stride *= b.MiddleStride
	}
	return expand && project
}

// fused reads both forms: the tutorial's, 1x1 expansion and depthwise, and the paper's,
// one dense expansion.
func (r *blockReader) fused(b *config.Block, path string, first bool) bool {
	path += ".block"
	out, _, _, project := r.conv(path + ".red_1x1")
	b.Out = out
	hidden, in, kernel, expands := r.conv(path + ".exp_1x1")
	if expands && kernel > 1 {
		b.Kind, b.Hidden, b.In = config.EdgeIB, hidden, in
		b.Stride = r.stride(path+".exp_1x1", 1+btoi(first))
		return project
	}
	width, _, _, depthwise := r.conv(path + ".conv_3x3")
	b.Hidden, b.In = width, width
	if expands {
		b.In = in
	}
	b.Stride = r.stride(path+".conv_3x3", 1+btoi(first))
	_, b.Act = r.c.Modules[path+".red_1x1.Activation"]
	b.Act = b.Act || r.c.Modules == nil // the tutorial's table has it
	return depthwise && project
}

func (r *blockReader) attention(b *config.Block, path string) bool {
	inner := path + ".multi_query_attention."
	heads, in, _, query := r.conv(inner + "_query_proj")
	dim, _, _, key := r.conv(inner + "_key_proj")
	out, _, _, project := r.conv(inner + "_output_proj")
	if !query || !key || !project || dim == 0 {
		return false
	}
	b.In, b.Out, b.Heads, b.Dim, b.KVStride = in, out, heads/dim, dim, 1
	if _, _, _, ok := r.conv(inner + "_key_dw_conv"); ok {
		b.KVStride = r.stride(inner+"_key_dw_conv", 2)
	}
	r.spec.Residual = true
	return true
}

// activation takes the backbone's from its first pickled one.
func (r *blockReader) activation() {
	switch r.c.Modules[r.prefix+"conv0.convbn_0.Activation"].Class {
	case "ReLU6":
		r.spec.Act = models.ActReLU6
	case "ReLU":
		r.spec.Act = models.ActReLU
	case "GELU":
		r.spec.Act = models.ActGELU
	}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}
