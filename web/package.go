//go:build !embed

package web

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"

	"github.com/evanw/esbuild/pkg/api"
)

// Names of the public module's files; they stand at the site's root, beside
// models.json, and headers.PublicFiles names them too.
const (
	moduleFile = "spotter.js"
	workerFile = "spotter-worker.js"
	typesFile  = "spotter.d.ts"
)

// The compiler's files in the package.
const (
	compilerFile       = "spotter-compiler.wasm"
	compilerWorkerFile = "spotter-compiler.js"
)

// addAPI adds the public module: the script that developers import, the worker under
// a name that it finds, and the types. compiler is the script's COMPILER, packaged its PACKAGED.
func (s Site) addAPI(worker []byte, compiler string, packaged bool) error {
	script, err := build("src/api/index.ts", api.FormatESModule, map[string]string{
		"COMPILER": compiler, "PACKAGED": strconv.FormatBool(packaged),
	})
	if err != nil {
		return err
	}
	types, err := fs.ReadFile(sources, "npm/"+typesFile)
	if err != nil {
		return err
	}
	s.add(moduleFile, script)
	s.add(workerFile, worker)
	s.add(typesFile, types)
	return nil
}

// Package makes the npm package: the public module with models and the compiler, which may
// be nil, as `npm pack` takes it.
func Package(models []Model, c *Compiler) (Site, error) {
	p := Site{}
	worker, err := build("src/worker.ts", api.FormatIIFE, nil)
	if err != nil {
		return nil, err
	}
	compiler := "null"
	if c != nil {
		if compiler, err = p.addPackagedCompiler(c); err != nil {
			return nil, err
		}
	}
	if err := p.addAPI(worker, compiler, c != nil); err != nil {
		return nil, err
	}
	models = slices.Clone(models)
	for i := range models {
		models[i].Source = nil // for other input sizes, which only the page offers
	}
	if err := p.SetModels(models); err != nil {
		return nil, err
	}
	extra, err := fs.Glob(sources, "npm/*")
	if err != nil {
		return nil, err
	}
	for _, name := range extra {
		data, err := fs.ReadFile(sources, name)
		if err != nil {
			return nil, fmt.Errorf("web: package: %w", err)
		}
		p.add(path.Base(name), data)
	}
	return p, nil
}

// addPackagedCompiler adds the compiler under names that bundlers and the script find.
func (s Site) addPackagedCompiler(c *Compiler) (string, error) {
	worker, err := c.worker()
	if err != nil {
		return "", err
	}
	s.add(compilerWorkerFile, worker)
	s.add(compilerFile, c.Wasm)
	return c.info(compilerWorkerFile, compilerFile, len(c.Wasm))
}
