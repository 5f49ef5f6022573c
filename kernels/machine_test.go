package kernels

import (
	"context"
	"encoding/binary"
	"math"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"spotter/kernels/emit"
)

// machine is an instance of a module with a memory of its own.
type machine struct {
	t   testing.TB
	mod api.Module
	mem api.Memory
}

var engines = map[string]func() wazero.RuntimeConfig{
	"compiler":    wazero.NewRuntimeConfigCompiler,
	"interpreter": wazero.NewRuntimeConfigInterpreter,
}

// onEngines runs the functions of m, all exported under their names, under each of wazero's engines.
func onEngines(t *testing.T, m *emit.Module, pages int, run func(t *testing.T, vm *machine)) {
	t.Helper()
	m.Memory("memory", pages, pages)
	wasm, err := m.Encode()
	if err != nil {
		t.Fatal(err)
	}
	for name, config := range engines {
		t.Run(name, func(t *testing.T) {
			ctx := context.Background()
			r := wazero.NewRuntimeWithConfig(ctx, config().WithCoreFeatures(api.CoreFeaturesV2|experimental.CoreFeaturesThreads))
			defer r.Close(ctx)
			mod, err := r.Instantiate(ctx, wasm)
			if err != nil {
				t.Fatal(err)
			}
			run(t, &machine{t, mod, mod.Memory()})
		})
	}
}

func (vm *machine) call(name string, args ...uint64) uint32 {
	vm.t.Helper()
	out, err := vm.mod.ExportedFunction(name).Call(context.Background(), args...)
	if err != nil {
		vm.t.Fatalf("%s%v: %v", name, args, err)
	}
	if len(out) == 0 {
		return 0
	}
	return uint32(out[0])
}

func (vm *machine) write(at int, b []byte) {
	vm.t.Helper()
	if !vm.mem.Write(uint32(at), b) {
		vm.t.Fatalf("no room for %d bytes at %d", len(b), at)
	}
}

func (vm *machine) writeF32(at int, v []float32) {
	vm.t.Helper()
	b := make([]byte, 0, 4*len(v))
	for _, x := range v {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
	}
	vm.write(at, b)
}

func (vm *machine) bytes(at, n int) []byte {
	vm.t.Helper()
	b, ok := vm.mem.Read(uint32(at), uint32(n))
	if !ok {
		vm.t.Fatalf("no %d bytes at %d", n, at)
	}
	return b
}

func (vm *machine) f32s(at, n int) []float32 {
	vm.t.Helper()
	b := vm.bytes(at, 4*n)
	v := make([]float32, n)
	for i := range v {
		v[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return v
}

func (vm *machine) i32s(at, n int) []int {
	vm.t.Helper()
	b := vm.bytes(at, 4*n)
	v := make([]int, n)
	for i := range v {
		v[i] = int(int32(binary.LittleEndian.Uint32(b[4*i:])))
	}
	return v
}
