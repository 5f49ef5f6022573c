// Package run is the native host of compiled networks: it runs a module under
// wazero, as the page's worker does in the browser.
package run

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"spotter/models"
	"spotter/models/detect"
	"spotter/wasm/abi"
)

// Options of an engine.
type Options struct {
	Interpreter bool // wazero's interpreter instead of its compiler
	Threads     int  // for modules with threads; 0 and 1 mean the caller's alone
}

// Engine is a loaded network. It is not safe for use by several goroutines.
type Engine struct {
	Manifest abi.Manifest

	ctx     context.Context
	runtime wazero.Runtime
	module  api.Module
	memory  api.Memory
	workers chan error // one message for each worker that ends
	threads int
}

// New loads a module and its weights file.
func New(ctx context.Context, module, weights []byte, o Options) (*Engine, error) {
	manifest, err := Describe(module)
	if err != nil {
		return nil, err
	}
	if len(weights) != manifest.Weights.Bytes {
		return nil, fmt.Errorf("the weights file has %d bytes, the module of %s needs %d", len(weights), manifest.Name, manifest.Weights.Bytes)
	}
	config := wazero.NewRuntimeConfigCompiler()
	if o.Interpreter {
		config = wazero.NewRuntimeConfigInterpreter()
	}
	features := api.CoreFeaturesV2 | experimental.CoreFeaturesThreads
	config = config.WithCoreFeatures(features).WithCustomSections(true)
	e := &Engine{Manifest: *manifest, ctx: ctx, runtime: wazero.NewRuntimeWithConfig(ctx, config), workers: make(chan error)}
	if err := e.start(module, weights, o); err != nil {
		e.runtime.Close(ctx)
		return nil, fmt.Errorf("loading %s: %w", manifest.Name, err)
	}
	return e, nil
}

func (e *Engine) start(module, weights []byte, o Options) error {
	memory, err := e.runtime.InstantiateWithConfig(e.ctx, memoryModule(e.Manifest), wazero.NewModuleConfig().WithName("env"))
	if err != nil {
		return err
	}
	e.memory = memory.ExportedMemory("memory")
	compiled, err := e.runtime.CompileModule(e.ctx, module)
	if err != nil {
		return err
	}
	instance := func() (api.Module, error) {
		return e.runtime.InstantiateModule(e.ctx, compiled, wazero.NewModuleConfig().WithName(""))
	}
	if e.module, err = instance(); err != nil {
		return err
	}
	if !e.memory.Write(uint32(e.Manifest.Memory.Wire), weights) {
		return fmt.Errorf("the memory of %d bytes has no room for the weights", e.memory.Size())
	}
	if _, err := e.call("load"); err != nil {
		return err
	}
	return e.spawn(instance, o.Threads)
}

// spawn starts the workers of threads 1 to n-1.
func (e *Engine) spawn(instance func() (api.Module, error), n int) error {
	if n <= 1 {
		return nil
	}
	if e.module.ExportedFunction("threads") == nil {
		return fmt.Errorf("%d threads asked of a module without threads", n)
	}
	n = min(n, e.Manifest.Memory.MaxThreads)
	for id := 1; id < n; id++ {
		m, err := instance()
		if err != nil {
			return err
		}
		e.threads++
		go func() {
			_, err := m.ExportedFunction("worker").Call(e.ctx, uint64(id))
			e.workers <- err
		}()
	}
	_, err := e.call("threads", uint64(n))
	return err
}

// Close ends the threads and frees the memory.
func (e *Engine) Close() error {
	if e.threads > 0 {
		if _, err := e.call("stop"); err != nil {
			return err
		}
	}
	for range e.threads {
		if err := <-e.workers; err != nil {
			return err
		}
	}
	return e.runtime.Close(e.ctx)
}

func (e *Engine) call(name string, args ...uint64) (int, error) {
	f := e.module.ExportedFunction(name)
	if f == nil {
		return 0, fmt.Errorf("the module of %s does not export %s", e.Manifest.Name, name)
	}
	results, err := f.Call(e.ctx, args...)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", name, err)
	}
	if len(results) == 0 {
		return 0, nil
	}
	return int(int32(results[0])), nil
}

// Feed lays a picture, RGBA bytes row by row, into the network's input. It is an
// error when nothing would be left of one of its sides.
func (e *Engine) Feed(rgba []byte, w, h int) error {
	if w < 1 || h < 1 || len(rgba) != 4*w*h {
		return fmt.Errorf("%d bytes for a picture of %d x %d RGBA pixels", len(rgba), w, h)
	}
	if _, err := detect.Place(models.Fit(e.Manifest.Feed.Fit), w, h, e.Manifest.Width, e.Manifest.Height); err != nil {
		return err
	}
	at := e.Manifest.Memory.Pixels
	if err := e.reserve(at + len(rgba)); err != nil {
		return fmt.Errorf("a picture of %d x %d pixels: %w", w, h, err)
	}
	e.memory.Write(uint32(at), rgba)
	_, err := e.call("feed", uint64(w), uint64(h))
	return err
}

