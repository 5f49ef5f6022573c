//go:build !embed

package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

// Compiler is the compiler that pages load for models that people bring.
type Compiler struct {
	Wasm   []byte
	Brotli []byte // of Wasm; what travels
	Exec   []byte // wasm_exec.js of the Go that built it
}

// ErrNoGo says that a compiler can't be built here: without Go, or outside of the
// project's sources.
var ErrNoGo = errors.New("building the compiler for the page takes Go and the project's folder")

// BuildCompiler builds the package wasm/browser of the project that dir lies in. Its
// compressed form is kept in the user's cache, since the best compression takes half a minute.
func BuildCompiler(dir string, effort Effort) (*Compiler, error) {
	env, err := goCommand(dir, nil, "env", "-json", "GOROOT", "GOMOD")
	if err != nil {
		return nil, err
	}
	var at struct{ GOROOT, GOMOD string }
	if err := json.Unmarshal(env, &at); err != nil {
		return nil, fmt.Errorf("go env: %w", err)
	}
	root := filepath.Dir(at.GOMOD)
	if _, err := os.Stat(filepath.Join(root, "wasm", "browser")); err != nil {
		return nil, ErrNoGo
	}
	c := &Compiler{}
	if c.Exec, err = os.ReadFile(filepath.Join(at.GOROOT, "lib", "wasm", "wasm_exec.js")); err != nil {
		return nil, err
	}
	temp, err := os.MkdirTemp("", "spotter-compiler")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(temp)
	file := filepath.Join(temp, "compiler.wasm")
	// Inlining would add a sixth to what travels and save no time that can be measured.
	args := []string{"build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-gcflags=all=-l", "-o", file, "./wasm/browser"}
	if _, err := goCommand(root, []string{"GOOS=js", "GOARCH=wasm"}, args...); err != nil {
		return nil, err
	}
	if c.Wasm, err = os.ReadFile(file); err != nil {
		return nil, err
	}
	c.Brotli = squeezed(c.Wasm, effort)
	return c, nil
}

func goCommand(dir string, env []string, args ...string) ([]byte, error) {
	command := exec.Command("go", args...)
	command.Dir, command.Env = dir, append(os.Environ(), env...)
	var out, said bytes.Buffer
	command.Stdout, command.Stderr = &out, &said
	switch err := command.Run(); {
	case errors.Is(err, exec.ErrNotFound):
		return nil, ErrNoGo
	case err != nil:
		return nil, fmt.Errorf("go %s: %w\n%s", args[0], err, bytes.TrimSpace(said.Bytes()))
	}
	return out.Bytes(), nil
}

// goRuntime is what src/bring/compiler-worker.ts imports Go's wasm_exec.js as.
const goRuntime = "wasm_exec.js"

// addCompiler puts the compiler and its worker into the site, and gives the value of
// the scripts' COMPILER: null for a site without.
func (s Site) addCompiler(c *Compiler) (string, error) {
	if c == nil {
		return "null", nil
	}
	worker, err := c.worker()
	if err != nil {
		return "", err
	}
	wasm := s.addHashed("assets/compiler.wasm", c.Wasm)
	s[wasm].Brotli = c.Brotli
	return c.info(s.addHashed("assets/compiler.js", worker), wasm, len(c.Brotli))
}

// worker is the script that runs the compiler.
func (c *Compiler) worker() ([]byte, error) {
	return build("src/bring/compiler-worker.ts", api.FormatIIFE, nil, virtual(goRuntime, c.Exec))
}

// info is COMPILER: files beside each other, and how many bytes travel.
func (c *Compiler) info(worker, wasm string, transfer int) (string, error) {
	info, err := json.Marshal(map[string]any{
		"worker": "./" + path.Base(worker), "wasm": "./" + path.Base(wasm), "bytes": len(c.Wasm), "transfer": transfer,
	})
	return string(info), err
}

// virtual lets sources import content that is no file of theirs.
func virtual(name string, content []byte) api.Plugin {
	const namespace = "virtual"
	return api.Plugin{Name: namespace, Setup: func(b api.PluginBuild) {
		b.OnResolve(api.OnResolveOptions{Filter: "^" + strings.ReplaceAll(name, ".", `\.`) + "$"},
			func(api.OnResolveArgs) (api.OnResolveResult, error) {
				return api.OnResolveResult{Path: name, Namespace: namespace}, nil
			})
		b.OnLoad(api.OnLoadOptions{Filter: ".*", Namespace: namespace}, func(api.OnLoadArgs) (api.OnLoadResult, error) {
			text := string(content)
			return api.OnLoadResult{Contents: &text, Loader: api.LoaderJS}, nil
		})
	}}
}
