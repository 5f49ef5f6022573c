package emit

// kind says what follows an opcode in the binary format.
type kind byte

const (
	immNone   kind = iota
	immMem         // alignment, offset
	immMemLn       // alignment, offset, lane
	immLane        // lane
	immBytes       // sixteen bytes
	immI32         // signed LEB128
	immI64         //
	immF32         // four bytes
	immF64         // eight bytes
	immLocal       // local index
	immGlobal      // global index
	immFunc        // function index
	immIndir       // type index, table index
	immBlock       // block type
	immLabel       // depth
	immLabels      // vector of depths, default depth
	immZero        // one zero byte (memory index, fence)
	immZero2       // two zero bytes (memory.copy)
	immData        // data index, zero byte
	immDrop        // data index
)

// op is one instruction of WebAssembly.
type op struct {
	name   string
	prefix byte // 0, 0xfc, 0xfd (SIMD) or 0xfe (atomics)
	code   uint32
	kind   kind
	in     []Type
	out    Type
	align  byte // log2 of the natural alignment of a memory access
	lanes  byte
}

// ops lists every instruction defined with def, for tests and printers.
var ops []*op

func def(o op) *op {
	p := &o
	ops = append(ops, p)
	return p
}

// Opcode spaces.
const (
	misc   = 0xfc
	simd   = 0xfd
	atomic = 0xfe
)

// The functions that define operations are not inlined: hundreds of variables call
// them, and their copies in the package's init were 560 KB of the compiler that pages load.

//go:noinline
func op0(name string, prefix byte, code uint32, out Type) func() Value {
	o := def(op{name: name, prefix: prefix, code: code, out: out})
	return func() Value { return build(o, out, imm{}, nil) }
}

//go:noinline
func op1(name string, prefix byte, code uint32, a, out Type) func(a Value) Value {
	o := def(op{name: name, prefix: prefix, code: code, in: []Type{a}, out: out})
	return func(a Value) Value { return build(o, out, imm{}, o.in, a) }
}

//go:noinline
func op2(name string, prefix byte, code uint32, a, b, out Type) func(a, b Value) Value {
	o := def(op{name: name, prefix: prefix, code: code, in: []Type{a, b}, out: out})
	return func(a, b Value) Value { return build(o, out, imm{}, o.in, a, b) }
}

//go:noinline
func op3(name string, prefix byte, code uint32, a, b, c, out Type) func(a, b, c Value) Value {
	o := def(op{name: name, prefix: prefix, code: code, in: []Type{a, b, c}, out: out})
	return func(a, b, c Value) Value { return build(o, out, imm{}, o.in, a, b, c) }
}

// v1, v2, v3 define SIMD operations on v128 alone.
//
//go:noinline
func v1(name string, code uint32) func(a Value) Value { return op1(name, simd, code, V128, V128) }

//go:noinline
func v2(name string, code uint32) func(a, b Value) Value {
	return op2(name, simd, code, V128, V128, V128)
}

//go:noinline
func v3(name string, code uint32) func(a, b, c Value) Value {
	return op3(name, simd, code, V128, V128, V128, V128)
}

// vtest defines a SIMD operation that gives an i32; vshift one that takes an i32.
//
//go:noinline
func vtest(name string, code uint32) func(a Value) Value { return op1(name, simd, code, V128, I32) }

//go:noinline
func vshift(name string, code uint32) func(a, count Value) Value {
	return op2(name, simd, code, V128, I32, V128)
}

// Load reads at addr + offset; align, in bytes, is a promise that may be
// broken at the cost of speed, and natural where left out.
type Load func(addr Value, offset int, align ...int) Value

// Store writes x at addr + offset, as Load reads.
type Store func(addr Value, offset int, x Value, align ...int) Value

//go:noinline
func load(name string, prefix byte, code uint32, align byte, out Type) Load {
	o := def(op{name: name, prefix: prefix, code: code, kind: immMem, in: []Type{I32}, out: out, align: align})
	return func(addr Value, offset int, align ...int) Value { return memory(o, offset, 0, align, addr) }
}

