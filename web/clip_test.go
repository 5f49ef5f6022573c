package web

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/evanw/esbuild/pkg/api"
)

// played is what a browser sees in a clip.
type played struct {
	Width, Height int
	Duration      float64
	Seekable      float64
	Frames        []struct {
		Box    int  // pixels of the colour of persons' boxes
		Ground bool // red more than blue: the first scene of the fake camera
	}
}

// play decodes a clip in the tab's browser and looks at some of its frames.
func (p *tab) play(data []byte, kind string) played {
	p.t.Helper()
	return eval[played](p, fmt.Sprintf(`(async () => {
		const bytes = Uint8Array.from(atob(%q), (c) => c.charCodeAt(0));
		const video = document.createElement("video");
		const happens = (event) => new Promise((resolve, reject) => {
			video.addEventListener(event, resolve, {once: true});
			video.addEventListener("error", () => reject(new Error(video.error.message)), {once: true});
		});
		video.muted = true;
		video.src = URL.createObjectURL(new Blob([bytes], {type: %q}));
		await happens("loadeddata");
		const {videoWidth: width, videoHeight: height, duration} = video;
		const context = new OffscreenCanvas(width, height).getContext("2d", {willReadFrequently: true});
		const frames = [];
		for (let i = 0; i < 12; i++) {
			video.currentTime = (i + 0.5) / 12 * duration;
			await happens("seeked");
			context.drawImage(video, 0, 0);
			const {data} = context.getImageData(0, 0, width, height);
			let box = 0;
			for (let k = 0; k < data.length; k += 4)
				if (Math.max(Math.abs(data[k] - 0x56), Math.abs(data[k + 1] - 0xb4), Math.abs(data[k + 2] - 0xe9)) < 40) box++;
			const at = ((height - 4) * width + (width >> 1)) * 4;
			frames.push({box, ground: data[at] > data[at + 2]});
		}
		return {width, height, duration, seekable: video.seekable.length ? video.seekable.end(0) : 0, frames};
	})()`, base64.StdEncoding.EncodeToString(data), kind))
}

// recordFor starts a recording and waits until it is that long.
func (p *tab) recordFor(time string) {
	p.t.Helper()
	p.click("#keep-record")
	p.wait(fmt.Sprintf("document.querySelector('#keep-time').textContent >= %q", time))
}

// recording is whether the button says so.
const recording = "/Stop recording|停止/.test(document.querySelector('#keep-record').textContent)"

// canvasSize is that of the canvas that people see.
func (p *tab) canvasSize() [2]int {
	p.t.Helper()
	return eval[[2]int](p, "[document.querySelector('#canvas').width, document.querySelector('#canvas').height]")
}

// checkClip: as large as the canvas, as long as it ran, with the boxes of both scenes.
func (p *tab) checkClip(data []byte, kind string, size [2]int, atLeast float64) {
	p.t.Helper()
	clip := p.play(data, kind)
	if clip.Width != size[0] || clip.Height != size[1] || size[0]%2+size[1]%2 != 0 {
		p.t.Errorf("the clip is %dx%d, the canvas %v", clip.Width, clip.Height, size)
	}
	if clip.Duration < atLeast || clip.Duration > 600 || clip.Seekable < atLeast {
		p.t.Errorf("it lasts %v s and can be sought up to %v s; it ran for %v", clip.Duration, clip.Seekable, atLeast)
	}
	scenes, boxes := map[bool]bool{}, 0
	for _, f := range clip.Frames {
		scenes[f.Ground] = true
		if f.Box > 200 {
			boxes++
		}
	}
	if len(scenes) != 2 {
		p.t.Errorf("the clip stands still: %v", clip.Frames)
	}
	if boxes < len(clip.Frames)*2/3 { // while one network takes over from another, frames have none
		p.t.Errorf("%d of %d frames have boxes: %v", boxes, len(clip.Frames), clip.Frames)
	}
}

