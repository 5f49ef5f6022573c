package bench

import (
	"bufio"
	"context"
	_ "embed"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"spotter/models/golden"
)

// nativeVersion of onnxruntime from PyPI.
const nativeVersion = "1.32.0"

//go:embed native.py
var nativeScript []byte

// nativeEngine is onnxruntime outside the browser: what the processor can do without a sandbox.
var nativeEngine = engine{Name: "onnxruntime-native", variants: []string{""}}

// native is a running native.py.
type native struct {
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *bufio.Scanner
	errors *strings.Builder
	dir    string
}

// cacheDir is the bench's folder under the user's cache.
func cacheDir(name string) (string, error) {
	base, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(base, "spotter-bench", name)
	return dir, os.MkdirAll(filepath.Dir(dir), 0o755)
}

// nativePython returns the interpreter of a virtual environment with onnxruntime, making it first.
func nativePython(ctx context.Context, log io.Writer) (string, error) {
	dir, err := cacheDir("onnxruntime-" + nativeVersion)
	if err != nil {
		return "", err
	}
	python := filepath.Join(dir, "bin", "python")
	if _, err := os.Stat(filepath.Join(dir, "complete")); err == nil {
		return python, nil
	}
	fmt.Fprintf(log, "installing onnxruntime %s into %s ...\n", nativeVersion, dir)
	for _, command := range [][]string{
		{"python3", "-m", "venv", "--clear", dir},
		{python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "onnxruntime==" + nativeVersion, "numpy"},
	} {
		if out, err := exec.CommandContext(ctx, command[0], command[1:]...).CombinedOutput(); err != nil {
			return "", fmt.Errorf("%s: %w\n%s", strings.Join(command, " "), err, out)
		}
	}
	return python, os.WriteFile(filepath.Join(dir, "complete"), nil, 0o644)
}

// startNative loads the network into a native onnxruntime with a number of threads.
func startNative(ctx context.Context, python string, m Model, onnx []byte, threads int) (*native, error) {
	dir, err := os.MkdirTemp("", "spotter-bench-")
	if err != nil {
		return nil, err
	}
	var frames []byte
	for seed := range uint64(frameCount) {
		for _, v := range golden.Input(golden.Image(m.Width, m.Height, seed)) {
			frames, _ = binary.Append(frames, binary.LittleEndian, v)
		}
	}
	n := &native{dir: dir, errors: &strings.Builder{}}
	paths := []string{"native.py", "model.onnx", "frames"}
	for i, data := range [][]byte{nativeScript, onnx, frames} {
		paths[i] = filepath.Join(dir, paths[i])
		if err := os.WriteFile(paths[i], data, 0o644); err != nil {
			return nil, errors.Join(err, n.close())
		}
	}
	n.cmd = exec.CommandContext(ctx, python, append(paths, strconv.Itoa(threads))...)
	n.cmd.Stderr = n.errors
	if err := n.start(); err != nil {
		return nil, errors.Join(err, n.close())
	}
	return n, nil
}

func (n *native) start() (err error) {
	if n.in, err = n.cmd.StdinPipe(); err != nil {
		return err
	}
	out, err := n.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	n.out = bufio.NewScanner(out)
	if err := n.cmd.Start(); err != nil {
		return err
	}
	_, err = n.line()
	return err
}

func (n *native) line() (string, error) {
	if !n.out.Scan() {
		return "", fmt.Errorf("native onnxruntime ended: %w\n%s", errors.Join(n.out.Err(), io.ErrUnexpectedEOF), n.errors)
	}
	return n.out.Text(), nil
}

// run times one run in milliseconds.
func (n *native) run(frame int) (float64, error) {
	if _, err := fmt.Fprintln(n.in, frame); err != nil {
		return 0, err
	}
	text, err := n.line()
	if err != nil {
		return 0, err
	}
	return strconv.ParseFloat(text, 64)
}

func (n *native) close() error {
	if n.in != nil {
		n.in.Close()
		n.cmd.Wait()
	}
	return os.RemoveAll(n.dir)
}
