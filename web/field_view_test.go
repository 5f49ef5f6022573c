package web

import (
	"fmt"
	"testing"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/page"

	"spotter/models/detect"
)

// viewGoesOn waits for a few more results of the view.
func (p *tab) viewGoesOn() {
	p.t.Helper()
	p.wait(fmt.Sprintf("sent.detections.length > %d", eval[int](p, "sent.detections.length")+3))
}

// TestViewInTheField: what befalls a page befalls the element: it goes on by itself, or says
// with an event of which kind the error is.
func TestViewInTheField(t *testing.T) {
	p := openView(t, `src="camera"`, view{worker: keepThreads, expects: "VideoFrame was garbage collected"})
	p.viewGoesOn()
	front := p.behind() // hidden, then frozen
	p.wait("part('stage').querySelector('video').paused")
	p.lifecycle(page.SetWebLifecycleStateStateFrozen)
	p.lifecycle(page.SetWebLifecycleStateStateActive)
	front(true)
	p.viewGoesOn()
	eval[bool](p, `part("stage").querySelector("video").srcObject.getVideoTracks()[0]
		.applyConstraints({width: {exact: 320}, height: {exact: 240}}).then(() => true)`)
	p.wait("sent.detections.at(-1).detail.width === 320")
	if threads := eval[int](p, "one.mode.threads"); threads > 1 {
		p.inWorker(engineWorker, "started.at(-1).terminate()")
		p.wait("sent.ready.at(-1).detail.mode.threads === 1")
		if reason := eval[string](p, "one.mode.reason"); reason != "One thread: another one stopped answering." {
			t.Errorf("the mode's reason is %q", reason)
		}
	}
	n := eval[int](p, "sent.ready.length")
	p.inWorker(engineWorker, "setTimeout(close, 300), undefined")
	p.wait(fmt.Sprintf("sent.ready.length === %d", n+1))
	p.viewGoesOn()
	if n := eval[int](p, "sent.error.length"); n > 0 {
		t.Errorf("%d errors for what the view got over by itself", n)
	}
	p.setCamera(browser.PermissionSettingDenied)
	p.wait("sent.error.at(-1)?.detail.code === 'camera-denied' && !part('error').hidden")
	p.setCamera(browser.PermissionSettingGranted)
	eval[bool](p, "(part('retry').click(), true)")
	p.viewGoesOn()
}

// TestDetectorInTheField: a picture that went with its worker is looked at again, a loop over a
// stream goes on, and a detector whose workers keep ending rejects with a typed error.
func TestDetectorInTheField(t *testing.T) {
	site := withBlank(t)
	p := open(t, view{path: "blank.html", site: NewHandler(site), before: endWorkers, expects: "VideoFrame was garbage collected"})
	got := eval[struct {
		Found   []pageDetection
		Frames  int
		Refused string
		Left    string
	}](p, "(async () => {"+samplesScript(t, site)+moduleSetUp+`
		const detector = await Detector.load();
		const blob = await sampleOf("astronaut");
		ends = 1;
		const found = (await detector.detect(blob)).detections;
		const stream = await navigator.mediaDevices.getUserMedia({video: true});
		let frames = 0;
		for await (const frame of detector.watch(stream)) {
			if (++frames === 2) ends = 1;
			if (frames === 4) break;
		}
		stream.getTracks()[0].stop();
		ends = 99;
		let refused = "restarted";
		while (refused === "restarted") refused = await outcome(detector.detect(blob));
		return {found, frames, refused, left: await outcome(detector.detect(blob))};
	})()`)
	compare(t, "after a worker's end", got.Found, want(t, detect.FromImage(samplePicture(t, "astronaut")), 0.25), 0.25)
	if got.Frames != 4 {
		t.Errorf("the loop ended after %d frames", got.Frames)
	}
	if got.Refused != "engine" || got.Left != "engine" {
		t.Errorf("when workers keep ending it says %s, then %s", got.Refused, got.Left)
	}
}
