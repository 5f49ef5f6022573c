package run

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"

	"spotter/wasm/abi"
)

var header = []byte("\x00asm\x01\x00\x00\x00")

// section finds the custom section with the manifest.
func section(module []byte) ([]byte, error) {
	rest, ok := bytes.CutPrefix(module, header)
	if !ok {
		return nil, errors.New("this is no WebAssembly module")
	}
	for len(rest) > 0 {
		id := rest[0]
		body, after, ok := sized(rest[1:])
		if !ok {
			return nil, errors.New("the WebAssembly module is cut off")
		}
		if id == 0 {
			if name, payload, ok := sized(body); ok && string(name) == abi.Section {
				return payload, nil
			}
		}
		rest = after
	}
	return nil, errors.New("the WebAssembly module was not made by Spotter: it does not describe itself")
}

// sized splits off bytes that begin with their number in LEB128.
func sized(b []byte) (body, rest []byte, ok bool) {
	size, n := binary.Uvarint(b)
	if n <= 0 || size > uint64(len(b)-n) {
		return nil, nil, false
	}
	return b[n : n+int(size)], b[n+int(size):], true
}

// memoryModule is a module that makes and exports the memory: a host module of
// wazero's cannot.
func memoryModule(m abi.Manifest) []byte {
	flags := byte(1)
	if slices.Contains(m.Features, "threads") {
		flags = 3
	}
	limits := []byte{1, flags}
	limits = binary.AppendUvarint(limits, uint64(m.Memory.Pages))
	limits = binary.AppendUvarint(limits, uint64(m.Memory.MaxPages))
	export := []byte("\x01\x06memory\x02\x00")
	b := append(slices.Clone(header), 5, byte(len(limits)))
	b = append(b, limits...)
	b = append(b, 7, byte(len(export)))
	return append(b, export...)
}
