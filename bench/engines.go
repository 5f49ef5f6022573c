package bench

import (
	"fmt"
	"strings"
)

// engine is one runtime of the bench.
type engine struct {
	Name     string
	Package  string   // npm package whose version is reported; "" for this project
	script   string   // source file in page/engines
	module   bool     // runs as a module worker; LiteRT.js needs importScripts, which module workers lack
	variants []string // instruction sets, for this project's engine
}

// ownEngine is this project's own.
const ownEngine = "spotter"

// ownVariants are the instruction sets that modules of this project are made for.
var ownVariants = []string{"simd", "relaxed"}

// engines, the one that the others are compared with first.
var engines = []engine{
	{Name: "onnxruntime-web", Package: "onnxruntime-web", script: "ort", module: true, variants: []string{""}},
	{Name: "litert", Package: "@litertjs/core", script: "litert", variants: []string{""}},
	{Name: ownEngine, script: "spotter", variants: ownVariants},
	{Name: "tfjs", Package: "@tensorflow/tfjs-backend-wasm", script: "tfjs", variants: []string{""}},
}

// EngineNames lists what Options.Only may name.
func EngineNames() []string {
	var names []string
	for _, e := range engines {
		names = append(names, e.Name)
	}
	return names
}

func choose(only []string) ([]engine, error) {
	if len(only) == 0 {
		return engines, nil
	}
	var chosen []engine
	for _, name := range only {
		found := false
		for _, e := range engines {
			if e.Name == name {
				chosen, found = append(chosen, e), true
			}
		}
		if !found {
			return nil, fmt.Errorf("there is no engine %q; there are %s", name, strings.Join(EngineNames(), ", "))
		}
	}
	return chosen, nil
}

// benchCase is an engine as it is measured.
type benchCase struct {
	engine  engine
	variant string
	threads int
}

func (e engine) cases(threads int) []benchCase {
	var list []benchCase
	for _, v := range e.variants {
		list = append(list, benchCase{e, v, threads})
	}
	return list
}

// key names the case in the page and in logs, e.g. spotter/relaxed/2 or tfjs/1.
func (c benchCase) key() string {
	if c.variant == "" {
		return fmt.Sprintf("%s/%d", c.engine.Name, c.threads)
	}
	return fmt.Sprintf("%s/%s/%d", c.engine.Name, c.variant, c.threads)
}

// spec is the page's Spec.
func (c benchCase) spec(m Model) map[string]any {
	return map[string]any{
		"key": c.key(), "script": "/" + c.engine.script + ".js", "module": c.engine.module,
		"options": map[string]any{
			"model": "/models/" + m.id(), "width": m.Width, "height": m.Height, "threads": c.threads, "variant": c.variant,
		},
	}
}
