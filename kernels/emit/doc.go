// Package emit assembles WebAssembly modules: kernels are written in Go as
// expressions and structured statements, checked as they are built, and
// encoded to the binary format (WebAssembly 2.0 with the SIMD, relaxed SIMD and
// threads proposals).
//
//	m := emit.NewModule()
//	m.ImportMemory("env", "memory", 1, 1, false)
//	f := m.NewFunc("scale", []emit.Type{emit.I32, emit.I32, emit.F32}, nil)
//	p, end, s := f.Param(0, "p"), f.Param(1, "end"), f.Param(2, "s")
//	factor := f.Local(emit.V128, "factor")
//	f.Set(factor, emit.F32x4Splat(s))
//	f.For(p, p, end, 16, func() {
//		f.Do(emit.V128Store(p, 0, emit.F32x4Mul(emit.V128Load(p, 0), factor)))
//	})
//	m.Export("scale", f)
//	wasm, err := m.Encode()
//
// Operations are named as in the text format: f32x4.mul is F32x4Mul. A wrong
// operand does not stop the building: Encode returns every such error, each
// with the line of the caller that made it.
package emit
