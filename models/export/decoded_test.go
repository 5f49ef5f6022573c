package export

import (
	"bytes"
	"math"
	"os"
	"reflect"
	"strings"
	"testing"

	"spotter/models"
	"spotter/models/detect"
	"spotter/models/golden"
	"spotter/models/onnx"
	"spotter/models/say"
)

// heads are small networks with every kind of head, fed in every way.
var heads = []string{
	"yolov5", "yolov5-raw5", "yolov5-seg", "yolox", "yolox-apart", "nanodet", "nanodet-apart",
	"yolov8", "yolov8-seg", "boxes-scores", "classifier", "classifier-softmax",
}

func headFile(t *testing.T, name string) *onnx.Model {
	t.Helper()
	data, err := os.ReadFile("../onnx/testdata/" + name + ".onnx")
	if err != nil {
		t.Fatal(err)
	}
	m, err := onnx.Load(data, onnx.Options{File: name, Width: 64, Height: 64})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func written(t *testing.T, g *models.Graph, w models.Weights) []byte {
	t.Helper()
	var file bytes.Buffer
	if err := ONNX(&file, g, w, nil); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

func readBack(t *testing.T, data []byte) *onnx.Model {
	t.Helper()
	m, err := onnx.Load(data, onnx.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

var picture = golden.Input(golden.Image(64, 64, 3))

// predictions are what the network finds in the picture, decoded by Spotter: rows, then
// prototypes; or probabilities.
func predictions(t *testing.T, g *models.Graph, w models.Weights) [][]float32 {
	t.Helper()
	maps := detect.Maps(g, run(t, g, w, picture))
	if g.Head.Kind == models.HeadClassify {
		scores := make([]float32, len(maps[0].Data))
		for _, c := range detect.Classify(maps[0].Data, len(scores)) {
			scores[c.ID] = c.Score
		}
		return [][]float32{scores}
	}
	rows, err := detect.Decode(&g.Head, maps)
	if err != nil {
		t.Fatal(err)
	}
	list := [][]float32{rows.Data}
	if g.Head.Masks > 0 {
		list = append(list, maps[g.Head.Proto].Data)
	}
	return list
}

// asRows turns columns without objectness into rows with it.
func asRows(g *models.Graph, data []float32) []float32 {
	if g.Head.Kind != models.HeadGFL && g.Head.Kind != models.HeadYOLOv8 {
		return data
	}
	columns := 4 + g.Head.Classes + g.Head.Masks
	n := len(data) / columns
	var rows []float32
	for r := range n {
		for c := range columns {
			if c == 4 {
				rows = append(rows, 1)
			}
			rows = append(rows, data[c*n+r])
		}
	}
	return rows
}

func near(t *testing.T, what string, got, want [][]float32) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d outputs, want %d", what, len(got), len(want))
	}
	for o := range want {
		if len(got[o]) != len(want[o]) {
			t.Fatalf("%s: output %d has %d values, want %d", what, o, len(got[o]), len(want[o]))
		}
		for i, v := range want[o] {
			if d := math.Abs(float64(got[o][i] - v)); !(d <= 1e-4*(1+math.Abs(float64(v)))) {
				t.Fatalf("%s: output %d, value %d is %g, want %g", what, o, i, got[o][i], v)
			}
		}
	}
}

// TestDecodedIsWhatSpotterDecodes holds the arithmetic in the file against Spotter's own.
func TestDecodedIsWhatSpotterDecodes(t *testing.T) {
	for _, name := range heads {
		m := headFile(t, name)
		nodes := len(m.Graph.Nodes)
		g, w, err := Decoded(m.Graph, m.Weights)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got := run(t, g, w, picture)
		got[0] = asRows(m.Graph, got[0])
		near(t, name, got, predictions(t, m.Graph, m.Weights))
		if len(m.Graph.Nodes) != nodes || g.Outputs[0].Name != "output0" {
			t.Errorf("%s: the graph given has %d nodes of %d; the output is %q", name, len(m.Graph.Nodes), nodes, g.Outputs[0].Name)
		}
	}
}

// TestEveryHeadIsTakenBack: raw or decoded, the reader makes of a file what it was made of.
func TestEveryHeadIsTakenBack(t *testing.T) {
	for _, name := range heads {
		m := headFile(t, name)
		m.Graph.Feed.Pad, m.Graph.Feed.BGR = 7, !m.Graph.Feed.BGR // unusual
		m.Graph.Classes = m.Graph.Classes[:0]
		for i := range m.Graph.Head.Classes {
			m.Graph.Classes = append(m.Graph.Classes, strings.Repeat(`it's "a\b"`, i+1))
		}
		want := predictions(t, m.Graph, m.Weights)
		raw := readBack(t, written(t, m.Graph, m.Weights))
		if !reflect.DeepEqual(raw.Graph.Head, m.Graph.Head) || len(raw.Notes) > 0 {
			t.Errorf("%s: the head was %+v and is %+v; notes %q", name, m.Graph.Head, raw.Graph.Head, raw.Notes)
		}
		g, w, err := Decoded(m.Graph, m.Weights)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		decoded := readBack(t, written(t, g, w))
		for form, back := range map[string]*onnx.Model{"raw": raw, "decoded": decoded} {
			if back.Graph.Feed != m.Graph.Feed || !reflect.DeepEqual(back.Graph.Classes, m.Graph.Classes) {
				t.Errorf("%s %s: fed by %+v, want %+v; classes %q", name, form, back.Graph.Feed, m.Graph.Feed, back.Graph.Classes)
			}
			near(t, name+" "+form, predictions(t, back.Graph, back.Weights), want)
		}
	}
}

// TestRawSegmentationWithoutADescription: others write the same outputs and no more.
func TestRawSegmentationWithoutADescription(t *testing.T) {
	m := headFile(t, "yolov5-seg")
	want := predictions(t, m.Graph, m.Weights)
	bare := *m.Graph
	bare.Head, bare.Feed = models.Head{}, models.Feed{}
	for _, classes := range [][]string{nil, m.Graph.Classes} {
		bare.Classes = classes
		back := readBack(t, written(t, &bare, m.Weights))
		if !strings.Contains(strings.Join(say.Strings(back.Notes), "\n"), "does not hold the anchors") {
			t.Errorf("notes %q", back.Notes)
		}
		for i := range back.Graph.Head.Levels { // this file's are others than COCO's
			back.Graph.Head.Levels[i].Anchors = m.Graph.Head.Levels[i].Anchors
		}
		if !reflect.DeepEqual(back.Graph.Head, m.Graph.Head) {
			t.Fatalf("the head was %+v and is %+v", m.Graph.Head, back.Graph.Head)
		}
		near(t, "yolov5-seg", predictions(t, back.Graph, back.Weights), want)
	}
	bare.Classes = []string{"one", "two"}
	if _, err := onnx.Load(written(t, &bare, m.Weights), onnx.Options{}); err == nil || !strings.Contains(err.Error(), "2 class names") {
		t.Errorf("names that do not fit: %v", err)
	}
}

// TestADescriptionThatDoesNotFitIsLeft: what tools put behind the outputs decides.
func TestADescriptionThatDoesNotFitIsLeft(t *testing.T) {
	m := headFile(t, "yolov5")
	g, w, err := Decoded(m.Graph, m.Weights)
	if err != nil {
		t.Fatal(err)
	}
	raw, decoded := written(t, m.Graph, m.Weights), written(t, g, w)
	description := raw[bytes.LastIndex(raw, []byte(models.MetadataKey))-5:] // the property begins there
	back := readBack(t, append(decoded, description...))
	if !strings.Contains(back.Took.String(), "decoded rows") {
		t.Errorf("taken for %s", back.Took)
	}
	near(t, "yolov5", predictions(t, back.Graph, back.Weights), predictions(t, m.Graph, m.Weights))
}

// TestDecodedOfAnOblongInput: width and height don't change places.
func TestDecodedOfAnOblongInput(t *testing.T) {
	m, w := network(t, "yolov5-mnv4-convsmall-seg", 96, 32, false)
	input := golden.Input(golden.Image(96, 32, 5))
	rows, err := detect.Decode(&m.Head, detect.Maps(m, run(t, m, w, input)))
	if err != nil {
		t.Fatal(err)
	}
	g, w, err := Decoded(m, w)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "yolov5-mnv4-convsmall-seg", run(t, g, w, input)[:1], [][]float32{rows.Data})
}
