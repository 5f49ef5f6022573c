// Package bench measures this project's engine beside other in-browser runtimes on
// the same networks, weights and frames, in one real Chromium, interleaved run by run.
//
// Nothing outside the repository is needed but a browser, Node's npm (for the peers,
// pinned in package-lock.json, development only) and a registry to fetch them from:
// networks come from models/config with golden's deterministic weights, ONNX files from
// models/export, the other formats from bench/peers.
package bench

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// Options choose what is measured; zero values are the full bench.
type Options struct {
	Dir     string   // folder of this package's page and package.json
	Only    []string // names of engines; empty is all
	Models  []Model  // empty is DefaultModels, or QuickModels with Quick
	Threads []int    // empty is 1 and the machine's cores
	Runs    int      // interleaved runs of each engine; 0 is 30, or 5 with Quick
	Frames  int      // camera frames timed in the page; 0 is 300
	// HeapFrames are camera frames over which the heaps are watched; 0 is 2000, or 300 with Quick.
	HeapFrames int
	Parts      []string // of Parts; empty is all, or networks alone with Quick
	Native     bool     // also onnxruntime outside the browser, 1 thread
	Quick      bool     // one small network, a few runs: does everything run and agree
	Log        io.Writer
}

// Tolerance is how far outputs may differ between engines: the largest difference in a map
// over that map's standard deviation, as golden's.
const Tolerance = 1e-3

// pause between two runs, so that the thread pool of the engine before has stopped spinning.
const pause = 8 * time.Millisecond

func (o Options) withDefaults() Options {
	if o.Log == nil {
		o.Log = io.Discard
	}
	if o.Runs == 0 {
		o.Runs = 30
		if o.Quick {
			o.Runs = 5
		}
	}
	if o.Frames == 0 {
		o.Frames = 300
	}
	if o.HeapFrames == 0 {
		o.HeapFrames = 2000
		if o.Quick {
			o.HeapFrames = 300
		}
	}
	if len(o.Parts) == 0 {
		o.Parts = Parts
		if o.Quick {
			o.Parts = []string{"networks"}
		}
	}
	if len(o.Models) == 0 {
		o.Models = DefaultModels
		if o.Quick {
			o.Models = DefaultModels[:1]
		}
	}
	return o
}

// Run measures and returns the report. Engines that disagree are an error, after which
// nothing is timed. The context ends the browser.
func Run(ctx context.Context, o Options) (*Report, error) {
	o = o.withDefaults()
	engines, err := choose(o.Only)
	if err != nil {
		return nil, err
	}
	r, err := begin(ctx, o, engines)
	if err != nil {
		return nil, err
	}
	defer r.end()
	if o.Native {
		if r.python, err = nativePython(ctx, o.Log); err != nil {
			return nil, err
		}
		r.report.Versions[nativeEngine.Name] = nativeVersion
	}
	if err := r.parts(ctx); err != nil {
		return nil, err
	}
	r.report.compute()
	return r.report, nil
}

// begin installs what the engines need, serves it and opens the page.
func begin(ctx context.Context, o Options, engines []engine) (*run, error) {
	if err := Install(ctx, o.Dir, o.Log); err != nil {
		return nil, err
	}
	srv, err := startServer(o.Dir, engines)
	if err != nil {
		return nil, err
	}
	page, err := openPage(ctx, srv.url)
	if err != nil {
		srv.close()
		return nil, err
	}
	return &run{Options: o, engines: engines, server: srv, page: page, report: newReport(o.Dir, page)}, nil
}

func (r *run) end() {
	r.page.close()
	r.server.close()
}

// Parts of the bench: networks with their layers, whole frames in the page, the way to
// the first result with what it downloads, how time grows with the picture, the network and the threads.
var Parts = []string{"networks", "frame", "start", "growth"}

