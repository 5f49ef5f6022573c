package bench

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	neturl "net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/performance"
	"github.com/chromedp/chromedp"

	"spotter/models/load"
	"spotter/web"
)

// Frame is one camera frame in the real page, milliseconds of each phase (medians).
type Frame struct {
	Model    string  `json:"model"`
	ImgSz    int     `json:"imgsz"`
	Camera   string  `json:"camera"` // pixels of the camera's frames
	Variant  string  `json:"variant"`
	Threads  int     `json:"threads"`
	Frames   int     `json:"frames"`
	Found    float64 `json:"found"`       // detections a frame
	Handover float64 `json:"handover_ms"` // from page to worker and back
	Pixels   float64 `json:"pixels_ms"`   // capture: the frame's pixels into the module's memory
	Feed     float64 `json:"feed_ms"`     // letterbox and normalisation
	Network  float64 `json:"network_ms"`
	Detect   float64 `json:"detect_ms"` // decode and NMS
	Masks    float64 `json:"masks_ms"`
	Draw     float64 `json:"draw_ms"`
	Total    float64 `json:"total_ms"`             // of all these, though the next frame's network runs while one is drawn
	Other    float64 `json:"other_percent"`        // everything but the network, of the total
	Period   float64 `json:"period_ms"`            // from one result to the next
	Between  float64 `json:"period_other_percent"` // what of the period is not the network
	Page     float64 `json:"page_cpu_ms"`          // processor time of the page's thread, compositing included
	Heaps
}

// Files of the project that the frame's measurement needs, relative to the bench's folder.
const (
	pageModel = "../models/weights/yolov5n-mnv4s-seg-f16.safetensors"
	pageSize  = 320 // pixels a side of the network's input
	samples   = "../web/samples/*.jpg"
)

// serveSite compiles the page's own model and serves the page; its Close ends it.
func serveSite(dir string, effort web.Effort) (*ownSite, error) {
	data, err := os.ReadFile(filepath.Join(dir, pageModel))
	if err != nil {
		return nil, err
	}
	network, err := load.Open(pageModel, data, load.Options{Width: pageSize, Height: pageSize})
	if err != nil {
		return nil, err
	}
	model, err := web.Compile("default", network)
	if err != nil {
		return nil, err
	}
	site, err := web.Build(web.Options{Models: []web.Model{model}, Effort: effort})
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &ownSite{files: site, model: model, url: "http://" + listener.Addr().String() + "/", seen: map[string]bool{}}
	s.http = &http.Server{Handler: s.noting(web.NewHandler(site))}
	go s.http.Serve(listener)
	return s, nil
}

// ownSite is the project's page under way.
type ownSite struct {
	files web.Site
	model web.Model
	url   string
	http  *http.Server
	mu    sync.Mutex
	seen  map[string]bool // files asked for
}

func (s *ownSite) noting(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(r.URL.Path, "/")
		if name == "" {
			name = "index.html"
		}
		s.mu.Lock()
		s.seen[name] = true
		s.mu.Unlock()
		next.ServeHTTP(w, r)
	})
}

// visited lists the files that were asked for, in order of their names.
func (s *ownSite) visited() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.seen))
}

// frame times camera frames in the page, in a browser whose camera plays the sample pictures.
func (r *run) frame(ctx context.Context) error {
	r.logf("whole frames in the page ...")
	site, err := serveSite(r.Dir, web.Fast)
	if err != nil {
		return err
	}
	defer site.http.Close()
	video, err := os.CreateTemp("", "spotter-camera-*.y4m")
	if err != nil {
		return err
	}
	defer os.Remove(video.Name())
	if err := writeVideo(video, filepath.Join(r.Dir, samples)); err != nil {
		return err
	}
	p, err := openPage(ctx, site.url, chromedp.Flag("use-fake-ui-for-media-stream", true), chromedp.Flag("use-fake-device-for-media-stream", true),
		chromedp.Flag("use-file-for-fake-video-capture", video.Name()))
	if err != nil {
		return err
	}
	defer p.close()
	for _, threads := range r.threads() {
		f, err := p.frames(site.url, threads, r.Frames, r.HeapFrames)
		if err != nil {
			return fmt.Errorf("camera frames in the page with %d threads: %w", threads, err)
		}
		manifest := site.model.Modules[0].Manifest
		f.Model, f.ImgSz = manifest.Name, max(manifest.Width, manifest.Height)
		r.report.Frame = append(r.report.Frame, f)
	}
	return nil
}

// cameraScript starts the camera; collectScript gathers the figures of a number of frames.
const cameraScript = `(async () => {
  const stage = document.getElementById('stage');
  while (!stage.dataset.ready) await new Promise((resolve) => setTimeout(resolve, 50));
  document.getElementById('camera').click();
})()`

const collectScript = `new Promise((resolve) => {
  const stage = document.getElementById('stage');
  const video = document.getElementById('video');
  const rows = [];
  let last = performance.now();
  const take = ({ detail }) => {
    if (!detail) return;
    const now = performance.now();
    rows.push({ ...detail.timings, total: detail.total, found: detail.detections.length, period: now - last });
    last = now;
    if (rows.length < %d) return;
    stage.removeEventListener('detections', take);
    resolve({ rows, draw: parseFloat(document.getElementById('phase-draw').textContent) || 0,
      camera: video.videoWidth + 'x' + video.videoHeight, variant: stage.dataset.variant });
  };
  stage.addEventListener('detections', take);
})`

