package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"spotter/models/detect"
)

// withBlank is the tests' site with an empty page to run scripts in.
func withBlank(t *testing.T) Site {
	t.Helper()
	site := Site{}
	for name, f := range testSite(t) {
		site[name] = f
	}
	site.add("blank.html", []byte(`<!doctype html><title>blank</title><link rel=icon href="data:,"><body></body>`))
	return site
}

// moduleSetUp gives scripts the public module and sample pictures.
const moduleSetUp = `
	const spotter = await import("/spotter.js");
	const {Detector, SpotterError} = spotter;
	const sampleOf = async (name) => (await fetch(SAMPLES[name])).blob();
	const outcome = (promise) => promise.then(() => "done", (e) => {
		if (!(e instanceof SpotterError) || !e.hint || !e.message.startsWith(e.sentence)) throw e;
		return e.code;
	});`

// samplesScript says where the samples are.
func samplesScript(t *testing.T, site Site) string {
	t.Helper()
	at := map[string]string{}
	for _, name := range sampleNames {
		for _, file := range site.Names() {
			if strings.HasPrefix(file, "samples/"+name+"-") && !strings.Contains(file, "-small") {
				at[name] = "/" + file
			}
		}
	}
	text, err := json.Marshal(at)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("const SAMPLES = %s;", text)
}

// runModule runs a script with the public module on an empty page and returns its value.
func runModule[T any](t *testing.T, v view, script string) T {
	t.Helper()
	site := withBlank(t)
	v.path = "blank.html"
	if v.site == nil {
		v.site = NewHandler(site)
	}
	p := open(t, v)
	return eval[T](p, "(async () => {"+samplesScript(t, site)+moduleSetUp+script+"})()")
}

// TestEveryKindOfSource: whatever shows the picture, the same is found in it as by the
// reference, and the caller's own picture stays usable.
func TestEveryKindOfSource(t *testing.T) {
	type answer struct {
		Width, Height int
		Detections    []pageDetection
	}
	got := runModule[map[string]answer](t, view{}, `
		const detector = await Detector.load();
		const blob = await sampleOf("astronaut");
		const img = new Image();
		img.src = URL.createObjectURL(blob);
		const bitmap = await createImageBitmap(blob);
		const canvas = document.createElement("canvas");
		[canvas.width, canvas.height] = [bitmap.width, bitmap.height];
		const context = canvas.getContext("2d");
		context.drawImage(bitmap, 0, 0);
		const offscreen = new OffscreenCanvas(bitmap.width, bitmap.height);
		offscreen.getContext("2d").drawImage(bitmap, 0, 0);
		const frame = new VideoFrame(bitmap, {timestamp: 0});
		const sources = {img, canvas, offscreen, bitmap, frame, blob,
			data: context.getImageData(0, 0, canvas.width, canvas.height)};
		const answers = {};
		for (const [name, source] of Object.entries(sources)) answers[name] = await detector.detect(source, {conf: 0.1});
		answers.again = await detector.detect(bitmap, {conf: 0.1});
		frame.clone().close();
		frame.close();
		return answers;`)
	want := want(t, detect.FromImage(samplePicture(t, "astronaut")), 0.1)
	if len(got) != 8 {
		t.Fatalf("%d answers", len(got))
	}
	for kind, a := range got {
		compare(t, kind, a.Detections, want, 0.1)
	}
}

