package eval

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"testing"

	"spotter/models/detect"
)

func TestResultsAreCOCOs(t *testing.T) {
	found := Results(42, []Prediction{
		{Box: [4]float32{1.00049, 2, 11.5, 22.25}, Score: 0.123456, Class: 1, Mask: &detect.RLE{Size: [2]int{2, 2}, Counts: "4"}},
		{Box: [4]float32{0, 0, 1, 1}, Score: 0.9, Class: 0},
		{Box: [4]float32{0, 0, 1, 1}, Score: 0.9, Class: 7},
		{Box: [4]float32{3, 4, 5, 6}, Score: 0.5, Class: 2},
	}, []int{-1, 17, 3})
	text, err := json.Marshal(found)
	if err != nil {
		t.Fatal(err)
	}
	want := `[{"image_id":42,"category_id":17,"bbox":[1,2,10.5,20.25],"score":0.12346,"segmentation":{"size":[2,2],"counts":"4"}},` +
		`{"image_id":42,"category_id":3,"bbox":[3,4,2,2],"score":0.5}]`
	if string(text) != want {
		t.Errorf("results %s, want %s", text, want)
	}
}

func TestPrint(t *testing.T) {
	nan := math.NaN()
	boxes := &Summary{AP: 0.5, AP50: 0.75, Small: nan, ARLarge: 1, Classes: []ClassAP{{"cat", 3, 0.25, 0.5}, {"dog", 0, nan, nan}}}
	masks := &Summary{AP: 0.125, Classes: []ClassAP{{"cat", 3, 0.0625, 1}, {"dog", 0, nan, nan}}}
	var both, one bytes.Buffer
	Print(&both, boxes, masks, true)
	Print(&one, boxes, nil, false)
	for _, want := range []string{
		"boxes    masks\nAP   IoU 0.50:0.95              0.500    0.125\n", "AP   small                          -    0.000\n",
		"\nclass                objects    boxes  AP50    masks  AP50\ncat                        3    0.250 0.500    0.062 1.000\n",
	} {
		if !strings.Contains(both.String(), want) {
			t.Errorf("no %q in\n%s", want, both.String())
		}
	}
	if s := both.String(); strings.Contains(s, "dog") {
		t.Errorf("a class that no picture shows is listed:\n%s", s)
	}
	if s := one.String(); strings.Contains(s, "masks") || strings.Contains(s, "cat") || !strings.Contains(s, "AR   large                      1.000\n") {
		t.Errorf("of boxes alone, without classes:\n%s", s)
	}
}
