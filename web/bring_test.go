package web

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"image"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"spotter/models"
	"spotter/models/detect"
	"spotter/models/golden"
	"spotter/models/load"
	"spotter/models/safetensors"
	"spotter/wasm"
)

// formatsDir holds files of one network as PyTorch and its exporters write them.
const formatsDir = "../models/golden/testdata/formats"

func readFile(t *testing.T, parts ...string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(parts...))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// exchanged runs an action that makes another model run, and waits for that.
func (p *tab) exchanged(action func()) {
	p.t.Helper()
	before := eval[string](p, "document.querySelector('#stage').dataset.ready")
	action()
	p.wait(fmt.Sprintf("document.querySelector('#stage').dataset.ready !== %q && document.querySelector('#loading').hidden", before))
}

// bring drops a model file onto the page and waits until it runs; guesses stand.
func (p *tab) bring(name string, data []byte) {
	p.t.Helper()
	p.exchanged(func() { drop(p, name, "", data) })
	eval[bool](p, "document.querySelector('#questions').close('') ?? true")
}

// resize compiles the model that runs for another input size.
func (p *tab) resize(width, height int) {
	p.t.Helper()
	p.exchanged(func() { eval[bool](p, fmt.Sprintf("spotter.resize(%d, %d).then(() => true)", width, height)) })
}

// outputs are the network's raw maps of the last picture, in the order C, H, W.
func (p *tab) outputs() []detect.Map {
	p.t.Helper()
	type page struct {
		Channels, Width, Height int
		Data                    string
	}
	list := eval[[]page](p, `spotter.inspect({what: "outputs"}).then(({maps}) => Promise.all(maps.map(async (m) => ({
		channels: m.channels, width: m.width, height: m.height, data: await base64(new Blob([m.data]))}))))`)
	var maps []detect.Map
	for _, m := range list {
		raw, err := base64.StdEncoding.DecodeString(m.Data)
		p.must(err)
		out := detect.Map{C: m.Channels, H: m.Height, W: m.Width, Data: make([]float32, len(raw)/4)}
		pixels := m.Width * m.Height
		for i, v := range floats(raw) {
			out.Data[i%m.Channels*pixels+i/m.Channels] = v
		}
		maps = append(maps, out)
	}
	return maps
}

// base64Script gives a blob's bytes to the test.
const base64Script = `globalThis.base64 = (blob) => new Promise((done) => {
	const r = new FileReader();
	r.onload = () => done(r.result.slice(r.result.indexOf(",") + 1));
	r.readAsDataURL(blob);
});`

