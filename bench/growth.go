package bench

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// growthRuns of each engine: fewer, because the largest networks take seconds.
const growthRuns = 10

// growthModels are ConvSmall in all input sizes and in all scales.
func growthModels() []Model {
	var list []Model
	for _, side := range []int{160, 224, 320, 416, 512, 640, 960, 1280} {
		list = append(list, Model{YAML: convSmall, Label: "convsmall", Scale: "n", Task: "detect", Width: side, Height: side})
	}
	for _, scale := range []string{"s", "m", "l", "x"} {
		list = append(list, Model{YAML: convSmall, Label: "convsmall", Scale: scale, Task: "detect", Width: 320, Height: 320})
	}
	return list
}

// growthThreads are 1 to the machine's cores; of many only powers of two and the last.
func (r *run) growthThreads() []int {
	n := r.report.Machine.Cores
	var list []int
	for i := 1; i <= n; i++ {
		if n <= 4 || i == n || i&(i-1) == 0 {
			list = append(list, i)
		}
	}
	return list
}

// growth measures this project's engine and onnxruntime-web over sizes, scales and threads.
func (r *run) growth() error {
	pair, err := choose([]string{"onnxruntime-web", ownEngine})
	if err != nil {
		return err
	}
	for _, m := range growthModels() {
		r.logf("growth: %s at %dx%d ...", m.Name(), m.Width, m.Height)
		if err := r.server.add(m); err != nil {
			return err
		}
		var cases []benchCase
		for _, threads := range r.growthThreads() {
			cases = append(cases, benchCase{pair[0], "", threads}, benchCase{pair[1], "relaxed", threads})
		}
		if err := r.open(m, cases); err != nil {
			return fmt.Errorf("growth: %s at %d: %w", m.Name(), m.Width, err)
		}
		times, err := r.measure(nil, len(cases), growthRuns)
		if err != nil {
			return err
		}
		for _, c := range cases {
			r.report.Growth = append(r.report.Growth, result(m, c, times[c.key()]))
		}
		r.server.drop(m)
	}
	return nil
}

func (r *Report) printGrowth(w io.Writer) {
	if len(r.Growth) == 0 {
		return
	}
	fmt.Fprintln(w, "\nHow it grows, milliseconds (minimum)")
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "  network\tpixels\tthreads\tspotter\tonnxruntime-web\ttimes\t")
	for _, g := range r.growthRows() {
		fmt.Fprintf(t, "  %s\t%d\t%d\t%.1f\t%.1f\t%.2f\t\n", g.own.Model, g.own.ImgSz, g.own.Threads, g.own.MinMS, g.peer.MinMS, g.peer.MinMS/g.own.MinMS)
	}
	t.Flush()
}

type growthRow struct{ own, peer Result }

// growthRows pairs this project's results with onnxruntime-web's.
func (r *Report) growthRows() []growthRow {
	var rows []growthRow
	for _, own := range r.Growth {
		if own.Engine != ownEngine {
			continue
		}
		for _, peer := range r.Growth {
			if peer.Engine != ownEngine && peer.Model == own.Model && peer.ImgSz == own.ImgSz && peer.Threads == own.Threads {
				rows = append(rows, growthRow{own, peer})
			}
		}
	}
	return rows
}
