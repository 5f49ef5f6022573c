package web

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/evanw/esbuild/pkg/api"

	"spotter/models"
	"spotter/models/detect"
	coco "spotter/models/eval"
	"spotter/models/formats"
)

// runResults runs a script with the parts that write results on a page and returns its value.
func runResults[T any](t *testing.T, script string) T {
	t.Helper()
	result := api.Build(api.BuildOptions{
		Stdin: &api.StdinOptions{Contents: `
			export {entryOf} from "./src/results/entry.ts";
			export * from "./src/results/formats.ts";`},
		Bundle: true, Format: api.FormatESModule, Plugins: []api.Plugin{fromFS(sources)},
	})
	if len(result.Errors) > 0 {
		t.Fatal(result.Errors)
	}
	site := Site{}
	site.add("blank.html", []byte(`<!doctype html><title>blank</title><link rel=icon href="data:,">`))
	site.add("results.js", result.OutputFiles[0].Contents)
	p := open(t, view{path: "blank.html", site: NewHandler(site)})
	return eval[T](p, `(async () => { const results = await import("/results.js");`+script+`})()`)
}

// oddEntries are what files of results may hold: names that ask for quotes or that a
// spreadsheet would run, ids, masks, places in a video, and pictures without anything.
func oddEntries(t *testing.T) []formats.Entry {
	t.Helper()
	ring := make([]byte, 40*30)
	for i := range ring {
		if x, y := i%40, i/40; x > 3 && x < 30 && y > 5 && y < 25 && (x < 10 || y > 20) {
			ring[i] = 255
		}
	}
	mask, id, seconds := detect.EncodeRLE(ring, 40, 30), 7, 12.345
	found := formats.NewFound
	return []formats.Entry{
		{File: `a, "b".jpg`, Width: 40, Height: 30, Model: "n", Time: "2026-01-02T03:04:05.006Z", Seconds: &seconds,
			Detections: []formats.Found{
				found("person", 0, 0.123456, [4]float32{4.00049, 6.0005, 30, 25.12345}, &mask),
				{Class: "=1+1", ClassID: 2, Score: 0.00001, Box: [4]float64{0, 0, 1234567.125, 0.5}, ID: &id},
			}},
		{File: "空.png", Width: 1, Height: 1, Model: "-n", Time: "2026-01-02T03:04:05.006Z", Detections: []formats.Found{}},
	}
}

// TestPageAndCommandLineWriteTheSame: every format, byte for byte.
func TestPageAndCommandLineWriteTheSame(t *testing.T) {
	entries := oddEntries(t)
	numbered := oddEntries(t)
	numbered[0].File, numbered[1].File = "000000397133.jpg", "sub/000000000139.jpg"
	for name, c := range map[string]struct {
		entries []formats.Entry
		classes []string
	}{
		"odd":      {entries, []string{"person", "a", "=1+1"}},
		"coco":     {entries, models.COCOClasses},
		"numbered": {numbered, []string{"person", "truck", "cat"}},
		"none":     {[]formats.Entry{}, nil},
	} {
		given, err := json.Marshal([]any{c.entries, append([]string{}, c.classes...)})
		if err != nil {
			t.Fatal(err)
		}
		got := runResults[map[string]string](t, fmt.Sprintf(`
			const [entries, classes] = %s;
			return Object.fromEntries(Object.keys(results.kinds).map((f) => [f, results.write(f, entries, classes)]));`, given))
		if len(got) != len(formats.Names) {
			t.Errorf("%s: the page has %d formats, the command line %d", name, len(got), len(formats.Names))
		}
		for _, format := range formats.Names {
			var want bytes.Buffer
			if err := formats.Write(&want, format, c.entries, c.classes); err != nil {
				t.Fatal(err)
			}
			if got[format] != want.String() {
				t.Errorf("%s, %s: the page writes\n%s\nthe command line\n%s", name, format, got[format], want.String())
			}
		}
	}
}

