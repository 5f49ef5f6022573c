// Package classifier builds MobileNetV4 as an image classifier and recognises
// files of its weights: those of timm's mobilenetv4_* networks, and the tutorial's
// backbone with a linear layer behind it.
//
// The blocks are the paper's (arXiv 2404.10518, appendix D). Where the two name
// parameters, they also differ in structure: timm pools before the last 1x1
// convolution (960 to 1280 channels), the tutorial behind it; timm's inverted
// bottlenecks add their input and use ReLU (GELU in HybridLarge), the tutorial's
// use ReLU6 and add nothing; the fused block of ConvMedium and ConvLarge is a dense
// 3x3 and a 1x1 in timm and has a depthwise 3x3 in the tutorial.
package classifier

import (
	"slices"
	"strings"

	"spotter/models"
	"spotter/models/config"
	"spotter/models/say"
)

// Naming is whose names the parameters have.
type Naming string

// Namings.
const (
	Timm     Naming = "timm"     // conv_stem, bn1, blocks.S.B, conv_head, norm_head, classifier
	Tutorial Naming = "tutorial" // conv0.convbn_0, layer1 ... layer5, and a linear layer
)

// Spec is a classifier with everything that its graph depends on.
type Spec struct {
	Variant  string // ConvSmall ... HybridLarge; "" for other widths or depths
	Naming   Naming
	Prefix   string // of all parameters of the backbone, for example "module."
	Backbone *config.BackboneSpec
	HeadNorm string // the last BatchNorm where names differ: norm_head or bn2 (timm)
	Linear   string // name of the linear layer, without .weight
	Classes  int
}

// Variants lists the names that New knows.
var Variants = []string{"ConvSmall", "ConvMedium", "ConvLarge", "HybridMedium", "HybridLarge"}

// sides are the inputs in pixels that timm's weights do best with, by variant.
var sides = map[string]int{"ConvSmall": 256, "ConvMedium": 320, "ConvLarge": 448, "HybridMedium": 320, "HybridLarge": 448}

// side without a known variant.
const defaultSide = 256

// New is a variant with a number of classes.
func New(variant string, naming Naming, classes int) (*Spec, error) {
	if !slices.Contains(Variants, variant) {
		return nil, say.Errorf("there is no MobileNetV4 %.40q: there are %s", variant, strings.Join(Variants, ", "))
	}
	s := &Spec{Variant: variant, Naming: naming, Classes: classes, Linear: "classifier"}
	s.Backbone = config.Backbone("MobileNetV4" + variant)
	if naming == Timm {
		s.HeadNorm = "norm_head"
		s.Backbone = asTimm(s.Backbone)
	}
	return s, nil
}

// asTimm makes a backbone of config's table the one that timm has.
func asTimm(b *config.BackboneSpec) *config.BackboneSpec {
	b.Residual = true
	if b.Act == models.ActReLU6 {
		b.Act = models.ActReLU
	}
	for i := range b.Stages {
		for k := range b.Stages[i].Blocks {
			block := &b.Stages[i].Blocks[k]
			block.Name = "" // timm counts
			if block.Kind == config.FusedIB {
				block.Kind, block.Act = config.EdgeIB, false
			}
		}
	}
	return b
}

// Side is the input, in pixels, that the network is made for.
func (s *Spec) Side() int {
	if side, ok := sides[s.Variant]; ok {
		return side
	}
	return defaultSide
}

// Name is the network's name as timm writes it, for example mobilenetv4_conv_small.
func (s *Spec) Name() string {
	kind, size := "conv", strings.TrimPrefix(s.Variant, "Conv")
	if rest, ok := strings.CutPrefix(s.Variant, "Hybrid"); ok {
		kind, size = "hybrid", rest
	}
	if s.Variant == "" {
		return "mobilenetv4"
	}
	return "mobilenetv4_" + kind + "_" + strings.ToLower(size)
}

// Feed is ImageNet's preprocessing: the picture's middle, mean and deviation of the
// colours. timm resizes with bicubic filtering; this is bilinear.
func Feed() models.Feed {
	return models.Feed{
		Fit: models.FitCropCentre, Scale: 1.0 / 255,
		Mean: [3]float32{0.485, 0.456, 0.406}, Std: [3]float32{0.229, 0.224, 0.225},
	}
}
