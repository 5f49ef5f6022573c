package wasm_test

import (
	"bytes"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"spotter/models"
	"spotter/models/detect"
	"spotter/models/load"
	"spotter/models/reference"
	"spotter/wasm"
	"spotter/wasm/pack"
	"spotter/wasm/run"
	"spotter/wasm/show"
)

// TestScales compiles the family's other sizes at small inputs, square or not.
func TestScales(t *testing.T) {
	for _, c := range []struct {
		name, scale   string
		residual      bool
		width, height int
	}{
		{"yolov5-mnv4-convsmall", "s", true, 64, 64},
		{"yolov5-mnv4-convsmall", "m", false, 96, 32},
		{"yolov5-mnv4-convsmall", "x", true, 32, 64},
		{"yolov5-mnv4-convsmall-seg", "l", true, 64, 32},
		{"yolov5-mnv4-convmedium-seg", "s", false, 64, 32},
		{"yolov5-mnv4-hybridmedium", "m", true, 64, 64},
		{"yolov5n", "", false, 96, 64},
		{"yolov5n-seg", "", false, 64, 64},
		{"yolov5s-ghost", "", false, 64, 64},
	} {
		t.Run(c.name+" "+c.scale, func(t *testing.T) {
			g, w := builtin(t, c.name, c.scale, c.residual, c.width, c.height)
			compareNetwork(t, g, w, wasm.Options{}, run.Options{})
		})
	}
}

// TestFamily runs every backbone at every size with both heads, on the smallest input.
func TestFamily(t *testing.T) {
	for _, backbone := range []string{"convsmall", "convmedium", "convlarge", "hybridmedium", "hybridlarge"} {
		for i, scale := range []string{"n", "s", "m", "l", "x"} {
			for _, task := range []string{"", "-seg"} {
				t.Run(backbone+task+" "+scale, func(t *testing.T) {
					residual := i%2 == 0 || strings.HasPrefix(backbone, "hybrid")
					g, w := builtin(t, "yolov5-mnv4-"+backbone+task, scale, residual, 32, 32)
					compareOutputs(t, g, w)
				})
			}
		}
	}
}

// TestInterpreter runs one network under wazero's other engine.
func TestInterpreter(t *testing.T) {
	g, w := builtin(t, "yolov5-mnv4-convsmall", "n", false, 32, 32)
	compareNetwork(t, g, w, wasm.Options{}, run.Options{Interpreter: true})
}

// TestThreads shares each layer among threads: the result must be that of one, bit
// for bit, frame after frame.
func TestThreads(t *testing.T) {
	g, w := builtin(t, "yolov5-mnv4-convsmall-seg", "n", true, 96, 64)
	out := compile(t, g, w, wasm.Options{Threads: true})
	single := engine(t, out, run.Options{})
	for _, n := range []int{2, 3} {
		e := engine(t, out, run.Options{Threads: n})
		for frame := range 5 {
			_, rgba := picture(70, 50, uint64(frame))
			for _, x := range []*run.Engine{single, e} {
				if err := x.Feed(rgba, 70, 50); err != nil {
					t.Fatal(err)
				}
				if err := x.Infer(); err != nil {
					t.Fatal(err)
				}
			}
			for i := range out.Manifest.Outputs {
				want, got := single.Tensor(single.Manifest.Outputs[i]), e.Tensor(e.Manifest.Outputs[i])
				if !slices.Equal(want, got) {
					t.Fatalf("%d threads, frame %d: output %d differs from one thread's", n, frame, i)
				}
			}
		}
	}
}