// TestMasksInEveryForm: bitmap, polygon and run lengths are the same mask, the reference's.
func TestMasksInEveryForm(t *testing.T) {
	type answer struct {
		Width, Height int
		Detections    []struct {
			pageDetection
			RLE     detect.RLE
			Bitmap  string // of the whole picture, one character a point
			Polygon string
		}
	}
	got := runModule[answer](t, view{}, `
		const detector = await Detector.load();
		const blob = await sampleOf("astronaut");
		const all = {};
		for (const masks of ["bitmap", "polygon", "rle"]) all[masks] = await detector.detect(blob, {masks, conf: 0.2});
		const {width, height} = all.rle;
		const text = (points) => Array.from(points, (on) => on ? "1" : "0").join("");
		const bitmap = ({mask}) => {
			const points = new Uint8Array(width * height);
			for (let y = 0; y < mask.height; y++)
				for (let x = 0; x < mask.width; x++)
					points[(mask.y + y) * width + mask.x + x] = mask.data[y * mask.width + x];
			return text(points);
		};
		const inside = (rings, x, y) => {
			let on = false;
			for (const r of rings)
				for (let i = 0; i < r.length; i += 2) {
					const [x1, y1, x2, y2] = [r[i], r[i + 1], r[(i + 2) % r.length], r[(i + 3) % r.length]];
					if (y1 > y !== y2 > y && x < (x2 - x1) * (y - y1) / (y2 - y1) + x1) on = !on;
				}
			return on;
		};
		const polygon = ({mask}) => {
			const points = new Uint8Array(width * height);
			for (let y = 0; y < height; y++) {
				const near = mask.filter((r) => r.some((v, i) => i % 2 && v <= y + 0.5) && r.some((v, i) => i % 2 && v > y + 0.5));
				for (let x = 0; x < width; x++) points[y * width + x] = inside(near, x + 0.5, y + 0.5);
			}
			return text(points);
		};
		return {width, height, detections: all.rle.detections.slice(0, 2).map((d, i) => ({...d, rle: d.mask, mask: null,
			bitmap: bitmap(all.bitmap.detections[i]), polygon: polygon(all.polygon.detections[i])}))};`)
	if len(got.Detections) == 0 {
		t.Fatal("nothing found")
	}
	reference, result := wantMasks(t, detect.FromImage(samplePicture(t, "astronaut")), 0.2)
	for _, d := range got.Detections {
		mask, err := d.RLE.Decode()
		if err != nil {
			t.Fatal(err)
		}
		var text strings.Builder
		for _, on := range mask {
			text.WriteByte('0' + min(on, 1))
		}
		if text.String() != d.Bitmap {
			t.Errorf("%s: run lengths and bitmap differ", d.Label)
		}
		if d.Polygon != d.Bitmap {
			t.Errorf("%s: polygon and bitmap differ", d.Label)
		}
		for k, o := range reference {
			if matched(d.pageDetection, []pageDetection{o}) {
				if iou := overlap(mask, result.Mask(k, got.Width, got.Height).Full()); iou < minIOU {
					t.Errorf("%s: the mask overlaps the reference's by %.4f", d.Label, iou)
				}
			}
		}
	}
}

// TestOptionsOfDetect: each option does what its name says, and nonsense is refused in words.
func TestOptionsOfDetect(t *testing.T) {
	got := runModule[map[string]any](t, view{}, `
		const detector = await Detector.load();
		const blob = await sampleOf("astronaut");
		const count = async (options) => (await detector.detect(blob, options)).detections.length;
		const small = await detector.detect(blob, {masks: "bitmap", maskSize: 100});
		return {
			all: await count({conf: 0.05}),
			one: await count({conf: 0.05, maxDetections: 1}),
			people: (await detector.detect(blob, {conf: 0.05, classes: ["Person"]})).detections.map((d) => d.label),
			byId: await count({conf: 0.05, classes: [0]}),
			bicycles: await count({conf: 0.05, classes: [1]}),
			none: await count({conf: 0.05, classes: []}),
			loose: await count({conf: 0.05, iou: 0.95}),
			grid: small.detections[0].mask.grid,
			bare: (await detector.detect(blob)).detections[0].mask,
			conf: await outcome(detector.detect(blob, {conf: 25})),
			class: await outcome(detector.detect(blob, {classes: ["unicorn"]})),
			masks: await outcome(detector.detect(blob, {masks: "svg"})),
			source: await outcome(detector.detect("photo.jpg")),
			empty: await outcome(detector.detect(new Image())),
			video: await outcome(detector.detect(document.createElement("video"))),
			text: await outcome(detector.detect(new Blob(["text"]))),
			total: small.timings.total > small.timings.infer && small.timings.infer > 0,
			info: detector.model.classes.length + " " + detector.model.task + " " + detector.mode.worker,
		};`)
	num := func(key string) float64 { return got[key].(float64) }
	if num("one") != 1 || num("none") != 0 || num("byId") == 0 || num("bicycles") >= num("byId") || num("loose") <= num("all") {
		t.Errorf("counts: %v", got)
	}
	if people := got["people"].([]any); len(people) != int(num("byId")) || people[0] != "person" {
		t.Errorf("people: %v", people)
	}
	if fmt.Sprint(got["grid"]) != "[100 100]" || got["bare"] != nil || got["total"] != true || got["info"] != "80 segment true" {
		t.Errorf("%v", got)
	}
	for key, code := range map[string]string{
		"conf": "bad-option", "class": "bad-option", "masks": "bad-option", "source": "bad-source",
		"empty": "bad-source", "video": "bad-source", "text": "bad-picture",
	} {
		if got[key] != code {
			t.Errorf("%s: %v, want %s", key, got[key], code)
		}
	}
}