// TestSpreadsheetsReadTheTable: cells keep their text, and none is a formula.
func TestSpreadsheetsReadTheTable(t *testing.T) {
	var text bytes.Buffer
	if err := formats.Write(&text, "csv", oddEntries(t), nil); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&text).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 3 || rows[1][0] != `a, "b".jpg` || rows[2][8] != "'=1+1" || rows[2][6] != "7" || rows[1][5] != "12.345" {
		t.Fatalf("read as %q", rows)
	}
	var mask detect.RLE
	if err := json.Unmarshal([]byte(rows[1][15]), &mask); err != nil || mask.Size != [2]int{30, 40} {
		t.Errorf("mask %q: %v", rows[1][15], err)
	}
	if area, err := mask.Area(); err != nil || fmt.Sprint(area) != rows[1][14] {
		t.Errorf("area %d (%v), not %s", area, err, rows[1][14])
	}
}

// TestMasksOfFilesHaveThePicturesSize: masks of live frames are made on a smaller grid.
func TestMasksOfFilesHaveThePicturesSize(t *testing.T) {
	for _, c := range []struct{ width, height, columns, rows int }{{9, 6, 9, 6}, {12, 9, 4, 3}, {13, 7, 6, 5}, {5, 4, 10, 8}} {
		entry := runResults[formats.Entry](t, fmt.Sprintf(`
			const [width, height, columns, rows] = [%d, %d, %d, %d];
			const rects = new Int32Array([1, 1, 3, 3, 0, 0, columns, rows, 2, 2, 2, 2]);
			const data = new Uint8Array(4 + columns * rows).fill(255);
			data[1] = 0;
			for (let i = 4; i < data.length; i += 3) data[i] = 0;
			const one = {classId: 1, label: "x", score: 0.5, box: [0, 0, width, height]};
			const timings = {pixels: 1, feed: 2, infer: 3, detect: 4, masks: 5};
			return results.entryOf({width, height, detections: [one, one, one], masks: {width: columns, height: rows, rects, data}, timings},
				{file: "f", model: "m", time: new Date(0)});`, c.width, c.height, c.columns, c.rows))
		if entry.Time != "1970-01-01T00:00:00.000Z" || entry.Timings["network"] != 3 || entry.Seconds != nil {
			t.Errorf("entry %+v", entry)
		}
		for i, d := range entry.Detections {
			if d.Mask.Size != [2]int{c.height, c.width} {
				t.Fatalf("%v: mask of %v", c, d.Mask.Size)
			}
			got, err := d.Mask.Decode()
			if err != nil {
				t.Fatal(err)
			}
			for at := range got {
				x, y := (2*(at%c.width)+1)*c.columns/(2*c.width), (2*(at/c.width)+1)*c.rows/(2*c.height)
				on := i == 0 && x >= 1 && x < 3 && y >= 1 && y < 3 && (x != 2 || y != 1) || i == 1 && (y*c.columns+x)%3 != 0
				if (got[at] == 255) != on {
					t.Fatalf("%v, mask %d: point %d, %d is %d", c, i, at%c.width, at/c.width, got[at])
				}
			}
		}
	}
}

// TestCOCOFilesHoldUpInAnEvaluation: what both forms say, measured on each other, is perfect.
func TestCOCOFilesHoldUpInAnEvaluation(t *testing.T) {
	entries := oddEntries(t)
	var set, results bytes.Buffer
	for format, to := range map[string]*bytes.Buffer{"coco-dataset": &set, "coco": &results} {
		entries[0].Detections[1].Mask = entries[0].Detections[0].Mask
		if err := formats.Write(to, format, entries, []string{"person", "a", "=1+1"}); err != nil {
			t.Fatal(err)
		}
	}
	truths, err := coco.ParseDataset(set.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	var found []coco.Found
	decoder := json.NewDecoder(&results)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&found); err != nil {
		t.Fatal(err)
	}
	for _, masks := range []bool{false, true} {
		summary, err := coco.Evaluate(truths, found, masks)
		if err != nil {
			t.Fatal(err)
		}
		if summary.AP < 1-1e-9 || summary.AR100 < 1-1e-9 { // a mean of 101 ones
			t.Errorf("masks %v: %+v", masks, summary)
		}
	}
	if !strings.Contains(set.String(), `"file_name": "空.png"`) {
		t.Error("a picture without anything is left out")
	}
}
