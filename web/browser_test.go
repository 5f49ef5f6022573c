package web

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"image/jpeg"
	"image/png"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// patience is how long a page may take for what a test waits for; the machines that run tests are slow and busy.
const patience = 40 * time.Second

// insecureHost is a name that browsers don't count as secure over HTTP, unlike localhost.
const insecureHost = "spotter.test"

// camera says what a browser has for one.
type camera string

const (
	grantedCamera camera = "granted" // plays the fake video, and pages may use it
	deniedCamera  camera = "denied"
	noCamera      camera = "none"
	twoCameras    camera = "two" // that show a test pattern

	// Browsers that lack something.
	smallMemory camera = "small memory" // WebAssembly gets 64 MiB a memory
	oldCPU      camera = "old CPU"      // without the instructions that SIMD takes
)

var (
	browsersLock sync.Mutex
	openBrowsers = map[camera]context.Context{}
	closers      []func()
	served       *httptest.Server
	scratch      string
)

func TestMain(m *testing.M) {
	var err error
	if scratch, err = os.MkdirTemp("", "spotter-web"); err != nil {
		panic(err)
	}
	code := m.Run()
	for _, end := range closers {
		end()
	}
	_ = os.RemoveAll(scratch)
	os.Exit(code)
}

// browserWith starts the browser for that camera, once for all tests.
func browserWith(t *testing.T, c camera) context.Context {
	t.Helper()
	browsersLock.Lock()
	defer browsersLock.Unlock()
	if ctx, ok := openBrowsers[c]; ok {
		return ctx
	}
	flags := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-gpu", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("host-resolver-rules", "MAP "+insecureHost+" 127.0.0.1"),
	)
	switch c {
	case grantedCamera:
		flags = append(flags, chromedp.Flag("use-fake-ui-for-media-stream", true), chromedp.Flag("use-fake-device-for-media-stream", true),
			chromedp.Flag("use-file-for-fake-video-capture", fakeVideo(t)))
	case twoCameras:
		flags = append(flags, chromedp.Flag("use-fake-ui-for-media-stream", true), chromedp.Flag("use-fake-device-for-media-stream", "device-count=2"))
	case deniedCamera:
		flags = append(flags, chromedp.Flag("use-fake-device-for-media-stream", true))
	case smallMemory:
		flags = append(flags, chromedp.Flag("js-flags", "--wasm-max-mem-pages=1024"))
	case oldCPU:
		flags = append(flags, chromedp.Flag("js-flags", "--no-enable-ssse3 --no-enable-sse4-1"))
	case noCamera:
		flags = append(flags, chromedp.Flag("use-fake-ui-for-media-stream", true), chromedp.Flag("use-fake-device-for-media-stream", "device-count=0"))
	}
	if os.Geteuid() == 0 {
		flags = append(flags, chromedp.NoSandbox)
	}
	if path := os.Getenv("CHROME"); path != "" {
		flags = append(flags, chromedp.ExecPath(path))
	}
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), flags...)
	ctx, cancelBrowser := chromedp.NewContext(ctx)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("no browser starts (name one in CHROME): %v", err)
	}
	closers = append(closers, func() {
		cancelBrowser()
		cancel()
	})
	openBrowsers[c] = ctx
	return ctx
}

// view is how a test opens the page.
type view struct {
	camera   camera // grantedCamera when empty
	path     string // behind the site's address, e.g. "?variant=simd"
	language string // of the browser, en-US when empty
	dark     bool
	width    int // of the window in CSS pixels, 1280 when 0
	height   int // 860 when 0
	scale    float64
	before   string       // script that runs before the page's own
	worker   string       // script that runs in each worker before the worker's own
	held     string       // start of the names of workers that never get to run
	insecure bool         // open under a name that is no secure context
	expects  string       // part of the messages on the console that the test allows
	site     http.Handler // instead of the tests' usual site
}

// tab is an open page; its methods fail the test on any error.
type tab struct {
	t       *testing.T
	ctx     context.Context
	console func() []string
}

// open opens the page in a fresh profile. When the test ends, any exception, and any
// message of the browser about the page (a breach of its policy among them), fails it.
func open(t *testing.T, v view) *tab {
	t.Helper()
	if v.camera == "" {
		v.camera = grantedCamera
	}
	parent := browserWith(t, v.camera)
	ctx, cancel := chromedp.NewContext(parent, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil { // opens the tab, which lives as long as this context
		t.Fatal(err)
	}
	p := &tab{t: t, ctx: ctx, console: func() []string { return nil }}
	p.do(chromedp.EmulateViewport(int64(or(v.width, 1280)), int64(or(v.height, 860)), chromedp.EmulateScale(or(v.scale, 1))))
	p.listen(v.expects)
	p.emulate(v)
	if v.worker+v.held != "" {
		p.beforeWorkers(func(worker context.Context) error {
			return chromedp.Do(worker, chromedp.Evaluate[chromedp.Void](v.worker))
		}, v.held)
	}
	if v.camera == deniedCamera {
		p.denyCamera()
	}
	at := address(t, v.insecure)
	if v.site != nil {
		own := httptest.NewServer(v.site)
		t.Cleanup(func() {
			own.CloseClientConnections() // an answer that a test holds back must not hold up the end
			own.Close()
		})
		at = fmt.Sprintf("http://localhost:%d/", own.Listener.Addr().(*net.TCPAddr).Port)
	}
	p.do(chromedp.Navigate(at + v.path))
	return p
}

func or[T comparable](value, instead T) T {
	var zero T
	if value == zero {
		return instead
	}
	return value
}

func (p *tab) emulate(v view) {
	scheme := "light"
	if v.dark {
		scheme = "dark"
	}
	call(p, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	})
	language := or(v.language, "en-US")
	call(p, emulation.SetLocaleOverride, emulation.SetLocaleOverrideParams{Locale: language})
	before := fmt.Sprintf("Object.defineProperty(navigator, 'languages', {get: () => [%q]});", language) + v.before
	call(p, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: before})
}

