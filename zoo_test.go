package main

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"testing"

	"spotter/models/formats"
	"spotter/models/zoo"
)

// TestShippedDetectorsAgreeWithONNXRuntime holds the compiled detectors against
// onnxruntime's detections in models/weights/expected.json: every class and box, scores
// within 0.01. JPEG decoders differ by a grey level, so that one close to the list's end
// at 0.3 may be on one side only.
func TestShippedDetectorsAgreeWithONNXRuntime(t *testing.T) {
	var expected map[string]map[string][]struct {
		Class string
		Score float64
		Box   [4]float64 `json:"box_xyxy"`
	}
	text, err := os.ReadFile("models/weights/expected.json")
	if err == nil {
		err = json.Unmarshal(text, &expected)
	}
	if err != nil {
		t.Fatal(err)
	}
	for id, pictures := range expected {
		if zoo.Find(id) == nil {
			t.Errorf("%s does not ship", id)
		}
		for name, want := range pictures {
			got := detected(t, id, "--conf", "0.29", "--iou", "0.6", "--max", "100", fmt.Sprintf("web/samples/%s.jpg", name))
			for _, w := range want {
				at := -1
				for i, g := range got {
					if g.Class == w.Class && overlap(g.Box, w.Box) > 0.98 && math.Abs(g.Score-w.Score) < 0.01 {
						at = i
					}
				}
				if at >= 0 {
					got = append(got[:at:at], got[at+1:]...)
				} else if w.Score > 0.31 {
					t.Errorf("%s, %s: %+v is not found; left are %+v", id, name, w, got)
				}
			}
			for _, g := range got {
				if g.Score > 0.31 {
					t.Errorf("%s, %s: %s at %v with score %v is too much", id, name, g.Class, g.Box, g.Score)
				}
			}
		}
	}
}

// TestTheDefaultNetworkDetects: commands without --model take what the zoo says.
func TestTheDefaultNetworkDetects(t *testing.T) {
	const cat = "web/samples/cat.jpg"
	got, want := detected(t, "", cat), detected(t, zoo.Default, cat)
	if len(got) == 0 || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("detections %v, those of %s are %v", got, zoo.Default, want)
	}
}

// detected is what the detect command finds in one picture.
func detected(t *testing.T, model string, args ...string) []formats.Found {
	t.Helper()
	args = append([]string{"detect", "--json"}, args...)
	if model != "" {
		args = append(args, "--model", model)
	}
	code, out, errs := commandLine(args...)
	var list []found
	if err := json.Unmarshal([]byte(out), &list); code != 0 || err != nil || len(list) != 1 {
		t.Fatalf("%v exits with %d: %s%s", args, code, out, errs)
	}
	return list[0].Detections
}
