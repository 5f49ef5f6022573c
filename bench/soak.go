package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/heapprofiler"
	"github.com/chromedp/cdproto/memory"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"

	"spotter/web"
)

// SoakOptions say how long the camera runs.
type SoakOptions struct {
	Dir    string        // folder of this package
	Length time.Duration // 0 is ten minutes
	Every  time.Duration // between two samples; 0 makes thirty of them
	Log    io.Writer
}

// Sample is what was seen of the page since the sample before, memory after a collection.
type Sample struct {
	Seconds  float64 `json:"seconds"`     // since the start
	Frames   int     `json:"frames"`      // in all
	Median   float64 `json:"median_ms"`   // of a frame's way to the engine and back
	P95      float64 `json:"p95_ms"`      // the slowest in twenty
	PageHeap float64 `json:"page_heap"`   // bytes of JavaScript objects
	Heap     float64 `json:"worker_heap"` // the same in the engine's worker
	Buffers  float64 `json:"buffers"`     // bytes of array buffers of both, but not shared memory
	Wasm     float64 `json:"wasm"`        // bytes of WebAssembly memory
	Nodes    float64 `json:"nodes"`       // of the document
	Resident float64 `json:"resident"`    // bytes of all the browser's processes; 0 where the system doesn't tell
}

// Soak is the camera running for minutes.
type Soak struct {
	Model   string   `json:"model"`
	Variant string   `json:"variant"`
	Samples []Sample `json:"samples"`
	Errors  []string `json:"errors"` // console errors, exceptions and rejected promises that nobody caught
}

// soakWarm is how long the page runs before the first sample: code compiles, caches fill.
const soakWarm = 20 * time.Second

// RunSoak runs the camera in the page with masks and following on, and samples it.
func RunSoak(ctx context.Context, o SoakOptions) (*Soak, error) {
	if o.Length == 0 {
		o.Length = 10 * time.Minute
	}
	if o.Log == nil {
		o.Log = io.Discard
	}
	if o.Every == 0 {
		o.Every = o.Length / 30
	}
	site, err := serveSite(o.Dir, web.Fast)
	if err != nil {
		return nil, err
	}
	defer site.http.Close()
	clip, err := os.CreateTemp("", "spotter-clip-*.mjpeg")
	if err != nil {
		return nil, err
	}
	defer os.Remove(clip.Name())
	if err := writeClip(clip, filepath.Join(o.Dir, samples)); err != nil {
		return nil, err
	}
	p, err := openPage(ctx, "about:blank", chromedp.Flag("use-fake-ui-for-media-stream", true), chromedp.Flag("use-fake-device-for-media-stream", true),
		chromedp.Flag("use-file-for-fake-video-capture", clip.Name()))
	if err != nil {
		return nil, err
	}
	defer p.close()
	s := &soaking{page: p, soak: Soak{Model: site.model.Modules[0].Manifest.Name}}
	return &s.soak, s.run(site.url, o)
}

// soaking is a soak under way.
type soaking struct {
	*page
	soak   Soak
	worker context.Context // of the engine
	start  time.Time
}

// soakScript starts the camera, following and masks, and keeps the times of frames in an array
// that never grows, so that measuring leaves nothing on the heap.
const soakScript = `(async () => {
  const stage = document.getElementById('stage');
  while (!stage.dataset.ready) await new Promise((resolve) => setTimeout(resolve, 50));
  for (const id of ['follow', 'show-masks']) {
    const box = document.getElementById(id);
    if (!box.checked) box.click();
  }
  const seen = { times: new Float32Array(1 << 16), since: 0, frames: 0 };
  stage.addEventListener('detections', ({ detail }) => {
    if (!detail) return;
    seen.frames++;
    if (seen.since < seen.times.length) seen.times[seen.since++] = detail.total;
  });
  window.soak = () => {
    const times = seen.times.slice(0, seen.since).sort();
    seen.since = 0;
    return { frames: seen.frames, median: times[times.length >> 1] ?? 0, p95: times[Math.floor(times.length * 0.95)] ?? 0 };
  };
  document.getElementById('camera').click();
  while (seen.frames === 0) await new Promise((resolve) => setTimeout(resolve, 50));
  return stage.dataset.variant;
})()`

