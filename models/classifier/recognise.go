package classifier

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"spotter/models"
	"spotter/models/config"
	"spotter/models/say"
)

// Recognise finds the classifier that a state_dict belongs to, by names and shapes;
// nil when it is none. Structure that no parameter tells (strides, activation) is
// taken as timm or the tutorial has it: weights of timm's variants with anti-aliasing
// (conv_aa, conv_blur) look the same and are not told apart.
// An error says what is wrong with weights that nearly are a classifier's.
func Recognise(w models.Weights) (*Spec, error) {
	if prefix, ok := owner(w, "conv_stem.weight"); ok && w[prefix+"conv_head.weight"] != nil {
		return recogniseTimm(w, prefix)
	}
	if prefix, ok := owner(w, "conv0.convbn_0.conv.weight"); ok {
		return recogniseTutorial(w, prefix)
	}
	return nil, nil
}

// owner is the prefix of a parameter that is there once.
func owner(w models.Weights, name string) (string, bool) {
	var found []string
	for have := range w {
		if prefix, ok := strings.CutSuffix(have, name); ok && (prefix == "" || strings.HasSuffix(prefix, ".")) {
			found = append(found, prefix)
		}
	}
	if len(found) != 1 {
		return "", false
	}
	return found[0], true
}

func recogniseTimm(w models.Weights, prefix string) (*Spec, error) {
	r := &shapes{w: w}
	s := &Spec{Naming: Timm, Prefix: prefix, Linear: prefix + "classifier", HeadNorm: "norm_head"}
	if w[prefix+"norm_head.weight"] == nil {
		s.HeadNorm = "bn2"
	}
	stem := r.conv(prefix+"conv_stem.weight", 2)
	b := &config.BackboneSpec{Act: models.ActReLU, Residual: true, Stages: []config.Stage{{Name: "conv0", Blocks: []config.Block{stem}}}}
	attention := false
	for i := 0; r.has(fmt.Sprintf("%sblocks.%d.0.", prefix, i)); i++ {
		stage := config.Stage{Name: fmt.Sprintf("layer%d", i+1)}
		last := !r.has(fmt.Sprintf("%sblocks.%d.0.", prefix, i+1))
		for k := 0; r.has(fmt.Sprintf("%sblocks.%d.%d.", prefix, i, k)); k++ {
			stride := 1
			if k == 0 && !last {
				stride = 2
			}
			block := r.block(fmt.Sprintf("%sblocks.%d.%d.", prefix, i, k), stride)
			attention = attention || block.Kind == config.MHSA
			stage.Blocks = append(stage.Blocks, block)
		}
		b.Stages = append(b.Stages, stage)
	}
	if attention && stem.Out < 32 {
		b.Act = models.ActGELU // HybridLarge and its narrower forms
	}
	if len(b.Stages) == 1 {
		return nil, say.Errorf("this is a MobileNetV4 of timm, but %sblocks.0.0 is missing", prefix)
	}
	end := &b.Stages[len(b.Stages)-1]
	end.Blocks = append(end.Blocks, r.conv(prefix+"conv_head.weight", 1))
	s.Backbone, s.Classes = b, r.shape(s.Linear + ".weight")[0]
	s.Variant = variantOf(s)
	return s, r.err
}

func variantOf(s *Spec) string {
	for _, v := range Variants {
		known, err := New(v, s.Naming, s.Classes)
		if err == nil && reflect.DeepEqual(known.Backbone, s.Backbone) {
			return v
		}
	}
	return ""
}

// shapes reads a structure off parameters; the first error stays.
type shapes struct {
	w   models.Weights
	err error
}

// parts tell the kinds of timm's blocks.
var parts = []string{timmNames.query, timmNames.expand.conv, timmNames.edge.conv, timmNames.conv.conv}

func (r *shapes) has(path string) bool {
	return slices.ContainsFunc(parts, func(p string) bool { return r.w[path+p+".weight"] != nil })
}

// shape of a weight: of a convolution in four dimensions, of a linear layer filled up to four.
func (r *shapes) shape(name string) [4]int {
	t := r.w[name]
	if t == nil || len(t.Shape) != 4 && len(t.Shape) != 2 || models.Shape(t.Shape).Elements() == 0 {
		if r.err == nil {
			r.err = say.Errorf("this is a MobileNetV4 of timm, but %s is missing or no convolution's", name)
		}
		return [4]int{1, 1, 1, 1}
	}
	shape := [4]int{1, 1, 1, 1}
	copy(shape[:], t.Shape)
	return shape
}

