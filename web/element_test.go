package web

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net/http"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"spotter/models/detect"
)

// withView is a site with a page of one view of these attributes.
func withView(t *testing.T, attributes string) Site {
	t.Helper()
	site := withVariants(t)
	site.add("variants/view.html", []byte(`<!doctype html><html lang="en"><link rel="icon" href="data:,">
		<script type="module" src="../spotter.js"></script><spotter-view `+attributes+`></spotter-view></html>`))
	return site
}

// withClip serves the clip that the page puts there, besides the rest.
func withClip(t *testing.T, rest http.Handler) http.Handler {
	t.Helper()
	var clip []byte
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path != "/variants/clip.webm":
			rest.ServeHTTP(w, r)
		case r.Method == http.MethodPut:
			clip, _ = io.ReadAll(r.Body)
		default:
			w.Header().Set("Content-Type", "video/webm")
			w.Header().Set("Cross-Origin-Resource-Policy", "same-origin")
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(clip))
		}
	})
}

// openView opens a page of one view.
func openView(t *testing.T, attributes string, v view) *tab {
	t.Helper()
	if v.site == nil {
		v.site = NewHandler(withView(t, attributes))
	}
	p := openVariant(t, "view.html", v)
	p.wait("customElements.get('spotter-view')")
	eval[bool](p, `(globalThis.one = document.querySelector("spotter-view"), globalThis.part = (name) => one.shadowRoot.querySelector("[part~=" + name + "]"), true)`)
	return p
}

// TestAttributesAndProperties mirror each other.
func TestAttributesAndProperties(t *testing.T) {
	p := openView(t, `src="picture.jpg" conf="0.4" masks="off" classes="person, dog"`, view{})
	got := eval[map[string]any](p, `(() => {
		const before = [one.src, one.conf, one.masks, one.labels, one.tracking, one.classes, one.iou, one.model];
		one.conf = 0.3;
		one.masks = true;
		one.labels = false;
		one.tracking = true;
		one.classes = [0, "cat"];
		one.facing = "user";
		one.model = "/models.json";
		const after = Object.fromEntries([...one.attributes].map((a) => [a.name, a.value]));
		one.classes = null;
		one.tracking = false;
		return {before, after, gone: [one.hasAttribute("classes"), one.hasAttribute("tracking")]};
	})()`)
	if text := fmt.Sprint(got["before"]); text != "[picture.jpg 0.4 false true false [person dog] <nil> <nil>]" {
		t.Errorf("properties: %s", text)
	}
	after := fmt.Sprint(got["after"])
	if after != "map[classes:0,cat conf:0.3 facing:user labels:off model:/models.json src:picture.jpg tracking:]" {
		t.Errorf("attributes: %s", after)
	}
	if fmt.Sprint(got["gone"]) != "[false false]" {
		t.Errorf("removed: %v", got["gone"])
	}
}

// TestChangesReachThePicture: thresholds, classes and another source show in the next result.
func TestChangesReachThePicture(t *testing.T) {
	p := openView(t, `src="picture.jpg" conf="0.1"`, view{})
	ref := want(t, detect.FromImage(samplePicture(t, "astronaut")), 0.1)
	compare(t, "at first", p.seen().Detections, ref, 0.1)
	eval[bool](p, "(one.classes = ['bicycle'], true)")
	p.wait("sent.detections.at(-1).detail.detections.length === 0")
	eval[bool](p, "(one.classes = null, one.src = 'portrait.jpg', true)")
	p.wait("sent.detections.at(-1).detail.height === 600 && sent.detections.at(-1).detail.detections.length > 0")
	compare(t, "another source", p.seen().Detections, want(t, detect.FromImage(samplePicture(t, "portrait")), 0.1), 0.1)
	eval[bool](p, "(async () => { await one.open(await (await fetch('cat.jpg')).blob()); return true; })()")
	cat := samplePicture(t, "cat").Bounds()
	p.wait(fmt.Sprintf("sent.detections.at(-1).detail.width === %d", cat.Dx()))
	if n := p.engines(); n != 1 {
		t.Errorf("%d workers run", n)
	}
}

// TestOutOfSightItRests: no frames while it can't be seen, the camera off after a moment, and
// all as before when it comes back; removed, it holds nothing.
func TestOutOfSightItRests(t *testing.T) {
	p := openView(t, `src="camera"`, view{})
	p.wait("sent.detections.length > 2")
	eval[bool](p, "(one.hidden = true)")
	p.wait("part('stage').querySelector('video').paused")
	p.wait("!part('stage').querySelector('video').srcObject")
	n := eval[int](p, "sent.detections.length")
	eval[bool](p, "new Promise((resolve) => setTimeout(resolve, 500, true))")
	if later := eval[int](p, "sent.detections.length"); later > n+1 {
		t.Errorf("%d results came while nobody could see them", later-n)
	}
	eval[bool](p, "!(one.hidden = false)")
	p.wait(fmt.Sprintf("sent.detections.length > %d", n+2))
	eval[bool](p, "(globalThis.track = part('stage').querySelector('video').srcObject.getTracks()[0], one.remove(), true)")
	p.wait("track.readyState === 'ended'")
	p.allEnded()
	eval[bool](p, "(document.body.append(one), true)")
	n = eval[int](p, "sent.detections.length")
	p.wait(fmt.Sprintf("sent.detections.length > %d", n))
}

