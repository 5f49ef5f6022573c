package bench

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"spotter/wasm/abi"
)

// sampleReport has results of three engines, one of them this project's in two variants.
func sampleReport() *Report {
	r := &Report{Machine: Machine{CPU: "Test", Cores: 2, OS: "none"}, Date: "2000-01-01", Versions: map[string]string{"go": "go0"}}
	add := func(engine, variant string, threads int, times ...float64) {
		r.Results = append(r.Results, result(DefaultModels[0], benchCase{engineOf(engine), variant, threads}, times))
	}
	add("onnxruntime-web", "", 1, 100, 90, 95)
	add(ownEngine, "simd", 1, 60, 50)
	add(ownEngine, "relaxed", 1, 45, 40)
	add("onnxruntime-web", "", 2, 50)
	add(ownEngine, "relaxed", 2, 25)
	add("onnxruntime-native", "", 1, 30)
	r.compute()
	return r
}

func engineOf(name string) engine { return engine{Name: name} }

func TestResultsKeepMinimumAndMedian(t *testing.T) {
	r := sampleReport().Results
	if r[0].MinMS != 90 || r[0].MedianMS != 95 || r[0].Runs != 3 {
		t.Errorf("odd number of times: %+v", r[0])
	}
	if r[1].MinMS != 50 || r[1].MedianMS != 55 || r[1].ImgSz != 320 || r[1].Model != "convsmall-n-detect" {
		t.Errorf("even number of times: %+v", r[1])
	}
}

func TestRatiosTakeTheFasterVariantAtTheSameThreads(t *testing.T) {
	r := sampleReport()
	var got []string
	for _, x := range r.Ratios {
		got = append(got, strings.Join([]string{x.Peer, x.Variant}, " "))
	}
	if want := []string{"onnxruntime-web relaxed", "onnxruntime-web relaxed", "onnxruntime-native relaxed"}; !slices.Equal(got, want) {
		t.Fatalf("ratios against %q, want %q", got, want)
	}
	if x := r.Ratios[0]; x.Times != 2.25 || x.Goal != 2 || x.MS != 40 || x.PeerMS != 90 {
		t.Errorf("one thread: %+v", x)
	}
	if x := r.Ratios[1]; x.Times != 2 || x.Threads != 2 {
		t.Errorf("two threads: %+v", x)
	}
	if x := r.Ratios[2]; x.Goal != 0 || x.Times != 0.75 {
		t.Errorf("outside the browser: %+v", x)
	}
	if len(r.Scaling) != 2 || r.Scaling[1].Engine != ownEngine || r.Scaling[1].Times != 1.6 {
		t.Errorf("scaling %+v", r.Scaling)
	}
}

// A layer of 1000 x 8 pixels: 80 MFLOP at 40 GFLOP/s take 2 ms; a layer without arithmetic is held
// against its bytes.
func TestLayersAreHeldAgainstTheSlowerLimit(t *testing.T) {
	limit := Limit{Variant: "simd", GFLOPS: 40, GBPerS: 10}
	m := DefaultModels[0]
	l := limit.layer(m, abi.Layer{Name: "conv", In: []int{10, 10, 100}, Out: []int{10, 10, 4000}, MACs: 40_000_000, Params: 400_000}, 4)
	if l.Percent != 50 || l.Lost != 2 || l.GFLOPS != 20 || l.Bytes != 4*(10_000+400_000+400_000) {
		t.Errorf("arithmetic: %+v", l)
	}
	l = limit.layer(m, abi.Layer{Name: "add", In: []int{100, 100, 50}, Out: []int{100, 100, 50}}, 0.8)
	if l.Percent != 50 || l.Lost != 0.4 || l.GFLOPS != 0 {
		t.Errorf("bytes: %+v", l)
	}
}

func TestWorstLayersComeFirst(t *testing.T) {
	layers := []LayerTime{{Name: "a", Lost: 1}, {Name: "b", Lost: 3}, {Name: "c", Lost: 2}}
	got := worst(layers, 2)
	if len(got) != 2 || got[0].Name != "b" || got[1].Name != "c" || layers[0].Name != "a" {
		t.Errorf("worst two %+v of %+v", got, layers)
	}
	if len(worst(layers, 10)) != 3 {
		t.Error("more were asked for than there are, and some are missing")
	}
}

func TestGrowthThreads(t *testing.T) {
	for cores, want := range map[int][]int{1: {1}, 2: {1, 2}, 4: {1, 2, 3, 4}, 12: {1, 2, 4, 8, 12}, 16: {1, 2, 4, 8, 16}} {
		r := &run{report: &Report{Machine: Machine{Cores: cores}}}
		if got := r.growthThreads(); !slices.Equal(got, want) {
			t.Errorf("%d cores: %v, want %v", cores, got, want)
		}
	}
}

func TestDocumentReplacesOnlyItsFigures(t *testing.T) {
	path := filepath.Join(t.TempDir(), "performance.md")
	write := func(text string) {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("before\n" + beginMark + "\nold figures\n" + endMark + "\nafter\n")
	var texts []string
	for range 2 { // twice gives the same
		if err := sampleReport().Document(path); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(text))
	}
	text := texts[0]
	if !strings.HasPrefix(text, "before\n"+beginMark+"\n") || !strings.HasSuffix(text, endMark+"\nafter\n") || strings.Contains(text, "old figures") {
		t.Errorf("the text around was not kept:\n%s", text)
	}
	if want := "| convsmall-n-detect | 320 | onnxruntime-web |  | 1 | 90.00 | 95.00 |\n"; !strings.Contains(text, want) {
		t.Errorf("%q is not in\n%s", want, text)
	}
	if texts[1] != text {
		t.Error("writing again changed the file")
	}
	write("no marks\n")
	if err := sampleReport().Document(path); err == nil {
		t.Error("a file without marks was taken")
	}
}

func TestChooseNamesWhatThereIs(t *testing.T) {
	got, err := choose([]string{"tfjs", ownEngine})
	if err != nil || len(got) != 2 || got[0].Name != "tfjs" || got[1].Name != ownEngine {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := choose([]string{"wonnx"}); err == nil || !strings.Contains(err.Error(), "litert") {
		t.Errorf("an unknown engine: %v", err)
	}
}