// TestEveryKindOfModel: an address, a request, a response, a file, bytes, a promise; a list, an
// entry of it, a module with its weights.
func TestEveryKindOfModel(t *testing.T) {
	got := runModule[map[string]string](t, view{}, `
		const list = await (await fetch("/models.json")).json();
		const {weights, variants} = list.models[0];
		const simd = variants.find((v) => v.features.join() === "simd,relaxed");
		const bytes = async (url) => (await fetch("/" + url)).arrayBuffer();
		const blob = await sampleOf("portrait");
		const loads = {
			nothing: [],
			address: ["/models.json"],
			url: [new URL("/models.json", location)],
			entry: ["/models.json#" + list.models[0].id],
			request: [new Request("/models.json")],
			response: [fetch("/models.json")],
			module: ["/" + simd.url, {weights: "/" + weights.url}],
			modulePromise: [bytes(simd.url), {weights: fetch("/" + weights.url)}],
			file: [new File([await bytes(simd.url)], "m.wasm"), {weights: new Blob([await bytes(weights.url)])}],
			bytes: [await bytes(simd.url), {weights: new Uint8Array(await bytes(weights.url))}],
		};
		const answers = {};
		for (const [name, given] of Object.entries(loads)) {
			const detector = await Detector.load(...given);
			answers[name] = (await detector.detect(blob)).detections[0].label;
			detector.close();
		}
		return answers;`)
	if len(got) != 10 {
		t.Fatalf("%v", got)
	}
	for kind, label := range got {
		if label != "person" {
			t.Errorf("%s finds %q", kind, label)
		}
	}
}

// TestErrorsOfLoad: what is wrong with a model is told apart.
func TestErrorsOfLoad(t *testing.T) {
	site := withBlank(t)
	site.add("page.html", []byte("<!doctype html><p>not found"))
	site.add("other.wasm", []byte("\x00asm\x01\x00\x00\x00"))
	site.add("noise.wasm", []byte("\x00asm and noise"))
	site.add("empty.json", []byte("{}"))
	site.add("broken.json", []byte(`{"models": [`))
	old := Site{"spotter.js": site["spotter.js"], "models.json": site["models.json"]}
	worker := strings.ReplaceAll(string(site["spotter-worker.js"].Data), buildOf(t), "0000000000")
	old.add("spotter-worker.js", []byte(worker))
	for name, f := range old {
		site["old/"+name] = f
	}
	got := runModule[map[string]string](t, view{site: NewHandler(site), expects: "404"}, `
		const list = await (await fetch("/models.json")).json();
		const {weights, variants} = list.models[0];
		const simd = "/" + variants.find((v) => v.features.join() === "simd").url;
		const text = (promise) => promise.then(() => "done", (e) => e.message);
		const module = await (await fetch(simd)).arrayBuffer();
		return {
			missing: await outcome(Detector.load("/nothing.json")),
			html: await outcome(Detector.load("/page.html")),
			htmlBytes: await outcome(Detector.load(new TextEncoder().encode("<!DOCTYPE html><html>"))),
			foreign: await outcome(Detector.load("/other.wasm", {weights: "/" + weights.url})),
			noise: await outcome(Detector.load("/noise.wasm", {weights: "/" + weights.url})),
			empty: await outcome(Detector.load("/empty.json")),
			broken: await outcome(Detector.load("/broken.json")),
			entry: await outcome(Detector.load("/models.json#unicorn")),
			wrongWeights: await outcome(Detector.load(simd, {weights: new Uint8Array(10)})),
			noWeights: await outcome(Detector.load(module)),
			htmlWeights: await outcome(Detector.load(simd, {weights: "/page.html"})),
			noWorker: await outcome(Detector.load("/models.json", {baseURL: "/nowhere/"})),
			oldWorker: await outcome(Detector.load("/models.json", {baseURL: "/old/"})),
			oldText: await text(Detector.load("/models.json", {baseURL: "/old/"})),
		};`)
	for key, code := range map[string]string{
		"missing": "not-found", "html": "html-instead", "htmlBytes": "html-instead", "foreign": "bad-module", "noise": "bad-module",
		"empty": "not-found", "broken": "bad-model", "entry": "bad-model", "wrongWeights": "bad-weights", "noWeights": "bad-option",
		"htmlWeights": "html-instead", "noWorker": "no-worker", "oldWorker": "mismatch",
	} {
		if got[key] != code {
			t.Errorf("%s: %s, want %s", key, got[key], code)
		}
	}
	if text := got["oldText"]; !strings.Contains(text, "0000000000") || !strings.Contains(text, buildOf(t)) {
		t.Errorf("the mismatch says %q", text)
	}
}

