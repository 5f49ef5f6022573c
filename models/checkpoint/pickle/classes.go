package pickle

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"

	"spotter/models/say"
)

// class resolves the globals whose values are worth having; the rest stay names.
// Python 2 modules are spelled as the protocols below 3 write them.
func class(module, name string) any {
	switch module {
	case "__builtin__", "builtins":
		if f, ok := builtins[name]; ok {
			return f
		}
	case "copy_reg", "copyreg":
		if name == "_reconstructor" {
			return Func(reconstruct)
		}
	case "collections":
		if name == "OrderedDict" || name == "defaultdict" {
			return builtins["dict"]
		}
	case "_codecs":
		if name == "encode" {
			return Func(latin1)
		}
	case "torch":
		if name == "Size" {
			return builtins["tuple"]
		}
	case "numpy", "numpy.core.multiarray", "numpy._core.multiarray":
		switch name {
		case "dtype":
			return Func(newDtype)
		case "scalar":
			return Func(scalar)
		case "_reconstruct":
			return Func(func(...any) (any, error) { return new(array), nil })
		}
	case "pathlib", "pathlib._local":
		return Func(path)
	}
	return &Class{Module: module, Name: name}
}

var builtins = map[string]Func{
	"set":       sequence,
	"frozenset": sequence,
	"list":      sequence,
	"tuple":     sequence,
	"dict":      func(...any) (any, error) { return &Dict{}, nil },
	"bytearray": func(args ...any) (any, error) {
		if len(args) == 0 {
			return []byte(nil), nil
		}
		return latin1(args...)
	},
}

// sequence is list(x) for a list or tuple x.
func sequence(args ...any) (any, error) {
	if len(args) == 0 {
		return &List{}, nil
	}
	items := Items(args[0])
	return &List{Items: items[:len(items):len(items)]}, nil // shared until either grows
}

// reconstruct is how protocols 0 and 1 make an object: (class, base, state of the base).
func reconstruct(args ...any) (any, error) {
	if len(args) == 0 {
		return nil, say.Errorf("an object without its class")
	}
	return call(args[0], nil)
}

// latin1 is str.encode with the encoding by which old protocols carry bytes.
func latin1(args ...any) (any, error) {
	if len(args) == 0 {
		return nil, say.Errorf("encode without a text")
	}
	switch s := args[0].(type) {
	case []byte:
		return s, nil
	case string:
		b := make([]byte, 0, len(s))
		for _, r := range s {
			if r > 255 {
				return nil, say.Errorf("bytes hold the character %U", r)
			}
			b = append(b, byte(r))
		}
		return b, nil
	}
	return nil, say.Errorf("encode of %T", args[0])
}

// path joins the parts of a pathlib path.
func path(args ...any) (any, error) {
	parts := make([]string, 0, len(args))
	for _, a := range args {
		s, ok := a.(string)
		if !ok {
			return nil, say.Errorf("a path with a part of %T", a)
		}
		parts = append(parts, s)
	}
	return strings.Replace(strings.Join(parts, "/"), "//", "/", 1), nil
}

// dtype is numpy's, as far as scalars need it.
type dtype struct{ kind string }

func newDtype(args ...any) (any, error) {
	d := &dtype{}
	if len(args) > 0 {
		d.kind, _ = args[0].(string)
	}
	return d, nil
}

// SetState notes a big-endian type, which scalar then does not read.
func (d *dtype) SetState(state any) error {
	if parts := Items(state); len(parts) > 1 && parts[1] == ">" {
		d.kind = ">" + d.kind
	}
	return nil
}

// array is a numpy array, of which the value is kept when it is one number.
type array struct{ only any }

// SetState reads (version, shape, type, column-major, bytes).
func (a *array) SetState(state any) (err error) {
	if parts := Items(state); len(parts) == 5 {
		a.only, err = scalar(parts[2], parts[4])
	}
	return err
}

// scalar is a number of numpy: its type and its bytes. Unread types give nil.
func scalar(args ...any) (any, error) {
	if len(args) != 2 {
		return nil, nil
	}
	d, _ := args[0].(*dtype)
	b, _ := args[1].([]byte)
	if d == nil || len(b) > 8 || d.kind != fmt.Sprintf("%.1s%d", d.kind, len(b)) {
		return nil, nil
	}
	var wide [8]byte
	copy(wide[:], b)
	bits := binary.LittleEndian.Uint64(wide[:])
	switch d.kind {
	case "f8":
		return math.Float64frombits(bits), nil
	case "f4":
		return float64(math.Float32frombits(uint32(bits))), nil
	case "i1", "i2", "i4", "i8":
		shift := 64 - 8*len(b)
		return int(int64(bits<<shift) >> shift), nil
	case "u1", "u2", "u4", "u8":
		return int(bits), nil
	case "b1":
		return bits != 0, nil
	}
	return nil, nil
}
