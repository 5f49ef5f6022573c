package web

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/evanw/esbuild/pkg/api"

	"spotter/models/detect"
	"spotter/web/headers"
)

// withVariants is the tests' site with the pages of variants/ and the pictures they show.
func withVariants(t *testing.T) Site {
	t.Helper()
	site := Site{}
	for name, f := range testSite(t) {
		site[name] = f
	}
	files, err := filepath.Glob("variants/*.*")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		site.add(file, data)
	}
	for as, name := range map[string]string{"picture": "astronaut", "portrait": "portrait", "cat": "cat", "coffee": "coffee"} {
		site.add("variants/"+as+".jpg", sampleFile(t, name))
	}
	return site
}

// bundleReact makes variants/react.js, as a project with a bundler would.
func bundleReact(t *testing.T) []byte {
	t.Helper()
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	result := api.Build(api.BuildOptions{
		EntryPoints: []string{"variants/react.jsx"}, AbsWorkingDir: here, Bundle: true, Format: api.FormatESModule,
		JSX: api.JSXAutomatic, External: []string{"../spotter.js"},
		Define: map[string]string{"process.env.NODE_ENV": `"production"`},
	})
	if len(result.Errors) > 0 {
		t.Fatalf("%v (npm ci in web/ brings React)", result.Errors)
	}
	return result.OutputFiles[0].Contents
}

// watchView gathers what the first view on the page sends.
const watchView = `
	globalThis.sent = {ready: [], progress: [], detections: [], error: []};
	customElements.whenDefined("spotter-view").then(() => {
		for (const view of document.querySelectorAll("spotter-view")) {
			for (const name of Object.keys(sent)) {
				view.addEventListener(name, ({detail}) => sent[name].push({view, detail}));
			}
		}
	});` + countWorkers

// countWorkers counts the workers of a page.
const countWorkers = `
	const watched = Worker;
	globalThis.workers = {started: 0, ended: 0};
	globalThis.Worker = class extends watched {
		constructor(...given) { super(...given); workers.started++; }
		terminate() { workers.ended++; super.terminate(); }
	};`

// openVariant opens one of the pages; h is what serves it, the usual handler where nil.
func openVariant(t *testing.T, name string, v view) *tab {
	t.Helper()
	v.path = "variants/" + name + v.path
	v.before = watchView + v.before
	if v.site == nil {
		v.site = NewHandler(withVariants(t))
	}
	return open(t, v)
}

// seen is the newest result that the page's view sent.
func (p *tab) seen() pageResult {
	p.t.Helper()
	p.wait("sent.detections.length > 0")
	return eval[pageResult](p, `(({width, height, detections, timings}) => ({width, height, detections, timings}))(sent.detections.at(-1).detail)`)
}

// engines is how many workers run. (One that finds no room for shared memory has another follow it.)
func (p *tab) engines() int {
	p.t.Helper()
	return eval[int](p, "workers.started - workers.ended")
}

// allEnded waits until no worker runs any more.
func (p *tab) allEnded() {
	p.t.Helper()
	for end := time.Now().Add(patience); p.engines() > 0; time.Sleep(30 * time.Millisecond) {
		if time.Now().After(end) {
			p.t.Fatalf("%v workers are left", eval[map[string]int](p, "workers"))
		}
	}
}

func TestPlainVariant(t *testing.T) {
	p := openVariant(t, "plain.html", view{width: 480, height: 480})
	compare(t, "the element", p.seen().Detections, want(t, detect.FromImage(samplePicture(t, "astronaut")), 0.25), 0.25)
	if n := eval[int](p, "sent.ready.length"); n != 1 {
		t.Errorf("ready was sent %d times", n)
	}
	if last := eval[float64](p, "sent.progress.at(-1).detail.part"); last != 1 {
		t.Errorf("the last progress says %v", last)
	}
	shape := eval[[]float64](p, `(() => { const r = document.querySelector("spotter-view").getBoundingClientRect(); return [r.width, r.height]; })()`)
	if ratio := shape[0] / shape[1]; ratio < 0.99 || ratio > 1.01 { // the picture is square
		t.Errorf("the view is %v for a square picture", shape)
	}
	p.screenshot("variant-plain")
	if got := eval[string](p, `document.querySelector("spotter-view").shadowRoot.querySelector("canvas").getAttribute("aria-label")`); !strings.Contains(got, "person") {
		t.Errorf("the canvas is labelled %q", got)
	}
	size := eval[[]int](p, `(async () => { const b = await createImageBitmap(await document.querySelector("spotter-view").snapshot()); return [b.width, b.height]; })()`)
	if size[0] != 512 || size[1] != 512 {
		t.Errorf("the snapshot is %v", size)
	}
}

