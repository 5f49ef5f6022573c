package config

import (
	"slices"
	"strconv"
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
	"MobileNetV4ConvSmall":    convSmall(),
	"MobileNetV4ConvMedium":   convMedium(),
	"MobileNetV4ConvLarge":    convLarge(),
	"MobileNetV4HybridMedium": hybridMedium(),
	"MobileNetV4HybridLarge":  hybridLarge(),
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

// scaledUIB has layer scale, as the hybrids' do.
func scaledUIB(in, out, start, middle, stride int, expand float64) Block {
	b := uib(in, out, start, middle, stride, expand)
	b.LayerScale = true
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

// fusedIB is the tutorial's, without activation in front of the next block unless act.
func fusedIB(in, out, stride int, expand float64, act bool) Block {
	return Block{Kind: FusedIB, In: in, Out: out, Hidden: roundHalfEven(float64(in) * expand), Stride: stride, Act: act}
}

// edgeIB is the paper's fused block.
func edgeIB(in, out, stride int, expand float64) Block {
	return Block{Kind: EdgeIB, In: in, Out: out, Hidden: expanded(in, expand), Stride: stride}
}

// mhsa takes channels, heads, channels of a head, and the stride of keys and values.
func mhsa(channels, heads, dim, kvStride int) Block {
	return Block{Kind: MHSA, In: channels, Out: channels, Heads: heads, Dim: dim, Stride: 1, KVStride: kvStride}
}
