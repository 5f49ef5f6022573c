//go:build !embed

package main

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"os/signal"
	"strings"

	"spotter/bench"
)

const benchUsage = `Usage: spotter bench [flags]

Measures this project's engine beside other in-browser runtimes in headless Chromium:
the same networks, weights and frames, interleaved run by run, outputs compared first.
Runs from the project's sources and needs a browser (or CHROME=path) and npm.

Flags:
`

// runBench is the bench command.
func runBench(args []string, stdout, stderr io.Writer) error {
	flags := newFlags("bench")
	o := bench.Options{Dir: "bench", Log: stderr}
	flags.BoolVar(&o.Quick, "quick", false, "one small network and few runs, under a minute")
	flags.IntVar(&o.Runs, "runs", 0, "interleaved runs of each engine (default 30; 5 with --quick)")
	flags.BoolVar(&o.Native, "native", false, "also run onnxruntime outside the browser, 1 thread (Python; installed into the user's cache)")
	only := flags.String("only", "", "engines to run, with commas: "+strings.Join(bench.EngineNames(), ","))
	tune := flags.Bool("tune", false, "instead measure every tile of the networks' pointwise convolutions, beside the compiler's choice")
	parts := flags.String("part", "", "parts to measure, with commas: "+strings.Join(bench.Parts, ",")+" (default all; networks with --quick)")
	flags.IntVar(&o.Frames, "frames", 0, "camera frames to time in the page (default 300)")
	flags.IntVar(&o.HeapFrames, "heap-frames", 0, "camera frames over which the heaps are watched (default 2000; 300 with --quick)")
	write := flags.String("write", "", "Markdown file to write the tables into, between its marks, e.g. docs/performance.md")
	asJSON := flags.Bool("json", false, "print one JSON object instead of tables")
	if err := parseFlags(flags, args, benchUsage, stdout); err != nil {
		return err
	}
	if *only != "" {
		o.Only = strings.Split(*only, ",")
	}
	if *parts != "" {
		o.Parts = strings.Split(*parts, ",")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	measure := bench.Run
	if *tune {
		measure = bench.Tune
	}
	report, err := measure(ctx, o)
	if err != nil {
		return err
	}
	if *write != "" {
		if err := report.Document(*write); err != nil {
			return err
		}
	}
	if *asJSON {
		out := json.NewEncoder(stdout)
		out.SetIndent("", "  ")
		return out.Encode(report)
	}
	report.Print(stdout)
	return nil
}