func TestCameraVariant(t *testing.T) {
	p := openVariant(t, "camera.html", view{width: 640, height: 480})
	p.wait("sent.detections.length >= 8 && sent.detections.some(({detail}) => detail.tracks.length > 0)")
	p.screenshot("variant-camera")
	if labels := eval[[]string](p, "Object.keys(sent.detections.findLast(({detail}) => detail.tracks.length).detail.counts.classes)"); len(labels) == 0 {
		t.Error("tracks and no counts")
	}
	p.wait(`document.querySelector("spotter-view").matches("spotter-view") && !document.querySelector("spotter-view").shadowRoot.querySelector(".controls").hidden`)
	button := func(name string) {
		eval[bool](p, fmt.Sprintf(`document.querySelector("spotter-view").shadowRoot.querySelector("[part~=%s]").click() ?? true`, name))
	}
	video := `document.querySelector("spotter-view").shadowRoot.querySelector("video")`
	button("pause")
	p.wait(video + ".paused")
	button("pause")
	p.wait("!" + video + ".paused")
	button("flip")
	n := eval[int](p, "sent.detections.length")
	p.wait(fmt.Sprintf("sent.detections.length > %d + 2", n))
	button("stop")
	p.wait("!" + video + ".srcObject")
	eval[bool](p, `document.querySelector("spotter-view").remove() ?? true`)
	p.allEnded()
}

func TestAPIVariant(t *testing.T) {
	p := openVariant(t, "api.html", view{width: 560, height: 420})
	p.wait("document.querySelector('li')")
	if text := p.text("li"); !strings.HasPrefix(text, "person 0.") {
		t.Errorf("the page says %q", text)
	}
	p.screenshot("variant-api")
	p.allEnded()
}

// TestSeveralVariant: three views in sight share one worker; the one below the fold asks
// for nothing until it is scrolled to.
func TestSeveralVariant(t *testing.T) {
	p := openVariant(t, "several.html", view{width: 900, height: 420})
	p.wait("new Set(sent.detections.map((d) => d.view)).size === 3")
	if n := p.engines(); n != 1 {
		t.Errorf("%d workers for three views", n)
	}
	if eval[bool](p, "performance.getEntriesByType('resource').some((e) => e.name.endsWith('coffee.jpg'))") {
		t.Error("the view that nobody sees has loaded its picture")
	}
	p.screenshot("variant-several")
	weights := eval[int](p, "performance.getEntriesByType('resource').filter((e) => e.name.endsWith('.bin')).length")
	if weights > 1 {
		t.Errorf("the weights were asked for %d times", weights)
	}
	// Another threshold for one view: its own picture is looked at again, not another view's.
	eval[bool](p, "(document.querySelectorAll('spotter-view')[0].conf = 0.1) > 0")
	p.wait("sent.detections.length === 4")
	got := eval[pageResult](p, "(({width, height, detections}) => ({width, height, detections}))(sent.detections[3].detail)")
	compare(t, "again", got.Detections, want(t, detect.FromImage(samplePicture(t, "astronaut")), 0.1), 0.1)
	eval[bool](p, "(document.querySelector('#below').scrollIntoView(), true)")
	p.wait("sent.detections.at(-1).view.id === 'below'")
	eval[bool](p, "(document.querySelectorAll('spotter-view').forEach((v) => v.remove()), true)")
	p.allEnded()
}

