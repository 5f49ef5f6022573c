package web

import (
	"encoding/base64"
	"os"
	"sync"
	"testing"

	"spotter/models/detect"
	"spotter/models/load"
	"spotter/models/reference"
	"spotter/wasm"
	native "spotter/wasm/run"
)

// modelFile is the model that the page starts with.
const modelFile = "../models/weights/yolov5n-mnv4s-seg-f16.safetensors"

// Agreement between page and reference: boxes and scores may differ by float rounding only.
const (
	minIOU   = 0.99
	maxScore = 0.01
)

// nativeEngine compiles a model and runs it outside the browser.
func nativeEngine(t *testing.T, m *load.Model) *native.Engine {
	t.Helper()
	c, err := wasm.Compile(m.Graph, m.Weights, wasm.Options{Task: m.Task})
	if err != nil {
		t.Fatal(err)
	}
	e, err := native.New(t.Context(), c.Module, c.Weights, native.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

var referenceModel = sync.OnceValues(func() (*load.Model, error) {
	data, err := os.ReadFile(modelFile)
	if err != nil {
		return nil, err
	}
	return load.Open(modelFile, data, load.Options{})
})

// want is what the scalar reference finds in a picture.
func want(t *testing.T, picture *detect.Picture, confidence float32) []pageDetection {
	t.Helper()
	list, _ := wantMasks(t, picture, confidence)
	return list
}

func wantMasks(t *testing.T, picture *detect.Picture, confidence float32) ([]pageDetection, *detect.Result) {
	t.Helper()
	m, err := referenceModel()
	if err != nil {
		t.Fatal(err)
	}
	r, err := reference.Detect(m.Graph, m.Weights, picture, detect.NMSOptions{Conf: confidence, IOU: 0.45})
	if err != nil {
		t.Fatal(err)
	}
	list := make([]pageDetection, len(r.Detections))
	for i, d := range r.Detections {
		list[i] = pageDetection{ClassID: d.Class, Label: m.Graph.Classes[d.Class], Score: d.Score, Box: r.Box(i)}
	}
	return list, r
}

// compare matches what the page found with the reference, both ways; a score so
// close to the threshold that rounding decides may be missing on either side.
func compare(t *testing.T, what string, got, want []pageDetection, confidence float32) {
	t.Helper()
	missing := func(side string, from, in []pageDetection) {
		for _, d := range from {
			if d.Score > confidence+maxScore && !matched(d, in) {
				t.Errorf("%s: only the %s has %s %.4f at %v\npage: %v\nreference: %v", what, side, d.Label, d.Score, d.Box, got, want)
			}
		}
	}
	missing("page", got, want)
	missing("reference", want, got)
}

func matched(d pageDetection, in []pageDetection) bool {
	for _, o := range in {
		if o.ClassID == d.ClassID && o.Label == d.Label && detect.IOU(o.Box, d.Box) > minIOU && abs(o.Score-d.Score) < maxScore {
			return true
		}
	}
	return false
}

func abs(v float32) float32 { return max(v, -v) }

// pixelsOf gives a picture's pixels as the page's browser decodes them.
func (p *tab) pixelsOf(script string) *detect.Picture {
	p.t.Helper()
	text := eval[string](p, `(async () => {
		const picture = await (`+script+`);
		const canvas = new OffscreenCanvas(picture.width, picture.height);
		const context = canvas.getContext("2d", {willReadFrequently: true});
		context.drawImage(picture, 0, 0);
		const {data} = context.getImageData(0, 0, canvas.width, canvas.height);
		let text = String.fromCharCode(canvas.width >> 8, canvas.width & 255);
		for (let i = 0; i < data.length; i += 8192) text += String.fromCharCode(...data.subarray(i, i + 8192));
		return btoa(text);
	})()`)
	raw, err := base64.StdEncoding.DecodeString(text)
	p.must(err)
	w := int(raw[0])<<8 | int(raw[1])
	return &detect.Picture{W: w, H: (len(raw) - 2) / 4 / w, Pix: raw[2:]}
}

// compareMasks holds the masks of the page's last result against the reference's.
func compareMasks(t *testing.T, p *tab, name string, got pageResult, ref []pageDetection, result *detect.Result) {
	t.Helper()
	if got.Masks == nil || got.Masks.Width != got.Width || got.Masks.Height != got.Height {
		t.Fatalf("%s: masks on a grid of %v", name, got.Masks)
	}
	rects := eval[[]int](p, "[...last.masks.rects]")
	data, err := base64.StdEncoding.DecodeString(eval[string](p,
		"(async () => (await new Promise((done) => { const r = new FileReader(); r.onload = () => done(r.result);"+
			"r.readAsDataURL(new Blob([last.masks.data])); })).split(',')[1])()"))
	p.must(err)
	for i, d := range got.Detections {
		mask := detect.Mask{W: got.Width, H: got.Height, X0: rects[4*i], Y0: rects[4*i+1], X1: rects[4*i+2], Y1: rects[4*i+3]}
		size := (mask.X1 - mask.X0) * (mask.Y1 - mask.Y0)
		mask.Bits, data = data[:size], data[size:]
		for k, o := range ref {
			if matched(d, []pageDetection{o}) {
				if iou := overlap(mask.Full(), result.Mask(k, got.Width, got.Height).Full()); iou < minIOU {
					t.Errorf("%s: the mask of %s %.2f at %v overlaps the reference's by %.4f", name, d.Label, d.Score, d.Box, iou)
				}
			}
		}
	}
	if len(data) > 0 {
		t.Errorf("%s: %d bytes of masks belong to no detection", name, len(data))
	}
}

// overlap is the intersection over union of two masks; 1 for two empty ones.
func overlap(a, b []byte) float64 {
	both, any := 0, 0
	for i := range a {
		if a[i]|b[i] != 0 {
			any++
		}
		if a[i]&b[i] != 0 {
			both++
		}
	}
	if any == 0 {
		return 1
	}
	return float64(both) / float64(any)
}

// sampleNames are the pictures that the page offers.
var sampleNames = []string{"astronaut", "cat", "coffee", "portrait"}

func TestPicturesAgreeWithTheReference(t *testing.T) {
	p := openReady(t, view{})
	p.set("confidence", "value", 0.05)
	for _, name := range sampleNames {
		got := p.sample(name)
		decoded := p.pixelsOf(`fetch(document.querySelector("[data-name=` + name + `]").dataset.sample).then((r) => r.blob()).then(createImageBitmap)`)
		if got.Width != decoded.W || got.Height != decoded.H {
			t.Errorf("%s: %dx%d, not %dx%d", name, got.Width, got.Height, decoded.W, decoded.H)
		}
		ref, result := wantMasks(t, decoded, 0.05)
		if len(ref) == 0 {
			t.Errorf("%s: the reference finds nothing: the test shows nothing", name)
		}
		compare(t, name, got.Detections, ref, 0.05)
		compareMasks(t, p, name, got, ref, result)
		compare(t, name+" as Go decodes it", got.Detections, want(t, detect.FromImage(samplePicture(t, name)), 0.05), 0.05)
	}
}
