package emit

var (
	opNotify = def(op{name: "memory.atomic.notify", prefix: atomic, code: 0, kind: immMem, in: []Type{I32, I32}, out: I32, align: 2})
	opWait32 = def(op{name: "memory.atomic.wait32", prefix: atomic, code: 1, kind: immMem, in: []Type{I32, I32, I64}, out: I32, align: 2})
)

// AtomicNotify wakes up to count waiters at addr + offset and gives their number.
func AtomicNotify(addr Value, offset int, count Value) Value {
	return memory(opNotify, offset, 0, nil, addr, count)
}

// AtomicWait32 sleeps while the word at addr + offset is expected: at most timeout
// nanoseconds, for ever where negative. 0 woken, 1 another value, 2 timed out.
func AtomicWait32(addr Value, offset int, expected, timeout Value) Value {
	return memory(opWait32, offset, 0, nil, addr, expected, timeout)
}

// Atomic loads and stores.
var (
	I32AtomicLoad    = load("i32.atomic.load", atomic, 0x10, 2, I32)
	I64AtomicLoad    = load("i64.atomic.load", atomic, 0x11, 3, I64)
	I32AtomicLoad8U  = load("i32.atomic.load8_u", atomic, 0x12, 0, I32)
	I32AtomicLoad16U = load("i32.atomic.load16_u", atomic, 0x13, 1, I32)
	I64AtomicLoad8U  = load("i64.atomic.load8_u", atomic, 0x14, 0, I64)
	I64AtomicLoad16U = load("i64.atomic.load16_u", atomic, 0x15, 1, I64)
	I64AtomicLoad32U = load("i64.atomic.load32_u", atomic, 0x16, 2, I64)
	I32AtomicStore   = store("i32.atomic.store", atomic, 0x17, 2, I32)
	I64AtomicStore   = store("i64.atomic.store", atomic, 0x18, 3, I64)
	I32AtomicStore8  = store("i32.atomic.store8", atomic, 0x19, 0, I32)
	I32AtomicStore16 = store("i32.atomic.store16", atomic, 0x1a, 1, I32)
	I64AtomicStore8  = store("i64.atomic.store8", atomic, 0x1b, 0, I64)
	I64AtomicStore16 = store("i64.atomic.store16", atomic, 0x1c, 1, I64)
	I64AtomicStore32 = store("i64.atomic.store32", atomic, 0x1d, 2, I64)
)