// TestVariants: all forms of a network share the weights file; equal inputs give equal
// bytes.
func TestVariants(t *testing.T) {
	g, w := builtin(t, "yolov5-mnv4-convsmall", "n", false, 256, 256) // large enough for every algorithm
	first := compile(t, g, w, wasm.Options{})
	for _, o := range []wasm.Options{{}, {Relaxed: true}, {Threads: true}, {Relaxed: true, Threads: true}} {
		a, b := compile(t, g, w, o), compile(t, g, w, o)
		if !bytes.Equal(a.Module, b.Module) || !bytes.Equal(a.Weights, b.Weights) {
			t.Errorf("%+v: two compilations differ", o)
		}
		if a.Manifest.Weights != first.Manifest.Weights {
			t.Errorf("%+v: weights %+v, want those of the plain form, %+v", o, a.Manifest.Weights, first.Manifest.Weights)
		}
		m, err := run.Describe(a.Module)
		if err != nil {
			t.Fatal(err)
		}
		if slices.Contains(m.Features, "relaxed") != o.Relaxed || slices.Contains(m.Features, "threads") != o.Threads {
			t.Errorf("%+v: the module says %v", o, m.Features)
		}
	}
}

// TestHalfWeights: a half-precision checkpoint is carried as it is and unpacks to the
// very numbers of a float32 file; other weights are rounded when asked only.
func TestHalfWeights(t *testing.T) {
	g, w := builtin(t, "yolov5-mnv4-convsmall", "n", false, 64, 64)
	_, rgba := picture(64, 64, 1)
	outputs := func(w models.Weights, o wasm.Options) (*wasm.Output, [][]float32) {
		out := compile(t, g, w, o)
		e := engine(t, out, run.Options{})
		if err := e.Feed(rgba, 64, 64); err != nil {
			t.Fatal(err)
		}
		if err := e.Infer(); err != nil {
			t.Fatal(err)
		}
		var maps [][]float32
		for _, m := range out.Manifest.Outputs {
			maps = append(maps, e.Tensor(m))
		}
		return out, maps
	}
	halves := models.Weights{}
	for name, p := range w {
		q := &models.Tensor{Shape: p.Shape, Data: make([]float32, len(p.Data)), Half: true}
		for i, v := range p.Data {
			q.Data[i] = models.HalfToFloat(models.FloatToHalf(v))
		}
		halves[name] = q
	}
	half, a := outputs(halves, wasm.Options{})
	whole, b := outputs(halves, wasm.Options{Precision: pack.F32})
	forced, c := outputs(w, wasm.Options{Precision: pack.F16})
	full, _ := outputs(w, wasm.Options{})
	for i, want := range map[*wasm.Output]string{half: "f16", whole: "f32", forced: "f16", full: "f32"} {
		if got := i.Manifest.Weights.Encoding; got != want {
			t.Errorf("encoding %s, want %s", got, want)
		}
	}
	if len(half.Weights) > len(whole.Weights)*55/100 {
		t.Errorf("the half file has %d bytes, the whole one %d", len(half.Weights), len(whole.Weights))
	}
	for i := range a {
		if !slices.Equal(a[i], b[i]) {
			t.Errorf("output %d: half and whole weights of one checkpoint differ", i)
		}
		if slices.Equal(a[i], c[i]) {
			t.Errorf("output %d: the checkpoint's rounded normalisation made no difference to the unrounded one", i)
		}
	}
}

