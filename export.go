package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"spotter/models"
	"spotter/models/config"
	"spotter/models/export"
	"spotter/models/golden"
	"spotter/models/load"
)

const exportUsage = `Usage: spotter export [--onnx | --safetensors] [flags] [file]

Writes a model that Spotter reads, or a network that comes with it, for others to read:

  --onnx         ONNX, opset 17, float32, one input images [1,3,H,W]. The outputs are the
                 raw maps of the head, or with --decoded boxes: YOLOv5 and YOLOX give
                 output0 [1,n,5+classes+masks], PicoDet, NanoDet and YOLOv8 give output0
                 [1,4+classes+masks,n]; prototypes are output1
  --safetensors  parameters with YAML, classes and size, half floats where that loses nothing

Names of classes, anchors and the way pictures are fed go along; Spotter takes either back.
The file is NAME.onnx or NAME.safetensors where none is named.

Flags:
`

// exportFlags are the options of the export command.
type exportFlags struct {
	model             *modelFlags
	onnx, safetensors bool
	decoded, keep     bool
	weights           string
	residual          bool
	out               string
}

// runExport is the export command.
func runExport(args []string, stdout, stderr io.Writer) error {
	flags := newFlags("export")
	f := exportFlags{model: addModelFlags(flags)}
	flags.BoolVar(&f.onnx, "onnx", false, "write ONNX, which is what is written where nothing is said")
	flags.BoolVar(&f.safetensors, "safetensors", false, "write .safetensors")
	flags.BoolVar(&f.decoded, "decoded", false, "ONNX: boxes instead of raw maps")
	flags.BoolVar(&f.keep, "batchnorm", false, "ONNX: keep BatchNorm nodes instead of folding them into the convolutions")
	flags.StringVar(&f.weights, "weights", "", "golden: the network of --yaml, a file or a built-in one, with the deterministic weights of tests and benchmarks")
	flags.BoolVar(&f.residual, "residual", false, "with --weights golden: UIBs with residual, as in the paper")
	files, err := parseMixed(flags, args, exportUsage, stdout)
	switch {
	case err != nil:
		return err
	case len(files) > 1:
		return usageError{fmt.Errorf("one file is written: %q is one too many (--model names what is read)", files[1])}
	case f.onnx && f.safetensors:
		return usageError{errors.New("--onnx or --safetensors, not both")}
	case f.safetensors && (f.decoded || f.keep):
		return usageError{errors.New("--decoded and --batchnorm are for ONNX")}
	case f.weights != "" && (f.weights != "golden" || *f.model.yaml == "" || f.safetensors):
		return usageError{errors.New("--weights takes golden alone, with --yaml, for ONNX")}
	case len(files) == 1:
		f.out = files[0]
	}
	return f.run(stdout)
}

func (f *exportFlags) run(stdout io.Writer) error {
	m, err := f.open()
	if err != nil {
		return err
	}
	if f.out == "" {
		f.out = m.Name + ".onnx"
		if f.safetensors {
			f.out = m.Name + ".safetensors"
		}
	}
	if f.isModel() {
		return usageError{fmt.Errorf("%s is the model itself: name another file to write", f.out)}
	}
	var data []byte
	about := ""
	if f.safetensors {
		about = string(m.Encoding())
		data, err = m.Safetensors(m.Encoding())
	} else {
		data, about, err = f.asONNX(m)
	}
	if err == nil {
		err = fileError(os.WriteFile(f.out, data, 0o644))
	}
	if err == nil {
		fmt.Fprintf(stdout, "%s  %s, %s, %d bytes\n", f.out, m.Graph.Name, about, len(data))
	}
	return err
}

// isModel tells that what would be written is what was read.
func (f *exportFlags) isModel() bool {
	in, err := os.Stat(*f.model.file)
	out, none := os.Stat(f.out)
	return err == nil && none == nil && os.SameFile(in, out)
}

func (f *exportFlags) open() (*load.Model, error) {
	if f.weights == "" {
		return f.model.load()
	}
	width, height, err := parseSize(*f.model.imgsz)
	if err != nil {
		return nil, err
	}
	g, err := loadYAML(*f.model.yaml, config.Options{Scale: *f.model.scale, Width: width, Height: height, Residual: f.residual})
	if err != nil {
		return nil, err
	}
	name := filepath.Base(*f.model.yaml)
	return &load.Model{Name: strings.TrimSuffix(name, filepath.Ext(name)), Graph: g, Weights: golden.Weights(g, f.residual)}, nil
}

// asONNX gives the file, and what is in it in words.
func (f *exportFlags) asONNX(m *load.Model) ([]byte, string, error) {
	g, weights := m.Graph, m.Weights
	var err error
	if !f.keep {
		g, weights, err = export.FoldBatchNorm(g, weights)
	}
	if err == nil && f.decoded {
		g, weights, err = export.Decoded(g, weights)
	}
	var file bytes.Buffer
	if err == nil {
		err = export.ONNX(&file, g, weights, m.Meta)
	}
	if err != nil {
		return nil, "", fmt.Errorf("%s: %w", m.Name, err)
	}
	var outputs []string
	for _, v := range g.Outputs {
		outputs = append(outputs, fmt.Sprint([]int(v.Shape)))
	}
	return file.Bytes(), fmt.Sprintf("opset %d, input %v, outputs %s", export.Opset, []int(g.Input.Shape), strings.Join(outputs, " ")), nil
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
