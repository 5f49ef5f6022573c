package bench

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"text/tabwriter"
)

// Print writes the report as tables for reading.
func (r *Report) Print(w io.Writer) {
	fmt.Fprintf(w, "%s, %d cores, %s, %s\n", r.Machine.CPU, r.Machine.Cores, r.Machine.OS, r.Date)
	if r.Machine.Load != "" {
		fmt.Fprintf(w, "  load average at the start %s\n", r.Machine.Load)
	}
	for _, name := range slices.Sorted(maps.Keys(r.Versions)) {
		fmt.Fprintf(w, "  %s %s\n", name, r.Versions[name])
	}
	for _, group := range r.groups() {
		first := group[0]
		fmt.Fprintf(w, "\n%s at %dx%d, milliseconds a frame (network alone, %d interleaved runs)\n", first.Model, first.Width, first.Height, first.Runs)
		t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		fmt.Fprintln(t, "  engine\tvariant\tthreads\tminimum\tmedian\t")
		for _, x := range group {
			fmt.Fprintf(t, "  %s\t%s\t%d\t%.2f\t%.2f\t\n", x.Engine, x.Variant, x.Threads, x.MinMS, x.MedianMS)
		}
		t.Flush()
	}
	r.printRatios(w)
	r.printStart(w)
	r.printFrame(w)
	r.printGrowth(w)
	r.printTiles(w)
	r.printLayers(w)
}

// groups splits the results by network and size, in order.
func (r *Report) groups() [][]Result {
	var out [][]Result
	for _, x := range r.Results {
		if n := len(out); n > 0 && out[n-1][0].Model == x.Model && out[n-1][0].Width == x.Width && out[n-1][0].Height == x.Height {
			out[n-1] = append(out[n-1], x)
			continue
		}
		out = append(out, []Result{x})
	}
	return out
}
