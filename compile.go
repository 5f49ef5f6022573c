package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"spotter/models/load"
	"spotter/wasm"
	"spotter/wasm/pack"
)

const compileUsage = `Usage: spotter compile --model M.safetensors -o folder [flags]

Compiles a network: writes NAME.wasm, the module, and NAME.bin, its weights. With
--all it writes the four forms that browsers may run, NAME.wasm, NAME-relaxed.wasm,
NAME-threads.wasm and NAME-relaxed-threads.wasm, which share the weights.

Flags:
`

// runCompile is the compile command.
func runCompile(args []string, stdout, stderr io.Writer) error {
	flags := newFlags("compile")
	model := addModelFlags(flags)
	out := flags.String("o", "", "folder to write")
	name := flags.String("name", "", "name of the files; the model file's where left out")
	relaxed := flags.Bool("relaxed", false, "use relaxed SIMD")
	threads := flags.Bool("threads", false, "use shared memory and threads")
	all := flags.Bool("all", false, "all four forms")
	precision := flags.String("precision", "", "f16 or f32 weights in the file; f16 where that loses nothing, where left out")
	save := flags.Bool("safetensors", false, "write NAME.safetensors too: the network with everything that is known of it, for others to read")
	if err := parseFlags(flags, args, compileUsage, stdout); err != nil {
		return err
	}
	switch {
	case *out == "":
		return usageError{errors.New("-o names the folder to write")}
	case *precision != "" && *precision != string(pack.F16) && *precision != string(pack.F32):
		return usageError{fmt.Errorf("--precision %q: want f16 or f32", *precision)}
	}
	forms := []wasm.Options{{Relaxed: *relaxed, Threads: *threads}}
	if *all {
		forms = []wasm.Options{{}, {Relaxed: true}, {Threads: true}, {Relaxed: true, Threads: true}}
	}
	m, err := model.load()
	if err != nil {
		return err
	}
	if *name == "" {
		*name = m.Name
	}
	c := compilation{model: m, folder: *out, name: *name, precision: pack.Encoding(*precision), all: *all, stdout: stdout, stderr: stderr}
	if err := c.run(forms); err != nil || !*save {
		return err
	}
	return c.save()
}

// compilation writes the forms of one network.
type compilation struct {
	model          *load.Model
	folder, name   string
	precision      pack.Encoding
	all            bool
	stdout, stderr io.Writer
}

func (c *compilation) run(forms []wasm.Options) error {
	if err := os.MkdirAll(c.folder, 0o755); err != nil {
		return fileError(err)
	}
	start := time.Now()
	for _, o := range forms {
		o.Precision, o.Task = c.precision, c.model.Task
		o.Licence, o.Note = c.model.Meta["licence"], c.model.Meta["map"]
		compiled, err := wasm.Compile(c.model.Graph, c.model.Weights, o)
		if err != nil {
			return fmt.Errorf("%s: %w", c.model.Name, err)
		}
		m := &compiled.Manifest
		file := filepath.Join(c.folder, c.file(o))
		if err := c.write(file, compiled.Module); err != nil {
			return err
		}
		if err := c.write(filepath.Join(c.folder, c.name+".bin"), compiled.Weights); err != nil {
			return err
		}
		fmt.Fprintf(c.stdout, "%s  %s, %dx%d, %d layers, %s bytes; weights %s, %d bytes; feature maps %.1f MB\n",
			file, strings.Join(m.Features, "+"), m.Width, m.Height, len(m.Layers), strconv.Itoa(len(compiled.Module)),
			m.Weights.Encoding, m.Weights.Bytes, float64(compiled.ArenaBytes)/1e6)
		fmt.Fprintf(c.stderr, "%5.1f s  %s\n", time.Since(start).Seconds(), c.file(o))
	}
	return nil
}

// save writes the network itself.
func (c *compilation) save() error {
	data, err := c.model.Safetensors(c.model.Encoding())
	if err != nil {
		return err
	}
	file := filepath.Join(c.folder, c.name+".safetensors")
	fmt.Fprintf(c.stdout, "%s  %s, %d bytes\n", file, c.model.Encoding(), len(data))
	return c.write(file, data)
}

func (c *compilation) file(o wasm.Options) string {
	name := c.name
	if c.all && o.Relaxed {
		name += "-relaxed"
	}
	if c.all && o.Threads {
		name += "-threads"
	}
	return name + ".wasm"
}

func (c *compilation) write(file string, data []byte) error {
	return fileError(os.WriteFile(file, data, 0o644))
}
