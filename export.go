package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"spotter/models"
	"spotter/models/config"
	"spotter/models/export"
	"spotter/models/golden"
)

const exportUsage = `Usage: spotter export --onnx out.onnx --yaml network.yaml [flags]

Writes a network in another runtime's format: ONNX, opset 17, float32, one input
[1,3,H,W] and the raw head maps as outputs.

Flags:
`

// runExport is the export command.
func runExport(args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("export", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	onnx := flags.String("onnx", "", "ONNX file to write")
	yaml := flags.String("yaml", "", "YAML file, or the name of a built-in network: "+strings.Join(config.BuiltinNames(), ", "))
	weights := flags.String("weights", "golden", "golden: the deterministic weights of tests and benchmarks")
	scale := flags.String("scale", "", "n, s, m, l or x instead of the YAML's multiples")
	imgsz := flags.Int("imgsz", 640, "side of the square input, pixels, a multiple of 32")
	keep := flags.Bool("batchnorm", false, "keep BatchNorm nodes instead of folding them into the convolutions")
	residual := flags.Bool("residual", false, "UIBs with residual, as in the paper")
	if err := parseFlags(flags, args, exportUsage, stdout); err != nil {
		return err
	}
	if *onnx == "" || *yaml == "" {
		return usageError{errors.New("--onnx and --yaml are needed")}
	}
	if *weights != "golden" {
		return usageError{fmt.Errorf("--weights %q: there is only golden", *weights)}
	}
	g, err := loadYAML(*yaml, config.Options{Scale: *scale, Width: *imgsz, Height: *imgsz, Residual: *residual})
	if err != nil {
		return err
	}
	return writeONNX(*onnx, g, golden.Weights(g, *residual), *keep, stderr)
}

// loadYAML reads a YAML file or, where there is none, the built-in network of that name.
func loadYAML(name string, o config.Options) (*models.Graph, error) {
	text, err := os.ReadFile(name)
	if errors.Is(err, os.ErrNotExist) && !strings.ContainsRune(name, filepath.Separator) {
		text, err = config.Builtin(name)
	}
	if err != nil {
		return nil, err
	}
	return config.Load(text, name, o)
}

func writeONNX(path string, g *models.Graph, weights models.Weights, keepBatchNorm bool, log io.Writer) error {
	if !keepBatchNorm {
		var err error
		if g, weights, err = export.FoldBatchNorm(g, weights); err != nil {
			return err
		}
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(f)
	if err := errors.Join(export.ONNX(w, g, weights), w.Flush(), f.Close()); err != nil {
		return err
	}
	fmt.Fprintf(log, "%s: %s, %d nodes, opset %d\n", path, g.Name, len(g.Nodes), export.Opset)
	return nil
}
