package web

import (
	"encoding/json"
	"fmt"
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