// Atomic read-modify-write: each gives the old value.
var (
	I32AtomicRmwAdd        = rmw("i32.atomic.rmw.add", 0x1e, 2, I32)
	I64AtomicRmwAdd        = rmw("i64.atomic.rmw.add", 0x1f, 3, I64)
	I32AtomicRmw8AddU      = rmw("i32.atomic.rmw8.add_u", 0x20, 0, I32)
	I32AtomicRmw16AddU     = rmw("i32.atomic.rmw16.add_u", 0x21, 1, I32)
	I64AtomicRmw8AddU      = rmw("i64.atomic.rmw8.add_u", 0x22, 0, I64)
	I64AtomicRmw16AddU     = rmw("i64.atomic.rmw16.add_u", 0x23, 1, I64)
	I64AtomicRmw32AddU     = rmw("i64.atomic.rmw32.add_u", 0x24, 2, I64)
	I32AtomicRmwSub        = rmw("i32.atomic.rmw.sub", 0x25, 2, I32)
	I64AtomicRmwSub        = rmw("i64.atomic.rmw.sub", 0x26, 3, I64)
	I32AtomicRmw8SubU      = rmw("i32.atomic.rmw8.sub_u", 0x27, 0, I32)
	I32AtomicRmw16SubU     = rmw("i32.atomic.rmw16.sub_u", 0x28, 1, I32)
	I64AtomicRmw8SubU      = rmw("i64.atomic.rmw8.sub_u", 0x29, 0, I64)
	I64AtomicRmw16SubU     = rmw("i64.atomic.rmw16.sub_u", 0x2a, 1, I64)
	I64AtomicRmw32SubU     = rmw("i64.atomic.rmw32.sub_u", 0x2b, 2, I64)
	I32AtomicRmwAnd        = rmw("i32.atomic.rmw.and", 0x2c, 2, I32)
	I64AtomicRmwAnd        = rmw("i64.atomic.rmw.and", 0x2d, 3, I64)
	I32AtomicRmw8AndU      = rmw("i32.atomic.rmw8.and_u", 0x2e, 0, I32)
	I32AtomicRmw16AndU     = rmw("i32.atomic.rmw16.and_u", 0x2f, 1, I32)
	I64AtomicRmw8AndU      = rmw("i64.atomic.rmw8.and_u", 0x30, 0, I64)
	I64AtomicRmw16AndU     = rmw("i64.atomic.rmw16.and_u", 0x31, 1, I64)
	I64AtomicRmw32AndU     = rmw("i64.atomic.rmw32.and_u", 0x32, 2, I64)
	I32AtomicRmwOr         = rmw("i32.atomic.rmw.or", 0x33, 2, I32)
	I64AtomicRmwOr         = rmw("i64.atomic.rmw.or", 0x34, 3, I64)
	I32AtomicRmw8OrU       = rmw("i32.atomic.rmw8.or_u", 0x35, 0, I32)
	I32AtomicRmw16OrU      = rmw("i32.atomic.rmw16.or_u", 0x36, 1, I32)
	I64AtomicRmw8OrU       = rmw("i64.atomic.rmw8.or_u", 0x37, 0, I64)
	I64AtomicRmw16OrU      = rmw("i64.atomic.rmw16.or_u", 0x38, 1, I64)
	I64AtomicRmw32OrU      = rmw("i64.atomic.rmw32.or_u", 0x39, 2, I64)
	I32AtomicRmwXor        = rmw("i32.atomic.rmw.xor", 0x3a, 2, I32)
	I64AtomicRmwXor        = rmw("i64.atomic.rmw.xor", 0x3b, 3, I64)
	I32AtomicRmw8XorU      = rmw("i32.atomic.rmw8.xor_u", 0x3c, 0, I32)
	I32AtomicRmw16XorU     = rmw("i32.atomic.rmw16.xor_u", 0x3d, 1, I32)
	I64AtomicRmw8XorU      = rmw("i64.atomic.rmw8.xor_u", 0x3e, 0, I64)
	I64AtomicRmw16XorU     = rmw("i64.atomic.rmw16.xor_u", 0x3f, 1, I64)
	I64AtomicRmw32XorU     = rmw("i64.atomic.rmw32.xor_u", 0x40, 2, I64)
	I32AtomicRmwXchg       = rmw("i32.atomic.rmw.xchg", 0x41, 2, I32)
	I64AtomicRmwXchg       = rmw("i64.atomic.rmw.xchg", 0x42, 3, I64)
	I32AtomicRmw8XchgU     = rmw("i32.atomic.rmw8.xchg_u", 0x43, 0, I32)
	I32AtomicRmw16XchgU    = rmw("i32.atomic.rmw16.xchg_u", 0x44, 1, I32)
	I64AtomicRmw8XchgU     = rmw("i64.atomic.rmw8.xchg_u", 0x45, 0, I64)
	I64AtomicRmw16XchgU    = rmw("i64.atomic.rmw16.xchg_u", 0x46, 1, I64)
	I64AtomicRmw32XchgU    = rmw("i64.atomic.rmw32.xchg_u", 0x47, 2, I64)
	I32AtomicRmwCmpxchg    = cmpxchg("i32.atomic.rmw.cmpxchg", 0x48, 2, I32)
	I64AtomicRmwCmpxchg    = cmpxchg("i64.atomic.rmw.cmpxchg", 0x49, 3, I64)
	I32AtomicRmw8CmpxchgU  = cmpxchg("i32.atomic.rmw8.cmpxchg_u", 0x4a, 0, I32)
	I32AtomicRmw16CmpxchgU = cmpxchg("i32.atomic.rmw16.cmpxchg_u", 0x4b, 1, I32)
	I64AtomicRmw8CmpxchgU  = cmpxchg("i64.atomic.rmw8.cmpxchg_u", 0x4c, 0, I64)
	I64AtomicRmw16CmpxchgU = cmpxchg("i64.atomic.rmw16.cmpxchg_u", 0x4d, 1, I64)
	I64AtomicRmw32CmpxchgU = cmpxchg("i64.atomic.rmw32.cmpxchg_u", 0x4e, 2, I64)
)
