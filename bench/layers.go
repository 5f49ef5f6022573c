package bench

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"

	"spotter/models"
	"spotter/models/golden"
	"spotter/wasm/abi"
)

// Limit is what the machine reaches in the same browser and run: the ceiling that layers are
// held against.
type Limit struct {
	Variant string  `json:"variant"`
	GFLOPS  float64 `json:"gflops"`   // best pointwise micro-kernel, operands in the first-level cache, one thread
	GBPerS  float64 `json:"gb_per_s"` // memory copy, reads and writes counted
}

// LayerTime is one layer of this project's module on one thread.
type LayerTime struct {
	Model   string  `json:"model"`
	ImgSz   int     `json:"imgsz"`
	Variant string  `json:"variant"`
	Name    string  `json:"name"`
	Op      string  `json:"op"`
	Kernel  string  `json:"kernel"`
	In      []int   `json:"in"`  // H, W, C
	Out     []int   `json:"out"` // H, W, C
	MACs    int     `json:"macs"`
	Bytes   int     `json:"bytes"` // input, parameters and output, each touched once
	MS      float64 `json:"ms"`
	GFLOPS  float64 `json:"gflops"`
	Percent float64 `json:"percent"` // of the limit: arithmetic or bytes, whichever is slower
	Lost    float64 `json:"lost_ms"` // milliseconds above the limit
}

// Network is the whole network of this project's module against the limit, one thread.
type Network struct {
	Model   string  `json:"model"`
	ImgSz   int     `json:"imgsz"`
	Variant string  `json:"variant"`
	MACs    int     `json:"macs"` // of the plain graph
	MS      float64 `json:"ms"`   // minimum of the interleaved runs
	Percent float64 `json:"percent"`
	Memory  int     `json:"memory_bytes"` // of the module beside the network's weights
}

// limitShape is a pointwise convolution: a map of so many pixels, input and output channels.
type limitShape struct{ height, width, in, out int }

// limitShapes have operands that fit the first-level cache together, or the second-level
// cache where hardware fetches ahead; the best of them is the machine's limit.
var limitShapes = []limitShape{{10, 12, 64, 32}, {10, 12, 64, 48}, {10, 12, 128, 16}, {20, 20, 64, 96}, {20, 20, 128, 64}}

// limitModel is two pointwise convolutions, the second of which is timed.
func limitModel(l limitShape) (*models.Graph, models.Weights) {
	g := &models.Graph{Name: "limit", Input: &models.Value{Name: "images", Shape: models.Shape{3, l.height, l.width}},
		Head: models.Head{Proto: -1}, Feed: models.Feed{Fit: models.FitSquash, Scale: 1.0 / 255, Std: [3]float32{1, 1, 1}}}
	last := g.Input
	for i, channels := range []int{l.in, l.out} {
		name := fmt.Sprintf("model.%d", i)
		n := &models.Node{Name: name, In: []*models.Value{last}, Layer: -1,
			Op: &models.Conv{Out: channels, Kernel: [2]int{1, 1}, Stride: [2]int{1, 1}, Groups: 1, Weight: name + ".weight", Bias: name + ".bias"}}
		n.Out = &models.Value{Name: name, Shape: models.Shape{channels, l.height, l.width}, From: n}
		last = n.Out
		g.Nodes = append(g.Nodes, n)
	}
	g.Outputs = []*models.Value{last}
	return g, golden.Weights(g, false)
}

// limits measures the machine once for each instruction set.
func (r *run) limits() error {
	own, err := choose([]string{ownEngine})
	if err != nil {
		return err
	}
	for _, variant := range ownVariants {
		limit, c := Limit{Variant: variant}, benchCase{own[0], variant, 1}
		for _, shape := range limitShapes {
			gflops, err := r.microKernel(c, shape)
			if err != nil {
				return fmt.Errorf("the machine's limit: %w", err)
			}
			limit.GFLOPS = max(limit.GFLOPS, gflops)
		}
		var bytes float64
		if err := r.page.call(&bytes, "ask", c.key(), "copy", map[string]int{"passes": 10}); err != nil {
			return err
		}
		limit.GBPerS = bytes / 1e6
		r.logf("the machine's limit (%s): %.1f GFLOP/s, memory copy %.1f GB/s", variant, limit.GFLOPS, limit.GBPerS)
		r.report.Limits = append(r.report.Limits, limit)
	}
	return nil
}

// microKernel gives the GFLOP/s of the kernel that the compiler chooses for a shape.
func (r *run) microKernel(c benchCase, shape limitShape) (float64, error) {
	g, w := limitModel(shape)
	files, err := ownFiles(g, w)
	if err != nil {
		return 0, err
	}
	m := Model{Label: fmt.Sprintf("limit-%d-%d", shape.in, shape.out), Width: shape.width, Height: shape.height}
	r.server.put(m, files)
	if err := r.page.reload(m.frames()); err != nil {
		return 0, err
	}
	if err := r.page.call(nil, "open", c.spec(m)); err != nil {
		return 0, err
	}
	macs := shape.height * shape.width * shape.in * shape.out
	var ms float64
	err = r.page.call(&ms, "ask", c.key(), "repeat", map[string]int{"layer": 1, "calls": 500_000_000/macs/2 + 1, "passes": 20})
	return float64(2*macs) / ms / 1e6, err
}

