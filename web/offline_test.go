package web

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"spotter/models/detect"
)

// countLoads counts the documents that a tab has loaded.
const countLoads = record + `try { sessionStorage.loads = Number(sessionStorage.loads || 0) + 1 } catch {}`

const (
	keptScript   = `!document.querySelector("#offline").hidden && document.querySelector("#offline-state").textContent.includes("model are kept")`
	cachesScript = `caches.keys().then((names) => names.join("|"))`
)

func loads(p *tab) int { return eval[int](p, `Number(sessionStorage.loads)`) }

// reopen opens the tab's address anew, as a later visit does.
func reopen(p *tab) {
	p.t.Helper()
	at := eval[string](p, "location.href")
	p.do(chromedp.Navigate(at))
}

// eventually is wait for pages that reload themselves: a script that meets a document
// on its way in or out is asked again.
func (p *tab) eventually(script string) {
	p.t.Helper()
	var last error
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(30 * time.Millisecond) {
		ctx, cancel := context.WithTimeout(p.ctx, patience)
		met, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("!!("+script+")"))
		cancel()
		if last = err; err == nil && met {
			return
		}
	}
	p.t.Fatalf("never true: %s (%v)\nthe page said: %s", script, last, strings.Join(p.console(), "\n"))
}

func (p *tab) ready() {
	p.t.Helper()
	p.eventually("document.readyState === 'complete' && document.querySelector('#stage').dataset.ready")
}

func TestWorksOfflineAfterTheFirstVisit(t *testing.T) {
	ref := want(t, detect.FromImage(samplePicture(t, "astronaut")), 0.25)
	host := newHost(testSite(t))
	p := open(t, view{site: host, before: record, expects: "ERR_EMPTY_RESPONSE|ServiceWorker"})
	p.ready()
	p.wait(keptScript)
	before := host.answers("models/")
	host.down.Store(true)
	reopen(p)
	p.ready()
	compare(t, "offline", p.sample("astronaut").Detections, ref, 0.25)
	if !eval[bool](p, "crossOriginIsolated") {
		t.Error("the page from the cache is not isolated")
	}
	if before != 2 {
		t.Errorf("%d downloads of a module and its weights", before)
	}
	p.screenshot("offline")
}

// TestBroughtModelsWorkOffline: a model that somebody brought, and the compiler, are there
// without a network, also for a size that was never compiled.
func TestBroughtModelsWorkOffline(t *testing.T) {
	host := newHost(testSite(t))
	p := open(t, view{site: host, expects: "ERR_EMPTY_RESPONSE|ServiceWorker",
		before: record + `Object.defineProperty(StorageManager.prototype, "persist", {value: async () => sessionStorage.persisted = "yes"});`})
	p.ready()
	p.wait(keptScript)
	p.bring("best.pt", readFile(t, formatsDir, "best.pt"))
	p.wait("sessionStorage.persisted === 'yes'")
	host.down.Store(true)
	reopen(p)
	p.ready()
	p.click("#model-choose")
	p.wait("document.querySelectorAll('#picker-list li').length === 2")
	p.exchanged(func() { p.click("#picker-list li:nth-child(2) .picker-model") })
	p.sample("portrait")
	p.resize(96, 64)
	p.sample("astronaut")
}

func TestDamagedModelsAreNotKept(t *testing.T) {
	site := testSite(t)
	name := find(t, site, "models/yolov5n-mnv4s-seg-")
	broken := Site{}
	for name, f := range site {
		broken[name] = f
	}
	damaged := bytes.Clone(site[name].Data)
	damaged[1000] ^= 1
	broken[name] = newFile(name, damaged)
	host := newHost(broken)
	p := open(t, view{site: host, expects: "do not belong together"})
	if code := p.notice(); code != "mismatch" {
		t.Errorf("the notice tells of %s", code)
	}
	p.wait(`caches.keys().then(async (names) => {
		for (const name of names) {
			for (const r of await (await caches.open(name)).keys()) if (r.url.includes("/models/")) return false;
		}
		return true;
	})`)
}

