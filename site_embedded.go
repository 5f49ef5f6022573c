//go:build embed

package main

import (
	"io"

	"spotter/web"
)

// sourceCommands are those that take the project's sources, which this binary is without.
var sourceCommands []command

// buildSite is the site that the binary carries, with the network that is named, if one is.
func buildSite(model string, effort web.Effort, stderr io.Writer) (web.Site, error) {
	site, err := web.Embedded()
	if err != nil || model == "" {
		return site, err
	}
	say := stopwatch(stderr)
	compiled, err := compileModels(model, func(name string) { say("compiling %s", name) })
	if err != nil {
		return nil, err
	}
	return site, site.ReplaceModels(compiled, effort)
}