// TestRecordsAClip of the camera, through another window size and another size of the network.
func TestRecordsAClip(t *testing.T) {
	p := openReady(t, view{})
	next := p.downloads()
	p.set("confidence", "value", 0.15)
	p.click("#camera")
	p.next(2)
	p.recordFor("0:01")
	size := p.canvasSize()
	p.wait("document.querySelector('#keep-said').textContent === 'Recording what you see, without sound.'")
	p.do(chromedp.EmulateViewport(700, 700))
	ready := eval[string](p, "document.querySelector('#stage').dataset.ready")
	eval[bool](p, "(globalThis.resized = spotter.resize(256, 192), true)")
	p.wait(fmt.Sprintf("document.querySelector('#stage').dataset.ready !== %q", ready))
	p.next(eval[int](p, "found.length + 2"))
	if !eval[bool](p, recording) || p.canvasSize() != size {
		t.Fatalf("recording %v, the canvas %v, was %v", eval[bool](p, recording), p.canvasSize(), size)
	}
	ran := eval[string](p, "document.querySelector('#keep-time').textContent")
	p.click("#keep-record")
	name, data := next()
	if !strings.HasPrefix(name, "camera 20") || !strings.HasSuffix(name, ".mp4") {
		t.Errorf("it is called %q", name)
	}
	p.wait("/^The clip \\(0:\\d\\d\\) is saved as camera .*mp4 \\(\\d.* MB\\)\\.$/.test(document.querySelector('#keep-said').textContent)")
	var seconds float64
	fmt.Sscanf(ran, "0:%f", &seconds)
	p.checkClip(data, "video/mp4", size, seconds)
	if p.canvasSize() == size {
		t.Error("the canvas does not follow the window again")
	}
	p.click("#clip-again")
	if again, same := next(); again != name || string(same) != string(data) {
		t.Errorf("%s of %d bytes is saved again as %s of %d", name, len(data), again, len(same))
	}
}

// TestClipEndsWithItsSource, and is saved; as WebM, with its length, where the browser writes no MP4.
func TestClipEndsWithItsSource(t *testing.T) {
	p := openReady(t, view{before: `MediaRecorder.isTypeSupported = (type) => type === "video/webm;codecs=vp8";`})
	next := p.downloads()
	p.set("confidence", "value", 0.15)
	p.click("#camera")
	p.next(2)
	p.recordFor("0:02")
	size := p.canvasSize()
	p.click("#stop")
	name, data := next()
	if !strings.HasSuffix(name, ".webm") {
		t.Errorf("it is called %q", name)
	}
	p.wait("document.querySelector('#keep-said').textContent.startsWith('What was recorded ended or changed.')")
	if eval[bool](p, recording) {
		t.Error("the button still records")
	}
	p.checkClip(data, "video/webm", size, 2)
}

// TestBrowserThatCantRecord says so.
func TestBrowserThatCantRecord(t *testing.T) {
	p := openReady(t, view{before: "delete globalThis.MediaRecorder;"})
	p.click("#camera")
	p.next(0)
	p.click("#keep-record")
	p.wait("document.querySelector('#keep-said').textContent.startsWith('This browser can\\'t record')")
}