// goldenPicture is the picture of golden's formats, of the network's input's size.
func goldenPicture(t *testing.T, e *golden.FormatExpectation) []byte {
	t.Helper()
	pix := golden.Image(e.Width, e.Height, e.ImageSeed)
	img := image.NewNRGBA(image.Rect(0, 0, e.Width, e.Height))
	for i := range len(pix) / 3 {
		copy(img.Pix[4*i:], []byte{pix[3*i], pix[3*i+1], pix[3*i+2], 255})
	}
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestEveryFormatGivesItsExpectedOutput drops each file of golden's formats and holds
// what the page's engine computes against every value that PyTorch computed.
func TestEveryFormatGivesItsExpectedOutput(t *testing.T) {
	e, err := golden.Formats()
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(formatsDir, "*.*"))
	if err != nil {
		t.Fatal(err)
	}
	picture := goldenPicture(t, e)
	p := openReady(t, view{before: base64Script})
	for _, file := range files {
		name := filepath.Base(file)
		if strings.HasPrefix(name, "expected.") {
			continue
		}
		data := readFile(t, file)
		p.bring(name, data)
		if got := strings.TrimSpace(p.text("#model-name")); got != strings.TrimSuffix(name, filepath.Ext(name)) {
			t.Errorf("%s: %q runs", name, got)
		}
		if eval[string](p, "spotter.manifest().width + 'x' + spotter.manifest().height") != fmt.Sprintf("%dx%d", e.Width, e.Height) {
			p.resize(e.Width, e.Height)
		}
		before := eval[int](p, "found.length")
		drop(p, "picture.png", "image/png", picture)
		p.next(before)
		m, err := load.Open(name, data, load.Options{Width: e.Width, Height: e.Height})
		if err != nil {
			t.Fatal(err)
		}
		rows, err := detect.Decode(&m.Graph.Head, p.outputs())
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := golden.CompareDecoded(rows.Data, rows.Columns()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	p.screenshot("brought")
}

// TestBadModelsLeaveTheRunningOneAlone drops files that are cut off, damaged or none at
// all: each is told of in words, and the model before goes on.
func TestBadModelsLeaveTheRunningOneAlone(t *testing.T) {
	best := readFile(t, formatsDir, "best.pt")
	onnx := readFile(t, formatsDir, "model-op17.onnx")
	p := openReady(t, view{expects: "The network in this file can't run"})
	for _, c := range []struct {
		name string
		data []byte
	}{
		{"cut-off.pt", best[:len(best)/2]},
		{"cut-off.onnx", onnx[:len(onnx)/3]},
		{"random.safetensors", bytes.Repeat([]byte{1, 2, 3, 5, 8, 13}, 1000)},
		{"empty.pth", nil},
		{"bomb.pt", append([]byte{0x80, 2}, bytes.Repeat([]byte("(l"), 200_000)...)},
	} {
		drop(p, c.name, "", c.data)
		if code := p.notice(); code != "bad-network" {
			t.Errorf("%s: the notice tells of %s", c.name, code)
		}
		if text := p.text("#notice-detail"); !strings.Contains(text, c.name) {
			t.Errorf("%s: it says %q", c.name, text)
		}
		p.screenshot("bad-model")
		p.click("#notice-close")
		if got := p.sample("astronaut"); len(got.Detections) == 0 {
			t.Errorf("%s: nothing is found any more", c.name)
		}
	}
}

// TestSizes compiles the site's model for other sizes, square and in the picture's
// shape, takes a size that was there before from storage, and clears that.
func TestSizes(t *testing.T) {
	p := openReady(t, view{})
	p.sample("astronaut")
	size := func() string { return eval[string](p, "spotter.manifest().width + 'x' + spotter.manifest().height") }
	times := func() string { return p.text("#model-times") }
	p.exchanged(func() { p.set("model-size", "value", 256) })
	if size() != "256x256" || !strings.Contains(times(), "program") {
		t.Errorf("%s: %s", size(), times())
	}
	t.Logf("10 MB of weights: %s", times())
	p.exchanged(func() { p.set("model-size", "value", 192) }) // the site's own
	p.exchanged(func() { p.set("model-size", "value", 256) })
	if size() != "256x256" || strings.Contains(times(), "program") {
		t.Errorf("%s, from storage: %s", size(), times())
	}
	before := eval[int](p, "found.length")
	p.click("[data-name=portrait]")
	p.next(before)
	p.exchanged(func() { p.click("#model-match") })
	picture := eval[[]int](p, "[last.width, last.height]")
	if got := eval[[]int](p, "[spotter.manifest().width, spotter.manifest().height]"); (got[0] > got[1]) != (picture[0] > picture[1]) || max(got[0], got[1]) != 256 {
		t.Errorf("an input of %v for a picture of %v", got, picture)
	}
	p.click("#model-choose")
	p.wait("/[1-9]/.test(document.querySelector('#picker-storage').textContent)")
	p.screenshot("picker")
	p.click("#picker-clear")
	p.wait("document.querySelector('#picker-clear').disabled")
}

// TestSavedFilesAreTheCommands holds what the page compiles and saves against what Go
// compiles natively of the same file.
func TestSavedFilesAreTheCommands(t *testing.T) {
	p := openReady(t, view{before: base64Script + `globalThis.saved = [];
		const create = URL.createObjectURL;
		URL.createObjectURL = (blob) => (saved.push(blob), create.call(URL, blob));`})
	data := readFile(t, formatsDir, "best.pt")
	p.bring("best.pt", data)
	m, err := load.Open("best.pt", data, load.Options{})
	if err != nil {
		t.Fatal(err)
	}
	features := eval[string](p, variantScript)
	c, err := wasm.Compile(m.Graph, m.Weights, wasm.Options{
		Relaxed: strings.Contains(features, "relaxed"), Threads: strings.Contains(features, "threads"), Task: m.Task,
		Licence: m.Meta["licence"], Note: m.Meta["map"],
	})
	if err != nil {
		t.Fatal(err)
	}
	file, err := m.Safetensors(m.Encoding())
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []struct {
		button string
		data   []byte
	}{{"module", c.Module}, {"weights", c.Weights}, {"safetensors", file}} {
		eval[bool](p, fmt.Sprintf("document.querySelector('#save-%s').click() ?? true", want.button))
		p.wait(fmt.Sprintf("saved.length === %d", i+1))
		got, err := base64.StdEncoding.DecodeString(eval[string](p, "base64(saved.at(-1))"))
		p.must(err)
		if !bytes.Equal(got, want.data) {
			t.Errorf("%s: %d bytes that differ from the native compiler's %d", want.button, len(got), len(want.data))
		}
	}
}

// TestLayers measures every layer and draws feature maps.
func TestLayers(t *testing.T) {
	p := openReady(t, view{})
	p.sample("astronaut")
	p.click("#model-layers")
	p.click("#layers-profile")
	p.wait("document.querySelector('#layers-total').textContent.includes('GFLOP/s')")
	rows := eval[int](p, "document.querySelectorAll('#layers-rows tr').length")
	if layers := eval[int](p, "spotter.manifest().layers.length"); rows != layers {
		t.Errorf("%d rows for %d layers", rows, layers)
	}
	p.click("#layers-rows tr:nth-child(2) .layer-name")
	p.wait("!document.querySelector('#layers-maps').hidden")
	if shades := eval[int](p, `(() => {
		const c = document.querySelector("#layers-canvas");
		return new Set(new Uint32Array(c.getContext("2d").getImageData(0, 0, c.width, c.height).data.buffer)).size;
	})()`); shades < 50 {
		t.Errorf("the maps show %d shades", shades)
	}
	p.screenshot("layers")
}

func floats(raw []byte) []float32 {
	list := make([]float32, len(raw)/4)
	for i := range list {
		list[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
	}
	return list
}

// TestQuestions answers what a file leaves open, finds the answers again after a reload,
// and calls off a file that can't run without an answer.
func TestQuestions(t *testing.T) {
	p := openReady(t, view{})
	p.exchanged(func() { drop(p, "state_dict.pt", "", readFile(t, formatsDir, "state_dict.pt")) })
	p.wait("document.querySelector('#questions').open")
	if guess := eval[string](p, "document.querySelector('#ask-classes').value"); !strings.HasPrefix(guess, "person\nbicycle\n") {
		t.Errorf("80 unnamed classes are taken for %q", guess)
	}
	p.screenshot("questions")
	p.exchanged(func() {
		eval[bool](p, "document.querySelector('#ask-classes').value = 'gadget' + String.fromCharCode(10) + 'widget'; true")
		p.click("#questions [type=submit]")
	})
	classes := "JSON.stringify([...spotter.manifest().classes.slice(0, 3), spotter.manifest().classes.length])"
	if got := eval[string](p, classes); got != `["gadget","widget","2",80]` {
		t.Errorf("the classes are %s", got)
	}

	bare := bareParameters(t)
	drop(p, "bare.safetensors", "", bare)
	p.wait("document.querySelector('#ask-network')")
	p.click("#questions [data-close]")
	p.wait("!document.querySelector('#questions').open")
	if got := eval[string](p, classes); !strings.Contains(got, "gadget") || !eval[bool](p, "document.querySelector('#notice').hidden") {
		t.Errorf("after calling off %s runs, and the notice says %q", got, p.text("#notice"))
	}

	eval[bool](p, "window.before = true, location.reload(), true")
	p.eventually("!window.before && globalThis.spotter?.manifest() && document.querySelector('#stage').dataset.ready")
	p.click("#model-choose")
	p.wait("document.querySelectorAll('#picker-list li').length === 2")
	p.exchanged(func() { p.click("#picker-list li:nth-child(2) .picker-model") })
	if got := eval[string](p, classes); !strings.Contains(got, "gadget") || strings.Contains(p.text("#model-times"), "program") {
		t.Errorf("from storage %s runs: %s", got, p.text("#model-times"))
	}
}

// bareParameters are those of a network that no built-in YAML has.
func bareParameters(t *testing.T) []byte {
	t.Helper()
	m, err := load.Open("best.pt", readFile(t, formatsDir, "best.pt"), load.Options{})
	if err != nil {
		t.Fatal(err)
	}
	m.Weights["model.3.extra.weight"] = &models.Tensor{Shape: []int{2}, Data: []float32{1, 2}}
	data, err := safetensors.Marshal(&safetensors.File{Weights: m.Weights}, safetensors.F32)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestClassify brings a classifier: its likeliest classes are those of the native run.
func TestClassify(t *testing.T) {
	data := readFile(t, "../models/classifier/testdata/tiny.pt")
	m, err := load.Open("tiny.pt", data, load.Options{})
	if err != nil {
		t.Fatal(err)
	}
	e := nativeEngine(t, m)
	p := openReady(t, view{})
	p.bring("tiny.pt", data)
	got := p.sample("astronaut")
	picture := detect.FromImage(samplePicture(t, "astronaut"))
	if err := e.Feed(picture.Pix, picture.W, picture.H); err != nil {
		t.Fatal(err)
	}
	if err := e.Infer(); err != nil {
		t.Fatal(err)
	}
	want, err := e.Classify(5)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Detections) < len(want) || len(want) == 0 {
		t.Fatalf("%d classes, want %d", len(got.Detections), len(want))
	}
	for i, d := range got.Detections[:len(want)] {
		if d.ClassID != want[i].Class || abs(d.Score-want[i].Score) > 1e-3 {
			t.Errorf("class %d is %d with %.4f, want %d with %.4f", i, d.ClassID, d.Score, want[i].Class, want[i].Score)
		}
	}
	p.screenshot("classes")
}

// TestModelsChangeUnderTheCamera exchanges the model while frames come.
func TestModelsChangeUnderTheCamera(t *testing.T) {
	p := openReady(t, view{})
	p.click("#camera")
	p.wait("document.querySelector('#stage').dataset.state === 'camera' && found.length > 2")
	p.exchanged(func() { drop(p, "best.pt", "", readFile(t, formatsDir, "best.pt")) })
	p.exchanged(func() { p.set("model-size", "value", 256) })
	p.exchanged(func() { p.click("#model-match") }) // 4:3
	if got := eval[string](p, "spotter.manifest().width + 'x' + spotter.manifest().height"); got != "256x192" {
		t.Errorf("an input of %s", got)
	}
	before := eval[int](p, "found.length")
	p.wait(fmt.Sprintf("found.length > %d", before+3))
	if !eval[bool](p, "document.querySelector('#notice').hidden") {
		t.Errorf("the notice says %q", p.text("#notice"))
	}
}
