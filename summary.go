package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"spotter/models"
	"spotter/models/config"
	"spotter/models/load"
	"spotter/models/summary"
)

const summaryUsage = `Usage: spotter summary [flags] network

Prints a network's layers as YOLOv5 does (index, from, repeats, parameters, module,
arguments) and its totals. GFLOPs are two operations per multiply-add of convolutions and
matrix products. The network is a YAML file, a model (.safetensors, .pt, .onnx) or the name of a
built-in YAML:
%s

Flags:
`

// runSummary is the summary command. Flags may stand before and behind the file.
func runSummary(args []string, stdout, _ io.Writer) error {
	flags := newFlags("summary")
	scale := flags.String("scale", "", "n, s, m, l or x instead of the YAML's depth and width multiples")
	imgsz := flags.String("imgsz", "", "input size in pixels, 320 or 320x256 (width x height), multiples of 32; 640 or the model's own where left out")
	nc := flags.Int("nc", 0, "number of classes instead of the YAML's")
	residual := flags.Bool("residual", false, "blocks of the backbone add their input, as in the paper")
	nodes := flags.Bool("nodes", false, "one line per operation, with shapes and multiply-adds")
	measure := flags.Bool("profile", false, "compile the model and measure what it became: kernel, ms and GFLOP/s of each layer, natively on one thread")
	usage := fmt.Sprintf(summaryUsage, wrapNames(config.BuiltinNames()))
	files, err := parseMixed(flags, args, usage, stdout)
	if err != nil {
		return err
	}
	if len(files) != 1 {
		return usageError{errors.New("exactly one network is needed")}
	}
	o := config.Options{Scale: *scale, NC: *nc, Residual: *residual}
	if o.Width, o.Height, err = parseSize(*imgsz); err != nil {
		return err
	}
	if *measure {
		return printProfile(stdout, files[0], o)
	}
	g, err := summaryGraph(files[0], o)
	if err != nil {
		return err
	}
	if *nodes {
		return summary.PrintNodes(stdout, g)
	}
	return summary.Print(stdout, g)
}

// summaryGraph reads a YAML, or a model by its content.
func summaryGraph(name string, o config.Options) (*models.Graph, error) {
	switch ext := strings.ToLower(filepath.Ext(name)); ext {
	case ".yaml", ".yml", ".json", "":
		return loadYAML(name, o)
	}
	m, err := summaryModel(name, o)
	if err != nil {
		return nil, err
	}
	return m.Graph, nil
}

// summaryModel reads a model with its weights.
func summaryModel(name string, o config.Options) (*load.Model, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, fileError(err)
	}
	if o.NC != 0 {
		return nil, usageError{errors.New("--nc is for YAML files: a model has its classes")}
	}
	lo := load.Options{Scale: o.Scale, Width: o.Width, Height: o.Height}
	if o.Residual {
		lo.Residual = &o.Residual
	}
	return load.Open(name, data, lo)
}

// wrapNames lists names in lines of 80 columns.
func wrapNames(names []string) string {
	var b strings.Builder
	column := 0
	for i, name := range names {
		if i < len(names)-1 {
			name += ","
		}
		switch {
		case column > 0 && column+1+len(name) <= 78:
			name = " " + name
		case column > 0:
			name, column = "\n  "+name, -1
		default:
			name = "  " + name
		}
		b.WriteString(name)
		column += len(name)
	}
	return b.String()
}