// runRecorder runs a script with the recorder and a canvas that is drawn all the time.
func runRecorder[T any](t *testing.T, script string) T {
	t.Helper()
	result := api.Build(api.BuildOptions{
		Stdin:  &api.StdinOptions{Contents: `export * from "./src/keep/recorder.ts"; export {withDuration} from "./src/keep/webm.ts";`},
		Bundle: true, Format: api.FormatESModule, Plugins: []api.Plugin{fromFS(sources)},
	})
	if len(result.Errors) > 0 {
		t.Fatal(result.Errors)
	}
	site := Site{}
	site.add("blank.html", []byte(`<!doctype html><title>blank</title><link rel=icon href="data:,"><canvas width="320" height="240"></canvas>`))
	site.add("recorder.js", result.OutputFiles[0].Contents)
	p := open(t, view{path: "blank.html", site: NewHandler(site)})
	return eval[T](p, `(async () => {
		const {Recording, recordable, withDuration} = await import("/recorder.js");
		const canvas = document.querySelector("canvas");
		const context = canvas.getContext("2d");
		let n = 0;
		setInterval(() => {
			for (let y = 0; y < 240; y += 8) for (let x = 0; x < 320; x += 8) {
				context.fillStyle = "hsl(" + (n = (n * 48271 + 1) % 2147483647) % 360 + " 80% 50%)";
				context.fillRect(x, y, 8, 8);
			}
		}, 40);
		const lengthOf = (clip) => new Promise((resolve) => {
			const video = document.createElement("video");
			video.onloadedmetadata = () => resolve(video.duration);
			video.onerror = () => resolve(-1);
			video.src = URL.createObjectURL(clip.data);
		});
		const [type] = recordable();`+script+`})()`)
}

// TestClipsEndAtTheirLimits of time and of size.
func TestClipsEndAtTheirLimits(t *testing.T) {
	for end, limits := range map[string]string{"time": "{seconds: 1, bytes: 1e9}", "size": "{seconds: 600, bytes: 1e5}"} {
		got := runRecorder[struct {
			End, Ending string
			Length      float64
			Bytes       int
		}](t, fmt.Sprintf(`
			const clip = await new Recording(canvas, type, %s, () => {}).done;
			return {end: clip.end, ending: clip.ending, length: await lengthOf(clip), bytes: clip.data.size};`, limits))
		if got.End != end || got.Ending != "mp4" || got.Length < 0.5 || got.Bytes == 0 {
			t.Errorf("at the limit of %s: %+v", end, got)
		}
	}
}

// TestNothingIsLostWhenRecordingFails: an error of the browser's leaves what was recorded, and so does a recorder that ends by itself.
func TestNothingIsLostWhenRecordingFails(t *testing.T) {
	for what, c := range map[string]struct{ breaks, end, detail string }{
		"an error": {`recorder.dispatchEvent(Object.assign(new Event("error"), {error: new DOMException("the disk is full")}))`, "failed", "the disk is full"},
		"its end":  {`recorder.stream.getTracks()[0].stop()`, "source", ""},
	} {
		got := runRecorder[struct {
			End, Detail string
			Length      float64
		}](t, fmt.Sprintf(`
			let recorder;
			globalThis.MediaRecorder = new Proxy(MediaRecorder, {construct: (target, given) => (recorder = Reflect.construct(target, given))});
			let seconds = 0;
			const recording = new Recording(canvas, type, {seconds: 600, bytes: 1e9}, (s) => seconds = s);
			while (seconds < 2) await new Promise((resolve) => setTimeout(resolve, 50));
			%s;
			const clip = await recording.done;
			return {end: clip.end, detail: clip.detail, length: await lengthOf(clip)};`, c.breaks))
		if got.End != c.end || got.Detail != c.detail || got.Length < 1.5 {
			t.Errorf("after %s: %+v", what, got)
		}
	}
}

// TestLengthOfStreams: files that are no stream of WebM stay as they are.
func TestLengthOfStreams(t *testing.T) {
	changed := runRecorder[[]string](t, `
		const {data} = await new Recording(canvas, "video/webm;codecs=vp8", {seconds: 1, bytes: 1e9}, () => {}).done;
		const texts = {twice: data, short: data.slice(0, 40), none: new Blob([]), noise: new Blob([new Uint8Array(5000).fill(7)])};
		const changed = [];
		for (const [name, blob] of Object.entries(texts)) {
			const after = new Uint8Array(await (await withDuration(blob, 5)).arrayBuffer());
			const before = new Uint8Array(await blob.arrayBuffer());
			if (after.length !== before.length || after.some((v, i) => v !== before[i])) changed.push(name);
		}
		return changed;`)
	if len(changed) > 0 {
		t.Errorf("changed: %v", changed)
	}
}
