// Package module emits the WebAssembly module of a placed program: what package abi
// promises, in one self-describing file.
package module

import (
	"encoding/json"
	"fmt"

	"spotter/kernels/emit"
	"spotter/models/say"
	"spotter/wasm/abi"
	"spotter/wasm/choose"
	"spotter/wasm/ir"
	"spotter/wasm/pack"
	"spotter/wasm/plan"
)

// Options of an emission.
type Options struct {
	choose.Options
	Shared   bool          // threads: shared memory, worker, threads and stop
	Encoding pack.Encoding // "" chooses the smallest that loses nothing
	Manifest abi.Manifest  // what the caller knows: name, task, classes, feed, build, ...
}

// Module is the result.
type Module struct {
	Wasm     []byte
	Weights  []byte // the file that belongs to it
	Manifest abi.Manifest
	Arena    *plan.Arena
}

// step is a step that runs, with its kernels.
type step struct {
	*ir.Step
	calls []choose.Call
	funcs []*emit.Func
}

// builder is a module in work.
type builder struct {
	p      *ir.Program
	o      Options
	arena  *plan.Arena
	steps  []step
	file   *pack.File
	layout layout
	m      *emit.Module
	run    *emit.Func // run(step, id, n)
	sync   control
}

// Emit makes the module of a program whose values are placed.
func Emit(p *ir.Program, o Options) (*Module, error) {
	b := &builder{p: p, o: o, arena: plan.New(p), m: emit.NewModule()}
	if err := b.choose(); err != nil {
		return nil, err
	}
	head, err := b.head()
	if err != nil {
		return nil, err
	}
	if err := b.lay(head); err != nil {
		return nil, err
	}
	b.m.ImportMemory("env", "memory", b.layout.Pages, b.layout.MaxPages, o.Shared)
	b.kernels()
	b.export("load", b.load())
	b.export("step", b.stepFunc())
	b.frame()
	b.post(head)
	manifest := b.manifest()
	text, err := json.Marshal(manifest)
	if err != nil {
		return nil, say.Errorf("manifest: %w", err)
	}
	b.m.Custom(abi.Section, text)
	wasm, err := b.m.Encode()
	if err != nil {
		return nil, fmt.Errorf("BUG: the emitted module is wrong: %w", err)
	}
	return &Module{Wasm: wasm, Weights: b.file.Bytes, Manifest: manifest, Arena: b.arena}, nil
}

func (b *builder) export(name string, f *emit.Func) { b.m.Export(name, f) }

// choose picks the kernels and packs their parameters.
func (b *builder) choose() error {
	var params []*pack.Param
	for _, s := range b.p.Steps {
		if s.View {
			continue
		}
		calls, err := choose.Calls(s, b.o.Options)
		if err != nil {
			return err
		}
		for _, c := range calls {
			for _, a := range c.Args {
				if a.Param == nil {
					continue
				}
				if b.o.Encoding == pack.F16 && !a.Param.FitsHalf() {
					return say.Errorf("layer %s: a weight is too large for float16", s.Name)
				}
				params = append(params, a.Param)
			}
		}
		b.steps = append(b.steps, step{Step: s, calls: calls})
	}
	if b.o.Encoding == "" {
		b.o.Encoding = pack.Choose(params)
	}
	b.file = pack.Pack(params, b.o.Encoding)
	return nil
}

// scratch is the most memory that a thread needs beside the arena.
func (b *builder) scratch() int {
	most := b.letterbox().ScratchBytes()
	for _, s := range b.steps {
		for _, c := range s.calls {
			most = max(most, c.Scratch)
		}
	}
	return most
}

// address resolves a kernel's argument.
func (b *builder) address(a choose.Arg) int {
	if a.Param != nil {
		return b.layout.Weights + a.Param.Offset + a.Offset
	}
	return b.layout.Arena + b.arena.Offset(a.Value) + a.Offset
}

// kernels emits the kernels and run(step, id, n): thread id's share of n of a step.
func (b *builder) kernels() {
	for i, s := range b.steps {
		for _, c := range s.calls {
			b.steps[i].funcs = append(b.steps[i].funcs, c.Func(b.m))
		}
	}
	i := emit.I32
	f := b.m.NewFunc("run", []emit.Type{i, i, i}, nil)
	v := f.Params("step", "id", "n")
	begin, end := f.Local(i, "begin"), f.Local(i, "end")
	units := -1
	share := func(n int) {
		if n == units {
			return
		}
		units = n
		f.Set(begin, emit.I32DivU(emit.I32Mul(emit.I32Const(n), v[1]), v[2]))
		f.Set(end, emit.I32DivU(emit.I32Mul(emit.I32Const(n), emit.Plus(v[1], 1)), v[2]))
	}
	var cases []func()
	for _, s := range b.steps {
		cases = append(cases, func() {
			units = -1
			for k, c := range s.calls {
				share(c.Units)
				f.Do(s.funcs[k].Call(b.args(c, v[1], begin, end)...))
			}
		})
	}
	f.Switch(v[0], append(cases, func() {})...)
	b.run = f
}

func (b *builder) args(c choose.Call, id, begin, end emit.Value) []emit.Value {
	var args []emit.Value
	for _, a := range c.Args {
		args = append(args, emit.I32Const(b.address(a)))
	}
	if c.Scratch > 0 {
		args = append(args, b.scratchOf(id))
	}
	return append(args, begin, end)
}

// scratchOf is the address of a thread's scratch memory.
func (b *builder) scratchOf(id emit.Value) emit.Value {
	if !b.o.Shared {
		return emit.I32Const(b.layout.Scratch)
	}
	return emit.Plus(emit.Times(id, b.layout.ScratchStep), b.layout.Scratch)
}

// stepFunc emits step(i).
func (b *builder) stepFunc() *emit.Func {
	f := b.m.NewFunc("step", []emit.Type{emit.I32}, nil)
	f.Do(b.run.Call(f.Param(0, "i"), emit.I32Const(0), emit.I32Const(1)))
	return f
}
