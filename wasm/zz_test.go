package wasm_test

import (
	"bytes"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/andybalholm/brotli"
	"spotter/wasm"
	"spotter/wasm/run"
)

func TestZZ(t *testing.T) {
	g, w := builtin(t, "yolov5-mnv4-convsmall", "n", true, 320, 320)
	for _, o := range []wasm.Options{{}, {Relaxed: true}, {Threads: true}, {Relaxed: true, Threads: true}} {
		st := time.Now()
		out := compile(t, g, w, o)
		var bb bytes.Buffer
		bw := brotli.NewWriterLevel(&bb, 11)
		bw.Write(out.Module)
		bw.Close()
		fmt.Println(o, len(out.Module), bb.Len(), len(out.Weights), out.Manifest.Weights.SHA256[:8], out.ArenaBytes, out.PlainBytes, time.Since(st), out.Manifest.Memory.Pages)
		os.WriteFile(fmt.Sprintf("/work/tmp/C1/n%v%v.wasm", o.Relaxed, o.Threads), out.Module, 0o644)
		if !o.Relaxed && !o.Threads {
			e := engine(t, out, run.Options{})
			_, rgba := picture(640, 480, 1)
			for range 5 {
				st := time.Now()
				e.Feed(rgba, 640, 480)
				a := time.Since(st)
				e.Infer()
				b := time.Since(st) - a
				r, err := e.Detect(run.DetectOptions{Conf: 0.25, IoU: 0.45})
				fmt.Println(a, b, time.Since(st)-a-b, len(r), err)
			}
			for i, l := range out.Manifest.Layers {
				best := time.Hour
				for range 3 {
				st := time.Now()
				e.Step(i)
				best = min(best, time.Since(st))
				}
				fmt.Printf("%3d %-50s %-22s %-24s %v %v %6.2fM %8.3fms %5.1f GF\n", i, l.Name, l.Op, l.Kernel, l.In, l.Out, float64(l.MACs)/1e6, best.Seconds()*1e3, 2*float64(l.MACs)/best.Seconds()/1e9)
			}
		}
	}
}
