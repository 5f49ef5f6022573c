package onnx_test

import (
	"encoding/binary"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// Files that no exporter writes are put together here: messages are lists of fields.

type message []byte

func (m message) bytes(field protowire.Number, b []byte) message {
	return protowire.AppendBytes(protowire.AppendTag(m, field, protowire.BytesType), b)
}

func (m message) text(field protowire.Number, s string) message { return m.bytes(field, []byte(s)) }

func (m message) int(field protowire.Number, v int64) message {
	return protowire.AppendVarint(protowire.AppendTag(m, field, protowire.VarintType), uint64(v))
}

// value is an input or output of float32; negative dimensions are open.
func value(name string, dims ...int64) message {
	var shape message
	for _, d := range dims {
		var dim message
		if d >= 0 {
			dim = dim.int(1, d)
		}
		shape = shape.bytes(1, dim)
	}
	tensor := message(nil).int(1, 1).bytes(2, shape)
	return message(nil).text(1, name).bytes(2, message(nil).bytes(1, tensor))
}

// tensor is an initializer of float32, filled with v.
func tensor(name string, v float32, dims ...int64) message {
	var m message
	n := int64(1)
	for _, d := range dims {
		m = m.int(1, d)
		n *= d
	}
	var raw []byte
	for range min(max(n, 0), 1<<20) {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
	}
	return m.int(2, 1).text(8, name).bytes(9, raw)
}

// wholes is an initializer of int64.
func wholes(name string, values ...int64) message {
	m := message(nil).int(1, int64(len(values))).int(2, 7).text(8, name)
	for _, v := range values {
		m = m.int(7, v)
	}
	return m
}

// node takes inputs and gives the output of its name.
func node(op, name string, in ...string) message {
	var m message
	for _, v := range in {
		m = m.text(1, v)
	}
	return m.text(2, name).text(3, name).text(4, op)
}

// ints adds an attribute of whole numbers.
func (m message) ints(name string, values ...int64) message {
	a := message(nil).text(1, name)
	for _, v := range values {
		a = a.int(8, v)
	}
	return m.bytes(5, a.int(20, 7))
}

// number adds an attribute of one whole number.
func (m message) number(name string, v int64) message {
	return m.bytes(5, message(nil).text(1, name).int(3, v).int(20, 2))
}

// part is a field of a graph.
type part struct {
	field protowire.Number
	body  message
}

func nodes(m message) part   { return part{1, m} }
func initial(m message) part { return part{5, m} }
func input(m message) part   { return part{11, m} }
func output(m message) part  { return part{12, m} }

// model puts a file together, operator set 17.
func model(parts ...part) []byte {
	var graph message
	for _, p := range parts {
		graph = graph.bytes(p.field, p.body)
	}
	opset := message(nil).text(1, "").int(2, 17)
	return message(nil).int(1, 8).bytes(7, graph).bytes(8, opset)
}
