package web

import (
	"fmt"
	"testing"

	"spotter/models/detect"
)

// watchCanvas notes for each result which scene the canvas shows, by its ground.
const watchCanvas = `
	globalThis.frames = [];
	const pixel = new OffscreenCanvas(1, 1).getContext("2d", {willReadFrequently: true});
	document.addEventListener("detections", ({detail}) => {
		const canvas = document.querySelector("#canvas");
		pixel.drawImage(canvas, canvas.width >> 1, canvas.height - 3, 1, 1, 0, 0, 1, 1);
		const [red, , blue] = pixel.getImageData(0, 0, 1, 1).data;
		frames.push({scene: red > blue ? 0 : 1, width: detail.width, height: detail.height,
			detections: detail.detections, total: detail.total});
	});`

type liveFrame struct {
	Scene         int
	Width, Height int
	Detections    []pageDetection
	Total         float64
}

// TestBoxesLieOverTheirOwnFrame plays two scenes by turns and looks whether the boxes
// that are drawn are those of the scene that is drawn, and not of the one before.
func TestBoxesLieOverTheirOwnFrame(t *testing.T) {
	const confidence = 0.15
	p := openReady(t, view{before: watchCanvas})
	p.set("confidence", "value", confidence)
	var best [2]pageDetection
	for i, s := range scenes {
		found := want(t, detect.FromImage(s.paint(t)), confidence)
		if len(found) == 0 {
			t.Fatalf("the reference finds nothing in scene %d", i)
		}
		best[i] = found[0]
	}
	if iou := detect.IOU(best[0].Box, best[1].Box); iou > 0.5 {
		t.Fatalf("the scenes are too alike: %v", iou)
	}
	p.click("#camera")
	p.wait("new Set(frames.map(f => f.scene)).size === 2 && frames.length >= 24")
	p.screenshot("camera")
	for i, f := range eval[[]liveFrame](p, "frames") {
		if f.Width != videoWidth || f.Height != videoHeight {
			t.Fatalf("frame %d is %dx%d", i, f.Width, f.Height)
		}
		own, other := nearest(best[f.Scene], f.Detections), nearest(best[1-f.Scene], f.Detections)
		if own < 0.9 || own < other {
			t.Errorf("frame %d shows %s; its boxes overlap that scene's by %.3f, the other's by %.3f: %v",
				i, scenes[f.Scene].sample, own, other, f.Detections)
		}
	}
	p.click("#stop")
	p.wait("document.querySelector('#stage').dataset.state === 'none'")
	if live := eval[bool](p, "!!document.querySelector('#video').srcObject"); live {
		t.Error("the camera runs on after Stop")
	}
}

// nearest is the largest overlap of any of the detections with one.
func nearest(d pageDetection, in []pageDetection) float32 {
	var most float32
	for _, o := range in {
		most = max(most, detect.IOU(o.Box, d.Box))
	}
	return most
}

// TestOtherCamera: with two cameras the page offers to change, and does.
func TestOtherCamera(t *testing.T) {
	const device = "document.querySelector('#video').srcObject?.getVideoTracks()[0].getSettings().deviceId"
	p := openReady(t, view{camera: twoCameras})
	p.click("#camera")
	p.next(0)
	first := eval[string](p, device)
	p.click("#flip")
	p.wait(fmt.Sprintf("(%s ?? %q) !== %q", device, first, first))
	p.next(eval[int](p, "found.length"))
	p.set("camera-size", "value", 1080)
	p.wait("found.at(-1).height > 480")
	p.click("#mirror")
	if pressed := eval[string](p, "document.querySelector('#mirror').ariaPressed"); pressed != "true" {
		t.Errorf("the mirror says %s", pressed)
	}
}

// TestCameraGoesAway: a camera that is unplugged, or whose permission is withdrawn, ends its track.
func TestCameraGoesAway(t *testing.T) {
	p := openReady(t, view{})
	p.click("#camera")
	p.next(0)
	eval[bool](p, "document.querySelector('#video').srcObject.getVideoTracks()[0].dispatchEvent(new Event('ended'))")
	if code := p.notice(); code != "camera-lost" {
		t.Errorf("the notice tells of %s", code)
	}
	p.click("#notice-action")
	p.wait("document.querySelector('#stage').dataset.state === 'camera'")
	p.next(eval[int](p, "found.length"))
}