func (p *tab) denyCamera() {
	id := chromedp.FromContext(p.ctx).BrowserContextID
	_, err := chromedp.CallBrowser(p.ctx, browser.SetPermission, browser.SetPermissionParams{
		Permission: &browser.PermissionDescriptor{Name: "camera"}, Setting: browser.PermissionSettingDenied, BrowserContextID: id,
	})
	p.must(err)
}

// listen gathers the console and looks at it when the test ends.
func (p *tab) listen(expects string) {
	messages := chromedp.Console(p.ctx)
	var lock sync.Mutex
	var lines []string
	go func() {
		for m, err := range messages {
			if err != nil {
				return
			}
			lock.Lock()
			lines = append(lines, m.String())
			lock.Unlock()
		}
	}()
	p.console = func() []string {
		lock.Lock()
		defer lock.Unlock()
		return append([]string{}, lines...)
	}
	p.t.Cleanup(func() {
		for _, line := range p.console() {
			if expects == "" || !regexp.MustCompile(expects).MatchString(line) {
				p.t.Errorf("the page said: %s", line)
			}
		}
	})
}

func (p *tab) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatalf("%v\nthe page said: %s", err, strings.Join(p.console(), "\n"))
	}
}

func (p *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	p.must(chromedp.Do(ctx, steps...))
}

func call[P, R any](p *tab, c cdp.Command[P, R], params P) R {
	p.t.Helper()
	r, err := chromedp.Call(p.ctx, c, params)
	if err != nil {
		p.t.Fatal(err)
	}
	return r
}

// eval runs a script, awaits what it gives, and returns that.
func eval[T any](p *tab, script string) T {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
	p.must(err)
	return v
}

// wait waits until a script's value is true.
func (p *tab) wait(script string) {
	p.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(30 * time.Millisecond) {
		if eval[bool](p, "!!("+script+")") {
			return
		}
	}
	p.t.Fatalf("never true: %s\nthe page said: %s\nthe notice says: %s", script,
		strings.Join(p.console(), "\n"), eval[string](p, "document.querySelector('#notice')?.innerText ?? ''"))
}

func (p *tab) text(selector string) string {
	p.t.Helper()
	return eval[string](p, fmt.Sprintf("document.querySelector(%q).innerText", selector))
}

func (p *tab) click(selector string) {
	p.t.Helper()
	p.do(chromedp.Click(chromedp.CSS(selector)))
}

// notice waits for the notice and returns the code of the error that it tells of.
func (p *tab) notice() string {
	p.t.Helper()
	p.wait("!document.querySelector('#notice').hidden")
	return eval[string](p, "document.querySelector('#notice').dataset.code")
}

// address is where the tests' site is served.
func address(t *testing.T, insecure bool) string {
	t.Helper()
	browsersLock.Lock()
	defer browsersLock.Unlock()
	if served == nil {
		served = httptest.NewServer(NewHandler(testSite(t)))
		closers = append(closers, served.Close)
	}
	port := served.Listener.Addr().(*net.TCPAddr).Port
	if insecure {
		return fmt.Sprintf("http://%s:%d/", insecureHost, port)
	}
	return fmt.Sprintf("http://localhost:%d/", port)
}

// screenshots is the folder for screenshots, none where empty; docs/screenshots is made so.
var screenshots = os.Getenv("SPOTTER_SCREENSHOTS")

// screenshot saves what the tab shows.
func (p *tab) screenshot(name string) {
	p.t.Helper()
	if screenshots == "" {
		return
	}
	data, err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot())
	p.must(err)
	picture, err := png.Decode(bytes.NewReader(data))
	p.must(err)
	var out bytes.Buffer
	p.must(jpeg.Encode(&out, picture, &jpeg.Options{Quality: 80}))
	p.must(os.MkdirAll(screenshots, 0o755))
	p.must(os.WriteFile(filepath.Join(screenshots, name+".jpg"), out.Bytes(), 0o644))
}

// drop lets a file fall onto the page.
func drop(p *tab, name, kind string, data []byte) {
	p.t.Helper()
	eval[bool](p, fmt.Sprintf(`(() => {
		const bytes = Uint8Array.from(atob(%q), (c) => c.charCodeAt(0));
		const files = new DataTransfer();
		files.items.add(new File([bytes], %q, {type: %q}));
		return document.querySelector("#stage").dispatchEvent(
			new DragEvent("drop", {dataTransfer: files, bubbles: true, cancelable: true}));
	})()`, base64.StdEncoding.EncodeToString(data), name, kind))
}
