package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"image"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"spotter/models/detect"
	"spotter/models/eval"
	"spotter/wasm/run"
)

const trainedFile = "models/weights/yolov5n-mnv4s-seg-f16.safetensors"

// runSpotter runs a command line and gives its exit code and what it printed.
func runSpotter(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, log bytes.Buffer
	code = dispatch(args, &out, &log)
	return code, out.String(), log.String()
}

// TestDetectJSON checks the array's fields, one by one, and masks that lie in their boxes.
func TestDetectJSON(t *testing.T) {
	files := []string{"web/samples/portrait.jpg", "web/samples/astronaut.jpg"}
	code, stdout, stderr := runSpotter(t, append([]string{"detect", "--model", trainedFile, "--imgsz", "192", "--json"}, files...)...)
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	var list []struct {
		File          string
		Width, Height int
		Model, Time   string
		Detections    []struct {
			Class   string
			ClassID int `json:"class_id"`
			Score   float64
			Box     [4]float64
			Mask    detect.RLE
		}
		Timings map[string]float64 `json:"timings_ms"`
	}
	decoder := json.NewDecoder(strings.NewReader(stdout))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&list); err != nil {
		t.Fatalf("%v in %.300s", err, stdout)
	}
	if len(list) != len(files) || list[0].File != files[0] || list[0].Width != 512 || list[0].Height != 600 {
		t.Fatalf("files %+v", list)
	}
	if len(list[0].Detections) == 0 || list[0].Timings["network"] <= 0 {
		t.Fatalf("nothing found, or no time: %+v", list[0])
	}
	for _, d := range list[0].Detections {
		if d.Class != "person" || d.ClassID != 0 || d.Score < 0.25 || d.Score > 1 {
			t.Errorf("detection %+v, want a person", d)
		}
		if d.Mask.Size != [2]int{600, 512} {
			t.Errorf("mask of size %v, want height and width", d.Mask.Size)
		}
		mask, err := d.Mask.Decode()
		if err != nil {
			t.Fatal(err)
		}
		checkInside(t, mask, 512, d.Box)
	}
}

// TestDetectFormats: each parses and holds the same detections; the network's classes are COCO's.
func TestDetectFormats(t *testing.T) {
	print := func(format string) string {
		code, stdout, stderr := runSpotter(t, "detect", "--model", trainedFile, "--imgsz", "192", "--format", format, "web/samples/astronaut.jpg")
		if code != 0 {
			t.Fatalf("%s: exit code %d: %s", format, code, stderr)
		}
		return stdout
	}
	rows, err := csv.NewReader(strings.NewReader(print("csv"))).ReadAll()
	if err != nil || len(rows) < 2 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	set, err := eval.ParseDataset([]byte(print("coco-dataset")))
	if err != nil {
		t.Fatal(err)
	}
	var found []eval.Found
	if err := json.Unmarshal([]byte(print("coco")), &found); err != nil {
		t.Fatal(err)
	}
	if len(found) != len(rows)-1 || len(set.Truths) != len(found) || set.Categories[79].ID != 90 {
		t.Fatalf("%d rows, %d results, %d annotations, categories %v", len(rows)-1, len(found), len(set.Truths), set.Categories)
	}
	summary, err := eval.Evaluate(set, found, true)
	if err != nil || summary.AP < 1-1e-9 { // a mean of 101 ones
		t.Errorf("the results measured on the data set: %+v, %v", summary, err)
	}
	if code, _, stderr := runSpotter(t, "detect", "--format", "xml", "web/samples/astronaut.jpg"); code != 2 || !strings.Contains(stderr, "coco-dataset") {
		t.Errorf("an unknown format: exit code %d, %s", code, stderr)
	}
}

// checkInside allows the mask to stick out of its box by a prototype pixel.
func checkInside(t *testing.T, mask []byte, width int, box [4]float64) {
	t.Helper()
	area := 0
	for i, v := range mask {
		if v == 0 {
			continue
		}
		area++
		x, y := float64(i%width), float64(i/width)
		if x < box[0]-15 || x > box[2]+15 || y < box[1]-15 || y > box[3]+15 {
			t.Fatalf("mask pixel %g, %g outside the box %v", x, y, box)
		}
	}
	if area == 0 {
		t.Error("the mask is empty")
	}
}

