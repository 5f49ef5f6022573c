// Package wasm compiles networks: a graph and its parameters in, a WebAssembly
// module and a weights file out. The stages are packages of their own, in this
// order: ir (lowering), passes, plan (memory), choose (kernels), pack (weights) and
// module (emission). None of it needs files, an operating system or goroutines, so that
// the compiler also runs in the page.
package wasm

import (
	"spotter/kernels"
	"spotter/models"
	"spotter/models/say"
	"spotter/models/summary"
	"spotter/wasm/abi"
	"spotter/wasm/choose"
	"spotter/wasm/ir"
	"spotter/wasm/module"
	"spotter/wasm/pack"
	"spotter/wasm/passes"
)

// Build identifies the compiler in the modules that it makes.
const Build = "spotter-1"

// Options of a compilation.
type Options struct {
	Width, Height int // of the network's input in pixels; 0 leaves the graph's
	Relaxed       bool
	Threads       bool
	Precision     pack.Encoding // of the weights file; "" is f16 where that loses nothing, else f32
	Task          string        // detect, segment, classify; "" follows from the head
	Licence, Note string
	Stage         func(name string) // if set, called as each stage begins: lower, emit
}

// Output is a compiled network.
type Output struct {
	Module     []byte
	Weights    []byte // the same for all variants (Relaxed, Threads) of a network and size
	Manifest   abi.Manifest
	ArenaBytes int // memory of all feature maps
	PlainBytes int // what they would take without sharing
}

// Compile makes one variant of a network. It sets the graph's input size and shapes
// when the options name a size. Equal inputs give equal bytes. An error names the
// layer and the reason.
func Compile(g *models.Graph, w models.Weights, o Options) (*Output, error) {
	o.begin("lower")
	p, err := Prepare(g, w, o)
	if err != nil {
		return nil, err
	}
	o.begin("emit")
	m, err := module.Emit(p, module.Options{
		Options: choose.Options{Options: kernels.Options{Relaxed: o.Relaxed}},
		Shared:  o.Threads, Encoding: o.Precision, Manifest: describe(g, o),
	})
	if err != nil {
		return nil, err
	}
	return &Output{Module: m.Wasm, Weights: m.Weights, Manifest: m.Manifest, ArenaBytes: m.Arena.Bytes, PlainBytes: m.Arena.Sum}, nil
}

func (o *Options) begin(stage string) {
	if o.Stage != nil {
		o.Stage(stage)
	}
}

// Prepare lowers the graph and applies the passes.
func Prepare(g *models.Graph, w models.Weights, o Options) (*ir.Program, error) {
	if err := resize(g, w, o); err != nil {
		return nil, err
	}
	p, err := ir.Lower(g, w)
	if err != nil {
		return nil, err
	}
	passes.Run(p)
	return p, nil
}

// resize sets and checks the size of the input.
func resize(g *models.Graph, w models.Weights, o Options) error {
	if g.Input == nil || len(g.Input.Shape) != 3 || g.Input.Shape[0] != 3 {
		return say.Errorf("the network takes no picture of three channels")
	}
	width, height := g.Input.Shape[2], g.Input.Shape[1]
	if o.Width > 0 {
		width = o.Width
	}
	if o.Height > 0 {
		height = o.Height
	}
	if s := wholeStride(g); width%s != 0 || height%s != 0 {
		return say.Errorf("an input of %d x %d pixels does not fit: layer %s has stride %d, so width and height must be multiples of %d",
			width, height, deepest(g), s, s)
	}
	return g.SetInput(width, height, w)
}

// wholeStride is the number of pixels that sides must be multiples of: the largest
// stride, where maps are joined after upsampling by whole factors.
func wholeStride(g *models.Graph) int {
	stride := 1
	if g.Head.Kind != models.HeadGFL { // those heads round sizes up
		for _, l := range g.Head.Levels {
			stride = max(stride, l.Stride)
		}
	}
	return stride
}

// deepest names the output of the level with the largest stride.
func deepest(g *models.Graph) string {
	name, stride := "", 0
	for _, l := range g.Head.Levels {
		if l.Stride > stride && l.Box.Map >= 0 && l.Box.Map < len(g.Outputs) {
			name, stride = g.Outputs[l.Box.Map].Name, l.Stride
		}
	}
	return name
}

func describe(g *models.Graph, o Options) abi.Manifest {
	m := abi.Manifest{Build: Build, Name: g.Name, Task: o.Task, Licence: o.Licence, Note: o.Note}
	if m.Task == "" {
		m.Task = task(g)
	}
	total := summary.Count(g)
	m.Params, m.MACs = total.Params, total.MACs
	return m
}

func task(g *models.Graph) string {
	switch {
	case g.Head.Kind == models.HeadClassify:
		return "classify"
	case g.Head.Masks > 0:
		return "segment"
	}
	return "detect"
}