//go:noinline
func store(name string, prefix byte, code uint32, align byte, x Type) Store {
	o := def(op{name: name, prefix: prefix, code: code, kind: immMem, in: []Type{I32, x}, out: None, align: align})
	return func(addr Value, offset int, x Value, align ...int) Value { return memory(o, offset, 0, align, addr, x) }
}

//go:noinline
func loadLane(name string, code uint32, align byte) func(addr Value, offset, lane int, v Value) Value {
	o := def(op{name: name, prefix: simd, code: code, kind: immMemLn, in: []Type{I32, V128}, out: V128, align: align, lanes: 16 >> align})
	return func(addr Value, offset, lane int, v Value) Value { return memory(o, offset, lane, nil, addr, v) }
}

//go:noinline
func storeLane(name string, code uint32, align byte) func(addr Value, offset, lane int, v Value) Value {
	o := def(op{name: name, prefix: simd, code: code, kind: immMemLn, in: []Type{I32, V128}, out: None, align: align, lanes: 16 >> align})
	return func(addr Value, offset, lane int, v Value) Value { return memory(o, offset, lane, nil, addr, v) }
}

//go:noinline
func rmw(name string, code uint32, align byte, x Type) func(addr Value, offset int, x Value) Value {
	o := def(op{name: name, prefix: atomic, code: code, kind: immMem, in: []Type{I32, x}, out: x, align: align})
	return func(addr Value, offset int, x Value) Value { return memory(o, offset, 0, nil, addr, x) }
}

//go:noinline
func cmpxchg(name string, code uint32, align byte, x Type) func(addr Value, offset int, expected, replacement Value) Value {
	o := def(op{name: name, prefix: atomic, code: code, kind: immMem, in: []Type{I32, x, x}, out: x, align: align})
	return func(addr Value, offset int, expected, replacement Value) Value {
		return memory(o, offset, 0, nil, addr, expected, replacement)
	}
}

// memory builds a memory access; atomics must promise their natural alignment.
func memory(o *op, offset, lane int, align []int, args ...Value) Value {
	im := imm{a: uint64(offset), b: uint64(o.align), lane: byte(lane)}
	for _, bytes := range align {
		for im.b = 0; 1<<im.b < bytes; im.b++ {
		}
	}
	v := build(o, o.out, im, o.in, args...)
	switch {
	case offset < 0 || offset > 1<<31-1:
		v.fail("%s: offset %d out of range", o.name, offset)
	case im.b > uint64(o.align) || o.prefix == atomic && im.b != uint64(o.align):
		v.fail("%s: alignment %d, natural is %d", o.name, 1<<im.b, 1<<o.align)
	case o.kind == immMemLn && (lane < 0 || lane >= int(o.lanes)):
		v.fail("%s: lane %d of %d", o.name, lane, o.lanes)
	}
	return v
}

//go:noinline
func extract(name string, code uint32, lanes byte, out Type) func(v Value, lane int) Value {
	o := def(op{name: name, prefix: simd, code: code, kind: immLane, in: []Type{V128}, out: out, lanes: lanes})
	return func(v Value, lane int) Value { return laneOp(o, lane, v) }
}

//go:noinline
func replace(name string, code uint32, lanes byte, x Type) func(v Value, lane int, x Value) Value {
	o := def(op{name: name, prefix: simd, code: code, kind: immLane, in: []Type{V128, x}, out: V128, lanes: lanes})
	return func(v Value, lane int, x Value) Value { return laneOp(o, lane, v, x) }
}

func laneOp(o *op, lane int, args ...Value) Value {
	v := build(o, o.out, imm{a: uint64(lane)}, o.in, args...)
	if lane < 0 || lane >= int(o.lanes) {
		v.fail("%s: lane %d of %d", o.name, lane, o.lanes)
	}
	return v
}
