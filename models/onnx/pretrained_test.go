package onnx_test

import (
	"encoding/json"
	_ "image/jpeg"
	"os"
	"path/filepath"
	"testing"

	"spotter/models/detect"
	"spotter/models/onnx"
	"spotter/models/picture"
	"spotter/models/reference"
)

// TestPretrainedDetectors holds PicoDet-S and YOLOX-nano, whole, against onnxruntime's
// detections (scores from 0.3 on, NMS at 0.6). JPEG decoders and resizers round
// differently by a grey level here and there: scores may differ by 0.01 and boxes must
// overlap by 0.98. For the same reason a detection whose score lies within 0.01 of the
// 0.3 that the list ends at may be on one side only.
func TestPretrainedDetectors(t *testing.T) {
	var expected map[string]map[string][]struct {
		Class string
		Score float32
		Box   [4]float32 `json:"box_xyxy"`
	}
	raw, err := os.ReadFile("../weights/expected.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &expected); err != nil {
		t.Fatal(err)
	}
	for name, pictures := range expected {
		data, err := os.ReadFile("../weights/" + name + ".onnx")
		if err != nil {
			t.Fatal(err)
		}
		m, err := onnx.Load(data, onnx.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %s; fixed: %q; notes: %v", name, m.Took, m.Fixed, m.Notes)
		for picture, want := range pictures {
			t.Run(name+"/"+picture, func(t *testing.T) {
				t.Parallel()
				got := detections(t, m, filepath.Join("../../web/samples", picture+".jpg"))
				for _, w := range want {
					found := false
					for i, g := range got {
						if m.Graph.Classes[g.Class] == w.Class && detect.IOU(g.Box, w.Box) > 0.98 {
							if d := g.Score - w.Score; d > 0.01 || d < -0.01 {
								t.Errorf("%s at %v: score %v, want %v", w.Class, w.Box, g.Score, w.Score)
							}
							found = true
							got = append(got[:i:i], got[i+1:]...)
							break
						}
					}
					if !found && w.Score > 0.31 {
						t.Errorf("%s at %v with score %v is not found; left are %v", w.Class, w.Box, w.Score, got)
					}
				}
				for _, g := range got {
					if g.Score > 0.31 {
						t.Errorf("%s at %v with score %v is too much", m.Graph.Classes[g.Class], g.Box, g.Score)
					}
				}
			})
		}
	}
}

// detections runs a network on a picture file; boxes are in pixels of the picture.
func detections(t *testing.T, m *onnx.Model, file string) []detect.Detection {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	img, err := picture.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	shape := m.Graph.Input.Shape
	input, place, err := detect.Input(m.Graph.Feed, detect.FromImage(img), shape[2], shape[1])
	if err != nil {
		t.Fatal(err)
	}
	out, err := reference.Run(m.Graph, m.Weights, input, nil)
	if err != nil {
		t.Fatal(err)
	}
	r, err := detect.Detect(&m.Graph.Head, detect.Maps(m.Graph, out), place, detect.NMSOptions{Conf: 0.29, IOU: 0.6, MaxDet: 100})
	if err != nil {
		t.Fatal(err)
	}
	for i := range r.Detections {
		r.Detections[i].Box = r.Box(i)
	}
	return r.Detections
}
