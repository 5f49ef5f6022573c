//go:build !embed

package web

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/evanw/esbuild/pkg/api"

	"spotter/web/headers"
)

// Names of the public module's files; they stand at the site's root, beside
// models.json, and headers.PublicFiles names them too.
const (
	moduleFile = "spotter.js"
	workerFile = "spotter-worker.js"
	typesFile  = "spotter.d.ts"
)

// addAPI adds the public module: the script that developers import, the worker under
// a name that it finds, and the types. compiler is the value of COMPILER for scripts
// in assets/.
func (s Site) addAPI(worker []byte, compiler string) error {
	script, err := build("src/api/index.ts", api.FormatESModule, map[string]string{
		"COMPILER": strings.ReplaceAll(compiler, `"./`, `"./assets/`),
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

// Package makes the npm package: the public module with models, as `npm pack` takes it.
func Package(models []Model) (Site, error) {
	all := Site{}
	if _, err := all.addBundle(nil); err != nil {
		return nil, err
	}
	models = slices.Clone(models)
	for i := range models {
		models[i].Source = nil // only the compiler takes it, and the package has none
	}
	if err := all.SetModels(models); err != nil {
		return nil, err
	}
	p := Site{}
	for name, f := range all {
		if headers.Public(name) {
			p[name] = f
		}
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