// trained is the project's own network.
func trained(t *testing.T, size int) *load.Model {
	t.Helper()
	const file = "../models/weights/yolov5n-mnv4s-seg-f16.safetensors"
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	m, err := load.Open(file, data, load.Options{Width: size, Height: size})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestPictures: boxes and masks of the trained network on real pictures are the
// scalar reference's.
func TestPictures(t *testing.T) {
	m := trained(t, 192)
	e := engine(t, compile(t, m.Graph, m.Weights, wasm.Options{}), run.Options{})
	files, err := filepath.Glob("../web/samples/*.jpg")
	if err != nil || len(files) == 0 {
		t.Fatalf("no sample pictures: %v", err)
	}
	total := 0
	for _, file := range files {
		p, err := show.Read(file)
		if err != nil {
			t.Fatal(err)
		}
		total += comparePicture(t, m, e, p, file)
	}
	if total == 0 {
		t.Error("nothing was found on any picture")
	}
}

func comparePicture(t *testing.T, m *load.Model, e *run.Engine, p *detect.Picture, label string) int {
	t.Helper()
	const conf, iou = 0.2, 0.45
	input, place, err := detect.Input(m.Graph.Feed, p, 192, 192)
	if err != nil {
		t.Fatal(err)
	}
	outputs, err := reference.Run(m.Graph, m.Weights, input, nil)
	if err != nil {
		t.Fatal(err)
	}
	want, err := detect.Detect(&m.Graph.Head, detect.Maps(m.Graph, outputs), place, detect.NMSOptions{Conf: conf, IOU: iou})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Feed(p.Pix, p.W, p.H); err != nil {
		t.Fatal(err)
	}
	if err := e.Infer(); err != nil {
		t.Fatal(err)
	}
	got, err := e.Detect(run.DetectOptions{Conf: conf, IoU: iou})
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != len(want.Detections) {
		t.Fatalf("%s: %d found, want %d", label, len(got), len(want.Detections))
	}
	for i, r := range got {
		d := want.Detections[i]
		box := want.Box(i)
		for k := range box {
			if math.Abs(float64(box[k]-r.Box[k])) > 0.05 {
				t.Errorf("%s: box %d is %v, want %v", label, i, r.Box, box)
			}
		}
		if math.Abs(float64(d.Score-r.Score)) > 1e-4 || d.Class != r.Class {
			t.Errorf("%s: box %d has class %d at %g, want %d at %g", label, i, r.Class, r.Score, d.Class, d.Score)
		}
		mask, err := e.Mask(i, p.W, p.H)
		if err != nil {
			t.Fatal(err)
		}
		compareMask(t, fmt.Sprintf("%s: mask %d", label, i), mask.Full(), want.Mask(i, p.W, p.H).Full())
	}
	return len(got)
}

// compareMask allows one pixel in a thousand to fall on the other side of 0.5.
func compareMask(t *testing.T, label string, got, want []byte) {
	t.Helper()
	differ, area := 0, 0
	for i := range want {
		if want[i] != 0 {
			area++
		}
		if got[i] != want[i] {
			differ++
		}
	}
	if area == 0 || differ*1000 > area {
		t.Errorf("%s: %d of %d pixels differ", label, differ, area)
	}
}

// TestErrors: what cannot be compiled is named with layer and reason.
func TestErrors(t *testing.T) {
	g, w := builtin(t, "yolov5-mnv4-convsmall", "n", false, 64, 64)
	missing := models.Weights{}
	for name, p := range w {
		if name != "model.0.layer3.uib_0._expand_conv.conv.weight" {
			missing[name] = p
		}
	}
	for want, f := range map[string]func() error{
		"model.16.m.2 has stride 32": func() error {
			_, err := wasm.Compile(g, w, wasm.Options{Width: 100, Height: 64})
			return err
		},
		"model.0.layer3.uib_0._expand_conv.conv.weight": func() error {
			_, err := wasm.Compile(g, missing, wasm.Options{})
			return err
		},
		"layer node1 (MQA): heads of 3 channels": func() error {
			n, x := newNet(t, 8, 8)
			n.g.Outputs = []*models.Value{n.add(&models.MQA{Heads: 1, Dim: 3, Scale: 1}, x, x, x)}
			_, err := wasm.Compile(n.g, n.w, wasm.Options{})
			return err
		},
		"layer model.0.layer5.convbn_1.conv: a weight is too large for float16": func() error {
			large := maps.Clone(w)
			p := *large["model.0.layer5.convbn_1.conv.weight"]
			p.Data = slices.Clone(p.Data)
			p.Data[7] = 1e6
			large["model.0.layer5.convbn_1.conv.weight"] = &p
			_, err := wasm.Compile(g, large, wasm.Options{Precision: pack.F16})
			return err
		},
	} {
		if err := f(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
	// After an error the network still compiles at its former size.
	compile(t, g, w, wasm.Options{})
}
