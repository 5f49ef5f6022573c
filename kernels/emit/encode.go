package emit

import (
	"encoding/binary"
	"errors"
	"slices"
)

// Encode gives the binary module, or every error met while building it.
func (m *Module) Encode() ([]byte, error) {
	if len(m.errs) > 0 {
		return nil, errors.Join(distinct(m.errs)...)
	}
	code := m.codeSection() // first: call_indirect adds types
	funcs, imports := m.functionSection(), m.importSection()
	b := []byte("\x00asm\x01\x00\x00\x00")
	b = section(b, 1, m.typeSection())
	b = section(b, 2, imports)
	b = section(b, 3, funcs)
	b = section(b, 4, m.tableSection())
	b = section(b, 5, m.memorySection())
	b = section(b, 6, m.globalSection())
	b = section(b, 7, m.exportSection())
	b = section(b, 9, m.elementSection())
	if len(m.datas) > 0 {
		b = section(b, 12, uleb(nil, uint64(len(m.datas))))
	}
	b = section(b, 10, code)
	b = section(b, 11, m.dataSection())
	for _, c := range m.customs {
		b = section(b, 0, append(text(nil, c.name), c.data...))
	}
	return section(b, 0, append(text(nil, "name"), m.names()...)), nil
}

// distinct drops repetitions: a wrong Value fails wherever it is used.
func distinct(errs []error) []error {
	seen := map[string]bool{}
	return slices.DeleteFunc(slices.Clone(errs), func(err error) bool {
		again := seen[err.Error()]
		seen[err.Error()] = true
		return again
	})
}

// section appends a section, nothing when its payload is empty.
func section(b []byte, id byte, payload []byte) []byte {
	if len(payload) == 0 {
		return b
	}
	b = append(b, id)
	b = uleb(b, uint64(len(payload)))
	return append(b, payload...)
}

// vector encodes n items, nothing at all when there are none.
func vector(n int, item func(b []byte, i int) []byte) []byte {
	if n == 0 {
		return nil
	}
	b := uleb(nil, uint64(n))
	for i := range n {
		b = item(b, i)
	}
	return b
}

func (m *Module) typeSection() []byte {
	return vector(len(m.types), func(b []byte, i int) []byte {
		b = types(append(b, 0x60), m.types[i].params)
		return types(b, m.types[i].results)
	})
}

func types(b []byte, ts []Type) []byte {
	b = uleb(b, uint64(len(ts)))
	for _, t := range ts {
		b = append(b, byte(t))
	}
	return b
}

func (m *Module) importSection() []byte {
	n, mem := len(m.imports), m.memory != nil && !m.memory.own
	if mem {
		n++
	}
	return vector(n, func(b []byte, i int) []byte {
		if i == len(m.imports) {
			b = text(text(b, m.memory.module), m.memory.name)
			return limits(append(b, 2), m.memory)
		}
		f := m.imports[i]
		b = append(text(text(b, f.module), f.Name), 0)
		return uleb(b, uint64(m.typeIndex(f.sig)))
	})
}

func limits(b []byte, mem *memoryImport) []byte {
	flag := byte(1)
	if mem.shared {
		flag = 3
	}
	b = uleb(append(b, flag), uint64(mem.min))
	return uleb(b, uint64(mem.max))
}

func (m *Module) functionSection() []byte {
	return vector(len(m.funcs), func(b []byte, i int) []byte {
		return uleb(b, uint64(m.typeIndex(m.funcs[i].sig)))
	})
}

func (m *Module) tableSection() []byte {
	return vector(len(m.tables), func(b []byte, i int) []byte {
		n := uint64(len(m.tables[i].funcs))
		return uleb(uleb(append(b, 0x70, 1), n), n)
	})
}

func (m *Module) memorySection() []byte {
	if m.memory == nil || !m.memory.own {
		return nil
	}
	return vector(1, func(b []byte, _ int) []byte { return limits(b, m.memory) })
}

func (m *Module) globalSection() []byte {
	return vector(len(m.globals), func(b []byte, i int) []byte {
		g := m.globals[i]
		b = append(b, byte(g.typ), boolByte(g.mutable))
		b = m.instr(b, instr{op: g.init.n.op, imm: g.init.n.imm})
		return append(b, 0x0b)
	})
}

func (m *Module) exportSection() []byte {
	return vector(len(m.exports), func(b []byte, i int) []byte {
		e := m.exports[i]
		return uleb(append(text(b, e.name), e.kind), uint64(e.index()))
	})
}

func (m *Module) elementSection() []byte {
	full := slices.DeleteFunc(slices.Clone(m.tables), func(t *Table) bool { return len(t.funcs) == 0 })
	return vector(len(full), func(b []byte, i int) []byte {
		b = uleb(append(b, 2), uint64(full[i].index))
		b = append(b, 0x41, 0, 0x0b, 0) // i32.const 0, kind funcref
		b = uleb(b, uint64(len(full[i].funcs)))
		for _, f := range full[i].funcs {
			b = uleb(b, uint64(f.absolute()))
		}
		return b
	})
}