// buildOf is the id that the tests' bundles carry.
func buildOf(t *testing.T) string {
	t.Helper()
	text, err := buildID(sources)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(string(text), `"`)[1]
}

// TestModuleCanBeCalledOff at any moment: before, while the model loads, while a picture
// is in work, while frames are watched; and what is left behind still works.
func TestModuleCanBeCalledOff(t *testing.T) {
	got := runModule[map[string]string](t, view{}, `
		const during = new AbortController();
		const answers = {
			before: await outcome(Detector.load(null, {signal: AbortSignal.abort()})),
			during: await outcome(Detector.load(null, {signal: during.signal, onprogress: () => during.abort()})),
		};
		const detector = await Detector.load();
		const blob = await sampleOf("portrait");
		const run = new AbortController();
		const running = detector.detect(blob, {signal: run.signal});
		run.abort();
		answers.run = await outcome(running);
		answers.already = await outcome(detector.detect(blob, {signal: AbortSignal.abort()}));
		answers.later = await outcome(detector.detect(blob));
		const canvas = document.createElement("canvas");
		canvas.getContext("2d").fillRect(0, 0, 10, 10);
		const still = new AbortController();
		const watching = (async () => { for await (const frame of detector.watch(canvas.captureStream(0), {signal: still.signal})) still.abort(); })();
		setTimeout(() => still.abort(), 300);
		answers.watch = await outcome(watching);
		const last = detector.detect(blob);
		detector.close();
		answers.closed = await outcome(last);
		answers.afterwards = await outcome(detector.detect(blob));
		return answers;`)
	for key, code := range map[string]string{
		"before": "aborted", "during": "aborted", "run": "aborted", "already": "aborted", "later": "done", "watch": "aborted",
		"closed": "closed", "afterwards": "closed",
	} {
		if got[key] != code {
			t.Errorf("%s: %s, want %s", key, got[key], code)
		}
	}
}

// TestWatch: the newest frame wins, each result comes with the very frame it was found in,
// frames are closed, and the loop ends with the stream.
func TestWatch(t *testing.T) {
	type answer struct {
		Frames                []liveFrame
		Dropped, Open, Tracks int
		After                 string
	}
	got := runModule[answer](t, view{before: `
		globalThis.open = 0;
		const close = VideoFrame.prototype.close;
		VideoFrame.prototype.close = function () { if (this.format) open--; return close.call(this); };
		globalThis.VideoFrame = new Proxy(VideoFrame, {construct(target, given) { open++; return Reflect.construct(target, given); }});`}, `
		const detector = await Detector.load();
		const stream = await navigator.mediaDevices.getUserMedia({video: {width: 640, height: 480}});
		const pixel = new OffscreenCanvas(1, 1).getContext("2d", {willReadFrequently: true});
		const answer = {frames: [], dropped: 0, tracks: 0};
		for await (const frame of detector.watch(stream, {conf: 0.15, tracking: true})) {
			pixel.drawImage(frame.picture, 320, 470, 1, 1, 0, 0, 1, 1);
			const [red, , blue] = pixel.getImageData(0, 0, 1, 1).data;
			answer.frames.push({scene: red > blue ? 0 : 1, width: frame.width, height: frame.height, detections: frame.detections});
			answer.dropped += frame.dropped;
			answer.tracks += frame.tracks.length;
			if (answer.frames.length === 4) await new Promise((resolve) => setTimeout(resolve, 1000));
			if (answer.frames.length === 15) for (const track of stream.getTracks()) track.stop();
		}
		answer.open = open;
		answer.after = await outcome(detector.detect(await sampleOf("portrait")));
		return answer;`)
	var best [2]pageDetection
	for i, s := range scenes {
		best[i] = want(t, detect.FromImage(s.paint(t)), 0.15)[0]
	}
	for i, f := range got.Frames {
		if own, other := nearest(best[f.Scene], f.Detections), nearest(best[1-f.Scene], f.Detections); own < 0.9 || own < other {
			t.Errorf("frame %d shows %s; its boxes overlap that scene's by %.3f, the other's by %.3f", i, scenes[f.Scene].sample, own, other)
		}
	}
	if got.Open != 0 {
		t.Errorf("%d frames were left open", got.Open)
	}
	if len(got.Frames) != 15 || got.Dropped < 3 || got.Tracks == 0 || got.After != "done" {
		t.Errorf("%d frames, %d dropped during a pause of a second, %d tracks, afterwards %s", len(got.Frames), got.Dropped, got.Tracks, got.After)
	}
}

