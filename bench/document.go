package bench

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
)

// The lines of a document between which Document writes.
const (
	beginMark = "<!-- figures: begin (written by ./build.sh bench --write) -->"
	endMark   = "<!-- figures: end -->"
)

// Document replaces what stands between the marks of a Markdown file by the report's tables.
func (r *Report) Document(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, rest, ok := bytes.Cut(text, []byte(beginMark+"\n"))
	_, after, end := bytes.Cut(rest, []byte(endMark))
	if !ok || !end {
		return fmt.Errorf("%s: the lines %q and %q are not there", path, beginMark, endMark)
	}
	var out bytes.Buffer
	out.Write(before)
	fmt.Fprintln(&out, beginMark)
	r.markdown(&out)
	fmt.Fprint(&out, endMark)
	out.Write(after)
	return os.WriteFile(path, out.Bytes(), 0o644)
}

func (r *Report) markdown(w io.Writer) {
	fmt.Fprintf(w, "\nMeasured on %s, %d cores, %s, on %s with", r.Machine.CPU, r.Machine.Cores, r.Machine.OS, r.Date)
	for i, name := range slices.Sorted(maps.Keys(r.Versions)) {
		fmt.Fprintf(w, "%s %s %s", map[bool]string{true: "", false: ","}[i == 0], name, r.Versions[name])
	}
	fmt.Fprint(w, ".\n")
	if r.Machine.Load != "" {
		fmt.Fprintf(w, "Load average at the start: %s. Where it is not near 0, other work had the cores too: figures of several\nthreads and medians are then too high.\n", r.Machine.Load)
	}
	r.markdownNetworks(w)
	r.markdownLimit(w)
	r.markdownPage(w)
	r.markdownGrowth(w)
	fmt.Fprintln(w)
}

// row writes one line of a Markdown table.
func row(w io.Writer, cells ...any) {
	for _, c := range cells {
		if v, ok := c.(float64); ok {
			c = fmt.Sprintf("%.2f", v)
		}
		fmt.Fprintf(w, "| %v ", c)
	}
	fmt.Fprintln(w, "|")
}

// heading writes a table's first two lines; columns whose name starts with > are numbers.
func heading(w io.Writer, title string, columns ...string) {
	fmt.Fprintf(w, "\n### %s\n\n", title)
	var names, rule []string
	for _, c := range columns {
		name, number := strings.CutPrefix(c, ">")
		names = append(names, name)
		rule = append(rule, map[bool]string{true: "---:", false: "---"}[number])
	}
	fmt.Fprintf(w, "| %s |\n|%s|\n", strings.Join(names, " | "), strings.Join(rule, "|"))
}

func (r *Report) markdownNetworks(w io.Writer) {
	if len(r.Results) > 0 {
		heading(w, fmt.Sprintf("The network alone, milliseconds a frame (%d interleaved runs)", r.Results[0].Runs),
			"network", ">pixels", "engine", "variant", ">threads", ">minimum", ">median")
		for _, x := range r.Results {
			row(w, x.Model, x.ImgSz, x.Engine, x.Variant, x.Threads, x.MinMS, x.MedianMS)
		}
	}
	if len(r.Ratios) > 0 {
		heading(w, "How many times as fast as the others (minimum against minimum)", "network", ">pixels", ">threads", "against", ">times", ">goal")
		for _, x := range r.Ratios {
			goal := "–"
			if x.Goal > 0 {
				goal = fmt.Sprintf("%.1f", x.Goal)
			}
			row(w, x.Model, x.ImgSz, x.Threads, x.Peer, x.Times, goal)
		}
	}
	if len(r.Scaling) > 0 {
		heading(w, "What more threads bring", "network", ">pixels", "engine", "variant", ">threads", ">times as fast as 1")
		for _, s := range r.Scaling {
			row(w, s.Model, s.ImgSz, s.Engine, s.Variant, s.Threads, s.Times)
		}
	}
}

