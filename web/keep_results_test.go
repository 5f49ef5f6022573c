package web

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"maps"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"spotter/models/detect"
	coco "spotter/models/eval"
	"spotter/models/formats"
)

// chooseFormat opens the menu and chooses a format.
func (p *tab) chooseFormat(format string) {
	p.t.Helper()
	if !eval[bool](p, "document.querySelector('#keep-results').open") {
		p.click("#keep-results summary")
	}
	p.set("keep-format", "value", fmt.Sprintf("%q", format))
}

// TestCopiesAndSavesResults: each format agrees with what the page found, copied and saved alike.
func TestCopiesAndSavesResults(t *testing.T) {
	p := openReady(t, view{})
	p.clipboard()
	next := p.downloads()
	p.set("confidence", "value", 0.15)
	found := p.sample("astronaut")
	texts := map[string]string{}
	for format, name := range map[string]string{"json": ".json", "csv": ".csv", "coco": ".coco.json", "coco-dataset": ".instances.json"} {
		p.chooseFormat(format)
		p.click("#results-copy")
		p.wait(fmt.Sprintf("/^%d found: on the clipboard as (JSON|CSV|COCO)/.test(document.querySelector('#keep-said').textContent)", len(found.Detections)))
		texts[format] = eval[string](p, "navigator.clipboard.readText()")
		p.click("#results-save")
		file, data := next()
		if string(data) != texts[format] || file != "astronaut-spotter"+name {
			t.Errorf("%s: saved %d bytes as %s, copied %d", format, len(data), file, len(texts[format]))
		}
	}
	checkJSON(t, p, texts["json"], found)
	checkCOCO(t, texts, len(found.Detections))
	rows, err := csv.NewReader(strings.NewReader(texts["csv"])).ReadAll()
	if err != nil || len(rows) != len(found.Detections)+1 {
		t.Errorf("%d lines for %d detections, %v", len(rows), len(found.Detections), err)
	}
}

// checkJSON holds the one entry of a text against what the page found.
func checkJSON(t *testing.T, p *tab, text string, found pageResult) {
	t.Helper()
	var entries []formats.Entry
	if err := json.Unmarshal([]byte(text), &entries); err != nil || len(entries) != 1 {
		t.Fatalf("%v in %s", err, text)
	}
	e := entries[0]
	stamp, err := time.Parse(time.RFC3339, e.Time)
	if err != nil || time.Since(stamp).Abs() > time.Hour {
		t.Errorf("time %q: %v", e.Time, err)
	}
	if e.File != "astronaut.jpg" || e.Width != found.Width || e.Height != found.Height || e.Model == "" || e.Seconds != nil {
		t.Errorf("entry %+v", e)
	}
	areas := eval[[]int](p, `(() => {
		let at = 0;
		const {rects, data} = last.masks;
		return last.detections.map((_, i) => {
			const [x0, y0, x1, y1] = rects.subarray(i * 4, i * 4 + 4);
			const mask = data.subarray(at, at += (x1 - x0) * (y1 - y0));
			return mask.reduce((sum, v) => sum + (v ? 1 : 0), 0);
		});
	})()`)
	for i, d := range found.Detections {
		g := e.Detections[i]
		if want := formats.NewFound(d.Label, d.ClassID, d.Score, d.Box, g.Mask); fmt.Sprint(g) != fmt.Sprint(want) {
			t.Errorf("detection %+v, want %+v", g, want)
		}
		if area, err := g.Mask.Area(); err != nil || area != areas[i] || g.Mask.Size != [2]int{found.Height, found.Width} {
			t.Errorf("mask of %v with %d pixels (%v), want %d", g.Mask.Size, area, err, areas[i])
		}
	}
}

// checkCOCO measures the results on the data set, as pycocotools would.
func checkCOCO(t *testing.T, texts map[string]string, count int) {
	t.Helper()
	set, err := coco.ParseDataset([]byte(texts["coco-dataset"]))
	if err != nil {
		t.Fatal(err)
	}
	var results []coco.Found
	if err := json.Unmarshal([]byte(texts["coco"]), &results); err != nil || len(results) != count {
		t.Fatalf("%d results, %v", len(results), err)
	}
	if last := set.Categories[79]; last.ID != 90 || last.Name != "toothbrush" {
		t.Errorf("the last category is %v", last)
	}
	summary, err := coco.Evaluate(set, results, true)
	if err != nil || summary.AP < 1-1e-9 { // a mean of 101 ones
		t.Errorf("the results on the data set: %+v, %v", summary, err)
	}
}

