package load

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"image/jpeg"
	"math"
	"os"
	"slices"
	"testing"

	"spotter/models"
	"spotter/models/detect"
	"spotter/models/reference"
)

// expectation is what the scalar reference sees in the pictures with the weights
// that ship. Written anew, when those change, by SPOTTER_UPDATE=1 go test. The first
// was held against PyTorch, torchvision's NMS and YOLOv5's mask formula on the same
// pixels: raw maps within 1.3e-5 of their deviation, boxes within 1e-4 pixels, masks equal.
type expectation struct {
	Weights  string // SHA-256 of the file
	Pictures map[string][]seen
}

type seen struct {
	Class string
	Score float32
	Box   [4]float32 // pixels of the picture
	Area  int        // pixels of the mask at the picture's size
}

const expectationFile = "testdata/pictures.json"

var pictures = []string{"astronaut", "portrait", "cat", "coffee"}

func picture(t *testing.T, name string) *detect.Picture {
	t.Helper()
	f, err := os.Open("../../web/samples/" + name + ".jpg")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	img, err := jpeg.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	return detect.FromImage(img)
}

var settings = detect.NMSOptions{Conf: 0.1, IOU: 0.45}

func look(t *testing.T, m *Model, pic *detect.Picture) []seen {
	t.Helper()
	r, err := reference.Detect(m.Graph, m.Weights, pic, settings)
	if err != nil {
		t.Fatal(err)
	}
	list := []seen{}
	for i, d := range r.Detections {
		s := seen{Class: m.Graph.Classes[d.Class], Score: d.Score, Box: r.Box(i)}
		if mask := r.Mask(i, pic.W, pic.H); mask != nil {
			for _, b := range mask.Bits {
				s.Area += int(b) / 255
			}
		}
		list = append(list, s)
	}
	return list
}

func TestShippedWeightsOnPictures(t *testing.T) {
	data := realBytes(t)
	id := sha256.Sum256(data)
	got := expectation{Weights: hex.EncodeToString(id[:]), Pictures: map[string][]seen{}}
	m := open(t, data, Options{})
	for _, name := range pictures {
		got.Pictures[name] = look(t, m, picture(t, name))
	}
	if os.Getenv("SPOTTER_UPDATE") != "" {
		text, err := json.MarshalIndent(got, "", "\t")
		if err == nil {
			err = os.WriteFile(expectationFile, append(text, '\n'), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	var want expectation
	text, err := os.ReadFile(expectationFile)
	if err == nil {
		err = json.Unmarshal(text, &want)
	}
	if err != nil {
		t.Fatal(err)
	}
	if want.Weights != got.Weights {
		t.Fatalf("%s is of other weights: run SPOTTER_UPDATE=1 go test ./models/load and look at the difference", expectationFile)
	}
	for _, name := range pictures {
		compareSeen(t, name, got.Pictures[name], want.Pictures[name], true)
	}
	for _, name := range []string{"astronaut", "portrait"} {
		if s := got.Pictures[name]; len(s) == 0 || s[0].Class != "person" || s[0].Score < 0.25 {
			t.Errorf("%s: no person found: %+v", name, s)
		}
	}
}

func compareSeen(t *testing.T, name string, got, want []seen, masks bool) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d detections, want %d", name, len(got), len(want))
		return
	}
	for i, w := range want {
		g := got[i]
		far := math.Abs(float64(g.Score-w.Score)) > 1e-5 || g.Class != w.Class
		for k := range w.Box {
			far = far || math.Abs(float64(g.Box[k]-w.Box[k])) > 0.01
		}
		if far || masks && math.Abs(float64(g.Area-w.Area)) > 2 {
			t.Errorf("%s: detection %d is %+v, want %+v", name, i, g, w)
		}
	}
}

// TestDetectorOfASegmentationNetwork: the same boxes, no masks, smaller.
func TestDetectorOfASegmentationNetwork(t *testing.T) {
	data := realBytes(t)
	whole, part := open(t, data, Options{}), open(t, data, Options{Task: Detect})
	if part.Task != Detect || part.Graph.Head.Masks != 0 || len(part.Graph.Outputs) != 3 {
		t.Errorf("task %s, %d masks, %d outputs", part.Task, part.Graph.Head.Masks, len(part.Graph.Outputs))
	}
	for i, o := range part.Graph.Outputs {
		if want := (models.Shape{255, 24 >> i, 24 >> i}); !slices.Equal(o.Shape, want) {
			t.Errorf("output %d is %v, want %v", i, o.Shape, want)
		}
	}
	pic := picture(t, "astronaut")
	boxes := look(t, whole, pic)
	for _, b := range look(t, part, pic) {
		if b.Area != 0 {
			t.Errorf("a detector's mask: %+v", b)
		}
	}
	compareSeen(t, "astronaut", look(t, part, pic), boxes, false)
	if len(boxes) == 0 {
		t.Error("nothing to compare")
	}
	saved, err := part.Safetensors("f16")
	if err != nil {
		t.Fatal(err)
	}
	again := open(t, saved, Options{})
	sameModel(t, again, part)
	if len(saved) >= len(data) {
		t.Errorf("the detector has %d bytes, the whole network %d", len(saved), len(data))
	}
}