func (s *soaking) run(url string, o SoakOptions) error {
	go s.listen(chromedp.Console(s.ctx))
	if err := chromedp.Do(s.ctx, chromedp.Navigate(url)); err != nil {
		return err
	}
	if err := s.evaluate(s.ctx, soakScript, &s.soak.Variant); err != nil {
		return err
	}
	if err := s.attach(); err != nil {
		return err
	}
	time.Sleep(min(soakWarm, o.Every))
	s.start = time.Now()
	for next := s.start; ; next = next.Add(o.Every) {
		time.Sleep(time.Until(next))
		if err := s.sample(o.Log); err != nil {
			return err
		}
		if time.Since(s.start) >= o.Length {
			return nil
		}
	}
}

func (s *soaking) listen(messages func(func(chromedp.ConsoleMessage, error) bool)) {
	for m, err := range messages {
		if err != nil {
			return
		}
		if m.IsException() || m.Type == "error" {
			s.soak.Errors = append(s.soak.Errors, m.String())
		}
	}
}

// attach finds the engine's worker. Its threads stay inside of WebAssembly and have no heap to speak of.
func (s *soaking) attach() error {
	found, err := chromedp.CallBrowser(s.ctx, target.GetTargets, target.GetTargetsParams{Filter: target.Filter{{Type: "worker"}}})
	if err != nil {
		return err
	}
	i := slices.IndexFunc(found.TargetInfos, func(t *target.Info) bool { return t.Title == "spotter engine" })
	if i < 0 {
		return fmt.Errorf("the page has no worker with the engine")
	}
	s.worker, _ = chromedp.NewContext(s.ctx, chromedp.WithTargetID(found.TargetInfos[i].TargetID)) // ends with the page
	return chromedp.Do(s.worker)
}

func (s *soaking) sample(log io.Writer) error {
	var times struct{ Frames, Median, P95 float64 }
	if err := s.evaluate(s.ctx, "window.soak()", &times); err != nil {
		return err
	}
	page, err := heapOf(s.ctx)
	if err != nil {
		return err
	}
	worker, err := heapOf(s.worker)
	if err != nil {
		return err
	}
	wasm, err := wasmMemory(s.worker)
	if err != nil {
		return err
	}
	nodes, err := chromedp.Call(s.ctx, memory.GetDOMCounters, cdp.Empty{})
	if err != nil {
		return err
	}
	found := Sample{
		Seconds: time.Since(s.start).Seconds(), Frames: int(times.Frames), Median: round(times.Median), P95: round(times.P95),
		PageHeap: page.UsedSize, Heap: worker.UsedSize, Buffers: page.BackingStorageSize + worker.BackingStorageSize,
		Wasm: wasm, Nodes: float64(nodes.Nodes), Resident: resident(chromedp.FromContext(s.ctx).Browser.Process()),
	}
	s.soak.Samples = append(s.soak.Samples, found)
	found.print(log)
	return nil
}

// heapOf is what a page or worker holds after collections.
func heapOf(ctx context.Context) (runtime.GetHeapUsageResult, error) {
	for range 2 { // what the first finds dead may have held more
		if _, err := chromedp.Call(ctx, heapprofiler.CollectGarbage, cdp.Empty{}); err != nil {
			return runtime.GetHeapUsageResult{}, err
		}
	}
	return chromedp.Call(ctx, runtime.GetHeapUsage, cdp.Empty{})
}

// wasmMemory adds up the bytes of all WebAssembly memories in a worker.
func wasmMemory(ctx context.Context) (float64, error) {
	kind, err := chromedp.Call(ctx, runtime.Evaluate, runtime.EvaluateParams{Expression: "WebAssembly.Memory.prototype", ObjectGroup: "soak"})
	if err != nil {
		return 0, err
	}
	all, err := chromedp.Call(ctx, runtime.QueryObjects, runtime.QueryObjectsParams{PrototypeObjectID: kind.Result.ObjectID, ObjectGroup: "soak"})
	if err != nil {
		return 0, err
	}
	sum, err := chromedp.Call(ctx, runtime.CallFunctionOn, runtime.CallFunctionOnParams{
		FunctionDeclaration: "function () { return this.reduce((sum, m) => sum + m.buffer.byteLength, 0); }",
		ObjectID:            all.Objects.ObjectID,
	})
	if err != nil {
		return 0, err
	}
	var bytes float64
	if err := json.Unmarshal(sum.Result.Value, &bytes); err != nil {
		return 0, err
	}
	_, err = chromedp.Call(ctx, runtime.ReleaseObjectGroup, runtime.ReleaseObjectGroupParams{ObjectGroup: "soak"})
	return bytes, err
}