func (r *Report) markdownLimit(w io.Writer) {
	if len(r.Limits) > 0 {
		heading(w, "The machine's limit in the same browser, one thread", "variant", ">micro-kernel GFLOP/s", ">memory copy GB/s")
		for _, l := range r.Limits {
			row(w, l.Variant, fmt.Sprintf("%.1f", l.GFLOPS), fmt.Sprintf("%.1f", l.GBPerS))
		}
	}
	if len(r.Networks) > 0 {
		heading(w, "Whole networks against it (multiply-adds of the plain graph)", "network", ">pixels", "variant", ">MMACs", ">ms", ">of the limit", ">memory beside the weights, MiB")
		for _, n := range r.Networks {
			row(w, n.Model, n.ImgSz, n.Variant, fmt.Sprintf("%.1f", float64(n.MACs)/1e6), n.MS, fmt.Sprintf("%.0f%%", n.Percent), fmt.Sprintf("%.1f", float64(n.Memory)/(1<<20)))
		}
	}
	if len(r.Layers) > 0 {
		first := r.Networks[0]
		heading(w, fmt.Sprintf("The ten layers of %s at %d (%s) that lose most to it", first.Model, first.ImgSz, r.Networks[0].Variant),
			"layer", "operation", "kernel", "in", "out", ">ms", ">GFLOP/s", ">of the limit")
		for _, l := range worst(r.profile(first), 10) {
			row(w, l.Name, l.Op, l.Kernel, dims(l.In), dims(l.Out), fmt.Sprintf("%.3f", l.MS), fmt.Sprintf("%.1f", l.GFLOPS), fmt.Sprintf("%.0f%%", l.Percent))
		}
	}
}

func (r *Report) markdownPage(w io.Writer) {
	if len(r.Frame) > 0 {
		heading(w, fmt.Sprintf("A camera frame of %s in the page, %s at %d, milliseconds (medians of %d)", r.Frame[0].Camera, r.Frame[0].Model, r.Frame[0].ImgSz, r.Frame[0].Frames),
			">threads", ">handover", ">pixels", ">letterbox", ">network", ">decode + NMS", ">masks", ">draw", ">total", ">all but the network", ">result to result", ">all but the network", ">the page's thread")
		for _, f := range r.Frame {
			row(w, f.Threads, f.Handover, f.Pixels, f.Feed, f.Network, f.Detect, f.Masks, f.Draw, f.Total, fmt.Sprintf("%.1f%%", f.Other), f.Period, fmt.Sprintf("%.1f%%", f.Between), f.Page)
		}
		heading(w, fmt.Sprintf("JavaScript heaps over %d camera frames, bytes a frame", r.Frame[0].HeapFrames),
			">threads", ">allocated in the page", ">in the worker", ">kept in the page", ">in the worker")
		for _, f := range r.Frame {
			row(w, f.Threads, fmt.Sprintf("%.0f", f.Garbage), fmt.Sprintf("%.0f", f.WorkerGarbage), fmt.Sprintf("%.0f", f.Heap), fmt.Sprintf("%.0f", f.WorkerHeap))
		}
	}
	if len(r.Start) > 0 {
		heading(w, "From navigation to the first result on localhost, 1 thread, milliseconds", "engine", "variant", ">cold", ">warm")
		for _, s := range r.Start {
			row(w, s.Engine, s.Variant, fmt.Sprintf("%.0f", s.ColdMS), fmt.Sprintf("%.0f", s.WarmMS))
		}
	}
	if len(r.Download) > 0 {
		heading(w, "What a first visit downloads, KB", "engine", "variant", ">runtime", ">with brotli", ">network's files")
		for _, d := range r.Download {
			row(w, d.Engine, d.Variant, fmt.Sprintf("%.0f", kb(d.Runtime)), fmt.Sprintf("%.1f", kb(d.RuntimeBr)), fmt.Sprintf("%.0f", kb(d.Weights)))
		}
	}
}

func (r *Report) markdownGrowth(w io.Writer) {
	if len(r.Growth) == 0 {
		return
	}
	heading(w, "How it grows with the picture, the network and the threads, milliseconds (minimum)", "network", ">pixels", ">threads", ">spotter", ">onnxruntime-web", ">times")
	for _, g := range r.growthRows() {
		row(w, g.own.Model, g.own.ImgSz, g.own.Threads, g.own.MinMS, g.peer.MinMS, g.peer.MinMS/g.own.MinMS)
	}
}
