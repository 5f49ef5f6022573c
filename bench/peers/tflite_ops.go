package peers

import (
	"encoding/binary"
	"fmt"

	flatbuffers "github.com/google/flatbuffers/go"
)

// step writes one step of the plan, with a PAD before it where SAME and VALID are not enough.
func (t *tflite) step(s step) error {
	in, out := make([]int32, len(s.In)), []int32{int32(s.Out)}
	for i, v := range s.In {
		in[i] = int32(v)
	}
	switch s.Op {
	case "conv", "depthwise":
		t.conv(s, in[0], out)
	case "maxpool":
		if !t.plan.same(s) {
			return fmt.Errorf("peers: max-pool with padding %v is not SAME", s.Pad)
		}
		t.operator(opMaxPool, in, out, optPool, t.pool(s))
	case "nearest":
		shape := t.plan.shapes[s.Out]
		size := t.constant("size", []int32{2}, typeInt32, int32s(int32(shape[0]), int32(shape[1])))
		options := t.table(2, func(*flatbuffers.Builder) {})
		t.operator(opNearest, append(in, size), out, optNearest, options)
	case "concat":
		options := t.table(2, func(b *flatbuffers.Builder) { b.PrependInt32Slot(0, 3, 0) })
		t.operator(opConcat, in, out, optConcat, options)
	case "add":
		t.operator(opAdd, in, out, optAdd, t.table(2, func(*flatbuffers.Builder) {}))
	case "mul":
		t.operator(opMul, in, out, optMul, t.table(1, func(*flatbuffers.Builder) {}))
	case "sigmoid":
		t.operator(opLogistic, in, out, 0, 0)
	case "relu":
		t.operator(opRelu, in, out, 0, 0)
	case "relu6":
		t.operator(opRelu6, in, out, 0, 0)
	default:
		panic("BUG: step " + s.Op + " has no TensorFlow Lite form")
	}
	return nil
}

// conv writes CONV_2D [O,KH,KW,I] or DEPTHWISE_CONV_2D [1,KH,KW,C].
func (t *tflite) conv(s step, in int32, out []int32) {
	padding := int8(padSame)
	if !t.plan.same(s) {
		in, padding = t.pad(s, in), padValid
	}
	code, option, order := int32(opConv), byte(optConv), [4]int{0, 2, 3, 1}
	if s.Op == "depthwise" {
		code, option, order = opDepthwise, optDepthwise, [4]int{1, 2, 3, 0}
	}
	shape := make([]int32, 4)
	for i, d := range order {
		shape[i] = int32(s.weight.Shape[d])
	}
	name := fmt.Sprintf("value%d", s.Out)
	weight := t.constant(name+"/weight", shape, typeFloat32, floats(nil, repack(s.weight, order)))
	bias := t.constant(name+"/bias", []int32{int32(len(s.bias.Data))}, typeFloat32, floats(nil, s.bias.Data))
	t.operator(code, []int32{in, weight, bias}, out, option, t.convOptions(s, padding))
}

func (t *tflite) convOptions(s step, padding int8) flatbuffers.UOffsetT {
	after := 3 // field of the activation; DepthwiseConv2DOptions has depth_multiplier before it
	if s.Op == "depthwise" {
		after = 4
	}
	return t.table(7, func(b *flatbuffers.Builder) {
		b.PrependInt8Slot(0, padding, 0)
		b.PrependInt32Slot(1, int32(s.Stride[1]), 0)
		b.PrependInt32Slot(2, int32(s.Stride[0]), 0)
		if s.Op == "depthwise" {
			b.PrependInt32Slot(3, 1, 0)
		}
		b.PrependInt8Slot(after, fusedActs[s.Act], 0)
		b.PrependInt32Slot(after+1, 1, 1)
		b.PrependInt32Slot(after+2, 1, 1)
	})
}

func (t *tflite) pool(s step) flatbuffers.UOffsetT {
	return t.table(6, func(b *flatbuffers.Builder) {
		b.PrependInt8Slot(0, padSame, 0)
		b.PrependInt32Slot(1, int32(s.Stride[1]), 0)
		b.PrependInt32Slot(2, int32(s.Stride[0]), 0)
		b.PrependInt32Slot(3, int32(s.Kernel[1]), 0)
		b.PrependInt32Slot(4, int32(s.Kernel[0]), 0)
	})
}

// pad writes PAD before a convolution and returns the padded value.
func (t *tflite) pad(s step, in int32) int32 {
	shape := t.plan.shapes[s.In[0]]
	name := fmt.Sprintf("value%d/padded", s.Out)
	amounts := t.constant(name+"/amounts", []int32{4, 2}, typeInt32,
		int32s(0, 0, int32(s.Pad[0]), int32(s.Pad[2]), int32(s.Pad[1]), int32(s.Pad[3]), 0, 0))
	padded := t.tensor(name, []int32{1, int32(shape[0] + s.Pad[0] + s.Pad[2]), int32(shape[1] + s.Pad[1] + s.Pad[3]), int32(shape[2])}, typeFloat32, 0)
	t.operator(opPad, []int32{in, amounts}, []int32{padded}, optPad, t.table(0, func(*flatbuffers.Builder) {}))
	return padded
}

func int32s(v ...int32) []byte {
	var out []byte
	for _, x := range v {
		out = binary.LittleEndian.AppendUint32(out, uint32(x))
	}
	return out
}
