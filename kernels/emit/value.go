package emit

import (
	"fmt"
	"runtime"
	"strings"
)

// Type is a WebAssembly value type, as the binary format encodes it.
type Type byte

// Value types. None is the type of a Value that only acts, such as a store.
const (
	None Type = 0x40
	I32  Type = 0x7f
	I64  Type = 0x7e
	F32  Type = 0x7d
	F64  Type = 0x7c
	V128 Type = 0x7b
)

var typeNames = map[Type]string{None: "none", I32: "i32", I64: "i64", F32: "f32", F64: "f64", V128: "v128"}

// String gives the text format's name of t.
func (t Type) String() string {
	if s, ok := typeNames[t]; ok {
		return s
	}
	return fmt.Sprintf("type 0x%02x", byte(t))
}

// Value is an expression: an operation and its operands, or a local or global
// variable, which reads as its value. Building one writes no code: it becomes
// instructions where a statement of a Func (Set, Do, If, ...) takes it, each
// time that one does. The zero Value is an error.
type Value struct{ n *node }

type node struct {
	op   *op
	typ  Type
	args []Value
	imm  imm
	err  error
}

// imm is what follows an opcode; the op's kind says which fields count.
type imm struct {
	a, b  uint64   // index, depth, lane, constant's bits; offset and log2 of the alignment
	lane  byte     // of lane loads and stores
	bytes [16]byte // v128 constant, shuffle lanes
	fn    *Func    // owner of a local; callee
	sig   *signature
	glob  *global
	table *Table
	data  *Data
	multi []uint64 // depths of br_table
}

// Type is the type of the value.
func (v Value) Type() Type {
	if v.n == nil {
		return None
	}
	return v.n.typ
}

func (v Value) err() error {
	if v.n == nil {
		return nil
	}
	return v.n.err
}

// build makes a node, checking the operands against the types wanted; a wrong
// operand marks the node, and whatever is built from it, with the error.
func build(o *op, typ Type, im imm, want []Type, args ...Value) Value {
	n := &node{op: o, typ: typ, args: args, imm: im}
	n.err = checkArgs(o.name, want, args)
	return Value{n}
}

func checkArgs(what string, want []Type, args []Value) error {
	if len(args) != len(want) {
		return at("%s: %d operands, want %d", what, len(args), len(want))
	}
	for i, a := range args {
		if a.n == nil {
			return at("%s: operand %d is the zero Value", what, i)
		}
		if a.n.err != nil {
			return a.n.err
		}
		if a.n.typ != want[i] {
			return at("%s: operand %d is %v, want %v", what, i, a.n.typ, want[i])
		}
	}
	return nil
}

func (v Value) fail(format string, args ...any) Value {
	if v.n.err == nil {
		v.n.err = at(format, args...)
	}
	return v
}

const packagePrefix = "spotter/kernels/emit."

// at makes an error that begins with the position of the nearest caller
// outside this package: the line of the kernel that is wrong.
func at(format string, args ...any) error {
	msg := fmt.Sprintf(format, args...)
	var pcs [32]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	for {
		fr, more := frames.Next()
		if fr.Function != "" && !strings.HasPrefix(fr.Function, packagePrefix) {
			file := fr.File[strings.LastIndexByte(fr.File, '/')+1:]
			return fmt.Errorf("%s:%d: %s", file, fr.Line, msg)
		}
		if !more {
			return fmt.Errorf("%s", msg)
		}
	}
}