// slow delays what the page sends to the engine, and counts what is on its way.
func slow(ms int) string {
	return fmt.Sprintf(`
	globalThis.traffic = {inWork: 0, most: 0, sent: 0, made: 0, closed: 0};
	const post = Worker.prototype.postMessage;
	Worker.prototype.postMessage = function (message, transfer) {
		if (message.kind !== "run") return post.call(this, message, transfer);
		traffic.inWork++;
		traffic.sent++;
		traffic.most = Math.max(traffic.most, traffic.inWork);
		setTimeout(() => post.call(this, message, transfer), %d);
	};
	globalThis.Worker = new Proxy(Worker, {construct(target, given) {
		const worker = Reflect.construct(target, given);
		worker.addEventListener("message", ({data}) => traffic.inWork -= data.kind === "result");
		return worker;
	}});
	const close = VideoFrame.prototype.close;
	VideoFrame.prototype.close = function () { traffic.closed++; return close.call(this); };
	globalThis.VideoFrame = new Proxy(VideoFrame, {construct(target, given) {
		traffic.made++;
		return Reflect.construct(target, given);
	}});`, ms)
}

// TestSlowEngineGetsNoQueue: with an engine that takes far longer than a frame lasts,
// one frame is in work, none waits, and each is shown before the next result comes.
func TestSlowEngineGetsNoQueue(t *testing.T) {
	p := openReady(t, view{before: watchCanvas + slow(500)})
	p.click("#camera")
	p.wait("traffic.sent >= 5")
	got := eval[map[string]int](p, "traffic")
	if got["most"] != 1 {
		t.Errorf("%d frames were with the engine at one time", got["most"])
	}
	if open := got["made"] - got["closed"]; open > 3 {
		t.Errorf("%d of %d frames are open: they queue", open, got["made"])
	}
	if came := eval[int](p, "document.querySelector('#video').getVideoPlaybackQuality().totalVideoFrames"); came < 3*got["sent"] {
		t.Errorf("%d frames came for %d that were worked on: the engine was not slow", came, got["sent"])
	}
	for _, f := range eval[[]liveFrame](p, "frames") {
		if f.Total > 5000 {
			t.Errorf("a frame took %v ms", f.Total)
		}
	}
}

// dropClip records a short clip in the browser and drops it onto the page. With a slice in milliseconds
// the recorder gives the clip away piece by piece, and so can't write into it how long it is.
func dropClip(p *tab, slice string) {
	p.t.Helper()
	eval[bool](p, fmt.Sprintf(`(async () => {
		const source = document.createElement("canvas");
		[source.width, source.height] = [320, 240];
		const context = source.getContext("2d");
		const sample = document.querySelector("[data-name=portrait]").dataset.sample;
		const picture = await createImageBitmap(await (await fetch(sample)).blob());
		const recorder = new MediaRecorder(source.captureStream(10), {mimeType: "video/webm;codecs=vp8"});
		const chunks = [];
		recorder.ondataavailable = (e) => chunks.push(e.data);
		const ended = new Promise((resolve) => recorder.onstop = resolve);
		recorder.start(%s);
		for (let i = 0; i < 12; i++) {
			context.drawImage(picture, i, 0, 205, 240);
			await new Promise((resolve) => setTimeout(resolve, 100));
		}
		recorder.stop();
		await ended;
		const files = new DataTransfer();
		files.items.add(new File(chunks, "clip.webm", {type: "video/webm"}));
		return document.querySelector("#stage").dispatchEvent(new DragEvent("drop", {dataTransfer: files, bubbles: true, cancelable: true}));
	})()`, slice))
}

func TestVideoFile(t *testing.T) {
	p := openReady(t, view{before: watchCanvas})
	dropClip(p, "")
	p.wait("frames.length >= 3")
	if f := eval[[]liveFrame](p, "frames")[0]; f.Width != 320 || f.Height != 240 {
		t.Errorf("frames are %dx%d", f.Width, f.Height)
	}
	p.click("#play")
	p.wait("document.querySelector('#video').paused")
	p.wait("document.querySelector('#play').innerText === 'Play'")
	n := eval[int](p, "found.length")
	p.set("confidence", "value", 0.05)
	p.next(n) // the frame that is shown is looked at again
}

// TestSoughtFramesAreLookedAt seeks while a clip is paused: browsers present the frame that was
// sought at times before the video element will give it.
func TestSoughtFramesAreLookedAt(t *testing.T) {
	for name, slice := range map[string]string{"known length": "", "unknown length": "100"} {
		t.Run(name, func(t *testing.T) {
			p := openReady(t, view{before: watchCanvas})
			dropClip(p, slice)
			p.wait("frames.length >= 2")
			p.click("#play")
			p.wait("document.querySelector('#video').paused && !document.querySelector('#seek').disabled")
			for range 12 {
				n := eval[int](p, "found.length")
				// Far from where it is: a seek to the very frame that is shown brings no other.
				p.set("seek", "value", "e.value < 500 ? 900 : 100")
				p.next(n)
			}
		})
	}
}
