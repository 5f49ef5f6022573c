package emit

import (
	_ "embed"
	"encoding/hex"
	"strings"
	"testing"
)

// opcodes holds a line for each instruction: name and bytes as another assembler
// (wabt's wat2wasm) encodes it, with offset 8, lane 1, the bytes 1..16, ...
//
//go:embed testdata/opcodes.txt
var opcodes string

// sample is the immediate that testdata/opcodes.txt was made with.
func sample(o *op) imm {
	im := imm{a: 8, b: uint64(o.align), lane: 1}
	switch o.kind {
	case immLane:
		im.a = 1
	case immI32, immI64:
		im.a = ^uint64(999)
	case immF32:
		im.a = 0x3fc00000
	case immF64:
		im.a = 0x3ff8000000000000
	}
	for i := range im.bytes {
		im.bytes[i] = byte(i + 1)
	}
	return im
}

func TestOpcodes(t *testing.T) {
	want := map[string]string{}
	for line := range strings.Lines(opcodes) {
		name, code, _ := strings.Cut(strings.TrimSpace(line), " ")
		want[name] = code
	}
	m, seen := NewModule(), map[string]bool{}
	for _, o := range ops {
		if seen[o.name] {
			t.Errorf("%s is defined twice", o.name)
		}
		seen[o.name] = true
		switch o.kind {
		case immLocal, immGlobal, immFunc, immIndir, immBlock, immLabel, immLabels, immData, immDrop:
			continue // run in run_test.go
		}
		got := hex.EncodeToString(m.instr(nil, instr{op: o, imm: sample(o)}))
		if got != want[o.name] {
			t.Errorf("%s: encoded %s, want %s", o.name, got, want[o.name])
		}
	}
}