func (r *run) parts(ctx context.Context) error {
	for _, part := range r.Parts {
		var err error
		switch part {
		case "networks":
			err = r.networks(ctx)
		case "frame":
			err = r.frame(ctx)
		case "start":
			err = r.start()
		case "growth":
			err = r.growth()
		default:
			err = fmt.Errorf("there is no part %q; there are %s", part, strings.Join(Parts, ", "))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// networks measures the machine's limit and every network.
func (r *run) networks(ctx context.Context) error {
	if slices.ContainsFunc(r.engines, func(e engine) bool { return e.Name == ownEngine }) {
		if err := r.limits(); err != nil {
			return err
		}
	}
	return r.models(ctx)
}

// run is one bench under way.
type run struct {
	Options
	engines []engine
	server  *server
	page    *page
	report  *Report
	python  string // of the native engine; "" without
}

func (r *run) logf(format string, args ...any) { fmt.Fprintf(r.Log, format+"\n", args...) }

func (r *run) models(ctx context.Context) error {
	for _, m := range r.Models {
		if err := r.model(ctx, m); err != nil {
			return fmt.Errorf("%s at %dx%d: %w", m.Name(), m.Width, m.Height, err)
		}
	}
	return nil
}

// threads are the counts to measure.
func (r *run) threads() []int {
	if len(r.Threads) > 0 {
		return r.Threads
	}
	if n := r.report.Machine.Cores; n > 1 {
		return []int{1, n}
	}
	return []int{1}
}

// model measures every engine on one network.
func (r *run) model(ctx context.Context, m Model) error {
	r.logf("%s at %dx%d: making the files ...", m.Name(), m.Width, m.Height)
	if err := r.server.add(m); err != nil {
		return err
	}
	var cases []benchCase
	for _, threads := range r.threads() {
		for _, e := range r.engines {
			cases = append(cases, e.cases(threads)...)
		}
	}
	if err := r.open(m, cases); err != nil {
		return err
	}
	var outside *native
	if r.python != "" {
		var err error
		if outside, err = startNative(ctx, r.python, m, r.server.model(m, "model.onnx"), 1); err != nil {
			return err
		}
		defer outside.close()
		cases = append(cases, benchCase{nativeEngine, "", 1})
	}
	times, err := r.measure(outside, len(cases), r.Runs)
	if err != nil {
		return err
	}
	for _, c := range cases {
		r.report.Results = append(r.report.Results, result(m, c, times[c.key()]))
	}
	return r.layers(m, cases, times)
}

// open starts the engines in a fresh page and compares their outputs.
func (r *run) open(m Model, cases []benchCase) error {
	if err := r.page.reload(m.frames()); err != nil {
		return err
	}
	for _, c := range cases {
		var started struct{ Load, First float64 }
		if err := r.page.call(&started, "open", c.spec(m)); err != nil {
			return err
		}
		r.logf("  %-28s loaded in %.0f ms, first run %.0f ms", c.key(), started.Load, started.First)
	}
	return r.agree(m, cases)
}

// measure times the engines of the page, and the one outside where there is one, in rounds.
func (r *run) measure(outside *native, engines, runs int) (map[string][]float64, error) {
	warm := 1500
	if r.Quick {
		warm = 500
	}
	r.logf("  warming up, then %d interleaved runs of %d engines ...", runs, engines)
	if err := r.page.call(nil, "warm", 3, warm); err != nil {
		return nil, err
	}
	times := map[string][]float64{}
	for i := range runs {
		var round map[string]float64
		if err := r.page.call(&round, "round", i, pause.Milliseconds()); err != nil {
			return nil, err
		}
		for key, ms := range round {
			times[key] = append(times[key], ms)
		}
		if outside != nil {
			ms, err := outside.run(i)
			if err != nil {
				return nil, err
			}
			key := benchCase{nativeEngine, "", 1}.key()
			times[key] = append(times[key], ms)
		}
	}
	return times, nil
}

// agree compares the outputs of all engines with the first one's.
func (r *run) agree(m Model, cases []benchCase) error {
	worst := map[string]float64{}
	if err := r.page.call(&worst, "compare", 0); err != nil {
		return err
	}
	var wrong []string
	for _, c := range cases {
		d, ok := worst[c.key()]
		if !ok || d < 0 || d > Tolerance {
			wrong = append(wrong, fmt.Sprintf("%s differs by %.3g standard deviations", c.key(), d))
		}
		r.report.Agreement = append(r.report.Agreement, Agreement{Engine: c.engine.Name, Variant: c.variant, Threads: c.threads,
			Model: m.Name(), Width: m.Width, Height: m.Height, Deviation: d})
	}
	if len(wrong) > 0 {
		return fmt.Errorf("outputs disagree with those of %s (at most %g allowed): %s", cases[0].key(), Tolerance, strings.Join(wrong, "; "))
	}
	r.logf("  outputs agree within %.2g standard deviations", slices.Max(values(worst)))
	return nil
}

func values(m map[string]float64) []float64 {
	var out []float64
	for _, v := range m {
		out = append(out, v)
	}
	return out
}
