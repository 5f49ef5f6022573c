// Package safetensors reads and writes weights in the .safetensors format: a
// length, a JSON header with each tensor's type, shape and place, and the bytes.
// Values are float32 in memory, whatever the file holds.
//
// Format: https://huggingface.co/docs/safetensors. The metadata that Spotter
// writes beside the tensors is described by package load.
package safetensors

import (
	"encoding/binary"
	"fmt"
	"math"

	format "github.com/nlpodyssey/safetensors"

	"spotter/models"
	"spotter/models/say"
)

// File is a file's content.
type File struct {
	Weights  models.Weights
	Metadata map[string]string
}

// Limits of a header. The largest networks of the family have about 1,500
// parameters and 200 kB of header.
const (
	maxHeader  = 4 << 20
	maxTensors = 50_000
	maxRank    = 8
)

// Parse reads a file's bytes. The tensors do not refer to data afterwards. What it
// allocates is in proportion to len(data), whatever the header claims.
func Parse(data []byte) (*File, error) {
	if err := checkHeader(data); err != nil {
		return nil, err
	}
	size, header, err := format.ReadMetadata(data)
	if err != nil {
		return nil, say.Errorf("not a safetensors file: %s", short(err.Error()))
	}
	infos := header.Tensors()
	if len(infos) > maxTensors {
		return nil, say.Errorf("a safetensors file with %d tensors: more than %d", len(infos), maxTensors)
	}
	body := data[8+size:]
	f := &File{Weights: make(models.Weights, len(infos)), Metadata: header.Metadata()}
	for name, info := range infos {
		t, err := tensor(info, body)
		if err != nil {
			return nil, say.Errorf("tensor %s: %w", short(name), err)
		}
		f.Weights[name] = t
	}
	return f, nil
}

// checkHeader refuses what is clearly something else before JSON is parsed.
func checkHeader(data []byte) error {
	if len(data) < 10 {
		return say.Errorf("not a safetensors file: it has %d bytes", len(data))
	}
	size := binary.LittleEndian.Uint64(data)
	switch {
	case data[8] != '{':
		return say.Errorf("not a safetensors file: there is no header at its start")
	case size > uint64(len(data)-8):
		return say.Errorf("a safetensors file that is cut off or broken: its header should have %d bytes, %d follow", size, len(data)-8)
	case size > maxHeader:
		return say.Errorf("a safetensors file with a header of %d bytes: more than %d", size, maxHeader)
	}
	return nil
}

// tensor converts one tensor. ReadMetadata has checked that the tensors lie one
// behind the other, fill the body exactly and fit their shapes and types.
func tensor(info *format.TensorInfo, body []byte) (*models.Tensor, error) {
	shape, err := dimensions(info.Shape)
	if err != nil {
		return nil, err
	}
	values, err := decode(info.DType, body[info.DataOffsets[0]:info.DataOffsets[1]])
	if err != nil {
		return nil, err
	}
	if want := models.Shape(shape).Elements(); len(values) != want {
		return nil, say.Errorf("%d values for shape %v", len(values), shape)
	}
	return &models.Tensor{Shape: shape, Data: values, Half: info.DType == format.F16}, nil
}

func dimensions(dims []uint64) ([]int, error) {
	if len(dims) > maxRank {
		return nil, say.Errorf("it has %d dimensions, more than %d", len(dims), maxRank)
	}
	shape := make([]int, len(dims))
	total := 1
	for i, d := range dims {
		if d > models.MaxElements || total > 0 && int(d) > models.MaxElements/total {
			return nil, say.Errorf("its shape %v has more than %d elements", dims, models.MaxElements)
		}
		shape[i] = int(d)
		total *= shape[i]
	}
	return shape, nil
}

// decode converts little-endian values to float32; integers and float64 are rounded.
func decode(t format.DType, b []byte) ([]float32, error) {
	le := binary.LittleEndian
	switch t {
	case format.F32:
		return convert(b, 4, func(b []byte) float32 { return math.Float32frombits(le.Uint32(b)) }), nil
	case format.F16:
		return convert(b, 2, func(b []byte) float32 { return models.HalfToFloat(le.Uint16(b)) }), nil
	case format.BF16:
		return convert(b, 2, func(b []byte) float32 { return math.Float32frombits(uint32(le.Uint16(b)) << 16) }), nil
	case format.F64:
		return convert(b, 8, func(b []byte) float32 { return float32(math.Float64frombits(le.Uint64(b))) }), nil
	case format.I64:
		return convert(b, 8, func(b []byte) float32 { return float32(int64(le.Uint64(b))) }), nil
	case format.U64:
		return convert(b, 8, func(b []byte) float32 { return float32(le.Uint64(b)) }), nil
	case format.I32:
		return convert(b, 4, func(b []byte) float32 { return float32(int32(le.Uint32(b))) }), nil
	case format.U32:
		return convert(b, 4, func(b []byte) float32 { return float32(le.Uint32(b)) }), nil
	case format.I16:
		return convert(b, 2, func(b []byte) float32 { return float32(int16(le.Uint16(b))) }), nil
	case format.U16:
		return convert(b, 2, func(b []byte) float32 { return float32(le.Uint16(b)) }), nil
	case format.I8:
		return convert(b, 1, func(b []byte) float32 { return float32(int8(b[0])) }), nil
	case format.U8, format.BOOL:
		return convert(b, 1, func(b []byte) float32 { return float32(b[0]) }), nil
	}
	return nil, say.Errorf("values of type %s are not read", t)
}

func convert(b []byte, size int, value func([]byte) float32) []float32 {
	out := make([]float32, len(b)/size)
	for i := range out {
		out[i] = value(b[i*size:])
	}
	return out
}

// short cuts a text from a file, or an error that quotes one, for a message.
func short(s string) string {
	const most = 200
	if len(s) > most {
		return fmt.Sprintf("%q...", s[:most])
	}
	return s
}