func TestStyledVariant(t *testing.T) {
	p := openVariant(t, "styled.html", view{})
	p.seen()
	p.screenshot("variant-styled")
	if outline := eval[string](p, `getComputedStyle(document.querySelector("spotter-view").shadowRoot.querySelector(".stage")).outlineColor`); outline != "rgb(0, 128, 0)" {
		t.Errorf("::part(stage) does not reach the stage: %s", outline)
	}
	// The first class's colour is pure red: corners are drawn in it.
	red := eval[int](p, `(() => {
		const canvas = document.querySelector("spotter-view").shadowRoot.querySelector("canvas");
		const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
		let n = 0;
		for (let i = 0; i < data.length; i += 4) n += data[i] === 255 && data[i + 1] === 0 && data[i + 2] === 0;
		return n;
	})()`)
	if red < 200 {
		t.Errorf("%d points are red", red)
	}
	label := eval[string](p, `document.querySelector("spotter-view").labelOf({label: "person", score: 0.5})`)
	if label != "astronaut 50%" {
		t.Errorf("the label is %q", label)
	}
}

// peopleIn counts the people that the reference finds in a sample.
func peopleIn(t *testing.T, name string) string {
	t.Helper()
	n := 0
	for _, d := range want(t, detect.FromImage(samplePicture(t, name)), 0.25) {
		if d.Label == "person" {
			n++
		}
	}
	return fmt.Sprint(n)
}

func TestShadowVariant(t *testing.T) {
	p := openVariant(t, "shadow.html", view{})
	p.wait("document.querySelector('my-door').dataset.people")
	if n, want := eval[string](p, "document.querySelector('my-door').dataset.people"), peopleIn(t, "astronaut"); n != want {
		t.Errorf("%s people, want %s", n, want)
	}
}

// TestStrictPolicyVariant: nothing inline, nothing from elsewhere, no eval, no blobs, trusted types.
func TestStrictPolicyVariant(t *testing.T) {
	p := openVariant(t, "csp.html", view{before: `globalThis.breaches = [];
		document.addEventListener("securitypolicyviolation", (e) => breaches.push(e.violatedDirective + " " + e.blockedURI));`})
	p.seen()
	if breaches := eval[[]string](p, "breaches"); len(breaches) > 0 {
		t.Errorf("breaches: %v", breaches)
	}
	if w := eval[float64](p, `document.querySelector("spotter-view").shadowRoot.querySelector("canvas").getBoundingClientRect().width`); w < 300 {
		t.Errorf("the canvas is %v wide: its style was refused", w)
	}
}

// bare serves a handler's files as a plain static host does: without the headers that
// isolate a page or restrict it.
func bare(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.ServeHTTP(unisolated{w}, r) })
}

type unisolated struct{ http.ResponseWriter }

func (u unisolated) WriteHeader(status int) {
	u.strip()
	u.ResponseWriter.WriteHeader(status)
}

func (u unisolated) Write(data []byte) (int, error) {
	u.strip()
	return u.ResponseWriter.Write(data)
}

func (u unisolated) strip() {
	for _, h := range headers.Security {
		u.Header().Del(h[0])
	}
}

func TestFrameVariant(t *testing.T) {
	p := openVariant(t, "iframe.html", view{site: bare(NewHandler(withVariants(t)))})
	p.wait("frames[0].sent?.detections.length > 3")
	if eval[bool](p, "frames[0].crossOriginIsolated") {
		t.Fatal("the frame is isolated: the test shows nothing")
	}
	mode := eval[map[string]any](p, "frames[0].sent.ready[0].detail.mode")
	if mode["threads"] != 1.0 || mode["limit"] != "isolation" || !strings.Contains(mode["reason"].(string), "Cross-Origin-Opener-Policy") {
		t.Errorf("mode: %v", mode)
	}
}

func TestReactVariant(t *testing.T) {
	site := withVariants(t)
	site.add("variants/react.js", bundleReact(t))
	p := openVariant(t, "react.html", view{site: NewHandler(site)})
	p.wait("document.querySelector('#people')?.textContent === '" + peopleIn(t, "astronaut") + "'")
	p.click("#sure")
	p.wait("document.querySelector('#people').textContent === '0'")
	p.click("#other")
	p.wait("document.querySelector('spotter-view').getAttribute('src') === 'portrait.jpg'")
	p.click("#gone")
	p.allEnded()
	if errors := eval[int](p, "sent.error.length"); errors != 0 {
		t.Errorf("%d errors", errors)
	}
}
