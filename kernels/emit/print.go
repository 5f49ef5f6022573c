package emit

import (
	"fmt"
	"math"
	"strings"
)

// Text writes the module's functions in WebAssembly's text format, for reading:
// one instruction a line, indented by nesting, locals by name.
func (m *Module) Text() string {
	var b strings.Builder
	for _, f := range m.funcs {
		b.WriteString(f.Text())
	}
	return b.String()
}

// Text writes one function.
func (f *Func) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "(func $%s", f.Name)
	for i, t := range f.sig.params {
		fmt.Fprintf(&b, " (param $%s %v)", f.localName(i), t)
	}
	for _, t := range f.sig.results {
		fmt.Fprintf(&b, " (result %v)", t)
	}
	b.WriteByte('\n')
	for i, t := range f.locals {
		fmt.Fprintf(&b, "  (local $%s %v)\n", f.localName(len(f.sig.params)+i), t)
	}
	depth := 1
	for _, in := range f.body {
		if in.op == opEnd || in.op == opElse {
			depth--
		}
		fmt.Fprintf(&b, "%*s%s%s\n", 2*depth, "", in.op.name, f.operand(in))
		switch in.op {
		case opBlock, opLoop, opIf, opElse:
			depth++
		}
	}
	b.WriteString(")\n")
	return b.String()
}

// localName is the name given, made unique by the index where it is not.
func (f *Func) localName(i int) string {
	name := f.names[i]
	for j, other := range f.names {
		if name == "" || j != i && other == name {
			return fmt.Sprintf("%s%d", name, i)
		}
	}
	return name
}

func (f *Func) operand(in instr) string {
	im := &in.imm
	switch in.op.kind {
	case immMem, immMemLn:
		s := ""
		if im.a != 0 {
			s = fmt.Sprintf(" offset=%d", im.a)
		}
		if im.b != uint64(in.op.align) {
			s += fmt.Sprintf(" align=%d", 1<<im.b)
		}
		if in.op.kind == immMemLn {
			s += fmt.Sprintf(" %d", im.lane)
		}
		return s
	case immLane, immLabel:
		return fmt.Sprintf(" %d", im.a)
	case immBytes:
		return bytesText(in.op, im.bytes)
	case immI32, immI64:
		return fmt.Sprintf(" %d", int64(im.a))
	case immF32:
		return " " + floatText(float64(math.Float32frombits(uint32(im.a))))
	case immF64:
		return " " + floatText(math.Float64frombits(im.a))
	case immLocal:
		return " $" + f.localName(int(im.a))
	case immGlobal:
		return " $" + im.glob.name
	case immFunc:
		return " $" + im.fn.Name
	case immIndir:
		return fmt.Sprintf(" $%s%s", im.table.name, signatureText(im.sig))
	case immLabels:
		return " " + strings.Trim(fmt.Sprint(im.multi), "[]")
	case immData, immDrop:
		return fmt.Sprintf(" %d", im.data.index)
	}
	return ""
}

func bytesText(o *op, b [16]byte) string {
	if o == opShuffle {
		return " " + strings.Trim(fmt.Sprint(b[:]), "[]")
	}
	s := " i32x4"
	for i := 0; i < 16; i += 4 {
		s += fmt.Sprintf(" 0x%02x%02x%02x%02x", b[i+3], b[i+2], b[i+1], b[i])
	}
	return s
}

func floatText(x float64) string {
	switch {
	case math.IsInf(x, 1):
		return "inf"
	case math.IsInf(x, -1):
		return "-inf"
	case math.IsNaN(x):
		return "nan"
	}
	return fmt.Sprint(x)
}

func signatureText(s *signature) string {
	b := ""
	for _, t := range s.params {
		b += fmt.Sprintf(" (param %v)", t)
	}
	for _, t := range s.results {
		b += fmt.Sprintf(" (result %v)", t)
	}
	return b
}