// TestDetectSaves draws over the picture: same size, other pixels.
func TestDetectSaves(t *testing.T) {
	dir := t.TempDir()
	code, stdout, stderr := runSpotter(t, "detect", "--imgsz", "256", "--save", filepath.Join(dir, "drawn"), "web/samples/cat.jpg")
	if code != 0 || !strings.Contains(stdout, "cat ") {
		t.Fatalf("exit code %d, %s%s", code, stdout, stderr)
	}
	f, err := os.Open(filepath.Join(dir, "drawn", "cat.png"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	img, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	if img.Bounds() != image.Rect(0, 0, 451, 300) {
		t.Errorf("drawn picture of %v", img.Bounds())
	}
}

// TestDetectMistakes: a sentence that names what is wrong, and the exit code.
func TestDetectMistakes(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, w, h int) string {
		file := filepath.Join(dir, name)
		var b bytes.Buffer
		if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, w, h))); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return file
	}
	dot, line, good := write("dot.png", 1, 1), write("line.png", 640, 1), write("good.png", 64, 48)
	thin := write("thin.png", 4000, 2)
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"missing.jpg"}, 1, "missing.jpg: no such file"},
		{[]string{"go.mod"}, 1, "go.mod: this is no picture"},
		{[]string{dot}, 1, "1x1"},
		{[]string{line}, 1, "640x1"},
		{[]string{"--model", trainedFile, thin}, 1, "thin.png: "},
		{[]string{"--model", "go.mod", good}, 1, "go.mod"},
		{[]string{"--model", "unknown", good}, 1, "unknown"},
		{[]string{"--model", trainedFile, "--imgsz", "100", good}, 1, "multiples of 32"},
		{[]string{"--imgsz", "huge", good}, 2, "--imgsz"},
		{[]string{"--conf", "2", good}, 2, "--conf"},
		{[]string{"--no-such-flag", good}, 2, "no-such-flag"},
		{nil, 2, "picture"},
	} {
		code, stdout, stderr := runSpotter(t, append([]string{"detect"}, c.args...)...)
		if code != c.code || !strings.Contains(stderr, c.want) || stdout != "" {
			t.Errorf("detect %v: exit code %d, %q, want %d with %q", c.args, code, stderr, c.code, c.want)
		}
		if strings.Contains(stderr, "panic") || strings.Contains(stderr, "goroutine") {
			t.Errorf("detect %v: %s", c.args, stderr)
		}
	}
	if code, stdout, _ := runSpotter(t, "detect", "--help"); code != 0 || !strings.Contains(stdout, "-conf") {
		t.Errorf("detect --help: exit code %d, %q", code, stdout)
	}
}

// TestCompile writes all forms, which describe themselves and share their weights.
func TestCompile(t *testing.T) {
	dir := t.TempDir()
	code, _, stderr := runSpotter(t, "compile", "--model", trainedFile, "--task", "detect", "--imgsz", "96x64", "-o", dir, "--all", "--name", "net", "--precision", "f32")
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	weights, err := os.ReadFile(filepath.Join(dir, "net.bin"))
	if err != nil {
		t.Fatal(err)
	}
	for file, features := range map[string]string{
		"net.wasm": "simd", "net-relaxed.wasm": "simd relaxed", "net-threads.wasm": "simd threads", "net-relaxed-threads.wasm": "simd relaxed threads",
	} {
		module, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		m, err := run.Describe(module)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(m.Features, " "); got != features || m.Width != 96 || m.Height != 64 || m.Task != "detect" || m.Head.Masks != 0 {
			t.Errorf("%s: %s, %dx%d, %s with %d masks", file, got, m.Width, m.Height, m.Task, m.Head.Masks)
		}
		if m.Weights.Bytes != len(weights) || m.Weights.Encoding != "f32" {
			t.Errorf("%s: weights %+v, the file has %d bytes", file, m.Weights, len(weights))
		}
	}
	for want, args := range map[string][]string{
		"-o names":    {"compile"},
		"--precision": {"compile", "-o", dir, "--precision", "f8"},
	} {
		if code, _, stderr := runSpotter(t, args...); code != 2 || !strings.Contains(stderr, want) {
			t.Errorf("%v: exit code %d, %q", args, code, stderr)
		}
	}
}

// TestDetectAgreesWithThePretrainedModels: the boxes that onnxruntime finds.
func TestDetectAgreesWithThePretrainedModels(t *testing.T) {
	text, err := os.ReadFile("models/weights/expected.json")
	if err != nil {
		t.Fatal(err)
	}
	var expected map[string]map[string][]struct {
		Class string
		Score float64
		Box   [4]float64 `json:"box_xyxy"`
	}
	if err := json.Unmarshal(text, &expected); err != nil {
		t.Fatal(err)
	}
	for model, pictures := range expected {
		for name, want := range pictures {
			code, stdout, stderr := runSpotter(t, "detect", "--model", model, "--conf", "0.3", "--iou", "0.6", "--max", "100", "--json", "web/samples/"+name+".jpg")
			if code != 0 {
				t.Fatalf("%s: %s", model, stderr)
			}
			var got []found
			if err := json.Unmarshal([]byte(stdout), &got); err != nil {
				t.Fatal(err)
			}
			for _, w := range want {
				if w.Score < 0.31 {
					continue // may fall below the threshold with rounding
				}
				ok := false
				for _, d := range got[0].Detections {
					ok = ok || d.Class == w.Class && math.Abs(d.Score-w.Score) < 0.01 && overlap(d.Box, w.Box) > 0.98
				}
				if !ok {
					t.Errorf("%s on %s: no %s %.3f at %v among %+v", model, name, w.Class, w.Score, w.Box, got[0].Detections)
				}
			}
		}
	}
}

// overlap is the intersection over the union of two boxes.
func overlap(a, b [4]float64) float64 {
	side := func(k int) float64 { return min(a[k+2], b[k+2]) - max(a[k], b[k]) }
	both := max(side(0), 0) * max(side(1), 0)
	return both / ((a[2]-a[0])*(a[3]-a[1]) + (b[2]-b[0])*(b[3]-b[1]) - both)
}
