package emit

var (
	opBlock   = def(op{name: "block", code: 0x02, kind: immBlock})
	opLoop    = def(op{name: "loop", code: 0x03, kind: immBlock})
	opIf      = def(op{name: "if", code: 0x04, kind: immBlock})
	opElse    = def(op{name: "else", code: 0x05})
	opEnd     = def(op{name: "end", code: 0x0b})
	opBr      = def(op{name: "br", code: 0x0c, kind: immLabel})
	opBrIf    = def(op{name: "br_if", code: 0x0d, kind: immLabel})
	opBrTable = def(op{name: "br_table", code: 0x0e, kind: immLabels})
)

// Label is where a branch goes: the end of a Block.
type Label struct {
	f     *Func
	depth uint64 // of nesting inside the block
	open  bool
}

// loop is what Break and Continue of the innermost loop mean.
type loop struct{ brk, cont *Label }

func (f *Func) open(o *op) *Label {
	f.body = append(f.body, instr{op: o, typ: None})
	f.depth++
	return &Label{f: f, depth: f.depth, open: true}
}

func (f *Func) end(l *Label) {
	l.open = false
	f.depth--
	f.add(opEnd, imm{})
}

// br appends a branch; err names what is wrong with the label.
func (f *Func) br(o *op, l *Label) {
	if l == nil || l.f != f || !l.open {
		f.m.fail(at("%s: %s to a label that is not open here", f.Name, o.name))
		return
	}
	f.add(o, imm{a: f.depth - l.depth})
}

func (f *Func) cond(what string, c Value) bool {
	if err := checkArgs(what, []Type{I32}, []Value{c}); err != nil {
		f.m.fail(err)
		return false
	}
	f.value(c)
	return true
}

// If runs then where cond is not 0, else the optional other branch.
func (f *Func) If(cond Value, then func(), els ...func()) {
	if !f.cond("if", cond) {
		return
	}
	l := f.open(opIf)
	then()
	for _, e := range els {
		f.add(opElse, imm{})
		e()
	}
	f.end(l)
}

// Block runs body; a branch to its label leaves it.
func (f *Func) Block(body func(end *Label)) {
	l := f.open(opBlock)
	body(l)
	f.end(l)
}

// Br branches to a label, BrIf where cond is not 0.
func (f *Func) Br(l *Label) { f.br(opBr, l) }

// BrIf branches to a label where cond is not 0.
func (f *Func) BrIf(l *Label, cond Value) {
	if f.cond("br_if", cond) {
		f.br(opBrIf, l)
	}
}

// Switch runs cases[i], or the last one where i is out of range.
func (f *Func) Switch(i Value, cases ...func()) {
	if err := checkArgs("switch", []Type{I32}, []Value{i}); err != nil {
		f.m.fail(err)
		return
	}
	done := f.open(opBlock)
	labels := make([]*Label, len(cases))
	for k := range cases {
		labels[len(cases)-1-k] = f.open(opBlock)
	}
	f.value(i)
	depths := make([]uint64, len(cases))
	for k, l := range labels {
		depths[k] = f.depth - l.depth
	}
	f.add(opBrTable, imm{multi: depths})
	for k, body := range cases {
		f.end(labels[k])
		body()
		f.Br(done)
	}
	f.end(done)
}

// repeat is a loop whose body ends with its own backward branch.
func (f *Func) repeat(body func(again *Label)) {
	brk := f.open(opBlock)
	again := f.open(opLoop)
	f.loops = append(f.loops, loop{brk: brk})
	body(again)
	f.loops = f.loops[:len(f.loops)-1]
	f.end(again)
	f.end(brk)
}

// inner runs a loop's body, with Continue leading to what follows it.
func (f *Func) inner(body func()) {
	here := len(f.body)
	cont := f.open(opBlock)
	f.loops[len(f.loops)-1].cont = cont
	body()
	f.end(cont)
	f.dropUnused(here)
}

// dropUnused removes the block opened at here when no branch leads to its end,
// so that plain loops read (and decode) as plain loops.
func (f *Func) dropUnused(here int) {
	depth := uint64(0)
	for _, in := range f.body[here+1 : len(f.body)-1] {
		if in.op.kind == immLabel && in.imm.a == depth || in.op.kind == immLabels && contains(in.imm.multi, depth) {
			return
		}
		depth = nest(depth, in.op)
	}
	depth = 0
	for i := here + 1; i < len(f.body)-1; i++ {
		in := &f.body[i]
		if in.op.kind == immLabel && in.imm.a > depth {
			in.imm.a--
		}
		for j := range in.imm.multi {
			if in.imm.multi[j] > depth {
				in.imm.multi[j]--
			}
		}
		depth = nest(depth, in.op)
	}
	f.body = append(f.body[:here], f.body[here+1:len(f.body)-1]...)
}

func contains(list []uint64, x uint64) bool {
	for _, y := range list {
		if x == y {
			return true
		}
	}
	return false
}

func nest(depth uint64, o *op) uint64 {
	switch o {
	case opBlock, opLoop, opIf:
		return depth + 1
	case opEnd:
		return depth - 1
	}
	return depth
}

// Loop runs body for ever: until Break or Return.
func (f *Func) Loop(body func()) {
	f.repeat(func(again *Label) {
		f.inner(body)
		f.Br(again)
	})
}

// While runs body as long as cond is not 0, tested first.
func (f *Func) While(cond Value, body func()) {
	f.If(cond, func() { f.DoWhile(body, cond) })
}

// DoWhile runs body once and again while cond is not 0.
func (f *Func) DoWhile(body func(), cond Value) {
	here := len(f.body)
	f.repeat(func(again *Label) {
		f.inner(body)
		f.BrIf(again, cond)
	})
	f.dropUnused(here)
}

// For runs body with the i32 variable i = start, start+step, ... < end (signed;
// > end where step is negative). End is computed for each test: let it be a
// local or a constant.
func (f *Func) For(i, start, end Value, step int, body func()) {
	f.Set(i, start)
	less := I32LtS
	if step < 0 {
		less = I32GtS
	}
	f.If(less(i, end), func() {
		here := len(f.body)
		f.repeat(func(again *Label) {
			f.inner(body)
			f.Inc(i, step)
			f.BrIf(again, less(i, end))
		})
		f.dropUnused(here)
	})
}

// Break leaves the innermost loop.
func (f *Func) Break() {
	if len(f.loops) == 0 {
		f.m.fail(at("%s: break outside a loop", f.Name))
		return
	}
	f.Br(f.loops[len(f.loops)-1].brk)
}

// Continue goes to the end of the innermost loop's body: its step and test.
func (f *Func) Continue() {
	if len(f.loops) == 0 {
		f.m.fail(at("%s: continue outside a loop", f.Name))
		return
	}
	f.Br(f.loops[len(f.loops)-1].cont)
}