// layers profiles the module of a network that is open in the page.
func (r *run) layers(m Model, cases []benchCase, times map[string][]float64) error {
	for _, c := range cases {
		if c.engine.Name != ownEngine || c.threads != 1 {
			continue
		}
		i := slices.IndexFunc(r.report.Limits, func(l Limit) bool { return l.Variant == c.variant })
		if i < 0 {
			continue
		}
		var profile struct {
			Layers []abi.Layer
			MS     []float64
			MACs   int
			Beside int
		}
		if err := r.page.call(&profile, "ask", c.key(), "layers", map[string]int{"passes": r.Runs}); err != nil {
			return err
		}
		limit := r.report.Limits[i]
		for j, l := range profile.Layers {
			r.report.Layers = append(r.report.Layers, limit.layer(m, l, profile.MS[j]))
		}
		n := Network{Model: m.Name(), ImgSz: max(m.Width, m.Height), Variant: c.variant, MACs: profile.MACs, Memory: profile.Beside, MS: round(slices.Min(times[c.key()]))}
		n.Percent = percent(float64(2*n.MACs)/limit.GFLOPS/1e6, n.MS)
		r.report.Networks = append(r.report.Networks, n)
	}
	return nil
}

func (limit Limit) layer(m Model, l abi.Layer, ms float64) LayerTime {
	bytes := 4 * (product(l.In) + product(l.Out) + l.Params)
	least := max(float64(2*l.MACs)/limit.GFLOPS/1e6, float64(bytes)/limit.GBPerS/1e6)
	t := LayerTime{Model: m.Name(), ImgSz: max(m.Width, m.Height), Variant: limit.Variant, Name: l.Name, Op: l.Op, Kernel: l.Kernel,
		In: l.In, Out: l.Out, MACs: l.MACs, Bytes: bytes, MS: round(ms), Percent: percent(least, ms), Lost: round(max(ms-least, 0))}
	if ms > 0 {
		t.GFLOPS = round(float64(2*l.MACs) / ms / 1e6)
	}
	return t
}

func percent(part, whole float64) float64 {
	if whole <= 0 {
		return 0
	}
	return float64(int(1000*part/whole+0.5)) / 10
}

func product(shape []int) int {
	p := 1
	for _, d := range shape {
		p *= d
	}
	return p
}

// printLayers writes the profiles: the ten layers that lose most first, then all in order.
func (r *Report) printLayers(w io.Writer) {
	for _, n := range r.Networks {
		own := r.profile(n)
		var sum float64
		for _, l := range own {
			sum += l.MS
		}
		fmt.Fprintf(w, "\n%s at %d, %s, 1 thread: %.2f ms, %.1f%% of the limit; layers together %.2f ms; %.1f MiB beside the weights\n",
			n.Model, n.ImgSz, n.Variant, n.MS, n.Percent, sum, float64(n.Memory)/(1<<20))
		fmt.Fprintln(w, "  the ten that lose most:")
		layerTable(w, worst(own, 10))
		fmt.Fprintln(w, "  in order:")
		layerTable(w, own)
	}
}

// profile lists the layers of a network in order.
func (r *Report) profile(n Network) []LayerTime {
	var own []LayerTime
	for _, l := range r.Layers {
		if l.Model == n.Model && l.ImgSz == n.ImgSz && l.Variant == n.Variant {
			own = append(own, l)
		}
	}
	return own
}

// worst lists the n layers that lose most to the limit.
func worst(layers []LayerTime, n int) []LayerTime {
	list := slices.Clone(layers)
	slices.SortStableFunc(list, func(a, b LayerTime) int { return cmp.Compare(b.Lost, a.Lost) })
	return list[:min(n, len(list))]
}

func layerTable(w io.Writer, layers []LayerTime) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "  layer\toperation\tkernel\tin\tout\tMMACs\tKB\tms\tGFLOP/s\tof limit\tlost ms\t")
	for _, l := range layers {
		fmt.Fprintf(t, "  %s\t%s\t%s\t%s\t%s\t%.2f\t%d\t%.3f\t%.1f\t%.0f%%\t%.3f\t\n", l.Name, l.Op, l.Kernel, dims(l.In), dims(l.Out),
			float64(l.MACs)/1e6, l.Bytes>>10, l.MS, l.GFLOPS, l.Percent, l.Lost)
	}
	t.Flush()
}

func dims(shape []int) string {
	text := ""
	for i, d := range shape {
		if i > 0 {
			text += "x"
		}
		text += fmt.Sprint(d)
	}
	return text
}
