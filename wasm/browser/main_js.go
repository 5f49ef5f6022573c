//go:build js && wasm

// Command browser is the compiler as the page loads it, built for GOOS=js GOARCH=wasm
// and run in a worker of its own (web/src/bring/compiler-worker.ts). It calls
// globalThis.spotterCompiler, which the worker has set, with an object of functions:
//
//	open(name, bytes, options, progress) → description or {error}
//	reopen(options, progress)            → description or {error}
//	compile(form, progress)              → {module, weights} or {error}
//	safetensors(progress)                → {file} or {error}
//	close()
//
// Descriptions, options and forms are package session's structs by their js tags; bytes
// are Uint8Arrays; progress is called with the name of each stage as it begins. An error
// is a sentence taken apart (say.Node). Memory goes back to the browser only with the worker: Go gives none of
// its WebAssembly memory back.
package main

import (
	"syscall/js"

	"github.com/norunners/vert"

	"spotter/models/say"
	"spotter/wasm/browser/session"
)

func main() {
	c := &compiler{}
	js.Global().Call("spotterCompiler", map[string]any{
		"open":        c.function(c.open),
		"reopen":      c.function(c.reopen),
		"compile":     c.function(c.compile),
		"safetensors": c.function(c.safetensors),
		"close":       c.function(c.close),
	})
	select {}
}

// compiler is the one session of a worker behind JavaScript's calling conventions.
type compiler struct{ session session.Session }

// function makes a JavaScript function of one that gives a result or an error. Its
// last argument, where that is a function, hears of the stages.
func (c *compiler) function(f func(args []js.Value) (any, error)) js.Func {
	return js.FuncOf(func(_ js.Value, args []js.Value) any {
		c.session.Stage = nil
		if n := len(args); n > 0 && args[n-1].Type() == js.TypeFunction {
			progress := args[n-1]
			c.session.Stage = func(name string) { progress.Invoke(name) }
		}
		result, err := f(args)
		if err != nil {
			return map[string]any{"error": vert.ValueOf(say.Apart(err)).JSValue()}
		}
		return result
	})
}

func (c *compiler) open(args []js.Value) (any, error) {
	data := make([]byte, args[1].Length())
	js.CopyBytesToGo(data, args[1])
	o, err := options(args[2])
	if err != nil {
		return nil, err
	}
	return description(c.session.Open(args[0].String(), data, o))
}

func (c *compiler) reopen(args []js.Value) (any, error) {
	o, err := options(args[0])
	if err != nil {
		return nil, err
	}
	return description(c.session.Reopen(o))
}

func (c *compiler) compile(args []js.Value) (any, error) {
	var form session.Form
	if err := (vert.Value{Value: args[0]}).AssignTo(&form); err != nil {
		return nil, err
	}
	out, err := c.session.Compile(form)
	if err != nil {
		return nil, err
	}
	return map[string]any{"module": bytes(out.Module), "weights": bytes(out.Weights)}, nil
}

func (c *compiler) safetensors([]js.Value) (any, error) {
	file, err := c.session.Safetensors()
	if err != nil {
		return nil, err
	}
	return map[string]any{"file": bytes(file)}, nil
}

func (c *compiler) close([]js.Value) (any, error) {
	c.session.Close()
	return nil, nil
}

func options(v js.Value) (o session.Options, err error) {
	err = (vert.Value{Value: v}).AssignTo(&o)
	return o, err
}

func description(d *session.Description, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return vert.ValueOf(d).JSValue(), nil
}

func bytes(data []byte) js.Value {
	array := js.Global().Get("Uint8Array").New(len(data))
	js.CopyBytesToJS(array, data)
	return array
}
