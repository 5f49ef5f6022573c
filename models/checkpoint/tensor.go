package checkpoint

import (
	"encoding/binary"
	"math"

	"spotter/models"
	"spotter/models/checkpoint/pickle"
	"spotter/models/say"
)

// dtype is the type of a tensor's elements.
type dtype struct {
	name  string
	width int // bytes; 0 when the type is known by name only
	get   func(o binary.ByteOrder, b []byte) float32
}

var (
	float32Type = &dtype{"float32", 4, func(o binary.ByteOrder, b []byte) float32 { return math.Float32frombits(o.Uint32(b)) }}
	float16Type = &dtype{"float16", 2, func(o binary.ByteOrder, b []byte) float32 { return models.HalfToFloat(o.Uint16(b)) }}
	byteType    = &dtype{"uint8", 1, func(_ binary.ByteOrder, b []byte) float32 { return float32(b[0]) }}
)

// dtypes by the name of torch.NAME.
var dtypes = map[string]*dtype{
	"float32":  float32Type,
	"float16":  float16Type,
	"uint8":    byteType,
	"bfloat16": {"bfloat16", 2, func(o binary.ByteOrder, b []byte) float32 { return math.Float32frombits(uint32(o.Uint16(b)) << 16) }},
	"float64": {"float64", 8, func(o binary.ByteOrder, b []byte) float32 {
		return float32(math.Float64frombits(o.Uint64(b)))
	}},
	"int64":      {"int64", 8, func(o binary.ByteOrder, b []byte) float32 { return float32(int64(o.Uint64(b))) }},
	"int32":      {"int32", 4, func(o binary.ByteOrder, b []byte) float32 { return float32(int32(o.Uint32(b))) }},
	"int16":      {"int16", 2, func(o binary.ByteOrder, b []byte) float32 { return float32(int16(o.Uint16(b))) }},
	"int8":       {"int8", 1, func(_ binary.ByteOrder, b []byte) float32 { return float32(int8(b[0])) }},
	"bool":       {"bool", 1, func(_ binary.ByteOrder, b []byte) float32 { return float32(b[0]) }},
	"complex64":  {name: "complex64", width: 8},
	"complex128": {name: "complex128", width: 16},
}

// storageTypes by the name of torch.NAMEStorage.
var storageTypes = map[string]*dtype{
	"Float": float32Type, "Half": float16Type, "Byte": byteType, "Untyped": byteType, "_Untyped": byteType,
	"BFloat16": dtypes["bfloat16"], "Double": dtypes["float64"], "Long": dtypes["int64"], "Int": dtypes["int32"],
	"Short": dtypes["int16"], "Char": dtypes["int8"], "Bool": dtypes["bool"],
	"ComplexFloat": dtypes["complex64"], "ComplexDouble": dtypes["complex128"],
}

// maxElements of a storage: beyond any file, and far from overflowing.
const maxElements = 1 << 40

// storage is a run of elements that tensors look into.
type storage struct {
	archive *archive
	key     string
	kind    *dtype
	count   int // elements
	offset  int // elements before it in the storage of the key (legacy views)
}

// tensor is a view of a storage, read when it is asked for.
type tensor struct {
	storage *storage
	kind    *dtype
	offset  int // elements
	size    []int
	stride  []int
	ready   *models.Tensor // of a file that another reader has read: nothing else counts then
}

// loader resolves what torch adds to a pickle: storages, tensors, element types.
func (a *archive) loader(legacy bool) pickle.Loader {
	return pickle.Loader{Class: torchClass, Persistent: func(id any) (any, error) {
		parts := pickle.Items(id)
		if legacy && len(parts) > 1 && parts[0] == "module" {
			return parts[1], nil
		}
		return a.newStorage(parts, legacy)
	}}
}

