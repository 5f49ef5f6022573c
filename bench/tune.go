package bench

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"

	"spotter/kernels"
	"spotter/kernels/emit"
	"spotter/models"
)

// Tile is a pointwise convolution measured with every tile, alone and with its operands as
// near as their size allows: how good the compiler's choice is.
type Tile struct {
	Variant string    `json:"variant"`
	Pixels  [2]int    `json:"pixels"` // height, width
	In      int       `json:"in"`     // channels
	Out     int       `json:"out"`
	Tiles   []string  `json:"tiles"`
	GFLOPS  []float64 `json:"gflops"` // of each tile
	Chosen  string    `json:"chosen"`
	Best    string    `json:"best"`
	Lost    float64   `json:"lost_percent"` // of the best one's speed by the choice
}

// pointwiseShape is what tiles are chosen by.
type pointwiseShape struct{ h, w, in, out int }

// pointwiseShapes lists the distinct 1x1 convolutions of networks, heaviest first.
func pointwiseShapes(list []Model) ([]pointwiseShape, error) {
	seen := map[pointwiseShape]bool{}
	var shapes []pointwiseShape
	for _, m := range list {
		g, _, err := m.Build()
		if err != nil {
			return nil, err
		}
		for _, n := range g.Nodes {
			conv, ok := n.Op.(*models.Conv)
			if !ok || conv.Kernel != [2]int{1, 1} || conv.Groups > 1 {
				continue
			}
			s := pointwiseShape{n.Out.Shape[1], n.Out.Shape[2], n.In[0].Shape[0], conv.Out}
			if !seen[s] {
				seen[s] = true
				shapes = append(shapes, s)
			}
		}
	}
	slices.SortStableFunc(shapes, func(a, b pointwiseShape) int { return cmp.Compare(b.macs(), a.macs()) })
	return shapes, nil
}

func (s pointwiseShape) macs() int { return s.h * s.w * s.in * s.out }

// params describes the shape's kernel with a tile, the rest as the compiler tunes it.
func (s pointwiseShape) params(t kernels.Tile, o kernels.Options) kernels.PointwiseParams {
	return kernels.PointwiseParams{In: kernels.Packed(s.h, s.w, s.in), Out: kernels.Packed(s.h, s.w, s.out), Tile: t, Options: o}.Tuned()
}

// kernelCall is an export of a tuning module with its arguments.
type kernelCall struct {
	Name string `json:"name"`
	Args []int  `json:"args"`
}

// module emits the shape's kernel with every tile, and how each is called.
func (s pointwiseShape) module(o kernels.Options) ([]byte, []kernelCall, error) {
	m := emit.NewModule()
	var calls []kernelCall
	var top int
	for i, t := range kernels.Tiles {
		p := s.params(t, o)
		f := kernels.PointwiseFunc(m, p)
		name := fmt.Sprint("kernel", i)
		m.Export(name, f)
		weights := align(p.In.Bytes())
		out := align(weights + 4*len(p.Pack(make([]float32, s.in*s.out), nil)))
		top = max(top, out+align(p.Out.Bytes()))
		calls = append(calls, kernelCall{name, []int{0, weights, out, 0, p.Units()}})
	}
	pages := top/65536 + 2
	m.Memory("memory", pages, pages)
	wasm, err := m.Encode()
	return wasm, calls, err
}

func align(n int) int { return (n + 63) &^ 63 }

// Tune measures every tile of every pointwise shape of the networks in the browser.
func Tune(ctx context.Context, o Options) (*Report, error) {
	o = o.withDefaults()
	shapes, err := pointwiseShapes(o.Models)
	if err != nil {
		return nil, err
	}
	tuner := engine{Name: "tuner", script: "tuner"}
	r, err := begin(ctx, o, []engine{tuner})
	if err != nil {
		return nil, err
	}
	defer r.end()
	c := benchCase{tuner, "", 1}
	if err := r.page.call(nil, "open", c.spec(o.Models[0])); err != nil {
		return nil, err
	}
	for _, variant := range ownVariants {
		for i, s := range shapes {
			r.logf("%s %d/%d: %dx%d pixels, %d to %d channels ...", variant, i+1, len(shapes), s.h, s.w, s.in, s.out)
			if err := r.tune(c, variant, s); err != nil {
				return nil, err
			}
		}
	}
	return r.report, nil
}

func (r *run) tune(c benchCase, variant string, s pointwiseShape) error {
	o := kernels.Options{Relaxed: variant == "relaxed"}
	wasm, calls, err := s.module(o)
	if err != nil {
		return err
	}
	path := fmt.Sprintf("/tune/%s-%d-%d-%d-%d.wasm", variant, s.h, s.w, s.in, s.out)
	r.server.set(path, wasm)
	var ms []float64
	if err := r.page.call(&ms, "ask", c.key(), "kernels", map[string]any{"url": path, "kernels": calls, "passes": 12, "milliseconds": 4}); err != nil {
		return err
	}
	t := Tile{Variant: variant, Pixels: [2]int{s.h, s.w}, In: s.in, Out: s.out, Chosen: tileName(s.params(kernels.Tile{}, o).Tile)}
	best, chosen := 0.0, 0.0
	for i, tile := range kernels.Tiles {
		name, gflops := tileName(tile), round(float64(2*s.macs())/ms[i]/1e6)
		t.Tiles, t.GFLOPS = append(t.Tiles, name), append(t.GFLOPS, gflops)
		if gflops > best {
			best, t.Best = gflops, name
		}
		if name == t.Chosen {
			chosen = gflops
		}
	}
	t.Lost = percent(best-chosen, best)
	r.report.Tiles = append(r.report.Tiles, t)
	return nil
}

func tileName(t kernels.Tile) string { return fmt.Sprintf("%dx%d", t.Pixels, t.Channels) }

func (r *Report) printTiles(w io.Writer) {
	if len(r.Tiles) == 0 {
		return
	}
	fmt.Fprintln(w, "\nPointwise convolutions with every tile, GFLOP/s")
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprint(t, "  variant\tpixels\tchannels\t")
	for _, name := range r.Tiles[0].Tiles {
		fmt.Fprintf(t, "%s\t", name)
	}
	fmt.Fprintln(t, "chosen\tbest\tlost\t")
	for _, x := range r.Tiles {
		fmt.Fprintf(t, "  %s\t%dx%d\t%d to %d\t", x.Variant, x.Pixels[0], x.Pixels[1], x.In, x.Out)
		for _, g := range x.GFLOPS {
			fmt.Fprintf(t, "%.1f\t", g)
		}
		fmt.Fprintf(t, "%s\t%s\t%.1f%%\t\n", x.Chosen, x.Best, x.Lost)
	}
	t.Flush()
}
