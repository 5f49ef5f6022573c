package bench

import (
	"fmt"
	"io"
	"math"
	"strings"
)

// measure is one of the columns that should stay as they are, and by how much of its mean, or
// else by how much in all, its fitted line may rise over the whole run. A rise of less than
// three standard errors is noise in any case.
type measure struct {
	name, unit string
	scale      float64
	of         func(Sample) float64
	part, atom float64
}

var measures = []measure{
	{"page's heap", "KB", 1e3, func(s Sample) float64 { return s.PageHeap }, 0.05, 100e3},
	{"worker's heap", "KB", 1e3, func(s Sample) float64 { return s.Heap }, 0.05, 100e3},
	{"array buffers", "KB", 1e3, func(s Sample) float64 { return s.Buffers }, 0.05, 1e6},
	{"WebAssembly", "MB", 1e6, func(s Sample) float64 { return s.Wasm }, 0, 0},
	{"nodes", "", 1, func(s Sample) float64 { return s.Nodes }, 0.05, 20},
	{"processes", "MB", 1e6, func(s Sample) float64 { return s.Resident }, 0.1, 20e6},
	{"median", "ms", 1, func(s Sample) float64 { return s.Median }, 0.15, 1},
	{"95%", "ms", 1, func(s Sample) float64 { return s.P95 }, 0.3, 3},
}

// Growth is how much a measure's fitted line rises from the first sample to the last.
type Growth struct {
	Name  string  `json:"name"`
	Mean  float64 `json:"mean"`
	Total float64 `json:"growth"`
	Error float64 `json:"standard_error"` // of the growth
	Frame float64 `json:"growth_a_frame"`
	Flat  bool    `json:"flat"`
}

// settled are the samples behind the first fifth: until then browsers compile and optimise what
// the page runs, and keep what they learn of it.
func (s *Soak) settled() []Sample { return s.Samples[len(s.Samples)/5:] }

// frames is how many the judgement rests on.
func frames(samples []Sample) int { return samples[len(samples)-1].Frames - samples[0].Frames }

// Growth judges each measure.
func (s *Soak) Growth() []Growth {
	var list []Growth
	samples := s.settled()
	for _, m := range measures {
		slope, mean, deviation := fit(samples, m.of)
		n := float64(frames(samples))
		flat := slope*n <= max(m.part*mean, m.atom, 3*deviation*n)
		list = append(list, Growth{m.name, mean, slope * n, deviation * n, slope, flat})
	}
	return list
}

// fit is the least-squares line of a measure over the frames: its slope, its mean and the
// slope's standard error.
func fit(samples []Sample, of func(Sample) float64) (slope, mean, deviation float64) {
	var x, y, xx, xy float64
	n := float64(len(samples))
	for _, s := range samples {
		frames := float64(s.Frames - samples[0].Frames)
		x, y, xx, xy = x+frames, y+of(s), xx+frames*frames, xy+frames*of(s)
	}
	d := n*xx - x*x
	if d == 0 || n < 3 {
		return 0, y / n, 0
	}
	slope = (n*xy - x*y) / d
	squares := 0.0
	for _, s := range samples {
		off := of(s) - y/n - slope*(float64(s.Frames-samples[0].Frames)-x/n)
		squares += off * off
	}
	return slope, y / n, math.Sqrt(squares / (n - 2) * n / d)
}

// Flat says whether nothing grows and nothing went wrong.
func (s *Soak) Flat() bool {
	for _, g := range s.Growth() {
		if !g.Flat {
			return false
		}
	}
	return len(s.Errors) == 0
}

// PrintHead prints the names of a sample's columns.
func PrintHead(w io.Writer) {
	fmt.Fprintf(w, "%8s %8s", "seconds", "frames")
	for _, m := range measures {
		fmt.Fprintf(w, " %16s", strings.TrimSpace(m.name+" "+m.unit))
	}
	fmt.Fprintln(w)
}

func (s Sample) print(w io.Writer) {
	fmt.Fprintf(w, "%8.0f %8d", s.Seconds, s.Frames)
	for _, m := range measures {
		fmt.Fprintf(w, " %16.1f", m.of(s)/m.scale)
	}
	fmt.Fprintln(w)
}

// Print prints how each measure grows, and the verdict.
func (s *Soak) Print(w io.Writer) {
	last := s.Samples[len(s.Samples)-1]
	fmt.Fprintf(w, "\n%s as %s: %d frames in %.0f seconds; fitted over the last %d\n", s.Model, s.Variant, last.Frames, last.Seconds, frames(s.settled()))
	for i, g := range s.Growth() {
		m := measures[i]
		verdict := "flat"
		if !g.Flat {
			verdict = "GROWS"
		}
		fmt.Fprintf(w, "  %-14s mean %10.1f %-2s  fitted growth %+10.2f ± %.2f %-2s  %+9.3f a frame  %s\n",
			g.Name, g.Mean/m.scale, m.unit, g.Total/m.scale, g.Error/m.scale, m.unit, g.Frame, verdict)
	}
	for _, e := range s.Errors {
		fmt.Fprintf(w, "  error: %s\n", e)
	}
	fmt.Fprintf(w, "  %d errors, exceptions and rejections\n", len(s.Errors))
	if s.Flat() {
		fmt.Fprintln(w, "Nothing grows.")
	} else {
		fmt.Fprintln(w, "NOT FLAT.")
	}
}