// newStorage reads ("storage", type, key, location, count[, view]).
func (a *archive) newStorage(parts []any, legacy bool) (*storage, error) {
	if len(parts) < 5 || parts[0] != "storage" {
		return nil, say.Errorf("a persistent id is no storage")
	}
	kind, kindOK := parts[1].(*dtype)
	key, keyOK := parts[2].(string)
	count, countOK := parts[4].(int)
	if !kindOK || !keyOK || !countOK || count < 0 || count > maxElements {
		return nil, say.Errorf("a storage of type %T, key %v and %v elements", parts[1], parts[2], parts[4])
	}
	s := &storage{archive: a, key: key, kind: kind, count: count}
	if legacy && len(parts) > 5 && parts[5] != nil {
		view := pickle.Items(parts[5])
		if len(view) != 3 {
			return nil, say.Errorf("storage %s: a view of %d parts", key, len(view))
		}
		off, offOK := view[1].(int)
		size, sizeOK := view[2].(int)
		if !offOK || !sizeOK || off < 0 || size < 0 || off > count || size > count-off {
			return nil, say.Errorf("storage %s: a view from %v of %v elements of %d", key, view[1], view[2], count)
		}
		s.offset, s.count = off, size
	}
	if old, ok := a.widths[key]; ok && old != kind.width {
		return nil, say.Errorf("storage %s is used with elements of %d and of %d bytes", key, old, kind.width)
	}
	a.widths[key] = kind.width
	return s, nil
}

// torchClass resolves torch's own classes and functions.
func torchClass(module, name string) (any, bool) {
	switch module {
	case "torch", "torch.cuda", "torch.storage":
		if n := len(name) - len("Storage"); n > 0 && name[n:] == "Storage" {
			if t := storageTypes[name[:n]]; t != nil {
				return t, true
			}
		}
		if t := dtypes[name]; t != nil && module == "torch" {
			return t, true
		}
	case "torch._utils", "torch._tensor":
		if f, ok := rebuilders[name]; ok {
			return f, true
		}
	}
	return nil, false
}

// rebuilders are the functions by which torch pickles tensors.
var rebuilders = map[string]pickle.Func{
	"_rebuild_tensor":               rebuildTensor,
	"_rebuild_tensor_v2":            rebuildTensor,
	"_rebuild_tensor_v3":            rebuildTensor,
	"_rebuild_parameter":            firstArgument,
	"_rebuild_parameter_with_state": firstArgument,
	"_rebuild_from_type_v2": func(args ...any) (any, error) {
		if len(args) > 2 {
			if f, ok := args[0].(pickle.Func); ok {
				return f(pickle.Items(args[2])...)
			}
		}
		return nil, nil
	},
}

func firstArgument(args ...any) (any, error) {
	if len(args) == 0 {
		return nil, say.Errorf("a parameter without its tensor")
	}
	return args[0], nil
}

// rebuildTensor reads (storage, offset, size, stride, ...[, dtype]).
func rebuildTensor(args ...any) (any, error) {
	if len(args) < 4 {
		return nil, say.Errorf("a tensor of %d parts", len(args))
	}
	s, ok := args[0].(*storage)
	offset, offsetOK := args[1].(int)
	if !ok || !offsetOK || offset < 0 || offset > maxElements {
		return nil, say.Errorf("a tensor at %v of a %T", args[1], args[0])
	}
	t := &tensor{storage: s, kind: s.kind, offset: offset}
	if len(args) > 6 {
		if d, ok := args[6].(*dtype); ok {
			t.kind = d
		}
	}
	size, stride := pickle.Items(args[2]), pickle.Items(args[3])
	if len(size) != len(stride) || len(size) > 8 {
		return nil, say.Errorf("a tensor of %d dimensions and %d strides", len(size), len(stride))
	}
	for i := range size {
		n, ok := size[i].(int)
		step, stepOK := stride[i].(int)
		if !ok || !stepOK || n < 0 || step < 0 || n > maxElements || step > maxElements {
			return nil, say.Errorf("a tensor with size %v and stride %v", size[i], stride[i])
		}
		t.size, t.stride = append(t.size, n), append(t.stride, step)
	}
	return t, nil
}
