//go:build !embed

package web

import (
	"bytes"
	"embed"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

// sources are the page's own, so that a binary builds its site wherever it runs.
//
//go:embed src page samples npm vendor
var sources embed.FS

// browsers that have everything the page can't do without (WebAssembly SIMD is the youngest).
var browsers = []api.Engine{
	{Name: api.EngineChrome, Version: "91"},
	{Name: api.EngineFirefox, Version: "89"},
	{Name: api.EngineSafari, Version: "16.4"},
}

// bundle is the page's code, with the names that its files got in the site; shared are
// scripts that app imports at once.
type bundle struct {
	app, worker, style string
	shared             []string
}

// addBundle bundles and minifies scripts and style into the site.
func (s Site) addBundle(c *Compiler) (bundle, error) {
	var b bundle
	worker, err := build("src/worker.ts", api.FormatIIFE, nil)
	if err != nil {
		return b, err
	}
	b.worker = s.addHashed("assets/worker.js", worker)
	compiler, err := s.addCompiler(c)
	if err != nil {
		return b, err
	}
	b.app, b.shared, err = s.addApp(map[string]string{
		"WORKER_URL": fmt.Sprintf("%q", "./"+path.Base(b.worker)), "COMPILER": compiler,
	})
	if err != nil {
		return b, err
	}
	// The public module stands a folder higher than the compiler.
	if err := s.addAPI(worker, strings.ReplaceAll(compiler, `"./`, `"./assets/`), false); err != nil {
		return b, err
	}
	style, err := build("page/style.css", api.FormatDefault, nil)
	if err != nil {
		return b, err
	}
	b.style = s.addHashed("assets/style.css", style)
	return b, nil
}

// build bundles one entry point of the sources.
func build(entry string, format api.Format, define map[string]string, more ...api.Plugin) ([]byte, error) {
	result := api.Build(options(entry, format, define, more...))
	if err := failure(entry, result); err != nil {
		return nil, err
	}
	return result.OutputFiles[0].Contents, nil
}

func options(entry string, format api.Format, define map[string]string, more ...api.Plugin) api.BuildOptions {
	return api.BuildOptions{
		EntryPoints:       []string{entry},
		Bundle:            true,
		Format:            format,
		Engines:           browsers,
		Define:            define,
		MinifyWhitespace:  true,
		MinifyIdentifiers: true,
		MinifySyntax:      true,
		Charset:           api.CharsetUTF8,
		LegalComments:     api.LegalCommentsNone,
		Plugins:           append(more, fromFS(sources)),
	}
}

func failure(entry string, result api.BuildResult) error {
	if len(result.Errors) == 0 {
		return nil
	}
	text := api.FormatMessages(result.Errors, api.FormatMessagesOptions{})
	return fmt.Errorf("web: bundle %s: %s", entry, strings.TrimSpace(strings.Join(text, "")))
}

// buildFile is the source that tells scripts which build they are of.
const buildFile = "src/core/build.ts"

// buildID is what buildFile says: a digest of all sources of scripts.
func buildID(fsys fs.FS) ([]byte, error) {
	var all bytes.Buffer
	err := fs.WalkDir(fsys, "src", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(fsys, name)
		fmt.Fprintf(&all, "%s %d\n%s", name, len(data), data)
		return err
	})
	return fmt.Appendf(nil, "export const build = %q;", digest(all.Bytes())[:hashLength]), err
}

// fromFS lets esbuild read from a file system: imports are relative, with extension, or
// name a library in vendor.
func fromFS(fsys fs.FS) api.Plugin {
	const namespace = "site"
	resolve := func(a api.OnResolveArgs) (api.OnResolveResult, error) {
		name := path.Clean(a.Path)
		switch {
		case a.Kind == api.ResolveEntryPoint:
		case strings.HasPrefix(a.Path, "."):
			name = path.Join(path.Dir(a.Importer), a.Path)
		default:
			name = path.Join("vendor", a.Path+".js")
		}
		return api.OnResolveResult{Path: name, Namespace: namespace}, nil
	}
	load := func(a api.OnLoadArgs) (api.OnLoadResult, error) {
		data, err := fs.ReadFile(fsys, a.Path)
		if err != nil {
			return api.OnLoadResult{}, err
		}
		if a.Path == buildFile {
			if data, err = buildID(fsys); err != nil {
				return api.OnLoadResult{}, err
			}
		}
		loader := api.LoaderTS
		switch path.Ext(a.Path) {
		case ".css":
			loader = api.LoaderCSS
		case ".js":
			loader = api.LoaderJS
		}
		text := string(data)
		return api.OnLoadResult{Contents: &text, Loader: loader}, nil
	}
	return api.Plugin{Name: namespace, Setup: func(b api.PluginBuild) {
		b.OnResolve(api.OnResolveOptions{Filter: ".*"}, resolve)
		b.OnLoad(api.OnLoadOptions{Filter: ".*", Namespace: namespace}, load)
	}}
}
