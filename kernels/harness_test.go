package kernels

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"spotter/kernels/emit"
)

// poison fills the memory before each case: a NaN, so that reading what was never
// written shows in the result, and writing where nothing should be written is seen.
const poison = 0x7fc0dead

// rig is a module under one of wazero's engines, with a memory that a test lays
// out: floats, bytes, tensor and blank take space, call runs, check compares.
type rig struct {
	mod    api.Module
	engine string
	mem    []byte
	top    int    // end of the space taken
	before []byte // memory at the last call
}

// newTestModule is a module with its own memory for onRig.
func newTestModule(pages int) *emit.Module {
	m := emit.NewModule()
	m.Memory("memory", pages, pages)
	return m
}

// onRig exports every function of the module and runs the test under
// wazero's compiler and interpreter.
func onRig(t *testing.T, m *emit.Module, run func(t *testing.T, x *rig)) {
	t.Helper()
	m.ExportAll()
	wasm, err := m.Encode()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range []struct {
		name string
		cfg  wazero.RuntimeConfig
	}{{"compiler", wazero.NewRuntimeConfigCompiler()}, {"interpreter", wazero.NewRuntimeConfigInterpreter()}} {
		t.Run(e.name, func(t *testing.T) {
			ctx := context.Background()
			r := wazero.NewRuntimeWithConfig(ctx, e.cfg.WithCoreFeatures(api.CoreFeaturesV2|experimental.CoreFeaturesThreads))
			defer r.Close(ctx)
			mod, err := r.Instantiate(ctx, wasm)
			if err != nil {
				t.Fatal(err)
			}
			mem, _ := mod.Memory().Read(0, mod.Memory().Size())
			run(t, &rig{mod: mod, engine: e.name, mem: mem})
		})
	}
}

// slow reports whether the engine is the interpreter: sweep fewer and smaller sizes.
func (x *rig) slow() bool { return x.engine == "interpreter" }

// reset begins a case: nothing taken, all memory poisoned.
func (x *rig) reset() {
	x.top = 64
	binary.LittleEndian.PutUint32(x.mem, poison)
	for n := 4; n < len(x.mem); n *= 2 {
		copy(x.mem[n:], x.mem[:n])
	}
}

// take gives the address of n bytes, aligned to 16, with a gap before the next.
func (x *rig) take(n int) int {
	at := x.top
	x.top = (at+n+15)/16*16 + 64
	if x.top > len(x.mem) {
		panic(fmt.Sprintf("test needs %d bytes of memory, has %d", x.top, len(x.mem)))
	}
	return at
}

// floats writes numbers and gives their address.
func (x *rig) floats(data []float32) int {
	at := x.take(4 * len(data))
	for i, v := range data {
		x.put(at+4*i, v)
	}
	return at
}

// bytes writes bytes and gives their address.
func (x *rig) bytes(data []byte) int {
	at := x.take(len(data))
	copy(x.mem[at:], data)
	return at
}

// tensor writes H*W*C numbers in the layout of v and gives the address.
func (x *rig) tensor(v View, data []float32) int {
	at := x.blank(v)
	x.each(v, func(i, y, xx, c int) { x.put(at+v.At(y, xx, c), data[i]) })
	return at
}

// blank takes the space of v.
func (x *rig) blank(v View) int { return x.take(v.Bytes()) }

func (x *rig) each(v View, do func(i, y, x, c int)) {
	i := 0
	for y := range v.H {
		for xx := range v.W {
			for c := range v.C {
				do(i, y, xx, c)
				i++
			}
		}
	}
}

func (x *rig) put(at int, v float32) {
	binary.LittleEndian.PutUint32(x.mem[at:], math.Float32bits(v))
}

func (x *rig) get(at int) float32 {
	return math.Float32frombits(binary.LittleEndian.Uint32(x.mem[at:]))
}

// word is the i32 at an address.
func (x *rig) word(at int) int { return int(int32(binary.LittleEndian.Uint32(x.mem[at:]))) }

// read gives n numbers.
func (x *rig) read(at, n int) []float32 {
	data := make([]float32, n)
	for i := range data {
		data[i] = x.get(at + 4*i)
	}
	return data
}

// call runs a function on i32 arguments (float32 ones by math.Float32bits); its
// i32 result, 0 when it has none.
func (x *rig) call(t *testing.T, f *emit.Func, args ...int) int {
	t.Helper()
	x.before = append(x.before[:0], x.mem[:x.top]...)
	params := make([]uint64, len(args))
	for i, a := range args {
		params[i] = uint64(uint32(a))
	}
	res, err := x.mod.ExportedFunction(f.Name).Call(context.Background(), params...)
	if err != nil {
		t.Fatalf("%s%v: %v", f.Name, args, err)
	}
	if len(res) == 0 {
		return 0
	}
	return int(int32(res[0]))
}

// check compares the tensor at an address with H*W*C expected numbers: at most tol
// off, relative to the larger of 1 and the expected value. It also fails
// when the last call changed memory outside the tensor and the scratch ranges
// (address, bytes). One failure a case, with the label and the coordinate.
func (x *rig) check(t *testing.T, label string, v View, at int, want []float32, tol float64, scratch ...[2]int) bool {
	t.Helper()
	ok := true
	x.each(v, func(i, y, xx, c int) {
		got := x.get(at + v.At(y, xx, c))
		if ok && !near(got, want[i], tol) {
			ok = false
			t.Errorf("%s: y=%d x=%d c=%d is %v, want %v", label, y, xx, c, got, want[i])
		}
		binary.LittleEndian.PutUint32(x.before[at+v.At(y, xx, c):], math.Float32bits(got))
	})
	for _, s := range scratch {
		copy(x.before[s[0]:s[0]+s[1]], x.mem[s[0]:s[0]+s[1]])
	}
	for i := range x.before {
		if ok && x.before[i] != x.mem[i] {
			ok = false
			t.Errorf("%s: wrote outside its output, at byte %d from it (it has %d)", label, i-at, v.Bytes())
		}
	}
	return ok
}

func near(got, want float32, tol float64) bool {
	if got == want || got != got && want != want {
		return true
	}
	d := math.Abs(float64(got) - float64(want))
	return d <= tol*max(1, math.Abs(float64(want)))
}

// noise is n numbers in [-1, 1), the same for the same seed.
func noise(n int, seed uint32) []float32 {
	s := seed*2654435761 + 12345
	data := make([]float32, n)
	for i := range data {
		s = s*1664525 + 1013904223
		data[i] = float32(int32(s)>>8) / (1 << 23)
	}
	return data
}

// wide is v with gaps between pixels and rows, in floats.
func wide(v View, pixelGap, rowGap int) View {
	v.PixelStride += 4 * pixelGap
	v.RowStride = v.W*v.PixelStride + 4*rowGap
	return v
}
