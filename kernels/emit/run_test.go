package emit_test

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"spotter/kernels/emit"
)

var (
	i32  = []emit.Type{emit.I32}
	i32s = []emit.Type{emit.I32, emit.I32}
)

// instantiate runs the module under both of wazero's engines.
func instantiate(t *testing.T, m *emit.Module, run func(t *testing.T, mod api.Module)) {
	t.Helper()
	wasm, err := m.Encode()
	if err != nil {
		t.Fatal(err)
	}
	for name, cfg := range map[string]wazero.RuntimeConfig{
		"compiler": wazero.NewRuntimeConfigCompiler(), "interpreter": wazero.NewRuntimeConfigInterpreter(),
	} {
		t.Run(name, func(t *testing.T) {
			ctx := context.Background()
			features := api.CoreFeaturesV2 | experimental.CoreFeaturesThreads
			r := wazero.NewRuntimeWithConfig(ctx, cfg.WithCoreFeatures(features))
			defer r.Close(ctx)
			env := r.NewHostModuleBuilder("env").NewFunctionBuilder().
				WithFunc(func(x uint32) uint32 { return x + 1000 }).Export("host")
			if _, err := env.Instantiate(ctx); err != nil {
				t.Fatal(err)
			}
			mod, err := r.Instantiate(ctx, wasm)
			if err != nil {
				t.Fatalf("%v\n%s", err, m.Text())
			}
			run(t, mod)
		})
	}
}

func call(t *testing.T, mod api.Module, name string, args ...uint64) uint32 {
	t.Helper()
	res, err := mod.ExportedFunction(name).Call(context.Background(), args...)
	if err != nil {
		t.Fatalf("%s%v: %v", name, args, err)
	}
	if len(res) == 0 {
		return 0
	}
	return uint32(res[0])
}

// build makes an exported function of i32 parameters with one i32 result.
func build(m *emit.Module, name string, params int, body func(f *emit.Func, p []emit.Value)) *emit.Func {
	types, names := make([]emit.Type, params), make([]string, params)
	for i := range types {
		types[i], names[i] = emit.I32, fmt.Sprintf("p%d", i)
	}
	f := m.NewFunc(name, types, i32)
	body(f, f.Params(names...))
	m.Export(name, f)
	return f
}

func TestControlFlow(t *testing.T) {
	m := emit.NewModule()
	build(m, "sum", 2, func(f *emit.Func, p []emit.Value) { // of odd numbers in [p0, p1), none above 50
		i, s := f.Local(emit.I32, "i"), f.Local(emit.I32, "s")
		f.For(i, p[0], p[1], 1, func() {
			f.If(emit.I32Eqz(emit.I32And(i, emit.I32Const(1))), f.Continue)
			f.If(emit.I32GtS(i, emit.I32Const(50)), f.Break)
			f.Set(s, emit.I32Add(s, i))
		})
		f.Return(s)
	})
	build(m, "down", 1, func(f *emit.Func, p []emit.Value) { // 1*2*...*p0
		i, s := f.Local(emit.I32, "i"), f.Define("s", emit.I32Const(1))
		f.For(i, p[0], emit.I32Const(0), -1, func() { f.Set(s, emit.I32Mul(s, i)) })
		f.Return(s)
	})
	build(m, "bits", 1, func(f *emit.Func, p []emit.Value) {
		n := f.Local(emit.I32, "n")
		f.While(p[0], func() {
			f.Set(p[0], emit.I32And(p[0], emit.Plus(p[0], -1)))
			f.Inc(n, 1)
		})
		f.Return(n)
	})
	build(m, "switch", 1, func(f *emit.Func, p []emit.Value) {
		r := f.Local(emit.I32, "r")
		set := func(x int) func() { return func() { f.Set(r, emit.I32Const(x)) } }
		f.Switch(p[0], set(10), set(20), set(30))
		f.Return(r)
	})
	build(m, "nested", 2, func(f *emit.Func, p []emit.Value) { // pairs i < p0, j < p1 with i*j even, until i*j = 12
		i, j, n := f.Local(emit.I32, "i"), f.Local(emit.I32, "j"), f.Local(emit.I32, "n")
		f.Block(func(done *emit.Label) {
			f.For(i, emit.I32Const(0), p[0], 1, func() {
				f.For(j, emit.I32Const(0), p[1], 1, func() {
					f.BrIf(done, emit.I32Eq(emit.I32Mul(i, j), emit.I32Const(12)))
					f.If(emit.I32And(emit.I32Mul(i, j), emit.I32Const(1)), f.Continue, func() { f.Inc(n, 1) })
				})
			})
		})
		f.Return(n)
	})
	build(m, "forever", 1, func(f *emit.Func, p []emit.Value) {
		f.Loop(func() {
			f.Inc(p[0], 7)
			f.If(emit.I32GtS(p[0], emit.I32Const(100)), func() { f.Return(p[0]) })
		})
	})
	instantiate(t, m, func(t *testing.T, mod api.Module) {
		for _, c := range []struct {
			name string
			args []uint64
			want uint32
		}{
			{"sum", []uint64{0, 10}, 25}, {"sum", []uint64{5, 5}, 0}, {"sum", []uint64{0, 1000}, 625},
			{"down", []uint64{5}, 120}, {"down", []uint64{0}, 1},
			{"bits", []uint64{0}, 0}, {"bits", []uint64{0xf0f1}, 9},
			{"switch", []uint64{0}, 10}, {"switch", []uint64{1}, 20}, {"switch", []uint64{2}, 30}, {"switch", []uint64{9}, 30},
			{"nested", []uint64{3, 4}, 10}, {"nested", []uint64{4, 5}, 15}, {"nested", []uint64{0, 5}, 0},
			{"forever", []uint64{0}, 105},
		} {
			if got := call(t, mod, c.name, c.args...); got != c.want {
				t.Errorf("%s%v = %d, want %d", c.name, c.args, got, c.want)
			}
		}
	})
}

