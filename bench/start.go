package bench

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"maps"
	"math"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/andybalholm/brotli"
	"github.com/chromedp/chromedp"

	"spotter/web"
)

// Start is the time from navigation to the first result on localhost, one thread, milliseconds;
// the least of a few.
type Start struct {
	Engine  string  `json:"engine"`
	Variant string  `json:"variant"`
	Model   string  `json:"model"`
	ImgSz   int     `json:"imgsz"`
	ColdMS  float64 `json:"cold_ms"` // a browser profile that has never been there
	WarmMS  float64 `json:"warm_ms"` // the same page again
}

// Download is what a first visit fetches, bytes.
type Download struct {
	Engine    string `json:"engine"`
	Variant   string `json:"variant"`
	Model     string `json:"model"`
	Runtime   int    `json:"runtime"`        // glue and modules as they are
	RuntimeBr int    `json:"runtime_brotli"` // compressed
	Weights   int    `json:"weights"`        // the network's files; those of peers hold the graph too
	WeightsBr int    `json:"weights_brotli"`
	Files     int    `json:"files"`
}

// startRuns of each engine, cold and warm in turn.
const startRuns = 3

var startPage = template.Must(template.New("start").Parse(`<!doctype html><html lang="en"><meta charset="utf-8"><title>Start</title>` +
	`<link rel="icon" href="data:,"><body data-spec="{{.}}"><script src="/start.js"></script></body></html>`))

// start measures the way to the first result, and what it downloads.
func (r *run) start() error {
	m := r.Models[0]
	m.Half = true
	if err := r.server.add(m); err != nil {
		return err
	}
	for _, e := range r.engines {
		for _, c := range e.cases(1) {
			if err := r.startCase(m, c); err != nil {
				return fmt.Errorf("starting %s: %w", c.key(), err)
			}
		}
	}
	return r.pageDownload()
}

func (r *run) startCase(m Model, c benchCase) error {
	r.logf("starting %s ...", c.key())
	spec, err := json.Marshal(c.spec(m))
	if err != nil {
		return err
	}
	var page bytes.Buffer
	if err := startPage.Execute(&page, string(spec)); err != nil {
		return err
	}
	path := "/start/" + strings.ReplaceAll(c.key(), "/", "-")
	r.server.set(path, page.Bytes())
	result := Start{Engine: c.engine.Name, Variant: c.variant, Model: m.Name(), ImgSz: max(m.Width, m.Height), ColdMS: math.Inf(1), WarmMS: math.Inf(1)}
	var fetched map[string]int
	for range startRuns {
		r.server.record()
		cold, warm, err := r.page.visit(r.server.url + path)
		if err != nil {
			return err
		}
		fetched = r.server.recorded()
		result.ColdMS, result.WarmMS = min(result.ColdMS, round(cold)), min(result.WarmMS, round(warm))
	}
	r.report.Start = append(r.report.Start, result)
	d, err := r.download(fetched)
	d.Engine, d.Variant, d.Model = c.engine.Name, c.variant, m.Name()
	r.report.Download = append(r.report.Download, d)
	return err
}

// visit opens the address in a fresh profile, twice, and returns both times to the first result.
func (p *page) visit(url string) (cold, warm float64, err error) {
	ctx, cancel := chromedp.NewContext(p.ctx, chromedp.WithNewBrowserContext())
	defer cancel()
	tab := &page{ctx: ctx}
	for _, out := range []*float64{&cold, &warm} {
		if err := chromedp.Do(ctx, chromedp.Navigate(url)); err != nil {
			return 0, 0, err
		}
		limited, cancel := context.WithTimeout(ctx, time.Minute)
		err := tab.evaluate(limited, "window.first", out)
		cancel()
		if err != nil {
			return 0, 0, err
		}
	}
	return cold, warm, nil
}

// download adds up the files that a visit fetched, by path.
func (r *run) download(fetched map[string]int) (Download, error) {
	var d Download
	for _, path := range slices.Sorted(maps.Keys(fetched)) {
		data, err := r.server.content(path)
		if err != nil {
			return d, err
		}
		weights := strings.HasPrefix(path, "/models/") && !strings.HasSuffix(path, ".wasm")
		small, err := r.brotliSize(path, data, weights)
		if err != nil {
			return d, err
		}
		d.Files++
		if weights {
			d.Weights, d.WeightsBr = d.Weights+len(data), d.WeightsBr+small
		} else {
			d.Runtime, d.RuntimeBr = d.Runtime+len(data), d.RuntimeBr+small
		}
	}
	return d, nil
}

