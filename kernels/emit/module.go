package emit

import "slices"

// Module gathers the parts of one WebAssembly module.
type Module struct {
	imports []*Func // functions that the host gives
	funcs   []*Func
	memory  *memoryImport
	types   []signature
	globals []*global
	tables  []*Table
	datas   []*Data
	exports []export
	customs []custom
	errs    []error
}

type signature struct{ params, results []Type }

type memoryImport struct {
	module, name string
	min, max     int
	shared       bool
	own          bool
}

type global struct {
	name    string
	typ     Type
	mutable bool
	init    Value
	index   int
}

type export struct {
	name  string
	kind  byte
	index func() int
}

type custom struct {
	name string
	data []byte
}

// NewModule is an empty module.
func NewModule() *Module { return &Module{} }

func (m *Module) fail(err error) { m.errs = append(m.errs, err) }

// ImportMemory takes the memory from the host: min to max pages of 64 KiB.
// Shared memory needs the threads feature.
func (m *Module) ImportMemory(module, name string, min, max int, shared bool) {
	m.setMemory(&memoryImport{module: module, name: name, min: min, max: max, shared: shared})
}

// Memory makes the module's own memory and exports it under the name.
func (m *Module) Memory(name string, min, max int) {
	m.setMemory(&memoryImport{min: min, max: max, own: true})
	m.exports = append(m.exports, export{name, 2, func() int { return 0 }})
}

func (m *Module) setMemory(mem *memoryImport) {
	if m.memory != nil {
		m.fail(at("a second memory"))
	}
	if mem.min < 0 || mem.max < mem.min || mem.max > 65536 {
		m.fail(at("memory of %d to %d pages", mem.min, mem.max))
	}
	m.memory = mem
}

// ImportFunc takes a function from the host.
func (m *Module) ImportFunc(module, name string, params, results []Type) *Func {
	f := &Func{m: m, Name: name, module: module, sig: signature{params, results}, index: len(m.imports), imported: true}
	m.imports = append(m.imports, f)
	return f
}

// NewFunc begins a function. Its statements are its methods; it is complete
// when Encode is called.
func (m *Module) NewFunc(name string, params, results []Type) *Func {
	f := &Func{m: m, Name: name, sig: signature{slices.Clone(params), slices.Clone(results)}, index: len(m.funcs)}
	f.names = make([]string, len(params))
	m.funcs = append(m.funcs, f)
	return f
}

// NewRoutine begins a function of the named addresses and counts, all i32, that
// gives nothing, and names them.
func (m *Module) NewRoutine(name string, params ...string) (*Func, []Value) {
	f := m.NewFunc(name, slices.Repeat([]Type{I32}, len(params)), nil)
	return f, f.Params(params...)
}

// Func finds a function by name, nil when there is none.
func (m *Module) Func(name string) *Func {
	for _, f := range m.funcs {
		if f.Name == name {
			return f
		}
	}
	return nil
}

// Global is a variable of the module that starts as init, a constant. It reads
// as its value, and Func.Set writes it. Each instance has its own, also when
// instances share their memory.
func (m *Module) Global(name string, mutable bool, init Value) Value {
	g := &global{name: name, typ: init.Type(), mutable: mutable, init: init, index: len(m.globals)}
	if err := init.err(); err != nil {
		m.fail(err)
	} else if init.n == nil || !isConst(init.n.op) {
		m.fail(at("global %s: initial value is not a constant", name))
	}
	m.globals = append(m.globals, g)
	return Value{&node{op: opGlobalGet, typ: g.typ, imm: imm{glob: g}}}
}

func isConst(o *op) bool {
	switch o {
	case opI32Const, opI64Const, opF32Const, opF64Const, opV128Const:
		return true
	}
	return false
}

// Table holds functions for Table.Call.
type Table struct {
	name  string
	funcs []*Func
	index int
}

// Table makes a table with these functions at 0, 1, ...
func (m *Module) Table(name string, funcs ...*Func) *Table {
	t := &Table{name: name, funcs: slices.Clone(funcs), index: len(m.tables)}
	m.tables = append(m.tables, t)
	return t
}

// Add appends functions and gives the index of the first.
func (t *Table) Add(funcs ...*Func) int {
	t.funcs = append(t.funcs, funcs...)
	return len(t.funcs) - len(funcs)
}

// Data is a segment of bytes.
type Data struct {
	offset int
	active bool
	bytes  []byte
	index  int
}

// Data places bytes in memory at offset whenever an instance is made: with
// shared memory, once for each thread, so put only constants there.
func (m *Module) Data(offset int, bytes []byte) {
	if offset < 0 {
		m.fail(at("data at %d", offset))
	}
	m.datas = append(m.datas, &Data{offset: offset, active: true, bytes: bytes, index: len(m.datas)})
}

// PassiveData holds bytes for MemoryInit.
func (m *Module) PassiveData(bytes []byte) *Data {
	d := &Data{bytes: bytes, index: len(m.datas)}
	m.datas = append(m.datas, d)
	return d
}

// Export makes a function visible to the host.
func (m *Module) Export(name string, f *Func) {
	m.exports = append(m.exports, export{name, 0, f.absolute})
}

// ExportGlobal makes a global visible to the host.
func (m *Module) ExportGlobal(name string, v Value) {
	if v.n == nil || v.n.imm.glob == nil {
		m.fail(at("export %s: not a global", name))
		return
	}
	m.exports = append(m.exports, export{name, 3, func() int { return v.n.imm.glob.index }})
}

// ExportTable makes a table visible to the host.
func (m *Module) ExportTable(name string, t *Table) {
	m.exports = append(m.exports, export{name, 1, func() int { return t.index }})
}

// Custom adds a custom section; they stand before the name section, in order.
func (m *Module) Custom(name string, data []byte) {
	m.customs = append(m.customs, custom{name, data})
}

// typeIndex gives the index of a function type, adding it when new.
func (m *Module) typeIndex(s signature) int {
	for i, t := range m.types {
		if slices.Equal(t.params, s.params) && slices.Equal(t.results, s.results) {
			return i
		}
	}
	m.types = append(m.types, s)
	return len(m.types) - 1
}

// ExportAll exports every function under its name, where none is exported yet
// under it: for tests.
func (m *Module) ExportAll() {
	for _, f := range m.funcs {
		if !slices.ContainsFunc(m.exports, func(e export) bool { return e.name == f.Name }) {
			m.Export(f.Name, f)
		}
	}
}