func TestCalls(t *testing.T) {
	m := emit.NewModule()
	host := m.ImportFunc("env", "host", i32, i32)
	twice := build(m, "twice", 1, func(f *emit.Func, p []emit.Value) { f.Return(emit.Times(p[0], 2)) })
	thrice := build(m, "thrice", 1, func(f *emit.Func, p []emit.Value) { f.Return(emit.Times(p[0], 3)) })
	table := m.Table("layers", twice)
	if at := table.Add(thrice, host); at != 1 {
		t.Errorf("Add = %d, want 1", at)
	}
	build(m, "pick", 2, func(f *emit.Func, p []emit.Value) { f.Return(table.Call(p[0], i32, i32, p[1])) })
	build(m, "both", 1, func(f *emit.Func, p []emit.Value) {
		f.Return(emit.I32Add(host.Call(p[0]), emit.Select(p[0], twice.Call(p[0]), emit.I32Const(-5))))
	})
	swap := m.NewFunc("swap", i32s, i32s)
	p := swap.Params("a", "b")
	swap.Return(p[1], p[0])
	build(m, "minus", 2, func(f *emit.Func, p []emit.Value) {
		f.SetAll(p, swap.Call(p...))
		f.Do(swap.Call(p...))
		f.Return(emit.I32Sub(p[0], p[1]))
	})
	count := m.Global("count", true, emit.I32Const(40))
	m.ExportGlobal("count", count)
	build(m, "next", 0, func(f *emit.Func, _ []emit.Value) {
		f.Inc(count, 1)
		f.Return(count)
	})
	instantiate(t, m, func(t *testing.T, mod api.Module) {
		for _, c := range []struct {
			name string
			args []uint64
			want uint32
		}{
			{"pick", []uint64{0, 7}, 14}, {"pick", []uint64{1, 7}, 21}, {"pick", []uint64{2, 7}, 1007},
			{"both", []uint64{1}, 1003}, {"both", []uint64{0}, 995},
			{"minus", []uint64{3, 10}, 7}, {"next", nil, 41}, {"next", nil, 42},
		} {
			if got := call(t, mod, c.name, c.args...); got != c.want {
				t.Errorf("%s%v = %d, want %d", c.name, c.args, got, c.want)
			}
		}
		if got := mod.ExportedGlobal("count").Get(); got != 42 {
			t.Errorf("count = %d, want 42", got)
		}
	})
}