// oldBuild is a build with a model that the tests' site lacks.
func oldBuild(t *testing.T) Site {
	t.Helper()
	m, c := modelAndCompiler(t)
	gone := m
	gone.ID = "gone"
	old, err := Build(Options{Models: []Model{gone}, Compiler: c})
	if err != nil {
		t.Fatal(err)
	}
	return old
}

func TestReplacedModelsAreWhatTheServiceWorkerKeeps(t *testing.T) {
	m, err := compiledModel()
	if err != nil {
		t.Fatal(err)
	}
	m.ID = "other"
	s := testSite(t)
	before := string(s[serviceWorkerFile].Data)
	if err := s.ReplaceModels([]Model{m}, Fast); err != nil {
		t.Fatal(err)
	}
	after := s[serviceWorkerFile]
	if got := string(after.Data); strings.Contains(got, "yolov5n") || !strings.Contains(got, find(t, s, "models/other-")) {
		t.Errorf("the worker's list is %.2000s", got)
	}
	if _, script, _ := strings.Cut(before, "\n"); !strings.HasSuffix(string(after.Data), "\n"+script) || after.Brotli == nil {
		t.Error("the worker's script has changed, or is not compressed")
	}
}

func TestUpdateReloadsOnceAndDropsOldCaches(t *testing.T) {
	host := newHost(oldBuild(t))
	p := open(t, view{site: host, before: countLoads})
	p.ready()
	p.wait(keptScript)
	old := eval[string](p, cachesScript)
	assets := host.answers("assets/")
	site := testSite(t)
	host.site.Store(&site)
	reopen(p)
	p.eventually("sessionStorage.loads === '3'") // the visit, and one reload for the update
	p.ready()
	p.wait(keptScript)
	time.Sleep(time.Second)
	if n := loads(p); n != 3 {
		t.Errorf("%d reloads for one update", n-2)
	}
	now := eval[string](p, cachesScript)
	if now == old || strings.Count(now, " page ") != 1 {
		t.Errorf("caches %q after the update, %q before", now, old)
	}
	if n := host.answers("assets/"); n != assets {
		t.Errorf("%d unchanged assets were downloaded again", n-assets)
	}
	if eval[bool](p, `caches.match("`+find(t, oldBuild(t), "models/gone")+`").then((found) => found !== undefined)`) {
		t.Error("the model of the old build is still kept")
	}
}

func TestUpdateWaitsForAPageInUse(t *testing.T) {
	host := newHost(oldBuild(t))
	p := open(t, view{site: host, before: countLoads})
	p.ready()
	p.wait(keptScript)
	p.sample("astronaut")
	site := testSite(t)
	host.site.Store(&site)
	eval[bool](p, `navigator.serviceWorker.getRegistration().then((r) => r.update()).then(() => true)`)
	p.wait("!document.querySelector('#update').hidden")
	p.screenshot("update")
	if n := loads(p); n != 1 {
		t.Errorf("a page in use was loaded anew %d times", n-1)
	}
	p.click("#update-take")
	p.eventually("sessionStorage.loads === '2'")
	p.ready()
	time.Sleep(time.Second)
	if now := eval[string](p, cachesScript); loads(p) != 2 || strings.Count(now, " page ") != 1 {
		t.Errorf("%d loads, caches %q", loads(p), now)
	}
}

func TestHostWithoutHeadersUnderAPath(t *testing.T) {
	ref := want(t, detect.FromImage(samplePicture(t, "portrait")), 0.25)
	host := newHost(testSite(t))
	host.bare, host.prefix = true, "/spotter"
	p := open(t, view{site: host, before: countLoads, path: "spotter/"})
	p.eventually("window.crossOriginIsolated")
	p.ready()
	p.wait(keptScript)
	if n := loads(p); n != 2 {
		t.Errorf("%d reloads until the page is isolated", n-1)
	}
	if got := eval[string](p, variantScript); got != "simd+relaxed+threads" {
		t.Errorf("%s runs", got)
	}
	if n := host.answers("models/"); n != 2 {
		t.Errorf("%d downloads of a module and its weights", n)
	}
	compare(t, "isolated by the service worker", p.sample("portrait").Detections, ref, 0.25)
	t.Run("way off", func(t *testing.T) {
		p.do(chromedp.Navigate(eval[string](p, "location.href") + "?isolation=off"))
		p.ready()
		if eval[bool](p, "crossOriginIsolated") || loads(p) != 3 {
			t.Errorf("isolated: %v after %d loads", eval[bool](p, "crossOriginIsolated"), loads(p))
		}
		if got := eval[string](p, variantScript); got != "simd+relaxed" {
			t.Errorf("%s runs", got)
		}
		compare(t, "isolation off", p.sample("portrait").Detections, ref, 0.25)
	})
}

