package export

import (
	"encoding/binary"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// message is a protocol buffer being written: fields are appended in any order.
// Field numbers are those of onnx.proto3 (ONNX IR specification).
type message []byte

func (m *message) int(field protowire.Number, v int64) {
	*m = protowire.AppendTag(*m, field, protowire.VarintType)
	*m = protowire.AppendVarint(*m, uint64(v))
}

func (m *message) float(field protowire.Number, v float32) {
	*m = protowire.AppendTag(*m, field, protowire.Fixed32Type)
	*m = protowire.AppendFixed32(*m, math.Float32bits(v))
}

func (m *message) bytes(field protowire.Number, v []byte) {
	*m = protowire.AppendTag(*m, field, protowire.BytesType)
	*m = protowire.AppendBytes(*m, v)
}

func (m *message) string(field protowire.Number, v string) { m.bytes(field, []byte(v)) }

func (m *message) ints(field protowire.Number, v []int64) {
	var packed []byte
	for _, i := range v {
		packed = protowire.AppendVarint(packed, uint64(i))
	}
	m.bytes(field, packed)
}

// Element types of TensorProto.
const (
	typeFloat = 1
	typeInt64 = 7
)

// Types of AttributeProto.
const (
	attrFloat  = 1
	attrInt    = 2
	attrString = 3
	attrInts   = 7
)

// attr is an attribute of a node; make one with floatAttr, intAttr, stringAttr or intsAttr.
type attr message

func newAttr(name string, kind int64) message {
	var m message
	m.string(1, name)
	m.int(20, kind)
	return m
}

func floatAttr(name string, v float32) attr {
	m := newAttr(name, attrFloat)
	m.float(2, v)
	return attr(m)
}

func intAttr(name string, v int) attr {
	m := newAttr(name, attrInt)
	m.int(3, int64(v))
	return attr(m)
}

func stringAttr(name, v string) attr {
	m := newAttr(name, attrString)
	m.string(4, v)
	return attr(m)
}

func intsAttr(name string, v ...int) attr {
	m := newAttr(name, attrInts)
	m.ints(8, int64s(v))
	return attr(m)
}

func int64s(v []int) []int64 {
	out := make([]int64, len(v))
	for i, x := range v {
		out[i] = int64(x)
	}
	return out
}

// floatTensor is a TensorProto of float32 values.
func floatTensor(name string, shape []int, data []float32) message {
	raw := make([]byte, 0, 4*len(data))
	for _, v := range data {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
	}
	return tensor(name, typeFloat, shape, raw)
}

// intTensor is a TensorProto of int64 values.
func intTensor(name string, shape []int, data []int) message {
	raw := make([]byte, 0, 8*len(data))
	for _, v := range data {
		raw = binary.LittleEndian.AppendUint64(raw, uint64(v))
	}
	return tensor(name, typeInt64, shape, raw)
}

func tensor(name string, elem int64, shape []int, raw []byte) message {
	var m message
	m.ints(1, int64s(shape))
	m.int(2, elem)
	m.string(8, name)
	m.bytes(9, raw)
	return m
}

// valueInfo is a ValueInfoProto of a float32 tensor.
func valueInfo(name string, shape []int) message {
	var dims message
	for _, d := range shape {
		var dim message
		dim.int(1, int64(d))
		dims.bytes(1, dim)
	}
	var elem, typ, m message
	elem.int(1, typeFloat)
	elem.bytes(2, dims)
	typ.bytes(1, elem)
	m.string(1, name)
	m.bytes(2, typ)
	return m
}