// camera is what collectScript gives.
type camera struct {
	Rows            []struct{ Pixels, Feed, Infer, Detect, Masks, Total, Found, Period float64 }
	Draw            float64
	Camera, Variant string
	page            float64 // processor time of the page's thread in milliseconds
}

// collect runs the camera for warm frames, then count measured ones.
func (p *page) collect(warm, count int) (*camera, error) {
	ctx, cancel := context.WithTimeout(p.ctx, frameLimit(warm+count))
	defer cancel()
	var got camera
	if err := p.evaluate(ctx, cameraScript, nil); err != nil {
		return nil, err
	}
	if err := p.evaluate(ctx, fmt.Sprintf(collectScript, warm), nil); err != nil {
		return nil, err
	}
	before, err := p.threadTime()
	if err != nil {
		return nil, err
	}
	if err := p.evaluate(ctx, fmt.Sprintf(collectScript, count), &got); err != nil {
		return nil, err
	}
	after, err := p.threadTime()
	got.page = after - before
	return &got, err
}

// frameLimit is how long that many frames may take.
func frameLimit(count int) time.Duration {
	return time.Minute + time.Duration(count)*300*time.Millisecond
}

// threadTime is the processor time that the page's thread has had, in milliseconds.
func (p *page) threadTime() (float64, error) {
	if _, err := chromedp.Call(p.ctx, performance.Enable, performance.EnableParams{}); err != nil {
		return 0, err
	}
	got, err := chromedp.Call(p.ctx, performance.GetMetrics, cdp.Empty{})
	if err != nil {
		return 0, err
	}
	for _, m := range got.Metrics {
		if m.Name == "ThreadTime" {
			return 1000 * m.Value, nil
		}
	}
	return 0, nil
}

func (p *page) frames(url string, threads, count, heapCount int) (Frame, error) {
	const warm = 60
	query := neturl.Values{"threads": {strconv.Itoa(threads)}}
	if threads == 1 {
		query.Set("variant", "simd+relaxed")
	}
	if err := chromedp.Do(p.ctx, chromedp.Navigate(url+"?"+query.Encode())); err != nil {
		return Frame{}, err
	}
	got, err := p.collect(warm, count)
	if err != nil {
		return Frame{}, err
	}
	f := Frame{Camera: got.Camera, Variant: got.Variant, Threads: threads, Frames: count, Draw: got.Draw, Page: round(got.page / float64(count))}
	column := func(value func(i int) float64) float64 {
		v := make([]float64, len(got.Rows))
		for i := range v {
			v[i] = value(i)
		}
		return round(median(v))
	}
	f.Pixels = column(func(i int) float64 { return got.Rows[i].Pixels })
	f.Feed = column(func(i int) float64 { return got.Rows[i].Feed })
	f.Network = column(func(i int) float64 { return got.Rows[i].Infer })
	f.Detect = column(func(i int) float64 { return got.Rows[i].Detect })
	f.Masks = column(func(i int) float64 { return got.Rows[i].Masks })
	f.Found = column(func(i int) float64 { return got.Rows[i].Found })
	f.Handover = column(func(i int) float64 {
		x := got.Rows[i]
		return x.Total - x.Pixels - x.Feed - x.Infer - x.Detect - x.Masks
	})
	f.Total = round(column(func(i int) float64 { return got.Rows[i].Total }) + f.Draw)
	f.Other = percent(f.Total-f.Network, f.Total)
	f.Period = column(func(i int) float64 { return got.Rows[i].Period })
	f.Between = percent(f.Period-f.Network, f.Period)
	f.Heaps, err = p.heaps(heapCount)
	return f, err
}

func (r *Report) printFrame(w io.Writer) {
	if len(r.Frame) == 0 {
		return
	}
	fmt.Fprintf(w, "\nA camera frame in the page, milliseconds (medians of %d frames of %s, %s at %d)\n",
		r.Frame[0].Frames, r.Frame[0].Camera, r.Frame[0].Model, r.Frame[0].ImgSz)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "  threads\thandover\tpixels\tletterbox\tnetwork\tdecode+NMS\tmasks\tdraw\ttotal\tbut the network\tresult to result\tbut the network\tpage's thread\tfound\t")
	for _, f := range r.Frame {
		fmt.Fprintf(t, "  %d\t%.2f\t%.2f\t%.2f\t%.2f\t%.2f\t%.2f\t%.2f\t%.2f\t%.1f%%\t%.2f\t%.1f%%\t%.2f\t%.0f\t\n", f.Threads, f.Handover, f.Pixels, f.Feed, f.Network,
			f.Detect, f.Masks, f.Draw, f.Total, f.Other, f.Period, f.Between, f.Page, f.Found)
	}
	t.Flush()
	r.printHeaps(w)
}

// pictures lists the sample pictures in order.
func pictures(pattern string) ([]string, error) {
	files, err := filepath.Glob(pattern)
	if err == nil && len(files) == 0 {
		err = fmt.Errorf("no pictures at %s", pattern)
	}
	slices.Sort(files)
	return files, err
}