func (m *Module) dataSection() []byte {
	return vector(len(m.datas), func(b []byte, i int) []byte {
		d := m.datas[i]
		if d.active {
			b = append(sleb(append(b, 0, 0x41), int64(int32(d.offset))), 0x0b)
		} else {
			b = append(b, 1)
		}
		return append(uleb(b, uint64(len(d.bytes))), d.bytes...)
	})
}

func (m *Module) codeSection() []byte {
	return vector(len(m.funcs), func(b []byte, i int) []byte {
		code := m.code(m.funcs[i])
		return append(uleb(b, uint64(len(code))), code...)
	})
}

// code is a function's locals, as runs of one type, and its body.
func (m *Module) code(f *Func) []byte {
	type run struct {
		n uint64
		t Type
	}
	var runs []run
	for _, t := range f.locals {
		if k := len(runs) - 1; k >= 0 && runs[k].t == t {
			runs[k].n++
		} else {
			runs = append(runs, run{1, t})
		}
	}
	b := uleb(nil, uint64(len(runs)))
	for _, r := range runs {
		b = append(uleb(b, r.n), byte(r.t))
	}
	for _, in := range f.body {
		b = m.instr(b, in)
	}
	if len(f.sig.results) > 0 {
		b = append(b, 0x00) // unreachable: results leave through Return
	}
	return append(b, 0x0b)
}

// instr appends one instruction.
func (m *Module) instr(b []byte, in instr) []byte {
	if in.op.prefix != 0 {
		b = uleb(append(b, in.op.prefix), uint64(in.op.code))
	} else {
		b = append(b, byte(in.op.code))
	}
	im := &in.imm
	switch in.op.kind {
	case immMem:
		b = uleb(uleb(b, im.b), im.a)
	case immMemLn:
		b = append(uleb(uleb(b, im.b), im.a), im.lane)
	case immLane:
		b = append(b, byte(im.a))
	case immBytes:
		b = append(b, im.bytes[:]...)
	case immI32, immI64:
		b = sleb(b, int64(im.a))
	case immF32:
		b = binary.LittleEndian.AppendUint32(b, uint32(im.a))
	case immF64:
		b = binary.LittleEndian.AppendUint64(b, im.a)
	case immBlock:
		b = append(b, byte(in.typ))
	case immZero:
		b = append(b, 0)
	case immZero2:
		b = append(b, 0, 0)
	default:
		b = m.index(b, in.op.kind, im)
	}
	return b
}

// index appends the immediates that are indices.
func (m *Module) index(b []byte, k kind, im *imm) []byte {
	switch k {
	case immLocal, immLabel:
		b = uleb(b, im.a)
	case immGlobal:
		b = uleb(b, uint64(im.glob.index))
	case immFunc:
		b = uleb(b, uint64(im.fn.absolute()))
	case immIndir:
		b = uleb(uleb(b, uint64(m.typeIndex(*im.sig))), uint64(im.table.index))
	case immLabels:
		last := len(im.multi) - 1
		b = uleb(b, uint64(last))
		for _, d := range im.multi {
			b = uleb(b, d)
		}
	case immData:
		b = append(uleb(b, uint64(im.data.index)), 0)
	case immDrop:
		b = uleb(b, uint64(im.data.index))
	}
	return b
}

// names is the name section's payload: functions (1) and locals (2).
func (m *Module) names() []byte {
	all := append(slices.Clone(m.imports), m.funcs...)
	funcs := vector(len(all), func(b []byte, i int) []byte { return text(uleb(b, uint64(i)), all[i].Name) })
	locals := vector(len(m.funcs), func(b []byte, i int) []byte {
		f := m.funcs[i]
		b = uleb(b, uint64(f.absolute()))
		b = uleb(b, uint64(len(f.names)))
		for j, n := range f.names {
			b = text(uleb(b, uint64(j)), n)
		}
		return b
	})
	return section(section(nil, 1, funcs), 2, locals)
}

func boolByte(x bool) byte {
	if x {
		return 1
	}
	return 0
}

func text(b []byte, s string) []byte { return append(uleb(b, uint64(len(s))), s...) }

// uleb appends x as unsigned LEB128.
func uleb(b []byte, x uint64) []byte { return binary.AppendUvarint(b, x) }

// sleb appends x as signed LEB128.
func sleb(b []byte, x int64) []byte {
	for {
		c := byte(x & 0x7f)
		x >>= 7
		if x == 0 && c&0x40 == 0 || x == -1 && c&0x40 != 0 {
			return append(b, c)
		}
		b = append(b, c|0x80)
	}
}