// TestResultsOfFramesCarryIdentities and masks at the frame's size.
func TestResultsOfFramesCarryIdentities(t *testing.T) {
	p := openReady(t, view{})
	p.clipboard()
	p.set("confidence", "value", 0.15)
	p.click("label:has(#follow)")
	p.click("#camera")
	p.chooseFormat("json")
	for identities := 0; identities == 0; { // the frame after a change of scenes has none
		n := eval[int](p, "found.length")
		p.next(n)
		p.click("#results-copy")
		p.wait("document.querySelector('#keep-said').textContent.includes('on the clipboard')")
		var entries []formats.Entry
		p.must(json.Unmarshal([]byte(eval[string](p, "navigator.clipboard.readText()")), &entries))
		e := entries[0]
		if e.File != "camera" || e.Width != videoWidth || e.Height != videoHeight || n > 400 {
			t.Fatalf("after %d frames: %+v", n, e)
		}
		for _, d := range e.Detections {
			if d.ID != nil {
				identities++
			}
			if _, err := d.Mask.Decode(); err != nil || d.Mask.Size != [2]int{videoHeight, videoWidth} {
				t.Errorf("mask of %v: %v", d.Mask.Size, err)
			}
		}
	}
}

// TestResultsOfVideosSayThePlace of the frame in the video.
func TestResultsOfVideosSayThePlace(t *testing.T) {
	p := openReady(t, view{})
	next := p.downloads()
	dropClip(p, "")
	p.next(0)
	p.click("#play")
	p.wait("document.querySelector('#video').paused")
	n := eval[int](p, "found.length")
	p.set("seek", "value", 500)
	p.next(n)
	p.chooseFormat("json")
	p.click("#results-save")
	name, data := next()
	var entries []formats.Entry
	p.must(json.Unmarshal(data, &entries))
	at := eval[float64](p, "document.querySelector('#video').currentTime")
	if e := entries[0]; e.Seconds == nil || max(at-*e.Seconds, *e.Seconds-at) > 0.2 || e.File != "clip.webm" || !strings.HasPrefix(name, "clip 20") {
		t.Errorf("%s says %+v at %v s", name, e, at)
	}
}

// TestPageAndCommandLineAgree on one picture and model: the same fields, and the same values up to float rounding.
func TestPageAndCommandLineAgree(t *testing.T) {
	p := openReady(t, view{})
	p.clipboard()
	p.sample("portrait")
	p.chooseFormat("json")
	p.click("#results-copy")
	p.wait("document.querySelector('#keep-said').textContent.includes('on the clipboard')")
	command := exec.Command("go", "run", "..", "detect", "--format", "json", "--model", modelFile, "samples/portrait.jpg")
	out, err := command.Output()
	if err != nil {
		t.Fatal(err)
	}
	var page, line []formats.Entry
	var pageFields, lineFields []map[string]any
	text := []byte(eval[string](p, "navigator.clipboard.readText()"))
	for data, into := range map[*[]byte][]any{&text: {&page, &pageFields}, &out: {&line, &lineFields}} {
		for _, v := range into {
			p.must(json.Unmarshal(*data, v))
		}
	}
	if a, b := fieldsOf(pageFields[0]), fieldsOf(lineFields[0]); !slices.Equal(a, b) {
		t.Errorf("fields of the page\n%v\nof the command line\n%v", a, b)
	}
	a, b := page[0], line[0]
	if a.Model != b.Model || a.Width != b.Width || a.Height != b.Height || a.File != filepath.Base(b.File) || len(a.Detections) != len(b.Detections) {
		t.Fatalf("page %+v\ncommand line %+v", a, b)
	}
	for i, d := range a.Detections {
		o := b.Detections[i]
		mine, err := d.Mask.Decode()
		p.must(err)
		its, err := o.Mask.Decode()
		p.must(err)
		if d.Class != o.Class || d.ClassID != o.ClassID || abs(float32(d.Score-o.Score)) > maxScore ||
			detect.IOU(box32(d.Box), box32(o.Box)) < minIOU || overlap(mine, its) < minIOU {
			t.Errorf("page %+v\ncommand line %+v", d, o)
		}
	}
}

func box32(b [4]float64) [4]float32 {
	return [4]float32{float32(b[0]), float32(b[1]), float32(b[2]), float32(b[3])}
}

// fieldsOf names all fields of an entry, those within others by a path.
func fieldsOf(v any) []string {
	names := map[string]bool{}
	var walk func(at string, v any)
	walk = func(at string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for name, value := range v {
				names[at+"/"+name] = true
				walk(at+"/"+name, value)
			}
		case []any:
			for _, value := range v {
				walk(at, value)
			}
		}
	}
	walk("", v)
	return slices.Sorted(maps.Keys(names))
}
