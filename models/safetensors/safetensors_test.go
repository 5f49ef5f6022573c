package safetensors

import (
	"bytes"
	"encoding/binary"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"spotter/models"
	"spotter/models/golden"
)

// TestReadsPyTorchsFiles compares with the formula that the files were made from.
func TestReadsPyTorchsFiles(t *testing.T) {
	for file, half := range map[string]bool{"model.safetensors": false, "model-f16.safetensors": true} {
		data, err := golden.Format(file)
		if err != nil {
			t.Fatal(err)
		}
		f, err := Parse(data)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		compared := 0
		for name, got := range f.Weights {
			if strings.Contains(name, ".features.") || strings.HasSuffix(name, ".anchors") || strings.HasSuffix(name, ".num_batches_tracked") {
				continue
			}
			compared++
			want := golden.Tensor(name, got.Shape, false)
			if got.Half != half {
				t.Errorf("%s: %s: half is %v", file, name, got.Half)
			}
			for i, v := range want.Data {
				// Made from the formula and rounded to half.
				if h := models.HalfToFloat(models.FloatToHalf(v)); got.Data[i] != h {
					t.Errorf("%s: %s[%d] is %g, want %g", file, name, i, got.Data[i], h)
					break
				}
			}
		}
		if compared != 366 {
			t.Errorf("%s: compared %d tensors, want 366", file, compared)
		}
	}
}

func TestMarshalAndParse(t *testing.T) {
	values := []float32{0, -0.5, 1.0 / 3, 65504, -6e-8, 1e-3}
	f := &File{
		Weights: models.Weights{
			"b":      {Shape: []int{2, 3}, Data: values},
			"a":      {Shape: []int{6}, Data: slices.Clone(values)},
			"scalar": {Shape: []int{}, Data: []float32{7}},
			"none":   {Shape: []int{0, 3}, Data: []float32{}},
		},
		Metadata: map[string]string{"yaml": "nc: 80\n# 行人 <&>\n", "names": `{"0": "person"}`},
	}
	for e, round := range map[Encoding]func(float32) float32{
		F32:  func(v float32) float32 { return v },
		F16:  func(v float32) float32 { return models.HalfToFloat(models.FloatToHalf(v)) },
		BF16: func(v float32) float32 { return math.Float32frombits(uint32(bfloat(v)) << 16) },
	} {
		data, err := Marshal(f, e)
		if err != nil {
			t.Fatalf("%s: %v", e, err)
		}
		again, err := Marshal(f, e)
		if err != nil || !bytes.Equal(data, again) {
			t.Errorf("%s: two writes differ (%v)", e, err)
		}
		got, err := Parse(data)
		if err != nil {
			t.Fatalf("%s: %v", e, err)
		}
		if !maps.Equal(got.Metadata, f.Metadata) {
			t.Errorf("%s: metadata %v, want %v", e, got.Metadata, f.Metadata)
		}
		if len(got.Weights) != len(f.Weights) {
			t.Errorf("%s: %d tensors, want %d", e, len(got.Weights), len(f.Weights))
		}
		for name, want := range f.Weights {
			w := got.Weights[name]
			if w == nil || !slices.Equal(w.Shape, want.Shape) || len(w.Data) != len(want.Data) {
				t.Errorf("%s: %s is %+v, want %+v", e, name, w, want)
				continue
			}
			for i, v := range want.Data {
				if w.Data[i] != round(v) {
					t.Errorf("%s: %s[%d] is %g, want %g", e, name, i, w.Data[i], round(v))
				}
			}
		}
	}
}

func TestMarshalRefuses(t *testing.T) {
	one := func(name string, shape []int, v ...float32) *File {
		return &File{Weights: models.Weights{name: {Shape: shape, Data: v}}}
	}
	for want, c := range map[string]struct {
		file *File
		enc  Encoding
	}{
		"tensor w: value 1 is 70000":            {one("w", []int{2}, 1, 70000), F16},
		`tensor w: there is no encoding "int4"`: {one("w", []int{1}, 1), "int4"},
		"tensor w: 1 values for shape [2]":      {one("w", []int{2}, 1), F32},
		"cannot be called __metadata__":         {one("__metadata__", []int{1}, 1), F32},
	} {
		if _, err := Marshal(c.file, c.enc); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
}

func TestBfloatRoundsToNearestEven(t *testing.T) {
	for b, want := range map[uint32]uint16{
		0x3f800000: 0x3f80, 0x3f807fff: 0x3f80, 0x3f808000: 0x3f80, 0x3f808001: 0x3f81, 0x3f818000: 0x3f82,
		0x7f7fffff: 0x7f80, 0xff800000: 0xff80, 0x7f800001: 0x7fc0,
	} {
		if got := bfloat(math.Float32frombits(b)); got != want {
			t.Errorf("%#08x: %#04x, want %#04x", b, got, want)
		}
	}
}

// raw makes a file of a header's text and a number of zero bytes.
func raw(header string, body int) []byte {
	data := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(data, header...), make([]byte, body)...)
}

