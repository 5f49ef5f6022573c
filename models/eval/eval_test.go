package eval

import (
	"encoding/json"
	"math"
	"os"
	"strings"
	"testing"
)

// expected is what pycocotools printed (testdata/make.py); -1 stands for nothing to measure.
type expected struct {
	BBox, Segm, Both struct { // Both: masks in a file that has boxes too
		Stats   []float64
		Classes []float64
	}
	Areas []float64
}

func load(t *testing.T) (*Dataset, []Found, expected) {
	t.Helper()
	text, err := os.ReadFile("testdata/instances.json")
	if err != nil {
		t.Fatal(err)
	}
	d, err := ParseDataset(text)
	if err != nil {
		t.Fatal(err)
	}
	var found []Found
	var want expected
	for name, into := range map[string]any{"results": &found, "expected": &want} {
		text, err := os.ReadFile("testdata/" + name + ".json")
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text, into); err != nil {
			t.Fatal(err)
		}
	}
	return d, found, want
}

func TestAgreesWithPycocotools(t *testing.T) {
	for _, kind := range []string{"boxes", "masks alone", "masks with boxes"} {
		d, found, want := load(t)
		stats := want.BBox
		switch kind {
		case "masks alone":
			stats = want.Segm
			for i := range found {
				found[i].Box = [4]float64{}
			}
		case "masks with boxes":
			stats = want.Both
		}
		s, err := Evaluate(d, found, kind != "boxes")
		if err != nil {
			t.Fatal(err)
		}
		if len(stats.Stats) != len(rows) {
			t.Fatalf("%s: %d numbers expected", kind, len(stats.Stats))
		}
		for i, w := range stats.Stats {
			same(t, kind, rows[i].name, rows[i].value(s), w)
		}
		for i, w := range stats.Classes {
			same(t, kind, s.Classes[i].Name, s.Classes[i].AP, w)
		}
	}
}

func same(t *testing.T, kind, name string, got, want float64) {
	t.Helper()
	if math.IsNaN(got) {
		got = -1
	}
	if math.Abs(got-want) > 1e-9 {
		t.Errorf("%s: %s is %.12f, pycocotools has %.12f", kind, name, got, want)
	}
}

func TestPolygonAreasAreCOCOs(t *testing.T) {
	d, found, want := load(t)
	if err := d.decodeMasks(found); err != nil {
		t.Fatal(err)
	}
	for i, w := range want.Areas {
		if got := float64(d.Truths[i].mask.area); got != w {
			t.Errorf("annotation %d covers %g pixels, COCO's mask API has %g", d.Truths[i].ID, got, w)
		}
	}
}

func TestCategoriesMapByNameElseByOrder(t *testing.T) {
	d := &Dataset{Categories: []Category{{ID: 9, Name: "cat"}, {ID: 2, Name: "dog"}}}
	for _, c := range []struct {
		classes []string
		want    []int
	}{{[]string{"dog", "bird", "cat"}, []int{2, -1, 9}}, {[]string{"0", "1"}, []int{2, 9}}} {
		got, err := d.CategoryOf(c.classes)
		if err != nil {
			t.Fatal(err)
		}
		for i := range c.want {
			if got[i] != c.want[i] {
				t.Errorf("%v maps to %v, want %v", c.classes, got, c.want)
			}
		}
	}
	if _, err := d.CategoryOf([]string{"a", "b", "c"}); err == nil {
		t.Error("three unknown classes were mapped to two categories")
	}
}

func TestBadAnnotationsAreNamed(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{`[]`, "instances JSON"},
		{`{"images":[]}`, "no images"},
		{`{"images":[{"id":1,"width":4,"height":4}]}`, "no categories"},
		{`{"images":[{"id":1}],"categories":[{"id":1}],"annotations":[{"id":5,"image_id":2}]}`, "annotation 5"},
	} {
		if _, err := ParseDataset([]byte(c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got the error %v, want one about %q", c.text, err, c.want)
		}
	}
	segments := map[string]string{
		`{"size":[4,4],"counts":[3,20]}`: "leave the image",
		`[[1,2,3]]`:                      "not pairs",
		`7`:                              "neither",
		`[[1e99,2,3,4]]`:                 "coordinate",
	}
	for seg, want := range segments {
		d := &Dataset{Images: []Image{{ID: 1, Width: 4, Height: 4}}, Categories: []Category{{ID: 1}},
			Truths: []Truth{{ID: 1, Image: 1, Category: 1, Segmentation: json.RawMessage(seg)}}}
		if _, err := Evaluate(d, nil, true); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got the error %v, want one about %q", seg, err, want)
		}
	}
}