func TestMemory(t *testing.T) {
	m := emit.NewModule()
	m.Memory("memory", 1, 4)
	m.Data(16, []byte{1, 2, 3, 4, 5, 6, 7, 8})
	passive := m.PassiveData([]byte("passive"))
	run := m.NewFunc("run", nil, i32)
	at := run.Define("at", emit.I32Const(100))
	run.Do(emit.MemoryInit(passive, at, emit.I32Const(1), emit.I32Const(3)))
	run.Do(emit.DataDrop(passive))
	run.Do(emit.MemoryCopy(emit.I32Const(110), at, emit.I32Const(2)))
	run.Do(emit.MemoryFill(emit.I32Const(120), emit.I32Const(0xab), emit.I32Const(2)))
	v := run.Define("v", emit.V128Load16x4U(emit.I32Const(10), 6))
	run.Do(emit.V128Store(at, 30, emit.F32x4Mul(emit.F32x4ConvertI32x4U(emit.I32x4ExtendLowI16x8U(emit.I16x8NarrowI32x4U(v, v))), emit.F32x4All(0.5))))
	run.Do(emit.V128Store32Lane(at, 60, 2, emit.Shuffle32(v, emit.I32x4Const(-1, -2, -3, -4), 7, 0, 6, 4)))
	run.Do(emit.F32Store(at, 64, emit.F32Const(float32(math.Inf(-1)))))
	run.Do(emit.I64Store(at, 68, emit.I64Const(math.MinInt64), 4))
	run.Do(emit.I32AtomicStore(emit.I32Const(200), 0, emit.I32Const(5)))
	run.Do(emit.I32AtomicRmwAdd(emit.I32Const(200), 0, emit.I32Const(6)))
	run.Do(emit.I32AtomicRmwCmpxchg(emit.I32Const(200), 0, emit.I32Const(11), emit.I32Const(99)))
	run.Do(emit.AtomicNotify(emit.I32Const(200), 0, emit.I32Const(1)))
	run.Do(emit.AtomicFence())
	run.Do(emit.MemoryGrow(emit.I32Const(2)))
	run.Return(emit.I32Add(emit.MemorySize(), emit.I32AtomicLoad(emit.I32Const(196), 4)))
	m.Export("run", run)
	m.Custom("note", []byte("hello"))
	instantiate(t, m, func(t *testing.T, mod api.Module) {
		if got := call(t, mod, "run"); got != 3+99 {
			t.Errorf("run = %d, want 102", got)
		}
		for _, c := range []struct {
			at   uint32
			want string
		}{
			{100, "ass"}, {110, "as"}, {120, "\xab\xab\x00"},
			{130, "\x00\x40\x80\x43\x00\x60\x00\x44\x00\xa0\x40\x44\x00\x70\x80\x44"},
			{160, "\xfd\xff\xff\xff\x00\x00\x80\xff\x00\x00\x00\x00\x00\x00\x00\x80"},
		} {
			if got, _ := mod.Memory().Read(c.at, uint32(len(c.want))); string(got) != c.want {
				t.Errorf("memory at %d is % x, want % x", c.at, got, c.want)
			}
		}
	})
}

func TestErrors(t *testing.T) {
	m := emit.NewModule()
	f := m.NewFunc("wrong", i32, i32)
	g := m.NewFunc("other", i32, nil)
	p := f.Param(0, "p")
	v := f.Local(emit.V128, "v")
	f.Set(v, p)
	f.Set(v, emit.F32x4Mul(emit.F32x4Add(v, p), v))
	f.Do(emit.V128Store(p, -4, v))
	f.Do(emit.V128Load32Lane(p, 0, 4, v))
	f.Do(emit.I32AtomicLoad(p, 0, 1))
	f.Do(emit.V128Load(p, 0, 32))
	f.Do(emit.Shuffle(v, v, [16]byte{32}))
	f.Return()
	f.Break()
	f.If(v, func() {})
	g.Set(p, emit.I32Const(1))
	f.Do(g.Call(p, p))
	f.Do(emit.I32Const(1 << 40))
	f.Do(emit.Value{})
	f.Set(emit.I32Const(1), p)
	_, err := m.Encode()
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{
		"set: variable is v128, value is i32", "f32x4.add: operand 1 is i32, want v128", "v128.store: offset -4 out of range",
		"v128.load32_lane: lane 4 of 4", "i32.atomic.load: alignment 1, natural is 4", "v128.load: alignment 32, natural is 16",
		"i8x16.shuffle: lane 32 of 32", "return: 0 operands, want 1", "wrong: break outside a loop", "if: operand 0 is v128, want i32",
		"other: local of function wrong", "call: 2 operands, want 1", "i32.const: 1099511627776 does not fit", "wrong: the zero Value", "set: not a variable",
	} {
		found := false
		for line := range strings.Lines(err.Error()) {
			found = found || strings.HasPrefix(line, "run_test.go:") && strings.Contains(line, want)
		}
		if !found {
			t.Errorf("no error %q with this file's position in\n%v", want, err)
		}
	}
	if n := strings.Count(err.Error(), "\n") + 1; n != 15 {
		t.Errorf("%d errors, want 15:\n%v", n, err)
	}
}

func TestText(t *testing.T) {
	m := emit.NewModule()
	f := m.NewFunc("fill", i32s, nil)
	p, end := f.Param(0, "p"), f.Param(1, "end")
	x := f.Define("x", emit.F32x4All(1.5))
	f.For(p, p, end, 16, func() { f.Do(emit.V128Store(p, 16, x, 4)) })
	want := `(func $fill (param $p i32) (param $end i32)
  (local $x v128)
  v128.const i32x4 0x3fc00000 0x3fc00000 0x3fc00000 0x3fc00000
  local.set $x
  local.get $p
  local.set $p
  local.get $p
  local.get $end
  i32.lt_s
  if
    loop
      local.get $p
      local.get $x
      v128.store offset=16 align=4
      local.get $p
      i32.const 16
      i32.add
      local.set $p
      local.get $p
      local.get $end
      i32.lt_s
      br_if 0
    end
  end
)
`
	if got := f.Text(); got != want {
		t.Errorf("Text:\n%s\nwant\n%s", got, want)
	}
}
