package web

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"spotter/models/load"
	"spotter/wasm"
)

// CompileFile reads a model file and compiles it, named after the file.
func CompileFile(file string) (Model, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return Model{}, err
	}
	m, err := load.Open(file, data, load.Options{})
	if err != nil {
		return Model{}, err
	}
	base := filepath.Base(file)
	out, err := Compile(identifier(strings.TrimSuffix(base, filepath.Ext(base))), m)
	out.Source = SourceOf(base, data, m)
	return out, err
}

// SourceOf describes the file that a model was read from.
func SourceOf(name string, data []byte, m *load.Model) *Source {
	return &Source{Name: name, Data: data, Fixed: m.Fixed, Savable: m.YAML != nil || m.Task == load.Classify}
}

// Compile compiles a network in every form that browsers may run: with and without
// relaxed SIMD, with and without threads. All share one weights file.
func Compile(id string, m *load.Model) (Model, error) {
	out := Model{ID: id}
	for _, threads := range []bool{true, false} {
		for _, relaxed := range []bool{true, false} {
			c, err := wasm.Compile(m.Graph, m.Weights, wasm.Options{
				Relaxed: relaxed, Threads: threads, Task: m.Task, Licence: m.Meta["licence"], Note: m.Meta["map"],
			})
			if err != nil {
				return out, fmt.Errorf("compile %s: %w", id, err)
			}
			out.Weights = c.Weights
			out.Modules = append(out.Modules, Module{c.Manifest, c.Module})
		}
	}
	return out, nil
}

// identifier makes a file's name fit for an address.
func identifier(name string) string {
	clean := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '-', r == '_', r == '.':
			return r
		case r >= 'A' && r <= 'Z':
			return r - 'A' + 'a'
		}
		return '-'
	}, name)
	return strings.Trim(clean, "-.")
}
