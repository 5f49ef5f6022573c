package web

import (
	"fmt"
	"testing"
)

// watchCanvas notes for each result of the camera which scene the canvas shows, by its ground.
const watchCanvas = `
	globalThis.frames = [];
	document.addEventListener("detections", ({detail}) => {
		const canvas = document.querySelector("#canvas");
		const corner = canvas.getContext("2d").getImageData(canvas.width >> 1, canvas.height - 3, 1, 1).data;
		frames.push({scene: corner[0] > corner[2] ? 0 : 1, width: detail.width, height: detail.height,
			detections: detail.detections, total: detail.total});
	});`

type liveFrame struct {
	Scene         int
	Width, Height int
	Detections    []pageDetection
	Total         float64
}

// TestBoxesLieOverTheirOwnFrame plays two scenes by turns and looks whether the boxes
// that are drawn belong to the scene that is drawn.
func TestBoxesLieOverTheirOwnFrame(t *testing.T) {
	p := openReady(t, view{before: watchCanvas})
	p.click("#camera")
	p.wait("new Set(frames.filter(f => f.detections.length).map(f => f.scene)).size === 2 && frames.length >= 24")
	counts := map[int]int{}
	for i, f := range eval[[]liveFrame](p, "frames") {
		if f.Width != videoWidth || f.Height != videoHeight {
			t.Fatalf("frame %d is %dx%d", i, f.Width, f.Height)
		}
		for _, d := range f.Detections {
			if d.Label != "person" || d.Score < 0.4 {
				continue
			}
			counts[f.Scene]++
			centre, at := (d.Box[0]+d.Box[2])/2, scenes[f.Scene].at
			if centre < float32(at.Min.X) || centre > float32(at.Max.X) {
				t.Errorf("frame %d shows %s, and a person at %v", i, scenes[f.Scene].sample, d.Box)
			}
		}
	}
	if counts[0] == 0 || counts[1] == 0 {
		t.Errorf("persons found: %v", counts)
	}
	p.click("#stop")
	p.wait("document.querySelector('#stage').dataset.state === 'none'")
	if live := eval[bool](p, "!!document.querySelector('#video').srcObject"); live {
		t.Error("the camera runs on after Stop")
	}
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
	document.addEventListener("detections", () => traffic.inWork--);
	const close = VideoFrame.prototype.close;
	VideoFrame.prototype.close = function () { traffic.closed++; return close.call(this); };
	globalThis.VideoFrame = new Proxy(VideoFrame, {construct(target, given) {
		traffic.made++;
		return Reflect.construct(target, given);
	}});`, ms)
}

// TestSlowEngineGetsNoQueue: with an engine that takes far longer than a frame lasts,
// one frame is in work, one waits, and the rest are dropped and closed.
func TestSlowEngineGetsNoQueue(t *testing.T) {
	p := openReady(t, view{before: watchCanvas + slow(500)})
	p.click("#camera")
	p.wait("traffic.sent >= 5")
	got := eval[map[string]int](p, "traffic")
	if got["most"] != 1 {
		t.Errorf("%d frames were with the engine at one time", got["most"])
	}
	if open := got["made"] - got["closed"]; open > 4 {
		t.Errorf("%d of %d frames are open: they queue", open, got["made"])
	}
	if got["made"] < 3*got["sent"] {
		t.Errorf("%d frames came for %d that were worked on: the engine was not slow", got["made"], got["sent"])
	}
	for _, f := range eval[[]liveFrame](p, "frames") {
		if f.Total > 5000 {
			t.Errorf("a frame took %v ms", f.Total)
		}
	}
}

// TestVideoFile records a short clip in the browser and drops it onto the page.
func TestVideoFile(t *testing.T) {
	p := openReady(t, view{before: watchCanvas})
	eval[bool](p, `(async () => {
		const source = document.createElement("canvas");
		[source.width, source.height] = [320, 240];
		const context = source.getContext("2d");
		const sample = document.querySelector("[data-name=portrait]").dataset.sample;
		const picture = await createImageBitmap(await (await fetch(sample)).blob());
		const recorder = new MediaRecorder(source.captureStream(10), {mimeType: "video/webm;codecs=vp8"});
		const chunks = [];
		recorder.ondataavailable = (e) => chunks.push(e.data);
		const ended = new Promise((resolve) => recorder.onstop = resolve);
		recorder.start();
		for (let i = 0; i < 12; i++) {
			context.drawImage(picture, i, 0, 205, 240);
			await new Promise((resolve) => setTimeout(resolve, 100));
		}
		recorder.stop();
		await ended;
		const files = new DataTransfer();
		files.items.add(new File(chunks, "clip.webm", {type: "video/webm"}));
		return document.querySelector("#stage").dispatchEvent(new DragEvent("drop", {dataTransfer: files, bubbles: true, cancelable: true}));
	})()`)
	p.wait("frames.length >= 3")
	if f := eval[[]liveFrame](p, "frames")[0]; f.Width != 320 || f.Height != 240 {
		t.Errorf("frames are %dx%d", f.Width, f.Height)
	}
	p.click("#play")
	p.wait("document.querySelector('#video').paused")
	if text := p.text("#play"); text != "Play" {
		t.Errorf("the button of a paused video says %q", text)
	}
	n := eval[int](p, "found.length")
	p.set("confidence", "value", 0.05)
	p.next(n) // the frame that is shown is looked at again
	n = eval[int](p, "found.length")
	p.set("seek", "value", 500)
	p.next(n)
}
