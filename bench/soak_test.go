package bench

import (
	"strings"
	"testing"
	"time"
)

// TestSoakMeasures runs the camera for seconds only: every figure is there, and nothing goes wrong.
func TestSoakMeasures(t *testing.T) {
	soak, err := RunSoak(t.Context(), SoakOptions{Dir: ".", Length: 4 * time.Second, Every: 2 * time.Second, Log: t.Output()})
	if err != nil {
		t.Fatal(err)
	}
	if len(soak.Samples) < 3 || len(soak.Errors) > 0 || !strings.HasPrefix(soak.Variant, "simd") {
		t.Fatalf("%d samples of %q, errors %q", len(soak.Samples), soak.Variant, soak.Errors)
	}
	for i, s := range soak.Samples {
		if i > 0 && s.Frames <= soak.Samples[i-1].Frames {
			t.Errorf("sample %d: %d frames after %d", i, s.Frames, soak.Samples[i-1].Frames)
		}
		if s.PageHeap < 1e5 || s.Heap < 1e5 || s.Buffers == 0 || s.Wasm < 1e6 || s.Nodes < 100 || s.Median <= 0 || s.P95 < s.Median {
			t.Errorf("sample %d: %+v", i, s)
		}
	}
}

// TestSoakTellsGrowth: a heap that grows by a kilobyte a frame does not pass for flat, noise does.
func TestSoakTellsGrowth(t *testing.T) {
	sample := func(i int, heap float64) Sample {
		return Sample{Seconds: float64(i), Frames: 100 * i, Median: 30, P95: 40, PageHeap: heap, Heap: 5e5, Buffers: 4e6, Wasm: 39e6, Nodes: 1900, Resident: 1e9}
	}
	var flat, grows Soak
	for i := range 30 {
		noise := float64(i%3) * 40e3
		flat.Samples = append(flat.Samples, sample(i, 2e6+noise))
		grows.Samples = append(grows.Samples, sample(i, 2e6+noise+1e3*float64(100*i)))
	}
	if !flat.Flat() {
		t.Errorf("noise passes for growth: %+v", flat.Growth())
	}
	if g := grows.Growth()[0]; grows.Flat() || g.Flat || g.Frame < 900 || g.Frame > 1100 {
		t.Errorf("growth of 1000 bytes a frame: %+v", g)
	}
	flat.Errors = []string{"error: x"}
	if flat.Flat() {
		t.Error("errors pass")
	}
}