// brotliSize is the size at brotli's best effort, or, for weights, which hardly shrink, at a
// quick one. The best takes half a minute for a large runtime, so results are kept under the
// user's cache by content.
func (r *run) brotliSize(name string, data []byte, weights bool) (int, error) {
	quality := brotli.BestCompression
	if weights {
		quality = 5
	}
	file, err := cacheDir(fmt.Sprintf("brotli-%d-%x", quality, sha256.Sum256(data)))
	if err != nil {
		return 0, err
	}
	var size int
	if text, err := os.ReadFile(file); err == nil {
		if _, err := fmt.Sscan(string(text), &size); err == nil {
			return size, nil
		}
	}
	if len(data) > 1<<20 {
		r.logf("  compressing %s ...", name)
	}
	counter := &countingWriter{}
	w := brotli.NewWriterOptions(counter, brotli.WriterOptions{Quality: quality, LGWin: 24})
	if _, err := w.Write(data); err != nil {
		return 0, err
	}
	if err := w.Close(); err != nil {
		return 0, err
	}
	return counter.n, os.WriteFile(file, fmt.Append(nil, counter.n), 0o644)
}

type countingWriter struct{ n int }

func (c *countingWriter) Write(p []byte) (int, error) {
	c.n += len(p)
	return len(p), nil
}

// pageReady answers when the project's page has its engine.
const pageReady = `(async () => {
  const stage = document.getElementById('stage');
  while (!stage.dataset.ready) await new Promise((resolve) => setTimeout(resolve, 50));
})()`

// pageDownload adds the project's whole page: what a first visit fetches until the engine is ready.
func (r *run) pageDownload() error {
	site, err := serveSite(r.Dir, web.Fast)
	if err != nil {
		return err
	}
	defer site.http.Close()
	ctx, cancel := chromedp.NewContext(r.page.ctx, chromedp.WithNewBrowserContext())
	defer cancel()
	if err := chromedp.Do(ctx, chromedp.Navigate(site.url)); err != nil {
		return err
	}
	limited, cancelWait := context.WithTimeout(ctx, time.Minute)
	defer cancelWait()
	if err := (&page{ctx: ctx}).evaluate(limited, pageReady, nil); err != nil {
		return fmt.Errorf("the project's page: %w", err)
	}
	d := Download{Engine: ownEngine, Variant: "page", Model: site.model.Modules[0].Manifest.Name}
	for _, name := range site.visited() {
		file := site.files[name]
		if file == nil || strings.Contains(name, "sample") {
			continue // pictures that the page offers are not the engine's
		}
		small, err := r.brotliSize(name, file.Data, bytes.Equal(file.Data, site.model.Weights))
		if err != nil {
			return err
		}
		d.Files++
		if bytes.Equal(file.Data, site.model.Weights) {
			d.Weights, d.WeightsBr = len(file.Data), small
		} else {
			d.Runtime, d.RuntimeBr = d.Runtime+len(file.Data), d.RuntimeBr+small
		}
	}
	r.report.Download = append(r.report.Download, d)
	return nil
}

func (r *Report) printStart(w io.Writer) {
	if len(r.Start) == 0 {
		return
	}
	fmt.Fprintf(w, "\nFrom navigation to the first result on localhost, %s at %d, 1 thread, milliseconds\n", r.Start[0].Model, r.Start[0].ImgSz)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "  engine\tvariant\tcold\twarm\t")
	for _, s := range r.Start {
		fmt.Fprintf(t, "  %s\t%s\t%.0f\t%.0f\t\n", s.Engine, s.Variant, s.ColdMS, s.WarmMS)
	}
	t.Flush()
	fmt.Fprintln(w, "\nDownload of a first visit, KB")
	t = tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "  engine\tvariant\tfiles\truntime\tbrotli\tnetwork\tbrotli\t")
	for _, d := range r.Download {
		fmt.Fprintf(t, "  %s\t%s\t%d\t%.1f\t%.1f\t%.0f\t%.0f\t\n", d.Engine, d.Variant, d.Files, kb(d.Runtime), kb(d.RuntimeBr), kb(d.Weights), kb(d.WeightsBr))
	}
	t.Flush()
}

func kb(bytes int) float64 { return float64(bytes) / 1000 }