// kernel of a depthwise convolution; 0 when there is none.
func (r *shapes) kernel(name string) int {
	if r.w[name] == nil {
		return 0
	}
	return r.shape(name)[2]
}

func (r *shapes) conv(name string, stride int) config.Block {
	s := r.shape(name)
	return config.Block{Kind: config.ConvBN, In: s[1], Out: s[0], Kernel: s[2], Stride: stride}
}

func (r *shapes) block(path string, stride int) config.Block {
	n := timmNames
	weight := func(part string) string { return path + part + ".weight" }
	switch {
	case r.w[weight(n.query)] != nil:
		q, k := r.shape(weight(n.query)), r.shape(weight(n.key))
		b := config.Block{Kind: config.MHSA, In: q[1], Out: q[1], Heads: q[0] / k[0], Dim: k[0], Stride: 1, KVStride: 1}
		if r.w[weight(n.keyDown.conv)] != nil {
			b.KVStride = 2
		}
		return b
	case r.w[weight(n.expand.conv)] != nil:
		e, o := r.shape(weight(n.expand.conv)), r.shape(weight(n.out.conv))
		b := config.Block{Kind: config.UIB, In: e[1], Hidden: e[0], Out: o[0], Stride: stride, LayerScale: r.w[path+n.gamma] != nil,
			Start: r.kernel(weight(n.start.conv)), Middle: r.kernel(weight(n.middle.conv)), StartStride: 1, MiddleStride: stride}
		if b.Middle == 0 {
			b.StartStride = stride
		}
		return b
	case r.w[weight(n.edge.conv)] != nil:
		e, o := r.shape(weight(n.edge.conv)), r.shape(weight(n.edgeOut.conv))
		return config.Block{Kind: config.EdgeIB, In: e[1], Hidden: e[0], Out: o[0], Stride: stride}
	}
	return r.conv(weight(n.conv.conv), stride)
}

// recogniseTutorial tries the variants: the tutorial's names tell kinds, not strides.
func recogniseTutorial(w models.Weights, prefix string) (*Spec, error) {
	linear := ""
	for name, t := range w {
		if path, ok := strings.CutSuffix(name, ".weight"); ok && len(t.Shape) == 2 && w[path+".bias"] != nil {
			if linear != "" {
				return nil, say.Errorf("this is a MobileNetV4 with two linear layers, %s and %s: one is expected", linear, path)
			}
			linear = path
		}
	}
	if linear == "" {
		return nil, nil // a backbone, or a detector without its YAML
	}
	for _, v := range Variants {
		s, err := New(v, Tutorial, w[linear+".weight"].Shape[0])
		if err != nil {
			return nil, err
		}
		s.Prefix, s.Linear = prefix, linear
		g, err := s.Graph(0)
		if err == nil && s.fits(g, w) {
			return s, nil
		}
	}
	return nil, say.Errorf("the parameters %sconv0... with %s fit no MobileNetV4 of the tutorial", prefix, linear)
}

// fits says whether w has every parameter of the graph in its shape.
func (s *Spec) fits(g *models.Graph, w models.Weights) bool {
	for _, p := range g.Params() {
		t := w[p.Name]
		if t == nil || !slices.Equal(t.Shape, p.Shape) && p.Name != s.Linear+".weight" {
			return false
		}
	}
	return true
}

// Fit gives the weights as the graph names and shapes them: a linear layer is a 1x1
// convolution there. Counters and copies are left out; the weights themselves are
// not copied. What is missing or misshaped is an error.
func (s *Spec) Fit(g *models.Graph, w models.Weights) (models.Weights, error) {
	out := models.Weights{}
	for _, p := range g.Params() {
		t := w[p.Name]
		if t == nil {
			continue // CheckWeights says so
		}
		if p.Name == s.Linear+".weight" && len(t.Shape) == 2 {
			t = &models.Tensor{Shape: append(slices.Clone(t.Shape), 1, 1), Data: t.Data, Half: t.Half}
		}
		out[p.Name] = t
	}
	return out, g.CheckWeights(out)
}
