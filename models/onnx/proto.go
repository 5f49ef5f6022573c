package onnx

import (
	"math"

	"google.golang.org/protobuf/encoding/protowire"

	"spotter/models/say"
)

// The messages of ONNX that an import needs, with the field numbers of onnx.proto3
// (https://github.com/onnx/onnx, Apache-2.0). They are decoded by protobuf's own
// wire package: generated types with their reflection would add 580 KB (brotli) to
// the compiler that pages load, the wire package adds 2.

type modelProto struct {
	producer string
	opset    map[string]int64 // by domain; "" is ONNX's own
	graph    *graphProto
	metadata map[string]string
}

type graphProto struct {
	name         string
	nodes        []*nodeProto
	initializers []*tensorProto
	inputs       []valueProto
	outputs      []valueProto
}

type nodeProto struct {
	name, op, domain string
	in, out          []string
	attrs            map[string]attrProto
}

// attrProto is an attribute: the field of its type is set.
type attrProto struct {
	f       float32
	i       int64
	s       string
	t       *tensorProto
	ints    []int64
	floats  []float32
	isGraph bool // of If, Loop and Scan
}

type tensorProto struct {
	name     string
	dims     []int64
	dtype    int64
	raw      []byte
	floats   []float32
	ints     []int64 // int32_data or int64_data
	doubles  []float64
	external bool
}

// valueProto is an input or output: dims are -1 where the file leaves them open.
type valueProto struct {
	name string
	dims []int
}

// field is one field of a message on the wire.
type field struct {
	number protowire.Number
	kind   protowire.Type
	bits   uint64 // of varint and fixed types
	bytes  []byte // of length-delimited ones
}

// fields calls f for each field of a message.
func fields(b []byte, f func(field) error) error {
	for len(b) > 0 {
		number, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			return protowire.ParseError(n)
		}
		b = b[n:]
		x := field{number: number, kind: kind}
		switch kind {
		case protowire.VarintType:
			x.bits, n = protowire.ConsumeVarint(b)
		case protowire.Fixed32Type:
			var v uint32
			v, n = protowire.ConsumeFixed32(b)
			x.bits = uint64(v)
		case protowire.Fixed64Type:
			x.bits, n = protowire.ConsumeFixed64(b)
		case protowire.BytesType:
			x.bytes, n = protowire.ConsumeBytes(b)
		default:
			return say.Errorf("a field of wire type %d", kind)
		}
		if n < 0 {
			return protowire.ParseError(n)
		}
		b = b[n:]
		if err := f(x); err != nil {
			return err
		}
	}
	return nil
}

// message checks that a field holds one, and reads its fields.
func (x field) message(f func(field) error) error {
	if x.kind != protowire.BytesType {
		return say.Errorf("field %d is no message", x.number)
	}
	return fields(x.bytes, f)
}

// varints reads a repeated integer, packed or one at a time.
func (x field) varints(list []int64) ([]int64, error) {
	if x.kind != protowire.BytesType {
		return append(list, int64(x.bits)), nil
	}
	for b := x.bytes; len(b) > 0; {
		v, n := protowire.ConsumeVarint(b)
		if n < 0 {
			return nil, protowire.ParseError(n)
		}
		list, b = append(list, int64(v)), b[n:]
	}
	return list, nil
}

// float32s reads a repeated float, packed or one at a time.
func (x field) float32s(list []float32) ([]float32, error) {
	if x.kind != protowire.BytesType {
		return append(list, math.Float32frombits(uint32(x.bits))), nil
	}
	for b := x.bytes; len(b) > 0; {
		v, n := protowire.ConsumeFixed32(b)
		if n < 0 {
			return nil, protowire.ParseError(n)
		}
		list, b = append(list, math.Float32frombits(v)), b[n:]
	}
	return list, nil
}

func (x field) float64s(list []float64) ([]float64, error) {
	if x.kind != protowire.BytesType {
		return append(list, math.Float64frombits(x.bits)), nil
	}
	for b := x.bytes; len(b) > 0; {
		v, n := protowire.ConsumeFixed64(b)
		if n < 0 {
			return nil, protowire.ParseError(n)
		}
		list, b = append(list, math.Float64frombits(v)), b[n:]
	}
	return list, nil
}
