package onnx_test

import (
	"encoding/binary"
	"math"
	"os"
	"slices"
	"testing"

	"spotter/models"
	"spotter/models/detect"
	"spotter/models/golden"
	"spotter/models/onnx"
	"spotter/models/reference"
)

// result is a network's answer on the golden picture, in the forms that files give.
type result struct {
	g    *models.Graph
	maps []detect.Map
	rows *detect.Rows
}

// headFiles are the files that testdata/make.py makes: the head that each is, and its
// outputs put together from Spotter's own.
var headFiles = []struct {
	name    string
	kind    models.HeadKind
	outputs func(r *result) []float32
}{
	{"yolov5", models.HeadYOLOv5, (*result).decoded},
	{"yolov5-op11-inplace", models.HeadYOLOv5, (*result).decoded},
	{"yolov5-dynamic", models.HeadYOLOv5, (*result).decoded},
	{"yolov5-half", models.HeadYOLOv5, (*result).decoded},
	{"yolov5-half-io", models.HeadYOLOv5, (*result).decoded},
	{"yolov5-dynamo", models.HeadYOLOv5, (*result).decoded},
	{"yolov5-op19", models.HeadYOLOv5, (*result).decoded},
	{"yolov5-raw", models.HeadYOLOv5, (*result).raw},
	{"yolov5-raw5", models.HeadYOLOv5, (*result).rawByAnchor},
	{"yolov5-seg", models.HeadYOLOv5, (*result).decodedAndProto},
	{"yolox", models.HeadYOLOX, (*result).undecoded},
	{"yolox-decoded", models.HeadYOLOX, (*result).decoded},
	{"yolox-apart", models.HeadYOLOX, (*result).raw},
	{"nanodet", models.HeadGFL, (*result).undecoded},
	{"nanodet-apart", models.HeadGFL, (*result).raw},
	{"yolov8", models.HeadYOLOv8, (*result).columns},
	{"yolov8-dynamo", models.HeadYOLOv8, (*result).columns},
	{"yolov8-seg", models.HeadYOLOv8, (*result).columns},
	{"boxes-scores", models.HeadYOLOv8, (*result).cornersAndScores},
	{"classifier", models.HeadClassify, (*result).raw},
	{"classifier-softmax", models.HeadClassify, (*result).probabilities},
}

func TestHeadsAgreeWithOnnxruntime(t *testing.T) {
	for _, f := range headFiles {
		t.Run(f.name, func(t *testing.T) {
			m := load(t, f.name, onnx.Options{Width: 64, Height: 64})
			if m.Graph.Head.Kind != f.kind {
				t.Fatalf("taken for %s: %s", m.Graph.Head.Kind, m.Took)
			}
			got := f.outputs(run(t, m, golden.Input(golden.Image(64, 64, 1))))
			limit := 1e-3
			if m.Graph.Name != f.name {
				t.Errorf("the graph is called %q", m.Graph.Name)
			}
			if f.name == "yolov5-half" || f.name == "yolov5-half-io" {
				limit = 2e-2 // onnxruntime computes these in half precision
			}
			compare(t, got, expected(t, f.name), limit)
		})
	}
}

func load(t testing.TB, name string, o onnx.Options) *onnx.Model {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name + ".onnx")
	if err != nil {
		t.Fatal(err)
	}
	o.File = name
	m, err := onnx.Load(data, o)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func run(t *testing.T, m *onnx.Model, input []float32) *result {
	t.Helper()
	out, err := reference.Run(m.Graph, m.Weights, input, nil)
	if err != nil {
		t.Fatal(err)
	}
	r := &result{g: m.Graph, maps: detect.Maps(m.Graph, out)}
	if m.Graph.Head.Kind != models.HeadClassify {
		if r.rows, err = detect.Decode(&m.Graph.Head, r.maps); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

func expected(t *testing.T, name string) []float32 {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name + ".f32")
	if err != nil {
		t.Fatal(err)
	}
	values := make([]float32, len(data)/4)
	for i := range values {
		values[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
	}
	return values
}

// compare allows a relative error, and as much of 1 absolutely.
func compare(t *testing.T, got, want []float32, limit float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d values, want %d", len(got), len(want))
	}
	for i, w := range want {
		if d := math.Abs(float64(got[i]) - float64(w)); !(d <= limit*(1+math.Abs(float64(w)))) {
			t.Fatalf("value %d of %d: %v, want %v", i, len(want), got[i], w)
		}
	}
}

func (r *result) decoded() []float32 { return r.rows.Data }

func (r *result) raw() (list []float32) {
	for _, m := range r.maps {
		list = append(list, m.Data...)
	}
	return list
}

// rawByAnchor is [anchors, H, W, values] for each map.
func (r *result) rawByAnchor() (list []float32) {
	for _, m := range r.maps {
		no := m.C / 3
		for a := range 3 {
			for i := range m.H * m.W {
				for k := range no {
					list = append(list, m.Data[(a*no+k)*m.H*m.W+i])
				}
			}
		}
	}
	return list
}

func (r *result) decodedAndProto() []float32 {
	return append(slices.Clone(r.rows.Data), r.maps[r.g.Head.Proto].Data...)
}

// undecoded is rows of what the convolutions give: box, sigmoid of objectness and classes
// for YOLOX; sigmoid of classes and distributions for NanoDet.
func (r *result) undecoded() (list []float32) {
	sigmoid := func(v float32) float32 { return float32(1 / (1 + math.Exp(-float64(v)))) }
	h := r.g.Head
	for _, l := range h.Levels {
		box := r.maps[l.Box.Map]
		for i := range box.H * box.W {
			at := func(p models.Part, k int) float32 { return r.maps[p.Map].Data[(p.Channel+k)*box.H*box.W+i] }
			boxes := func(n int) {
				for k := range n {
					list = append(list, at(l.Box, k))
				}
			}
			if h.Kind == models.HeadYOLOX {
				boxes(4)
				list = append(list, sigmoid(at(l.Obj, 0)))
			}
			for k := range h.Classes {
				list = append(list, sigmoid(at(l.Cls, k)))
			}
			if h.Kind == models.HeadGFL {
				boxes(4 * h.Bins)
			}
		}
	}
	return list
}

// column k of the decoded rows, without objectness.
func (r *result) column(k int) (list []float32) {
	if k >= 4 {
		k++
	}
	for i := range r.rows.N {
		list = append(list, r.rows.Row(i)[k])
	}
	return list
}

// columns are the rows across, then the prototypes.
func (r *result) columns() (list []float32) {
	for k := range r.rows.Columns() - 1 {
		list = append(list, r.column(k)...)
	}
	if r.g.Head.Proto >= 0 {
		list = append(list, r.maps[r.g.Head.Proto].Data...)
	}
	return list
}

func (r *result) cornersAndScores() (list []float32) {
	for i := range r.rows.N {
		b := r.rows.Row(i)
		list = append(list, b[0]-b[2]/2, b[1]-b[3]/2, b[0]+b[2]/2, b[1]+b[3]/2)
	}
	for k := range r.g.Head.Classes {
		list = append(list, r.column(4+k)...)
	}
	return list
}

func (r *result) probabilities() (list []float32) {
	list = make([]float32, len(r.maps[0].Data))
	for _, c := range detect.Classify(r.maps[0].Data, len(list)) {
		list[c.ID] = c.Score
	}
	return list
}