// hostile are files that must be refused, with a word of the reason.
var hostile = map[string]struct {
	data []byte
	want string
}{
	"nothing":           {nil, "0 bytes"},
	"a page":            {[]byte("<!doctype html><html>"), "no header"},
	"a header too long": {append(binary.LittleEndian.AppendUint64(nil, 1<<63), "{}"...), "cut off"},
	"a header of 5 MB":  {raw("{"+strings.Repeat(" ", 5<<20)+"}", 0), "header of"},
	"no JSON":           {raw(`{"a":`, 0), "JSON"},
	"deep JSON":         {raw(`{"a":`+strings.Repeat("[", 100000), 0), "not a safetensors"},
	"cut off":           {raw(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`, 7), "incomplete"},
	"more behind":       {raw(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`, 9), "incomplete"},
	"offsets overlap":   {raw(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}`, 12), "offset"},
	"a hole":            {raw(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`, 8), "offset"},
	"offsets backwards": {raw(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}`, 4), "offset"},
	"a negative offset": {raw(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}}`, 4), "offset"},
	"a negative size":   {raw(`{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}`, 4), "natural"},
	"half an element":   {raw(`{"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,6]}}`, 6), "natural"},
	"a shape too large": {raw(`{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}`, 8), "mismatch"},
	"a shape that wraps": {raw(`{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}`, 0),
		"overflow"},
	"offsets that wrap": {raw(`{"a":{"dtype":"U8","shape":[18446744073709551528],"data_offsets":[0,18446744073709551528]}}`, 0),
		"incomplete"},
	"empty but huge": {raw(`{"a":{"dtype":"F32","shape":[0,9223372036854775807],"data_offsets":[0,0]}}`, 0),
		"more than 268435456"},
	"many dimensions": {raw(`{"a":{"dtype":"U8","shape":[1,1,1,1,1,1,1,1,1],"data_offsets":[0,1]}}`, 1), "dimensions"},
	"unknown type":    {raw(`{"a":{"dtype":"F4","shape":[1],"data_offsets":[0,1]}}`, 1), "F4"},
	"no type":         {raw(`{"a":{"shape":[1],"data_offsets":[0,1]}}`, 1), "3 keys"},
	"metadata that is no text": {raw(`{"__metadata__":{"n":1}}`, 0),
		"string"},
}

func TestParseRefusesHostileFiles(t *testing.T) {
	for name, c := range hostile {
		f, err := Parse(c.data)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, error %v, want one with %q", name, f, err, c.want)
		}
		if err != nil && len(err.Error()) > 600 {
			t.Errorf("%s: an error of %d characters", name, len(err.Error()))
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, c := range hostile {
		if len(c.data) < 1<<16 {
			f.Add(c.data)
		}
	}
	good, err := Marshal(&File{
		Weights:  models.Weights{"a": {Shape: []int{2, 1}, Data: []float32{1, 2}}, "b": {Shape: []int{}, Data: []float32{3}}},
		Metadata: map[string]string{"task": "detect"},
	}, F16)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := Parse(data)
		if err != nil {
			return
		}
		total := 0
		for name, w := range file.Weights {
			if models.Shape(w.Shape).Elements() != len(w.Data) {
				t.Errorf("%q: %d values for %v", name, len(w.Data), w.Shape)
			}
			total += len(w.Data)
		}
		if total > len(data) {
			t.Errorf("%d values from %d bytes", total, len(data))
		}
		again, err := Marshal(file, F32)
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		back, err := Parse(again)
		if err != nil || len(back.Weights) != len(file.Weights) || !maps.Equal(back.Metadata, file.Metadata) {
			t.Errorf("what was written reads as another file (%v)", err)
		}
	})
}