// TestWithoutWorker: files from another origin run in the page, and the mode says so.
func TestWithoutWorker(t *testing.T) {
	there := httptestServer(t, NewHandler(testSite(t)))
	got := runModule[map[string]any](t, view{site: bare(NewHandler(withBlank(t)))}, `
		const blob = await sampleOf("portrait");
		const far = await import("`+there+`spotter.js");
		const detectors = {
			far: await far.Detector.load(),
			asked: await Detector.load(null, {worker: false}),
			base: await Detector.load(null, {baseURL: "`+there+`"}),
		};
		const answers = {};
		for (const [name, detector] of Object.entries(detectors)) {
			const {detections} = await detector.detect(blob, {masks: "rle"});
			answers[name] = [detections[0].label, detector.mode.worker, detector.mode.limit, !!detections[0].mask].join(" ");
			const late = detector.detect(blob);
			detector.close();
			answers[name] += " " + await late.then(() => "done", (e) => e.code);
		}
		return answers;`)
	for _, name := range []string{"far", "asked", "base"} {
		if got[name] != "person false worker true closed" {
			t.Errorf("%s: %v", name, got[name])
		}
	}
}

// TestPicturesOfOtherSites: their pixels are hidden unless the site allows it, and the error says so.
func TestPicturesOfOtherSites(t *testing.T) {
	site := withBlank(t)
	there := httptestServer(t, bare(NewHandler(site)))
	got := runModule[string](t, view{site: bare(NewHandler(site))}, `
		const detector = await Detector.load();
		const img = new Image();
		img.src = "`+there+`" + SAMPLES.portrait.slice(1);
		await img.decode();
		return outcome(detector.detect(img));`)
	if got != "tainted" {
		t.Errorf("a foreign picture gives %s", got)
	}
}

func httptestServer(t *testing.T, h http.Handler) string {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL + "/"
}

// TestCheckpointsAreCompiledInThePage: a training checkpoint goes through Detector.load like
// any other model, at another input size if that is asked for.
func TestCheckpointsAreCompiledInThePage(t *testing.T) {
	type answer struct {
		Codes map[string]string
		Tasks map[string]string
		Ours  struct{ Detections []pageDetection }
		Sizes [][]int
	}
	site := withBlank(t)
	for _, name := range []string{"best.pt", "model-op17.onnx", "model-f16.safetensors"} {
		site.add("files/"+name, readFile(t, formatsDir, name))
	}
	source := find(t, site, "models/yolov5n-mnv4s-seg-")
	for _, name := range site.Names() {
		if strings.HasPrefix(name, "models/") && strings.HasSuffix(name, ".safetensors") {
			source = name
		}
	}
	got := runModule[answer](t, view{site: NewHandler(site)}, `
		const blob = await sampleOf("astronaut");
		const answer = {codes: {}, tasks: {}, sizes: []};
		for (const name of ["best.pt", "model-op17.onnx", "model-f16.safetensors"]) {
			const detector = await Detector.load("/files/" + name);
			answer.tasks[name] = detector.model.task;
			await detector.detect(blob);
			detector.close();
		}
		const seen = [];
		const ours = await Detector.load("/`+source+`", {onprogress: (p) => seen.push(p)});
		answer.ours = await ours.detect(blob, {conf: 0.1});
		const other = await Detector.load("/`+source+`", {size: [256, 192], precision: "f32", threads: 1});
		answer.sizes = [[ours.model.width, ours.model.height], [other.model.width, other.model.height]];
		const stop = new AbortController();
		setTimeout(() => stop.abort(), 50);
		answer.codes.abort = await outcome(Detector.load("/`+source+`", {signal: stop.signal}));
		answer.codes.noise = await outcome(Detector.load(new Blob(["nothing of the kind, only words"])));
		return answer;`)
	compare(t, "compiled in the page", got.Ours.Detections, want(t, detect.FromImage(samplePicture(t, "astronaut")), 0.1), 0.1)
	if fmt.Sprint(got.Sizes[1]) != "[256 192]" || len(got.Tasks) != 3 {
		t.Errorf("%v %v", got.Sizes, got.Tasks)
	}
	if got.Codes["abort"] != "aborted" || got.Codes["noise"] != "bad-network" {
		t.Errorf("%v", got.Codes)
	}
}