// TestMovingKeepsTheEngine: a view that is put elsewhere in the page goes on.
func TestMovingKeepsTheEngine(t *testing.T) {
	p := openView(t, `src="picture.jpg"`, view{})
	p.seen()
	before := eval[map[string]int](p, "workers")
	eval[bool](p, "(document.body.prepend(document.createElement('main')), document.querySelector('main').append(one), true)")
	eval[bool](p, "(one.conf = 0.1, true)")
	p.wait("sent.detections.length === 2")
	if after := eval[map[string]int](p, "workers"); !maps.Equal(before, after) {
		t.Errorf("workers before %v, after %v", before, after)
	}
}

// TestErrorsOfTheView are events with a code, and words in the view with a way on.
func TestErrorsOfTheView(t *testing.T) {
	for _, c := range []struct {
		name, attributes, code, cure string
		view                         view
	}{
		{"no such picture", `src="nothing.jpg"`, "not-found", "one.src = 'picture.jpg'", view{expects: "404"}},
		{"no picture", `src="several.css"`, "bad-picture", "one.src = 'picture.jpg'", view{}},
		{"a page", `src="plain.html"`, "html-instead", "one.src = 'picture.jpg'", view{}},
		{"no such model", `src="picture.jpg" model="nothing.json"`, "not-found", "one.model = '/models.json'", view{expects: "404"}},
		{"denied camera", `src="camera"`, "camera-denied", "one.src = 'picture.jpg'", view{camera: deniedCamera}},
		{"no camera", `src="camera"`, "camera-missing", "one.src = 'picture.jpg'", view{camera: noCamera}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := openView(t, c.attributes, c.view)
			p.wait("sent.error.length > 0 || !part('error').hidden")
			if code := eval[string](p, "part('error').dataset.code"); code != c.code {
				t.Errorf("code %s, want %s", code, c.code)
			}
			if text := eval[string](p, "part('message').textContent + part('hint').textContent"); len(text) < 40 {
				t.Errorf("it says %q", text)
			}
			if c.code == "camera-denied" {
				p.screenshot("view-error")
			}
			eval[bool](p, "("+c.cure+", true)")
			if c.cure == "one.model = '/models.json'" {
				eval[bool](p, "(part('retry').click(), true)")
			}
			p.wait("sent.detections.length > 0 && part('error').hidden")
		})
	}
}

// TestViewSpeaksChinese where the page does.
func TestViewSpeaksChinese(t *testing.T) {
	p := openView(t, `controls lang="zh-CN"`, view{})
	if text := eval[string](p, "part('begin').textContent"); text != "使用摄像头" {
		t.Errorf("the button says %q", text)
	}
	eval[bool](p, "(part('begin').click(), true)")
	p.wait("sent.detections.length > 1")
	p.wait("part('canvas').getAttribute('aria-label').includes('个')")
	if text := eval[string](p, "part('stop').textContent"); text != "停止" {
		t.Errorf("the button says %q", text)
	}
}

// TestScreenTakesAClick: sharing the screen waits for the visitor, and ends with the sharing.
func TestScreenTakesAClick(t *testing.T) {
	p := openView(t, `src="screen"`, view{})
	eval[bool](p, "new Promise((resolve) => setTimeout(resolve, 300, true))")
	if n := eval[int](p, "workers.started"); n != 0 {
		t.Error("it started by itself")
	}
	p.do(chromedp.Click(chromedp.JSPath(`document.querySelector("spotter-view").shadowRoot.querySelector("[part~=begin]")`)))
	p.wait("sent.detections.length > 1")
	eval[bool](p, "(globalThis.track = part('stage').querySelector('video').srcObject.getTracks()[0], one.stop(), true)")
	p.wait("track.readyState === 'ended' && !part('idle').hidden")
}

// TestVideosAndRates: a video by its address plays, no faster than asked for, and stands still
// while paused; settings still reach the frame that is shown.
func TestVideosAndRates(t *testing.T) {
	p := openView(t, `fps="4"`, view{site: withClip(t, NewHandler(withView(t, `fps="4"`)))})
	eval[bool](p, `(async () => {
		const canvas = document.createElement("canvas");
		[canvas.width, canvas.height] = [320, 240];
		const context = canvas.getContext("2d");
		const picture = await createImageBitmap(await (await fetch("portrait.jpg")).blob());
		const recorder = new MediaRecorder(canvas.captureStream(20), {mimeType: "video/webm;codecs=vp8"});
		const chunks = [];
		recorder.ondataavailable = (e) => chunks.push(e.data);
		const ended = new Promise((resolve) => recorder.onstop = resolve);
		recorder.start();
		for (let i = 0; i < 30; i++) {
			context.drawImage(picture, i, 0, 205, 240);
			await new Promise((resolve) => setTimeout(resolve, 50));
		}
		recorder.stop();
		await ended;
		await fetch("clip.webm", {method: "PUT", body: new Blob(chunks)});
		one.src = "clip.webm";
		return true;
	})()`)
	p.wait("sent.detections.length > 0")
	rate := eval[float64](p, `(async () => {
		const [from, before] = [performance.now(), sent.detections.length];
		await new Promise((resolve) => setTimeout(resolve, 3000));
		return (sent.detections.length - before) / (performance.now() - from) * 1000;
	})()`)
	if rate > 4.8 || rate < 0.3 { // the clip has 20 a second; one may fall on either side
		t.Errorf("%.1f results a second, asked for 4 at most", rate)
	}
	eval[bool](p, "(one.pause(), true)")
	p.wait("part('stage').querySelector('video').paused")
	eval[bool](p, "new Promise((resolve) => setTimeout(resolve, 300, true))")
	n := eval[int](p, "sent.detections.length")
	eval[bool](p, "(one.conf = 0.05, true)")
	p.wait(fmt.Sprintf("sent.detections.length === %d", n+1))
	eval[bool](p, "(one.resume(), true)")
	p.wait(fmt.Sprintf("sent.detections.length > %d", n+2))
}
