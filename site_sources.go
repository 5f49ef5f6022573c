//go:build !embed

package main

import (
	"errors"
	"io"

	"spotter/web"
)

// buildSite compiles the networks that ship, or only the one that is named, and builds
// the site around them.
func buildSite(model string, effort web.Effort, stderr io.Writer) (web.Site, error) {
	say := stopwatch(stderr)
	compiled, err := compileModels(model, func(name string) { say("compiling %s", name) })
	if err != nil {
		return nil, err
	}
	say("building the compiler for the page")
	compiler, err := web.BuildCompiler(".", effort)
	if errors.Is(err, web.ErrNoGo) {
		say("%v: the page takes no models of others", err)
	} else if err != nil {
		return nil, err
	}
	site, err := web.Build(web.Options{Models: compiled, Compiler: compiler, Effort: effort, Progress: func(step string) { say("%s", step) }})
	if err != nil {
		return nil, err
	}
	say("ready")
	return site, nil
}