func TestIsolationCanBeOffFromTheFirstVisit(t *testing.T) {
	host := newHost(testSite(t))
	host.bare = true
	p := open(t, view{site: host, before: countLoads, path: "?isolation=off"})
	p.ready()
	p.wait(keptScript)
	if eval[bool](p, "crossOriginIsolated") || loads(p) != 1 {
		t.Errorf("isolated: %v after %d loads", eval[bool](p, "crossOriginIsolated"), loads(p))
	}
}

func TestKeptFilesCanBeDeleted(t *testing.T) {
	p := open(t, view{site: newHost(testSite(t))})
	p.ready()
	p.wait(keptScript)
	if text := p.text("#offline-size"); !strings.Contains(text, "MB in all") {
		t.Errorf("the size is said as %q", text)
	}
	p.click("#forget")
	p.wait("document.querySelector('#offline').hidden")
	if left := eval[string](p, cachesScript); left != "" {
		t.Errorf("left: %q", left)
	}
	if n := eval[int](p, "navigator.serviceWorker.getRegistrations().then((list) => list.length)"); n != 0 {
		t.Errorf("%d workers are left", n)
	}
}

func TestSharedPicturesAreOpened(t *testing.T) {
	p := open(t, view{site: newHost(testSite(t))})
	p.ready()
	p.wait(keptScript)
	at := eval[string](p, `(async () => {
		const form = new FormData();
		form.append("files", new File([await (await fetch(document.querySelector("[data-name=portrait]").dataset.sample)).blob()], "c.jpg", {type: "image/jpeg"}));
		return (await fetch("share", {method: "POST", body: form})).url;
	})()`)
	p.do(chromedp.Navigate(at))
	p.wait("document.querySelector('#seen').textContent.includes('person')")
	if at := eval[string](p, "location.search"); at != "" {
		t.Errorf("the address still says %s", at)
	}
	if eval[bool](p, `caches.keys().then((names) => names.some((name) => name.endsWith("shared")))`) {
		t.Error("the shared picture is still kept")
	}
}

func TestFilesOpenedWithThePage(t *testing.T) {
	p := open(t, view{before: `Object.defineProperty(globalThis, "launchQueue", {value: {setConsumer(take) {
		const getFile = async () => (await fetch(document.querySelector("[data-name=portrait]").dataset.sample)).blob();
		addEventListener("load", () => take({files: [{getFile}]}));
	}}});`})
	p.wait("document.querySelector('#seen').textContent.includes('person')")
}

func TestInstallButton(t *testing.T) {
	p := open(t, view{width: 320, height: 640, before: `Object.defineProperty(navigator.storage.__proto__, "persist", {value: async () => globalThis.persisted = true});`})
	p.ready()
	if !eval[bool](p, "document.querySelector('#install').hidden") {
		t.Error("installing is offered though the browser does not offer it")
	}
	eval[bool](p, `dispatchEvent(Object.assign(new Event("beforeinstallprompt", {cancelable: true}),
		{prompt: async () => { globalThis.prompted = true; return {outcome: "accepted"}; }}))`)
	p.screenshot("install")
	if wide := eval[int](p, "document.documentElement.scrollWidth"); wide > 320 {
		t.Errorf("the page is %d pixels wide on a screen of 320", wide)
	}
	p.click("#install")
	p.wait("globalThis.prompted && document.querySelector('#install').hidden")
	eval[bool](p, `dispatchEvent(new Event("appinstalled"))`)
	p.wait("globalThis.persisted")
}

