package emit

import "math"

var (
	opI32Const  = def(op{name: "i32.const", code: 0x41, kind: immI32, out: I32})
	opI64Const  = def(op{name: "i64.const", code: 0x42, kind: immI64, out: I64})
	opF32Const  = def(op{name: "f32.const", code: 0x43, kind: immF32, out: F32})
	opF64Const  = def(op{name: "f64.const", code: 0x44, kind: immF64, out: F64})
	opV128Const = def(op{name: "v128.const", prefix: simd, code: 12, kind: immBytes, out: V128})
	opShuffle   = def(op{name: "i8x16.shuffle", prefix: simd, code: 13, kind: immBytes, in: []Type{V128, V128}, out: V128})
	opSelect    = def(op{name: "select", code: 0x1b})
	opMemCopy   = def(op{name: "memory.copy", prefix: misc, code: 10, kind: immZero2, in: []Type{I32, I32, I32}, out: None})
	opMemFill   = def(op{name: "memory.fill", prefix: misc, code: 11, kind: immZero, in: []Type{I32, I32, I32}, out: None})
	opMemInit   = def(op{name: "memory.init", prefix: misc, code: 8, kind: immData, in: []Type{I32, I32, I32}, out: None})
	opDataDrop  = def(op{name: "data.drop", prefix: misc, code: 9, kind: immDrop, out: None})
	opMemSize   = def(op{name: "memory.size", code: 0x3f, kind: immZero, out: I32})
	opMemGrow   = def(op{name: "memory.grow", code: 0x40, kind: immZero, in: []Type{I32}, out: I32})
	opFence     = def(op{name: "atomic.fence", prefix: atomic, code: 3, kind: immZero, out: None})
)

// I32Const is a constant; x may be any signed or unsigned 32-bit number.
func I32Const(x int) Value {
	v := build(opI32Const, I32, imm{a: uint64(int64(int32(x)))}, nil)
	if x < math.MinInt32 || x > math.MaxUint32 {
		v.fail("i32.const: %d does not fit", x)
	}
	return v
}

// I64Const is a constant.
func I64Const(x int64) Value { return build(opI64Const, I64, imm{a: uint64(x)}, nil) }

// F32Const is a constant.
func F32Const(x float32) Value {
	return build(opF32Const, F32, imm{a: uint64(math.Float32bits(x))}, nil)
}

// F64Const is a constant.
func F64Const(x float64) Value { return build(opF64Const, F64, imm{a: math.Float64bits(x)}, nil) }

// V128Const is a constant of sixteen bytes, lane 0 first.
func V128Const(b [16]byte) Value { return build(opV128Const, V128, imm{bytes: b}, nil) }

// I32x4Const is a constant of four lanes, lane 0 first.
func I32x4Const(a, b, c, d int32) Value {
	var bytes [16]byte
	for i, x := range [4]int32{a, b, c, d} {
		for j := range 4 {
			bytes[4*i+j] = byte(uint32(x) >> (8 * j))
		}
	}
	return V128Const(bytes)
}

// F32x4Const is a constant of four lanes, lane 0 first.
func F32x4Const(a, b, c, d float32) Value {
	return I32x4Const(int32(math.Float32bits(a)), int32(math.Float32bits(b)), int32(math.Float32bits(c)), int32(math.Float32bits(d)))
}

// F32x4All is a constant with x in all four lanes.
func F32x4All(x float32) Value { return F32x4Const(x, x, x, x) }

// I32x4All is a constant with x in all four lanes.
func I32x4All(x int32) Value { return I32x4Const(x, x, x, x) }

// Shuffle picks bytes: lanes 0-15 of a, 16-31 of b.
func Shuffle(a, b Value, lanes [16]byte) Value {
	v := build(opShuffle, V128, imm{bytes: lanes}, opShuffle.in, a, b)
	for _, l := range lanes {
		if l > 31 {
			v.fail("i8x16.shuffle: lane %d of 32", l)
		}
	}
	return v
}

// Shuffle32 picks words: lanes 0-3 of a, 4-7 of b.
func Shuffle32(a, b Value, l0, l1, l2, l3 byte) Value {
	var lanes [16]byte
	for i, l := range [4]byte{l0, l1, l2, l3} {
		for j := range byte(4) {
			lanes[4*i+int(j)] = 4*l + j
		}
	}
	return Shuffle(a, b, lanes)
}

// Select is yes where cond is not 0, else no. Both are computed.
func Select(cond, yes, no Value) Value {
	return build(opSelect, yes.Type(), imm{}, []Type{yes.Type(), yes.Type(), I32}, yes, no, cond)
}

// Plus is x + n on i32, x itself for 0.
func Plus(x Value, n int) Value {
	if n == 0 {
		return x
	}
	return I32Add(x, I32Const(n))
}

// Times is x * n on i32, x itself for 1 and a shift for powers of two.
func Times(x Value, n int) Value {
	switch {
	case n == 1:
		return x
	case n > 0 && n&(n-1) == 0:
		shift := 0
		for 1<<shift < n {
			shift++
		}
		return I32Shl(x, I32Const(shift))
	}
	return I32Mul(x, I32Const(n))
}

// MemoryCopy copies n bytes, overlapping or not.
func MemoryCopy(dst, src, n Value) Value {
	return build(opMemCopy, None, imm{}, opMemCopy.in, dst, src, n)
}

// MemoryFill sets n bytes to b.
func MemoryFill(dst, b, n Value) Value { return build(opMemFill, None, imm{}, opMemFill.in, dst, b, n) }

// MemoryInit copies n bytes from offset src of a passive segment.
func MemoryInit(d *Data, dst, src, n Value) Value {
	return build(opMemInit, None, imm{data: d}, opMemInit.in, dst, src, n)
}

// DataDrop frees a passive segment.
func DataDrop(d *Data) Value { return build(opDataDrop, None, imm{data: d}, nil) }

// MemorySize is the memory's size in pages.
func MemorySize() Value { return build(opMemSize, I32, imm{}, nil) }

// MemoryGrow grows by n pages and gives the old size, or -1.
func MemoryGrow(n Value) Value { return build(opMemGrow, I32, imm{}, opMemGrow.in, n) }

// AtomicFence orders all memory accesses before it before all after it.
func AtomicFence() Value { return build(opFence, None, imm{}, nil) }
