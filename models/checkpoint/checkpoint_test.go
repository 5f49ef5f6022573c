package checkpoint_test

import (
	"bytes"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"spotter/models"
	"spotter/models/checkpoint"
	"spotter/models/config"
	"spotter/models/detect"
	"spotter/models/golden"
	"spotter/models/reference"
	"spotter/models/say"
)

// file reads a file of testdata, or of the golden formats.
func file(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name)
	if os.IsNotExist(err) {
		data, err = golden.Format(name)
	}
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestCheckpointsOfEveryKindDecodeAsExpected runs one network from checkpoints of every
// kind on the golden picture (see testdata/make.py for what is special about each).
func TestCheckpointsOfEveryKindDecodeAsExpected(t *testing.T) {
	for name, want := range map[string]checkpoint.Checkpoint{
		"best.pt":       {Format: "zip", Source: "model", Epoch: -1, Fitness: 0.5, Imgsz: 640},
		"state_dict.pt": {Format: "zip", Source: "state_dict", Epoch: -1},
		"legacy-ema.pt": {Format: "legacy", Source: "ema", Epoch: 12, Fitness: 0.25, Imgsz: 320},
		"fused.pt":      {Format: "zip", Source: "module", Epoch: -1, Fused: true},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := checkpoint.Load(file(t, name), checkpoint.Options{File: name, Width: 64, Height: 96})
			if err != nil {
				t.Fatal(err)
			}
			c := m.Checkpoint
			if c.Format != want.Format || c.Source != want.Source || c.Epoch != want.Epoch || c.Fitness != want.Fitness || c.Imgsz != want.Imgsz || c.Fused != want.Fused {
				t.Errorf("format %s, source %s, epoch %d, fitness %v, imgsz %d, fused %v", c.Format, c.Source, c.Epoch, c.Fitness, c.Imgsz, c.Fused)
			}
			if c.Classes != 80 || !slices.Equal(c.PixelAnchors()[2], [][2]float32{{116, 90}, {156, 198}, {373, 326}}) {
				t.Errorf("%d classes, anchors %v", c.Classes, c.PixelAnchors())
			}
			out, err := reference.Run(m.Graph, m.Weights, golden.Input(golden.Image(64, 96, 1)), nil)
			if err != nil {
				t.Fatal(err)
			}
			rows, err := detect.Decode(&m.Graph.Head, detect.Maps(m.Graph, out))
			if err != nil {
				t.Fatal(err)
			}
			if err := golden.CompareDecoded(rows.Data, rows.Columns()); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestBackboneOfAnotherName takes a checkpoint whose training registered the backbone under
// a name of its own.
func TestBackboneOfAnotherName(t *testing.T) {
	data := bytes.ReplaceAll(file(t, "best.pt"), []byte("MobileNetV4ConvSmall"), []byte("our_own_feature_net_"))
	m, err := checkpoint.Load(data, checkpoint.Options{Width: 64, Height: 96})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(m.YAML), "MobileNetV4ConvSmall") || !strings.Contains(strings.Join(say.Strings(m.Checkpoint.Notes), "\n"), "our_own_feature_net_ is built as MobileNetV4ConvSmall") {
		t.Errorf("notes %q\n%s", m.Checkpoint.Notes, m.YAML)
	}
}

func TestCheckpointNames(t *testing.T) {
	for name, want := range map[string]string{"best.pt": "bear", "legacy-ema.pt": "class 21"} {
		c, err := checkpoint.Open(file(t, name))
		if err != nil {
			t.Fatal(err)
		}
		if len(c.Names) != 80 || c.Names[21] != want {
			t.Errorf("%s: names %v", name, c.Names)
		}
	}
}

// TestTensorsOfEveryType reads elements of every type, views, strides and an alias. All
// hold i - 3 in their own order (testdata/make.py).
func TestTensorsOfEveryType(t *testing.T) {
	ramp := func(from, n, step int) (v []float32) {
		for i := range n {
			v = append(v, float32(from+i*step))
		}
		return v
	}
	var turned []float32
	for c := range 6 {
		turned = append(turned, ramp(c-3, 4, 6)...)
	}
	above := make([]float32, 24)
	for i := 4; i < 24; i++ {
		above[i] = 1
	}
	base := ramp(-3, 24, 1)
	want := map[string][]float32{
		"float64": base, "float32": base, "float16": base, "bfloat16": base, "int64": base, "int32": base, "int16": base, "int8": base,
		"uint8": ramp(0, 24, 1), "bool": above, "channels_last": base, "transposed": turned, "view": ramp(2, 6, 1), "step": ramp(-2, 12, 2),
		"scalar": {2.5}, "empty": nil, "parameter": base,
	}
	for _, name := range []string{"tensors.pt", "tensors-legacy.pt"} {
		c, err := checkpoint.Open(file(t, name))
		if err != nil {
			t.Fatal(err)
		}
		w, err := c.Weights()
		if err != nil {
			t.Fatal(err)
		}
		for key, values := range want {
			got := w["weight."+key]
			if got == nil || !slices.Equal(got.Data, values) {
				t.Errorf("%s: %s is %v, want %v", name, key, got, values)
				continue
			}
			if got.Half != (key == "float16") {
				t.Errorf("%s: %s says half %v", name, key, got.Half)
			}
		}
		if len(w) != len(want) {
			t.Errorf("%s: %d tensors, want %d", name, len(w), len(want))
		}
	}
}

// TestNetworkIsInferredFromParameters takes the names and shapes of every built-in
// network in every size, and nothing else.
func TestNetworkIsInferredFromParameters(t *testing.T) {
	for _, name := range config.BuiltinNames() {
		for _, size := range []string{"n", "s", "m", "l", "x"} {
			if testing.Short() && size != "n" {
				continue
			}
			text, err := config.Builtin(name)
			if err != nil {
				t.Fatal(err)
			}
			g, err := config.Load(text, name, config.Options{Scale: size, NC: 7, Width: 64, Height: 64})
			if err != nil {
				t.Fatal(err)
			}
			w := models.Weights{}
			for _, p := range g.Params() {
				w[p.Name] = &models.Tensor{Shape: p.Shape}
			}
			c, err := checkpoint.FromWeights(w, nil)
			if err != nil {
				t.Fatal(err)
			}
			m, err := c.Load(checkpoint.Options{File: name})
			if err != nil {
				t.Errorf("%s %s: %v", name, size, err)
				continue
			}
			if m.Graph.Head.Classes != 7 || len(m.Graph.Nodes) != len(g.Nodes) || m.Graph.Head.Masks != g.Head.Masks {
				t.Errorf("%s %s: %d classes, %d masks, %d nodes, want 7, %d and %d; %v", name, size,
					m.Graph.Head.Classes, m.Graph.Head.Masks, len(m.Graph.Nodes), g.Head.Masks, len(g.Nodes), c.Notes)
			}
			again, err := config.Load(m.YAML, "again", config.Options{})
			if err != nil || len(again.Params()) != len(g.Params()) || again.Head.Classes != 7 {
				t.Errorf("%s %s: the YAML that was worked out builds another network: %v", name, size, err)
			}
		}
	}
}

func TestMissingYAMLIsAskedFor(t *testing.T) {
	w := models.Weights{"model.0.conv.weight": {Shape: []int{4, 3, 3, 3}, Data: make([]float32, 108)}}
	c, err := checkpoint.FromWeights(w, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Load(checkpoint.Options{})
	var need *checkpoint.NeedYAML
	if !asNeed(err, &need) || need.Guess != "" || !strings.Contains(err.Error(), "give the YAML too") {
		t.Errorf("error %v", err)
	}
}

func asNeed(err error, need **checkpoint.NeedYAML) bool {
	n, ok := err.(*checkpoint.NeedYAML)
	*need = n
	return ok
}

// TestYAMLOfAnotherNetwork says which of the two files is wrong, and how.
func TestYAMLOfAnotherNetwork(t *testing.T) {
	text, err := config.Builtin("yolov5-mnv4-convsmall")
	if err != nil {
		t.Fatal(err)
	}
	for want, yaml := range map[string]string{
		"they do not belong together": string(text),
		"bad.yaml":                    "nc: [",
	} {
		_, err := checkpoint.Load(file(t, "state_dict.pt"), checkpoint.Options{YAML: []byte(yaml), File: "bad.yaml"})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
}

func TestNotFiniteWeightsAreRefused(t *testing.T) {
	for _, v := range []float64{math.NaN(), math.Inf(1)} {
		data := slices.Clone(file(t, "tensors-legacy.pt"))
		// float32 ramp: overwrite the bits of its last element, 20.
		at := lastIndex(data, []byte{0, 0, 160, 65})
		copy(data[at:], float32Bytes(float32(v)))
		c, err := checkpoint.Open(data)
		if err != nil {
			t.Fatal(err)
		}
		if _, err = c.Weights(); err == nil || !strings.Contains(err.Error(), "diverged") {
			t.Errorf("%v: error %v", v, err)
		}
	}
}
