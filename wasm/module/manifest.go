package module

import (
	"encoding/hex"
	"fmt"

	"spotter/models"
	"spotter/wasm/abi"
	"spotter/wasm/ir"
	"spotter/wasm/plan"
)

// manifest describes the module to its hosts.
func (b *builder) manifest() abi.Manifest {
	m := b.o.Manifest
	g := b.p.Graph
	m.ABI = abi.Version
	m.Features = []string{"simd"}
	if b.o.Relaxed {
		m.Features = append(m.Features, "relaxed")
	}
	if b.o.Shared {
		m.Features = append(m.Features, "threads")
	}
	m.Width, m.Height = b.p.Input.Shape[2], b.p.Input.Shape[1]
	m.Classes = g.Classes
	if m.Classes == nil {
		m.Classes = []string{}
	}
	m.Head = headInfo(&g.Head)
	m.Feed = abi.Feed{
		Fit: string(g.Feed.Fit), BGR: g.Feed.BGR, Pad: int(g.Feed.Pad), Scale: g.Feed.Scale, Mean: g.Feed.Mean, Std: g.Feed.Std,
	}
	sum := sum256(b.file.Bytes)
	m.Weights = abi.Weights{SHA256: hex.EncodeToString(sum[:]), Bytes: len(b.file.Bytes), Encoding: string(b.file.Encoding)}
	m.Memory = b.layout.Memory
	m.Layers = []abi.Layer{}
	for i := range b.steps {
		m.Layers = append(m.Layers, b.layer(&b.steps[i]))
	}
	m.Outputs = []abi.Tensor{}
	for _, v := range b.p.Outputs {
		m.Outputs = append(m.Outputs, b.tensor(v))
	}
	m.Input = b.tensor(b.p.Input)
	return m
}

func headInfo(h *models.Head) abi.Head {
	info := abi.Head{Kind: string(h.Kind), Classes: h.Classes, Masks: h.Masks, Strides: []int{}}
	for _, l := range h.Levels {
		info.Strides = append(info.Strides, l.Stride)
		var flat []float32
		for _, a := range l.Anchors {
			flat = append(flat, a[0], a[1])
		}
		if flat != nil {
			info.Anchors = append(info.Anchors, flat)
		}
	}
	return info
}

func (b *builder) layer(s *step) abi.Layer {
	view := func(v *ir.Value) []int {
		p := plan.View(v)
		return []int{p.H, p.W, p.C}
	}
	return abi.Layer{
		Name: s.Name, Op: describe(s.Step), Kernel: s.calls[0].Kernel, In: view(s.In[0]), Out: view(s.Out),
		MACs: s.MACs(), Params: s.Params(), Row: s.Layer, Tensor: b.tensor(s.Out),
	}
}

func (b *builder) tensor(v *ir.Value) abi.Tensor {
	p := plan.View(v)
	return abi.Tensor{
		Name: v.Name, Address: b.layout.Arena + b.arena.Offset(v), H: p.H, W: p.W, C: p.C,
		PixelStride: p.PixelStride, RowStride: p.RowStride,
	}
}

var actNames = map[models.ActKind]string{
	models.ActReLU: "relu", models.ActReLU6: "relu6", models.ActSiLU: "silu", models.ActSigmoid: "sigmoid",
	models.ActHardSwish: "hardswish", models.ActHardSigmoid: "hardsigmoid", models.ActLeakyReLU: "leakyrelu",
	models.ActGELU: "gelu", models.ActClip: "clip", models.ActTanh: "tanh", models.ActExp: "exp", models.ActSqrt: "sqrt", models.ActNeg: "neg",
}

// describe names a step as the layer table prints it: conv3x3s2+silu.
func describe(s *ir.Step) string {
	switch op := s.Op.(type) {
	case *ir.Conv:
		kind := "conv"
		switch {
		case op.Depthwise(s.In[0].Shape[0]):
			kind = "dw"
		case op.Groups > 1:
			kind = fmt.Sprintf("conv/%d", op.Groups)
		}
		text := fmt.Sprintf("%s%dx%d", kind, op.Kernel[0], op.Kernel[1])
		if op.Stride != [2]int{1, 1} {
			text += fmt.Sprintf("s%d", op.Stride[0])
		}
		if name := actNames[op.Act.Kind]; name != "" {
			text += "+" + name
		}
		if op.Residual {
			text += "+add"
		}
		if op.Pre {
			text = "add+" + text
		}
		return text
	case *models.Activation:
		return actNames[op.Kind]
	}
	return s.Op.OpName()
}
