//go:build !embed

package web

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path"
	"regexp"
	"slices"

	"github.com/evanw/esbuild/pkg/api"
)

// parts are the scripts that the page's code was split into.
type parts struct {
	site   Site
	files  map[string][]byte // by esbuild's name
	shape  map[string]output
	shared []string // names in the site of what the page imports at once
	names  map[string]string
}

// output is what esbuild says of a script.
type output struct {
	EntryPoint string
	Imports    []struct{ Path, Kind string }
}

// chunkHash is the end of a script's name as esbuild gives it.
var chunkHash = regexp.MustCompile(`-[A-Z2-7]{8}\.js$`)

// addApp bundles the page's script with the parts that it loads when they are wanted
// (import() in the sources), each in a file of its own. What parts have in common with
// the page lies in files that the page imports at once; shared names them.
func (s Site) addApp(define map[string]string) (app string, shared []string, err error) {
	const entry = "src/app.ts"
	o := options(entry, api.FormatESModule, define)
	o.Splitting, o.Metafile, o.LegalComments = true, true, api.LegalCommentsInline
	o.Outdir, o.EntryNames, o.ChunkNames = "out", "[name]-[hash]", "[name]-[hash]"
	result := api.Build(o)
	if err := failure(entry, result); err != nil {
		return "", nil, err
	}
	var meta struct{ Outputs map[string]output }
	if err := json.Unmarshal([]byte(result.Metafile), &meta); err != nil {
		return "", nil, fmt.Errorf("web: what the bundler says: %w", err)
	}
	p := parts{site: s, files: map[string][]byte{}, shape: map[string]output{}, names: map[string]string{}}
	for _, f := range result.OutputFiles {
		p.files[path.Base(f.Path)] = f.Contents
	}
	start := ""
	for name, o := range meta.Outputs {
		p.shape[path.Base(name)] = o
		if path.Base(o.EntryPoint) == path.Base(entry) {
			start = path.Base(name)
		}
	}
	app = p.add(start)
	p.reach(start)
	slices.Sort(p.shared)
	return app, p.shared, nil
}

// add puts a script into the site, after all that it imports, so that the hash in its
// name is also one of theirs.
func (p *parts) add(name string) string {
	if known, ok := p.names[name]; ok {
		return known
	}
	p.names[name] = "" // no part imports the page: there is no way back
	content := p.files[name]
	for _, i := range p.shape[name].Imports {
		file := path.Base(i.Path)
		content = bytes.ReplaceAll(content, []byte(file), []byte(path.Base(p.add(file))))
	}
	p.names[name] = p.site.addHashed("assets/"+chunkHash.ReplaceAllString(name, ".js"), content)
	return p.names[name]
}

// reach notes what a script imports at once.
func (p *parts) reach(name string) {
	for _, i := range p.shape[name].Imports {
		file := path.Base(i.Path)
		if i.Kind == "import-statement" && !slices.Contains(p.shared, p.names[file]) {
			p.shared = append(p.shared, p.names[file])
			p.reach(file)
		}
	}
}
