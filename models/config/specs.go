package config

import (
	"slices"
	"strconv"

	"spotter/models"
)

// The MobileNetV4 backbones. The Conv variants are the tutorial's tables; the
// hybrids, which it leaves open, are the paper's.

// Backbone gives a copy of a backbone by its module name, for example
// MobileNetV4ConvSmall; nil for other names.
func Backbone(name string) *BackboneSpec {
	spec, ok := backbones[name]
	if !ok {
		return nil
	}
	copied := *spec
	copied.Stages = slices.Clone(spec.Stages)
	for i := range copied.Stages {
		copied.Stages[i].Blocks = slices.Clone(spec.Stages[i].Blocks)
	}
	return &copied
}

var backbones = map[string]*BackboneSpec{
	"MobileNetV4ConvSmall": convSmall(),
}

// stage names its blocks KIND_i; attention takes the number of the block before it.
func stage(name string, blocks ...Block) Stage {
	next := 0
	for i := range blocks {
		b := &blocks[i]
		number := next
		if b.Kind == MHSA {
			number = next - 1
		} else {
			next++
		}
		b.Name = blockPrefix(b.Kind) + "_" + strconv.Itoa(number)
	}
	return Stage{Name: name, Blocks: blocks}
}

// blockPrefix is the kind as names have it: both fused blocks share one.
func blockPrefix(k BlockKind) string {
	if k == EdgeIB {
		k = FusedIB
	}
	return string(k)
}

func convBN(in, out, kernel, stride int) Block {
	return Block{Kind: ConvBN, In: in, Out: out, Kernel: kernel, Stride: stride}
}

// uib takes kernels of the first and the middle depthwise (0 for none), the stride,
// which the middle one has where there is one, and the expansion.
func uib(in, out, start, middle, stride int, expand float64) Block {
	b := Block{
		Kind: UIB, In: in, Out: out, Hidden: expanded(in, expand), Stride: stride,
		Start: start, Middle: middle, StartStride: 1, MiddleStride: stride,
	}
	if middle == 0 {
		b.StartStride = stride
	}
	return b
}

// expanded is TensorFlow's make_divisible: the nearest multiple of 8, but not more
// than 10% below.
func expanded(in int, ratio float64) int {
	want := float64(in) * ratio
	n := max(8, int(want+4)/8*8)
	if float64(n) < 0.9*want {
		n += 8
	}
	return n
}

func repeat(n int, b Block) []Block {
	return slices.Repeat([]Block{b}, n)
}

func blocks(lists ...[]Block) []Block { return slices.Concat(lists...) }

func one(b ...Block) []Block { return b }

func convSmall() *BackboneSpec {
	return &BackboneSpec{Act: models.ActReLU6, Stages: []Stage{
		stage("conv0", convBN(3, 32, 3, 2)),
		stage("layer1", convBN(32, 32, 3, 2), convBN(32, 32, 1, 1)),
		stage("layer2", convBN(32, 96, 3, 2), convBN(96, 64, 1, 1)),
		stage("layer3", blocks(
			one(uib(64, 96, 5, 5, 2, 3)),
			repeat(4, uib(96, 96, 0, 3, 1, 2)),
			one(uib(96, 96, 3, 0, 1, 4)))...),
		stage("layer4",
			uib(96, 128, 3, 3, 2, 6),
			uib(128, 128, 5, 5, 1, 4),
			uib(128, 128, 0, 5, 1, 4),
			uib(128, 128, 0, 5, 1, 3),
			uib(128, 128, 0, 3, 1, 4),
			uib(128, 128, 0, 3, 1, 4)),
		stage("layer5", convBN(128, 960, 1, 1), convBN(960, 1280, 1, 1)),
	}}
}