func TestPageCanBeInstalled(t *testing.T) {
	p := open(t, view{site: newHost(testSite(t))})
	p.ready()
	p.wait(keptScript)
	manifest := call(p, page.GetAppManifest, page.GetAppManifestParams{})
	for _, e := range manifest.Errors {
		t.Errorf("manifest: %s", e.Message)
	}
	var got struct{ Icons []struct{ Src string } }
	if err := json.Unmarshal([]byte(or(manifest.Data, "{}")), &got); err != nil || len(got.Icons) != 4 {
		t.Errorf("manifest: %v, %d icons in %s", err, len(got.Icons), manifest.Data)
	}
	found := call(p, page.GetInstallabilityErrors, cdp.Empty{})
	for _, e := range found.InstallabilityErrors {
		if e.ErrorID != "in-incognito" { // as all tabs of tests are
			t.Errorf("can't be installed: %s %v", e.ErrorID, e.ErrorArguments)
		}
	}
}

func TestScreenStaysAwakeWithTheCamera(t *testing.T) {
	p := open(t, view{before: `globalThis.awake = 0; Object.defineProperty(navigator, "wakeLock", {value: {
		async request() { awake++; return Object.assign(new EventTarget(), {async release() { awake--; }}); }}});`})
	p.ready()
	p.click("#camera")
	p.wait("awake === 1")
	p.click("#stop")
	p.wait("awake === 0")
}

// TestIconsAreOfTheSVG draws the icon as browsers do and compares; SPOTTER_UPDATE=1 writes the files.
func TestIconsAreOfTheSVG(t *testing.T) {
	svg, err := os.ReadFile("page/icon.svg")
	if err != nil {
		t.Fatal(err)
	}
	p := open(t, view{path: "healthz", expects: "404"}) // of a favicon
	for _, icon := range []struct {
		name  string
		side  int
		inset float64 // part of the side left free around the mark; systems cut up to a tenth off maskable ones
	}{{"icon-192", 192, 0}, {"icon-512", 512, 0}, {"maskable-512", 512, 0.1}, {"apple-180", 180, 0}} {
		encoded := eval[string](p, fmt.Sprintf(`(async () => {
			const [side, inset] = [%d, %v];
			const image = new Image();
			image.src = "data:image/svg+xml," + encodeURIComponent(%q);
			await image.decode();
			const canvas = Object.assign(document.createElement("canvas"), {width: side, height: side});
			const context = canvas.getContext("2d");
			if (%v) { context.fillStyle = "#0b0f13"; context.fillRect(0, 0, side, side); }
			context.drawImage(image, side * inset, side * inset, side * (1 - 2 * inset), side * (1 - 2 * inset));
			return canvas.toDataURL("image/png").split(",")[1];
		})()`, icon.side, icon.inset, svg, strings.HasPrefix(icon.name, "maskable") || strings.HasPrefix(icon.name, "apple")))
		data, err := base64.StdEncoding.DecodeString(encoded)
		if err != nil {
			t.Fatal(err)
		}
		file := "page/icons/" + icon.name + ".png"
		if os.Getenv("SPOTTER_UPDATE") != "" {
			if err := os.WriteFile(file, data, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		kept, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if d := difference(t, data, kept); d > 2 {
			t.Errorf("%s differs from the SVG by %.1f levels of 255 on average", file, d)
		}
	}
}

// difference is the mean of the colours' differences, in levels.
func difference(t *testing.T, a, b []byte) float64 {
	t.Helper()
	var pictures [2]image.Image
	for i, data := range [][]byte{a, b} {
		picture, err := png.Decode(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		pictures[i] = picture
	}
	r := pictures[0].Bounds()
	if r != pictures[1].Bounds() {
		t.Fatalf("sizes %v and %v", r, pictures[1].Bounds())
	}
	sum := 0
	for y := range r.Dy() {
		for x := range r.Dx() {
			p, q := color.NRGBAModel.Convert(pictures[0].At(x, y)).(color.NRGBA), color.NRGBAModel.Convert(pictures[1].At(x, y)).(color.NRGBA)
			for _, d := range []int{int(p.R) - int(q.R), int(p.G) - int(q.G), int(p.B) - int(q.B), int(p.A) - int(q.A)} {
				sum += max(d, -d)
			}
		}
	}
	return float64(sum) / float64(4*r.Dx()*r.Dy())
}