// reserve grows the memory to at least so many bytes.
func (e *Engine) reserve(bytes int) error {
	missing := (bytes - int(e.memory.Size()) + abi.PageSize - 1) / abi.PageSize
	if missing <= 0 {
		return nil
	}
	if _, ok := e.memory.Grow(uint32(missing)); !ok {
		return fmt.Errorf("the memory does not grow by %d pages", missing)
	}
	return nil
}

// Infer runs the network on what was fed.
func (e *Engine) Infer() error {
	_, err := e.call("infer")
	return err
}

// Step runs one layer of the manifest.
func (e *Engine) Step(i int) error {
	_, err := e.call("step", uint64(i))
	return err
}

// SetTensor writes a feature map, values in the order C, H, W.
func (e *Engine) SetTensor(t abi.Tensor, values []float32) {
	e.each(t, func(i int, at uint32) { e.memory.WriteFloat32Le(at, values[i]) })
}

// Tensor reads a feature map, in the order C, H, W.
func (e *Engine) Tensor(t abi.Tensor) []float32 {
	values := make([]float32, t.C*t.H*t.W)
	e.each(t, func(i int, at uint32) { values[i], _ = e.memory.ReadFloat32Le(at) })
	return values
}

func (e *Engine) each(t abi.Tensor, visit func(i int, at uint32)) {
	i := 0
	for c := range t.C {
		for y := range t.H {
			for x := range t.W {
				visit(i, uint32(t.Address+y*t.RowStride+x*t.PixelStride+4*c))
				i++
			}
		}
	}
}

// Result is a detection in pixels of the picture, or a class of a classifier with its score.
type Result struct {
	Box   [4]float32 // x1 y1 x2 y2
	Score float32
	Class int
}

// DetectOptions say what is a detection.
type DetectOptions struct {
	Conf, IoU  float32
	Max        int  // 0 is as many as the module can give
	Agnostic   bool // boxes of different classes suppress each other
	MultiLabel bool // a box may count for several classes
}

// Detect decodes what the network computed, best first.
func (e *Engine) Detect(o DetectOptions) ([]Result, error) {
	m := &e.Manifest.Memory
	if o.Max <= 0 || o.Max > m.MaxResults {
		o.Max = m.MaxResults
	}
	flags := uint32(0)
	if o.Agnostic {
		flags |= 1
	}
	if o.MultiLabel {
		flags |= 2
	}
	e.memory.WriteUint32Le(uint32(m.Flags), flags)
	n, err := e.call("detect", api.EncodeF32(o.Conf), api.EncodeF32(o.IoU), uint64(o.Max))
	if err != nil {
		return nil, err
	}
	return e.results(n), nil
}

// Classify gives the best classes of a classifier.
func (e *Engine) Classify(most int) ([]Result, error) {
	n, err := e.call("classify", uint64(min(most, e.Manifest.Memory.MaxResults)))
	if err != nil {
		return nil, err
	}
	return e.results(n), nil
}

func (e *Engine) results(n int) []Result {
	list := make([]Result, n)
	for i := range list {
		record, _ := e.memory.Read(uint32(e.Manifest.Memory.Results+i*abi.ResultBytes), abi.ResultBytes)
		word := func(k int) uint32 { return binary.LittleEndian.Uint32(record[4*k:]) }
		for k := range 4 {
			list[i].Box[k] = math.Float32frombits(word(k))
		}
		list[i].Score, list[i].Class = math.Float32frombits(word(4)), int(int32(word(5)))
	}
	return list
}

// Mask gives the mask of result i of the last Detect on a grid of w x h over the picture.
func (e *Engine) Mask(i, w, h int) (*detect.Mask, error) {
	dst := e.Manifest.Memory.Pixels // the picture is not needed any more
	if w < 1 || h < 1 {
		return nil, fmt.Errorf("a mask of %d x %d cells", w, h)
	}
	if err := e.reserve(dst + w*h + 16); err != nil {
		return nil, err
	}
	if _, err := e.call("mask", uint64(i), uint64(w), uint64(h), uint64(dst)); err != nil {
		return nil, err
	}
	m := &detect.Mask{W: w, H: h}
	for k, side := range []*int{&m.X0, &m.Y0, &m.X1, &m.Y1} {
		v, _ := e.memory.ReadUint32Le(uint32(e.Manifest.Memory.MaskRect + 4*k))
		*side = int(int32(v))
	}
	pixels, ok := e.memory.Read(uint32(dst), uint32((m.X1-m.X0)*(m.Y1-m.Y0)))
	if !ok {
		return nil, fmt.Errorf("mask %d lies outside the memory", i)
	}
	m.Bits = append([]byte(nil), pixels...)
	return m, nil
}

// Describe reads the manifest of a module without running it.
func Describe(module []byte) (*abi.Manifest, error) {
	payload, err := section(module)
	if err != nil {
		return nil, err
	}
	m := &abi.Manifest{}
	if err := json.Unmarshal(payload, m); err != nil {
		return nil, fmt.Errorf("the module's description: %w", err)
	}
	if m.ABI != abi.Version {
		return nil, fmt.Errorf("the module has version %d, this host runs %d", m.ABI, abi.Version)
	}
	return m, nil
}
