package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"strings"
	"text/tabwriter"
	"time"

	"spotter/models/config"
	"spotter/wasm"
	"spotter/wasm/abi"
	"spotter/wasm/run"
)

// profileRuns is how often each layer runs; the least time counts.
const profileRuns = 5

// printProfile compiles a model and prints what it became, layer by layer.
func printProfile(w io.Writer, name string, o config.Options) error {
	m, err := summaryModel(name, o)
	if err != nil {
		return err
	}
	c, err := wasm.Compile(m.Graph, m.Weights, wasm.Options{Task: m.Task})
	if err != nil {
		return err
	}
	times, err := profile(c)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "\top\tresult\tparams\tMACs\tkernel\tms\tGFLOP/s\t")
	var total time.Duration
	macs := 0
	for i, l := range c.Manifest.Layers {
		fmt.Fprintf(table, "%d\t%s\t%s\t%d\t%d\t%s\t%s\t\n", i, l.Op, dimensions(l.Out), l.Params, l.MACs, l.Kernel, speed(times[i], l.MACs))
		total += times[i]
		macs += l.MACs
	}
	fmt.Fprintf(table, "\ttotal\t\t%d\t%d\t\t%s\t\n", c.Manifest.Params, macs, speed(total, macs))
	return table.Flush()
}

// profile gives the least time of each layer under wazero's compiler.
func profile(c *wasm.Output) ([]time.Duration, error) {
	e, err := run.New(context.Background(), c.Module, c.Weights, run.Options{})
	if err != nil {
		return nil, err
	}
	defer e.Close()
	times := make([]time.Duration, len(c.Manifest.Layers))
	for i := range times {
		times[i] = math.MaxInt64
	}
	size := c.Manifest.Width * c.Manifest.Height * 4
	for range profileRuns {
		if err := e.Feed(make([]byte, size), c.Manifest.Width, c.Manifest.Height); err != nil {
			return nil, err
		}
		for i := range times {
			start := time.Now()
			if err := e.Step(i); err != nil {
				return nil, layerError(c.Manifest.Layers[i], err)
			}
			times[i] = min(times[i], time.Since(start))
		}
	}
	return times, nil
}

func layerError(l abi.Layer, err error) error { return fmt.Errorf("layer %s: %w", l.Name, err) }

// speed is ms and GFLOP/s as two cells.
func speed(t time.Duration, macs int) string {
	ms := t.Seconds() * 1e3
	if macs == 0 || t <= 0 {
		return fmt.Sprintf("%.3f\t", ms)
	}
	return fmt.Sprintf("%.3f\t%.1f", ms, 2*float64(macs)/t.Seconds()/1e9)
}

func dimensions(shape []int) string {
	return strings.ReplaceAll(strings.Trim(fmt.Sprint(shape), "[]"), " ", "x")
}
