package peers

import (
	"fmt"

	flatbuffers "github.com/google/flatbuffers/go"

	"spotter/models"
)

// Numbers of the TensorFlow Lite schema, version 3: operators and their option tables.
const (
	opAdd       = 0
	opConcat    = 2
	opConv      = 3
	opDepthwise = 4
	opLogistic  = 14
	opMaxPool   = 17
	opMul       = 18
	opRelu      = 19
	opRelu6     = 21
	opPad       = 34
	opNearest   = 97

	optConv      = 1
	optDepthwise = 2
	optPool      = 5
	optConcat    = 10
	optAdd       = 11
	optMul       = 21
	optPad       = 22
	optNearest   = 74
)

const (
	padSame  = 0
	padValid = 1

	typeFloat32 = 0
	typeInt32   = 2
)

var fusedActs = map[string]int8{"": 0, "relu": 1, "relu6": 3}

// TFLite returns the network as a .tflite file: input [1,H,W,3] float32 RGB / 255,
// the graph's outputs as [1,h,w,C]. BatchNorm must be folded.
func TFLite(g *models.Graph, weights models.Weights) ([]byte, error) {
	p, err := lower(g, weights)
	if err != nil {
		return nil, err
	}
	t := &tflite{b: flatbuffers.NewBuilder(1 << 20), plan: p, codes: map[int32]uint32{}}
	t.buffers = []flatbuffers.UOffsetT{t.buffer(nil)} // buffer 0 is the empty one by convention
	for i, s := range p.shapes {
		t.tensor(fmt.Sprintf("value%d", i), []int32{1, int32(s[0]), int32(s[1]), int32(s[2])}, typeFloat32, 0)
	}
	for _, s := range p.steps {
		if err := t.step(s); err != nil {
			return nil, err
		}
	}
	return t.finish(g.Name), nil
}

// tflite gathers the tables of the file; flatbuffers are written from the leaves up.
type tflite struct {
	b         *flatbuffers.Builder
	plan      *plan
	buffers   []flatbuffers.UOffsetT
	tensors   []flatbuffers.UOffsetT
	operators []flatbuffers.UOffsetT
	opcodes   []flatbuffers.UOffsetT
	codes     map[int32]uint32 // operator to its index in opcodes
}

// table writes one table: set adds its fields.
func (t *tflite) table(fields int, set func(b *flatbuffers.Builder)) flatbuffers.UOffsetT {
	t.b.StartObject(fields)
	set(t.b)
	return t.b.EndObject()
}

func (t *tflite) buffer(data []byte) flatbuffers.UOffsetT {
	if data == nil {
		return t.table(1, func(*flatbuffers.Builder) {})
	}
	const align = 16 // Buffer.data has force_align: 16
	t.b.StartVector(1, len(data), align)
	head := t.b.Head() - flatbuffers.UOffsetT(len(data))
	t.b.Pad(len(data))
	copy(t.b.Bytes[head:], data)
	vector := t.b.EndVector(len(data))
	return t.table(1, func(b *flatbuffers.Builder) { b.PrependUOffsetTSlot(0, vector, 0) })
}

func (t *tflite) ints(v []int32) flatbuffers.UOffsetT {
	t.b.StartVector(4, len(v), 4)
	for i := len(v) - 1; i >= 0; i-- {
		t.b.PrependInt32(v[i])
	}
	return t.b.EndVector(len(v))
}

func (t *tflite) offsets(v []flatbuffers.UOffsetT) flatbuffers.UOffsetT {
	t.b.StartVector(4, len(v), 4)
	for i := len(v) - 1; i >= 0; i-- {
		t.b.PrependUOffsetT(v[i])
	}
	return t.b.EndVector(len(v))
}

// tensor appends a tensor and returns its number.
func (t *tflite) tensor(name string, shape []int32, kind int8, buffer int) int32 {
	n, dims := t.b.CreateString(name), t.ints(shape)
	t.tensors = append(t.tensors, t.table(9, func(b *flatbuffers.Builder) {
		b.PrependUOffsetTSlot(0, dims, 0)
		b.PrependInt8Slot(1, kind, 0)
		b.PrependUint32Slot(2, uint32(buffer), 0)
		b.PrependUOffsetTSlot(3, n, 0)
		b.PrependBoolSlot(8, true, false)
	}))
	return int32(len(t.tensors) - 1)
}

// constant appends a tensor with data.
func (t *tflite) constant(name string, shape []int32, kind int8, data []byte) int32 {
	t.buffers = append(t.buffers, t.buffer(data))
	return t.tensor(name, shape, kind, len(t.buffers)-1)
}

// operator appends an operator; option is the number of its table in the union, 0 for none.
func (t *tflite) operator(code int32, in, out []int32, option byte, options flatbuffers.UOffsetT) {
	index, ok := t.codes[code]
	if !ok {
		index = uint32(len(t.opcodes))
		t.codes[code] = index
		t.opcodes = append(t.opcodes, t.table(4, func(b *flatbuffers.Builder) {
			b.PrependInt8Slot(0, int8(code), 0)
			b.PrependInt32Slot(2, 1, 0)
			b.PrependInt32Slot(3, code, 0)
		}))
	}
	inputs, outputs := t.ints(in), t.ints(out)
	t.operators = append(t.operators, t.table(9, func(b *flatbuffers.Builder) {
		b.PrependUint32Slot(0, index, 0)
		b.PrependUOffsetTSlot(1, inputs, 0)
		b.PrependUOffsetTSlot(2, outputs, 0)
		b.PrependByteSlot(3, option, 0)
		if option != 0 {
			b.PrependUOffsetTSlot(4, options, 0)
		}
	}))
}

func (t *tflite) finish(name string) []byte {
	inputs := t.ints([]int32{0})
	outs := make([]int32, len(t.plan.outputs))
	for i, o := range t.plan.outputs {
		outs[i] = int32(o)
	}
	outputs, tensors, operators := t.ints(outs), t.offsets(t.tensors), t.offsets(t.operators)
	label := t.b.CreateString(name)
	subgraph := t.table(5, func(b *flatbuffers.Builder) {
		b.PrependUOffsetTSlot(0, tensors, 0)
		b.PrependUOffsetTSlot(1, inputs, 0)
		b.PrependUOffsetTSlot(2, outputs, 0)
		b.PrependUOffsetTSlot(3, operators, 0)
		b.PrependUOffsetTSlot(4, label, 0)
	})
	subgraphs, opcodes, buffers := t.offsets([]flatbuffers.UOffsetT{subgraph}), t.offsets(t.opcodes), t.offsets(t.buffers)
	model := t.table(5, func(b *flatbuffers.Builder) {
		b.PrependUint32Slot(0, 3, 0)
		b.PrependUOffsetTSlot(1, opcodes, 0)
		b.PrependUOffsetTSlot(2, subgraphs, 0)
		b.PrependUOffsetTSlot(3, label, 0)
		b.PrependUOffsetTSlot(4, buffers, 0)
	})
	t.b.FinishWithFileIdentifier(model, []byte("TFL3"))
	return t.b.FinishedBytes()
}
