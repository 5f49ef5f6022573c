package bench

import (
	"bytes"
	"fmt"

	"spotter/bench/peers"
	"spotter/models"
	"spotter/models/config"
	"spotter/models/export"
	"spotter/models/golden"
	"spotter/wasm"
)

// Model is a network at an input size.
type Model struct {
	YAML          string // built-in network, e.g. yolov5-mnv4-convsmall
	Label         string // backbone as reports name it
	Scale         string // n, s, m, l or x
	Task          string // detect or segment
	Width, Height int    // of the network's input, pixels
	Half          bool   // weights of half precision, as training saves them
}

// Built-in networks that are measured.
const (
	convSmall        = "yolov5-mnv4-convsmall"
	convSmallSegment = "yolov5-mnv4-convsmall-seg"
	convMedium       = "yolov5-mnv4-convmedium"
)

// DefaultModels are measured unless others are asked for; the first is the quick one.
var DefaultModels = []Model{
	{YAML: convSmall, Label: "convsmall", Scale: "n", Task: "detect", Width: 320, Height: 320},
	{YAML: convSmall, Label: "convsmall", Scale: "s", Task: "detect", Width: 320, Height: 320},
	{YAML: convSmall, Label: "convsmall", Scale: "n", Task: "detect", Width: 640, Height: 640},
	{YAML: convSmallSegment, Label: "convsmall", Scale: "n", Task: "segment", Width: 320, Height: 320},
	{YAML: convMedium, Label: "convmedium", Scale: "n", Task: "detect", Width: 320, Height: 320},
}

// Name is the network without its size, e.g. convsmall-n-detect.
func (m Model) Name() string { return m.Label + "-" + m.Scale + "-" + m.Task }

func (m Model) id() string {
	id := fmt.Sprintf("%s-%dx%d", m.Name(), m.Width, m.Height)
	if m.Half {
		id += "-half"
	}
	return id
}

// frameCount pictures take turns as inputs.
const frameCount = 4

// frames is the address of the pictures, without the number.
func (m Model) frames() string { return fmt.Sprintf("/frames/%dx%d", m.Width, m.Height) }

// Build makes the graph and golden's weights for it, BatchNorm kept.
func (m Model) Build() (*models.Graph, models.Weights, error) {
	text, err := config.Builtin(m.YAML)
	if err != nil {
		return nil, nil, err
	}
	g, err := config.Load(text, m.YAML+".yaml", config.Options{Scale: m.Scale, Width: m.Width, Height: m.Height})
	if err != nil {
		return nil, nil, err
	}
	weights := golden.Weights(g, false)
	if m.Half {
		roundToHalf(weights)
	}
	return g, weights, nil
}

// roundToHalf gives weights the values that half precision has.
func roundToHalf(weights models.Weights) {
	for _, t := range weights {
		for i, x := range t.Data {
			t.Data[i] = models.HalfToFloat(models.FloatToHalf(x))
		}
		t.Half = true
	}
}

// peerFiles makes the files that the peers load, by name.
func peerFiles(g *models.Graph, weights models.Weights) (map[string][]byte, error) {
	g, weights, err := export.FoldBatchNorm(g, weights)
	if err != nil {
		return nil, err
	}
	var onnx bytes.Buffer
	if err := export.ONNX(&onnx, g, weights, nil); err != nil {
		return nil, err
	}
	tflite, err := peers.TFLite(g, weights)
	if err != nil {
		return nil, err
	}
	graph, bin, err := peers.TFJS(g, weights)
	if err != nil {
		return nil, err
	}
	return map[string][]byte{"model.onnx": onnx.Bytes(), "model.tflite": tflite, "tfjs.json": graph, "tfjs.bin": bin}, nil
}

// ownFiles compiles every variant of this project's module, by name, and its weights.
func ownFiles(g *models.Graph, weights models.Weights) (map[string][]byte, error) {
	files := map[string][]byte{}
	for _, variant := range ownVariants {
		for _, threads := range []bool{false, true} {
			out, err := wasm.Compile(g, weights, wasm.Options{Relaxed: variant == "relaxed", Threads: threads})
			if err != nil {
				return nil, err
			}
			name := variant
			if threads {
				name += "-threads"
			}
			files[name+".wasm"] = out.Module
			files["weights.bin"] = out.Weights
		}
	}
	return files, nil
}
