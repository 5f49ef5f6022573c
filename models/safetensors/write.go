package safetensors

import (
	"encoding/binary"
	"math"
	"strings"

	format "github.com/nlpodyssey/safetensors"

	"spotter/models"
	"spotter/models/say"
)

// Encoding is how a file stores its values.
type Encoding string

// Encodings.
const (
	F32  Encoding = "f32"
	F16  Encoding = "f16"  // rounds to nearest even; values beyond 65504 are an error
	BF16 Encoding = "bf16" // rounds to nearest even
)

// Marshal writes a file. Equal content gives equal bytes.
func Marshal(f *File, e Encoding) ([]byte, error) {
	views := make(map[string]view, len(f.Weights))
	for name, t := range f.Weights {
		v, err := encode(t, e)
		if err != nil {
			return nil, say.Errorf("tensor %s: %w", name, err)
		}
		views[name] = v
	}
	if views["__metadata__"].shape != nil {
		return nil, say.Errorf("a tensor cannot be called __metadata__")
	}
	return format.Serialize(views, f.Metadata)
}

// view is a tensor as the library takes it.
type view struct {
	kind  format.DType
	shape []uint64
	data  []byte
}

func (v view) DType() format.DType { return v.kind }
func (v view) Shape() []uint64     { return v.shape }
func (v view) Data() []byte        { return v.data }
func (v view) DataLen() uint64     { return uint64(len(v.data)) }

func encode(t *models.Tensor, e Encoding) (view, error) {
	v := view{shape: make([]uint64, len(t.Shape))}
	for i, d := range t.Shape {
		v.shape[i] = uint64(d)
	}
	if n := models.Shape(t.Shape).Elements(); n != len(t.Data) {
		return v, say.Errorf("%d values for shape %v", len(t.Data), t.Shape)
	}
	le := binary.LittleEndian
	switch e {
	case F32:
		v.kind = format.F32
		for _, f := range t.Data {
			v.data = le.AppendUint32(v.data, math.Float32bits(f))
		}
	case F16:
		v.kind = format.F16
		for i, f := range t.Data {
			h := models.FloatToHalf(f)
			if h&0x7fff == 0x7c00 && !math.IsInf(float64(f), 0) {
				return v, say.Errorf("value %d is %g, which float16 does not hold: write float32 instead", i, f)
			}
			v.data = le.AppendUint16(v.data, h)
		}
	case BF16:
		v.kind = format.BF16
		for _, f := range t.Data {
			v.data = le.AppendUint16(v.data, bfloat(f))
		}
	default:
		return v, say.Errorf("there is no encoding %q: it is %s", e, strings.Join([]string{string(F32), string(F16), string(BF16)}, ", "))
	}
	return v, nil
}

// bfloat rounds to the upper 16 bits, to nearest even; NaN stays NaN.
func bfloat(f float32) uint16 {
	b := math.Float32bits(f)
	if f != f {
		return uint16(b>>16) | 0x40
	}
	return uint16((b + 0x7fff + b>>16&1) >> 16)
}
