package onnx

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"spotter/models"
	"spotter/models/say"
)

// Element types of TensorProto that are read.
const (
	typeFloat    = 1
	typeUint8    = 2
	typeInt8     = 3
	typeUint16   = 4
	typeInt16    = 5
	typeInt32    = 6
	typeInt64    = 7
	typeBool     = 9
	typeFloat16  = 10
	typeDouble   = 11
	typeUint32   = 12
	typeUint64   = 13
	typeBfloat16 = 16
)

var typeNames = map[int64]string{8: "string", 14: "complex64", 15: "complex128", 17: "float8", 18: "float8", 19: "float8", 20: "float8", 21: "uint4", 22: "int4"}

// widths are the bytes of an element.
var widths = map[int64]int{
	typeFloat: 4, typeUint8: 1, typeInt8: 1, typeUint16: 2, typeInt16: 2, typeInt32: 4, typeInt64: 8,
	typeBool: 1, typeFloat16: 2, typeDouble: 8, typeUint32: 4, typeUint64: 8, typeBfloat16: 2,
}

// maxArray is the number of elements of an array that is computed here: the decoded
// output of the largest inputs, and far above any constant of shapes.
const maxArray = 1 << 24

// array is a constant, or a value of the part of a network that is computed at import.
// Elements are float64, which holds every float32 and every int32.
type array struct {
	shape []int
	data  []float64
	whole bool // an integer type: division truncates
	half  bool // came from float16
}

func newArray(shape []int) *array {
	return &array{shape: shape, data: make([]float64, elements(shape))}
}

func wholes(v ...int) *array {
	a := &array{shape: []int{len(v)}, whole: true}
	for _, x := range v {
		a.data = append(a.data, float64(x))
	}
	return a
}

// far is beyond any dimension; numbers of files are held within it.
const far = 1 << 40

// ints gives the elements as whole numbers.
func (a *array) ints() []int {
	list := make([]int, len(a.data))
	for i, v := range a.data {
		if v == v {
			list[i] = int(max(-far, min(far, v)))
		}
	}
	return list
}

// elements multiplies dimensions; shapes are checked when they come in.
func elements(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// checkShape refuses shapes with negative dimensions or more than limit elements.
func checkShape(shape []int, limit int) error {
	n := 1
	for _, d := range shape {
		if d < 0 {
			return say.Errorf("shape %v has a negative dimension", shape)
		}
		if d > 0 && n > limit/d {
			return say.Errorf("shape %v has more than %d elements", shape, limit)
		}
		n *= d
	}
	return nil
}

// check holds the dimensions against the data that are there.
func (t *tensorProto) check() error {
	if t.external {
		return say.Errorf("its data lie in another file (external data): export the model into one file, for example with onnx.save and save_as_external_data=False")
	}
	width := widths[t.dtype]
	if width == 0 {
		name := typeNames[t.dtype]
		if name == "" {
			name = fmt.Sprintf("type %d", t.dtype)
		}
		return say.Errorf("its elements are %s, which is not read", name)
	}
	shape := t.shape()
	if err := checkShape(shape, models.MaxElements); err != nil || len(shape) != len(t.dims) {
		return say.Errorf("its shape %v cannot be", t.dims)
	}
	if n, have := elements(shape), t.count(width); have != n {
		return say.Errorf("shape %v needs %d elements, the file has %d", shape, n, have)
	}
	return nil
}

// count is the number of elements in the field that element reads.
func (t *tensorProto) count(width int) int {
	for _, n := range []int{len(t.floats), len(t.doubles), len(t.ints)} {
		if n > 0 {
			return n
		}
	}
	return len(t.raw) / width
}

// shape gives the dimensions, fewer when one is out of range.
func (t *tensorProto) shape() []int {
	shape := make([]int, 0, len(t.dims))
	for _, d := range t.dims {
		if d >= 0 && d <= models.MaxElements {
			shape = append(shape, int(d))
		}
	}
	return shape
}

// array decodes the tensor, which must be checked.
func (t *tensorProto) array() *array {
	a := &array{shape: t.shape(), whole: t.dtype != typeFloat && t.dtype != typeDouble && t.dtype != typeFloat16 && t.dtype != typeBfloat16, half: t.dtype == typeFloat16}
	n := elements(a.shape)
	a.data = make([]float64, n)
	at := t.element()
	for i := range a.data {
		a.data[i] = at(i)
	}
	return a
}

// element gives access to the elements, in whichever field the file has them.
func (t *tensorProto) element() func(i int) float64 {
	o := binary.LittleEndian
	switch {
	case len(t.floats) > 0:
		return func(i int) float64 { return float64(t.floats[i]) }
	case len(t.doubles) > 0:
		return func(i int) float64 { return t.doubles[i] }
	case len(t.ints) > 0 && t.dtype == typeFloat16:
		return func(i int) float64 { return float64(models.HalfToFloat(uint16(t.ints[i]))) }
	case len(t.ints) > 0 && t.dtype == typeBfloat16:
		return func(i int) float64 { return float64(math.Float32frombits(uint32(uint16(t.ints[i])) << 16)) }
	case len(t.ints) > 0:
		return func(i int) float64 { return float64(t.ints[i]) }
	}
	switch b := t.raw; t.dtype {
	case typeFloat:
		return func(i int) float64 { return float64(math.Float32frombits(o.Uint32(b[4*i:]))) }
	case typeDouble:
		return func(i int) float64 { return math.Float64frombits(o.Uint64(b[8*i:])) }
	case typeFloat16:
		return func(i int) float64 { return float64(models.HalfToFloat(o.Uint16(b[2*i:]))) }
	case typeBfloat16:
		return func(i int) float64 { return float64(math.Float32frombits(uint32(o.Uint16(b[2*i:])) << 16)) }
	case typeInt64, typeUint64:
		return func(i int) float64 { return float64(int64(o.Uint64(b[8*i:]))) }
	case typeInt32:
		return func(i int) float64 { return float64(int32(o.Uint32(b[4*i:]))) }
	case typeUint32:
		return func(i int) float64 { return float64(o.Uint32(b[4*i:])) }
	case typeInt16:
		return func(i int) float64 { return float64(int16(o.Uint16(b[2*i:]))) }
	case typeUint16:
		return func(i int) float64 { return float64(o.Uint16(b[2*i:])) }
	case typeInt8:
		return func(i int) float64 { return float64(int8(b[i])) }
	}
	return func(i int) float64 { return float64(t.raw[i]) }
}

// tensor converts to a parameter of the given shape.
func (a *array) tensor(shape []int) *models.Tensor {
	t := &models.Tensor{Shape: slices.Clone(shape), Data: make([]float32, len(a.data)), Half: a.half}
	for i, v := range a.data {
		t.Data[i] = float32(v)
	}
	return t
}
