package onnx_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"spotter/models"
	"spotter/models/golden"
	"spotter/models/onnx"
	"spotter/models/say"
)

// TestAnotherSizeThanTheFiles holds a file of a fixed 64x64 pixels, loaded for 128x96,
// against onnxruntime's answer of the same network exported with open dimensions.
func TestAnotherSizeThanTheFiles(t *testing.T) {
	for _, name := range []string{"yolov5-dynamic", "yolov5", "yolov5-op19", "yolov5-dynamo"} {
		m := load(t, name, onnx.Options{Width: 128, Height: 96})
		if m.Fixed != "" {
			t.Errorf("%s: fixed: %s", name, m.Fixed)
		}
		got := run(t, m, golden.Input(golden.Image(128, 96, 1))).decoded()
		compare(t, got, expected(t, "yolov5-dynamic-128x96"), 1e-3)
	}
}

// TestPretrainedAtAnotherSize takes a network with channel shuffles, whose reshapes name
// the size of the export.
func TestPretrainedAtAnotherSize(t *testing.T) {
	data, err := os.ReadFile("../weights/picodet-s-416.onnx")
	if err != nil {
		t.Fatal(err)
	}
	m, err := onnx.Load(data, onnx.Options{Width: 320, Height: 192})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []models.Shape{{112, 24, 40}, {112, 12, 20}, {112, 6, 10}, {112, 3, 5}} {
		if got := m.Graph.Outputs[i].Shape; !slices.Equal(got, want) {
			t.Errorf("map %d is %v, want %v", i, got, want)
		}
	}
	if m.Imgsz != [2]int{416, 416} || m.Fixed != "" {
		t.Errorf("own size %v, fixed %q", m.Imgsz, m.Fixed)
	}
	if _, err := onnx.Load(data, onnx.Options{Width: 7, Height: 64}); err == nil {
		t.Error("7 pixels are no error")
	}
}

func TestOptions(t *testing.T) {
	m := load(t, "yolov5", onnx.Options{})
	if want := []string{"cat", "dog's", "cow"}; !slices.Equal(m.Graph.Classes, want) {
		t.Errorf("classes %q, want %q", m.Graph.Classes, want)
	}
	if a := m.Graph.Head.Levels[2].Anchors[2]; a != [2]float32{373.5, 326} {
		t.Errorf("anchor %v", a)
	}
	if len(m.Notes) != 0 || m.TailNodes < 20 || m.Opset != 12 || m.Producer != "pytorch" {
		t.Errorf("notes %q, %d nodes behind, operator set %d, producer %q", m.Notes, m.TailNodes, m.Opset, m.Producer)
	}
	anchors := [][][2]float32{{{1, 2}, {3, 4}, {5, 6}}, nil, nil}
	m = load(t, "yolov5-raw", onnx.Options{Names: []string{"a", "b"}, Anchors: anchors, Feed: &models.Feed{BGR: true}})
	if !slices.Equal(m.Graph.Head.Levels[0].Anchors, anchors[0]) || m.Graph.Head.Levels[1].Anchors[0] != [2]float32{30, 61} || !m.Graph.Feed.BGR {
		t.Errorf("head %+v, feed %+v", m.Graph.Head, m.Graph.Feed)
	}
	if m.Graph.Classes != nil || !strings.Contains(strings.Join(say.Strings(m.Notes), "\n"), "2 class names for a head of 3 classes") ||
		!strings.Contains(strings.Join(say.Strings(m.Notes), "\n"), "the file does not hold the anchors") {
		t.Errorf("classes %q, notes %q", m.Graph.Classes, m.Notes)
	}
}

// TestHeadCanBeForced takes maps that fit several heads for another than the usual one.
func TestHeadCanBeForced(t *testing.T) {
	for kind, file := range map[models.HeadKind]string{models.HeadYOLOv5: "yolov5-raw", models.HeadYOLOX: "yolov5-raw", models.HeadYOLOv8: "nanodet-apart"} {
		m := load(t, file, onnx.Options{Head: kind})
		if m.Graph.Head.Kind != kind {
			t.Errorf("%s: taken for %s", file, m.Graph.Head.Kind)
		}
	}
}

func TestFeedIsTheUsualOneOfTheHead(t *testing.T) {
	for file, want := range map[string]models.Feed{
		"yolov5":  {Fit: models.FitLetterbox, Pad: 114, Scale: 1.0 / 255, Std: [3]float32{1, 1, 1}},
		"yolov8":  {Fit: models.FitLetterbox, Pad: 114, Scale: 1.0 / 255, Std: [3]float32{1, 1, 1}},
		"yolox":   {Fit: models.FitTopLeft, BGR: true, Pad: 114, Scale: 1, Std: [3]float32{1, 1, 1}},
		"nanodet": {Fit: models.FitSquash, BGR: true, Scale: 1, Mean: [3]float32{103.53, 116.28, 123.675}, Std: [3]float32{57.375, 57.12, 58.395}},
	} {
		if got := load(t, file, onnx.Options{}).Graph.Feed; got != want {
			t.Errorf("%s: %+v, want %+v", file, got, want)
		}
	}
}
