package emit

import "slices"

// Func is a function of a module. Its methods append statements.
type Func struct {
	Name     string // as the name section gives it
	m        *Module
	module   string
	sig      signature
	index    int
	imported bool
	locals   []Type
	names    []string // of parameters, then locals
	body     []instr
	depth    uint64
	loops    []loop
}

type instr struct {
	op  *op
	imm imm
	typ Type // block type
}

var (
	opLocalGet  = def(op{name: "local.get", code: 0x20, kind: immLocal})
	opLocalSet  = def(op{name: "local.set", code: 0x21, kind: immLocal})
	opLocalTee  = def(op{name: "local.tee", code: 0x22, kind: immLocal})
	opGlobalGet = def(op{name: "global.get", code: 0x23, kind: immGlobal})
	opGlobalSet = def(op{name: "global.set", code: 0x24, kind: immGlobal})
	opCall      = def(op{name: "call", code: 0x10, kind: immFunc})
	opIndirect  = def(op{name: "call_indirect", code: 0x11, kind: immIndir})
	opDrop      = def(op{name: "drop", code: 0x1a})
	opReturn    = def(op{name: "return", code: 0x0f})
)

// Module is what the function belongs to.
func (f *Func) Module() *Module { return f.m }

// absolute is the index in the module's function index space, imports first.
func (f *Func) absolute() int {
	if f.imported {
		return f.index
	}
	return len(f.m.imports) + f.index
}

// Param is parameter i; the name is for the name section.
func (f *Func) Param(i int, name string) Value {
	if i < 0 || i >= len(f.sig.params) {
		f.m.fail(at("%s: parameter %d of %d", f.Name, i, len(f.sig.params)))
		return Value{}
	}
	f.names[i] = name
	return f.variable(i, f.sig.params[i])
}

// Params is all parameters, named in order.
func (f *Func) Params(names ...string) []Value {
	vs := make([]Value, len(names))
	for i, n := range names {
		vs[i] = f.Param(i, n)
	}
	return vs
}

// Local makes a local variable, zero at first.
func (f *Func) Local(t Type, name string) Value {
	f.locals = append(f.locals, t)
	f.names = append(f.names, name)
	return f.variable(len(f.sig.params)+len(f.locals)-1, t)
}

func (f *Func) variable(i int, t Type) Value {
	return Value{&node{op: opLocalGet, typ: t, imm: imm{a: uint64(i), fn: f}}}
}

// Define makes a local variable that starts as x.
func (f *Func) Define(name string, x Value) Value {
	v := f.Local(x.Type(), name)
	f.Set(v, x)
	return v
}

// Set assigns x to a local or a mutable global.
func (f *Func) Set(variable, x Value) {
	if err := checkVariable(variable, x); err != nil {
		f.m.fail(err)
		return
	}
	f.value(x)
	if variable.n.op == opGlobalGet {
		f.add(opGlobalSet, variable.n.imm)
		return
	}
	f.own(variable)
	f.add(opLocalSet, variable.n.imm)
}

func checkVariable(variable, x Value) error {
	if err := x.err(); err != nil {
		return err
	}
	if variable.n == nil || variable.n.op != opLocalGet && variable.n.op != opGlobalGet {
		return at("set: not a variable")
	}
	if g := variable.n.imm.glob; g != nil && !g.mutable {
		return at("set: global %s is not mutable", g.name)
	}
	if variable.n.typ != x.Type() {
		return at("set: variable is %v, value is %v", variable.n.typ, x.Type())
	}
	return nil
}

// Inc adds n to an i32 variable.
func (f *Func) Inc(variable Value, n int) {
	if n != 0 {
		f.Set(variable, Plus(variable, n))
	}
}

// Tee assigns x to a local and has its value.
func Tee(local, x Value) Value {
	if err := checkVariable(local, x); err != nil {
		return Value{&node{op: opLocalTee, typ: x.Type(), err: err}}
	}
	v := Value{&node{op: opLocalTee, typ: x.Type(), args: []Value{x}, imm: local.n.imm}}
	if local.n.op != opLocalGet {
		v.fail("tee: not a local")
	}
	return v
}

// Do computes x for its effect and drops its value.
func (f *Func) Do(x Value) {
	f.value(x)
	if x.n == nil {
		return
	}
	for range results(x) {
		f.add(opDrop, imm{})
	}
}

// SetAll assigns the results of a call with several.
func (f *Func) SetAll(variables []Value, call Value) {
	types := results(call)
	if len(types) != len(variables) {
		f.m.fail(at("set: %d variables, %d results", len(variables), len(types)))
		return
	}
	f.value(call)
	for i, v := range slices.Backward(variables) {
		if v.n == nil || v.n.op != opLocalGet || v.n.typ != types[i] {
			f.m.fail(at("set: variable %d is not a local %v", i, types[i]))
			return
		}
		f.add(opLocalSet, v.n.imm)
	}
}

// results are the types that v leaves on the stack.
func results(v Value) []Type {
	if v.n == nil || v.n.err != nil {
		return nil
	}
	if s := v.n.imm.sig; s != nil {
		return s.results
	}
	if v.n.typ == None {
		return nil
	}
	return []Type{v.n.typ}
}

// Call calls f; as a Value it has f's result when that is one, else None.
func (f *Func) Call(args ...Value) Value {
	return build(opCall, single(f.sig), imm{fn: f, sig: &f.sig}, f.sig.params, args...)
}

// Call calls function i of the table, which must have these types.
func (t *Table) Call(i Value, params, results []Type, args ...Value) Value {
	s := &signature{params, results}
	want := append(slices.Clone(params), I32)
	return build(opIndirect, single(*s), imm{table: t, sig: s}, want, append(slices.Clone(args), i)...)
}

func single(s signature) Type {
	if len(s.results) == 1 {
		return s.results[0]
	}
	return None
}

// Return leaves the function with these results.
func (f *Func) Return(results ...Value) {
	if err := checkArgs("return", f.sig.results, results); err != nil {
		f.m.fail(err)
		return
	}
	for _, r := range results {
		f.value(r)
	}
	f.add(opReturn, imm{})
}

// value appends the instructions of an expression, operands first.
func (f *Func) value(v Value) {
	if v.n == nil {
		f.m.fail(at("%s: the zero Value", f.Name))
		return
	}
	if v.n.err != nil {
		f.m.fail(v.n.err)
		return
	}
	for _, a := range v.n.args {
		f.value(a)
	}
	if v.n.op == opLocalGet || v.n.op == opLocalTee {
		f.own(v)
	}
	f.add(v.n.op, v.n.imm)
}

func (f *Func) own(v Value) {
	if v.n.imm.fn != f {
		f.m.fail(at("%s: local of function %s", f.Name, v.n.imm.fn.Name))
	}
}

func (f *Func) add(o *op, im imm) { f.body = append(f.body, instr{op: o, imm: im}) }
