package main

import (
	"syscall/js"

	"github.com/norunners/vert"
	"spotter/models/load"
	"spotter/wasm"
)

func main() {
	js.Global().Set("x", js.FuncOf(func(_ js.Value, a []js.Value) any {
		b := make([]byte, a[0].Length())
		js.CopyBytesToGo(b, a[0])
		m, err := load.Open("a", b, load.Options{})
		if err != nil {
			return err.Error()
		}
		o, err := wasm.Compile(m.Graph, m.Weights, wasm.Options{})
		if err != nil {
			return err.Error()
		}
		return vert.ValueOf(o.Manifest).JSValue()
	}))
	select {}
}
