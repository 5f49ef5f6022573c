package bench

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// Ratio compares this project's faster variant with another engine at the same number of
// threads, by the minimum of the interleaved runs.
type Ratio struct {
	Model   string  `json:"model"`
	ImgSz   int     `json:"imgsz"`
	Threads int     `json:"threads"`
	Variant string  `json:"variant"` // this project's
	MS      float64 `json:"ms"`
	Peer    string  `json:"peer"`
	PeerMS  float64 `json:"peer_ms"`
	Times   float64 `json:"times"` // as fast as the peer
	Goal    float64 `json:"goal"`  // at least; 0 where there is none
}

// goals are how many times as fast as a peer the engine is to be.
var goals = map[string]float64{"onnxruntime-web": 2.0, "litert": 1.4, "tfjs": 2.0}

// Scaling is the gain of threads: the time with one over the time with several.
type Scaling struct {
	Engine  string  `json:"engine"`
	Variant string  `json:"variant"`
	Model   string  `json:"model"`
	ImgSz   int     `json:"imgsz"`
	Threads int     `json:"threads"`
	Times   float64 `json:"times"`
}

// compute fills ratios and scaling in from the results.
func (r *Report) compute() {
	r.Ratios, r.Scaling = nil, nil
	for _, group := range r.groups() {
		for _, x := range group {
			if own, ok := best(group, x.Threads); ok && x.Engine != ownEngine {
				r.Ratios = append(r.Ratios, Ratio{Model: x.Model, ImgSz: x.ImgSz, Threads: x.Threads, Variant: own.Variant, MS: own.MinMS,
					Peer: x.Engine, PeerMS: x.MinMS, Times: hundredths(x.MinMS / own.MinMS), Goal: goals[x.Engine]})
			}
			if one, ok := single(group, x); ok && x.Threads > 1 {
				r.Scaling = append(r.Scaling, Scaling{Engine: x.Engine, Variant: x.Variant, Model: x.Model, ImgSz: x.ImgSz,
					Threads: x.Threads, Times: hundredths(one.MinMS / x.MinMS)})
			}
		}
	}
}

func hundredths(v float64) float64 { return float64(int(v*100+0.5)) / 100 }

// best is this project's faster result with a number of threads.
func best(group []Result, threads int) (found Result, ok bool) {
	for _, x := range group {
		if x.Engine == ownEngine && x.Threads == threads && (!ok || x.MinMS < found.MinMS) {
			found, ok = x, true
		}
	}
	return found, ok
}

// single is the one-thread result of x's engine and variant.
func single(group []Result, x Result) (Result, bool) {
	for _, y := range group {
		if y.Engine == x.Engine && y.Variant == x.Variant && y.Threads == 1 {
			return y, true
		}
	}
	return Result{}, false
}

func (r *Report) printRatios(w io.Writer) {
	if len(r.Ratios) == 0 {
		return
	}
	fmt.Fprintln(w, "\nHow many times as fast as the others (minimum against minimum, same threads)")
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "  network\tpixels\tthreads\tagainst\tits ms\tours ms\ttimes\tgoal\t")
	for _, x := range r.Ratios {
		goal := "-"
		if x.Goal > 0 {
			goal = fmt.Sprintf("%.1f %s", x.Goal, reached(x.Times >= x.Goal))
		}
		fmt.Fprintf(t, "  %s\t%d\t%d\t%s\t%.2f\t%.2f\t%.2f\t%s\t\n", x.Model, x.ImgSz, x.Threads, x.Peer, x.PeerMS, x.MS, x.Times, goal)
	}
	t.Flush()
	for _, s := range r.Scaling {
		if s.Engine == ownEngine {
			fmt.Fprintf(w, "  %s at %d, %s: %d threads are %.2f times as fast as one\n", s.Model, s.ImgSz, s.Variant, s.Threads, s.Times)
		}
	}
}

func reached(ok bool) string {
	if ok {
		return "reached"
	}
	return "missed"
}
