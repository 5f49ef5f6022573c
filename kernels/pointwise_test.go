package kernels

import (
	"fmt"
	"strings"
	"testing"

	"spotter/kernels/emit"
)

// pointwiseCase is a kernel with the inputs that a test gives it.
type pointwiseCase struct {
	p PointwiseParams
	f *emit.Func
}

func (c *pointwiseCase) run(t *testing.T, x *rig) bool {
	t.Helper()
	p := c.p
	pixels := p.Out.H * p.Out.W
	in, weight, bias := noise(pixels*p.In.C, 1), noise(p.Out.C*p.In.C, 2), noise(p.Out.C, 3)
	var residual []float32
	if p.Residual != nil {
		residual = noise(pixels*p.Out.C, 4)
	}
	var pre []float32
	if p.Pre != nil {
		pre = noise(p.Pre.H*p.Pre.W*p.Out.C, 5)
	}
	want := Pointwise(p, in, weight, bias, pre, residual)
	x.reset()
	args := []int{x.tensor(p.In, in), x.floats(p.Pack(weight, bias)), x.blank(p.Out)}
	if p.Residual != nil {
		args = append(args, x.tensor(*p.Residual, residual))
	}
	if p.Pre != nil {
		args = append(args, x.tensor(*p.Pre, pre))
	}
	// two threads
	units := p.Units()
	x.call(t, c.f, append(args, units/3, units)...)
	before := append([]byte(nil), x.before...)
	x.call(t, c.f, append(args, 0, units/3)...)
	x.before = before
	return x.check(t, p.funcName(), p.Out, args[2], want, 2e-6*float64(p.In.C))
}

// runPointwise runs the cases on both engines, the small ones only on the interpreter.
func runPointwise(t *testing.T, cases []PointwiseParams) {
	m := newTestModule(128)
	run := make([]pointwiseCase, len(cases))
	for i, p := range cases {
		run[i] = pointwiseCase{p, PointwiseFunc(m, p)}
	}
	onRig(t, m, func(t *testing.T, x *rig) {
		failed := 0
		for i := range run {
			p := run[i].p
			if x.slow() && p.Out.H*p.Out.W*p.In.C*p.Out.C > 4000 {
				continue
			}
			if !run[i].run(t, x) {
				if failed++; failed == 5 {
					t.Fatal("and so on")
				}
			}
		}
	})
}

// TestPointwiseSizes sweeps pixels and channels around each tile.
func TestPointwiseSizes(t *testing.T) {
	for _, tile := range Tiles {
		t.Run(fmt.Sprintf("%dx%d", tile.Pixels, tile.Channels), func(t *testing.T) {
			t.Parallel()
			var cases []PointwiseParams
			add := func(pixels, in, out int) {
				p := PointwiseParams{In: Packed(1, pixels, in), Out: Packed(1, pixels, out), Tile: tile}
				cases = append(cases, p)
			}
			for pixels := 1; pixels <= 2*tile.Pixels+1; pixels++ {
				add(pixels, 5, tile.Channels+3)
			}
			for out := 1; out <= 2*tile.Channels+1; out++ {
				add(tile.Pixels+1, 5, out)
			}
			for _, in := range []int{1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 24, 31, 33} {
				add(tile.Pixels+1, in, tile.Channels+1)
			}
			runPointwise(t, cases)
		})
	}
}

// TestPointwiseViews has gaps between channels, pixels and rows, residuals and activations.
func TestPointwiseViews(t *testing.T) {
	var cases []PointwiseParams
	for _, tile := range []Tile{{5, 8}, {3, 12}} {
		for _, split := range []Split{SplitPixels, SplitChannels} {
			for _, gap := range []int{0, 1, 4} {
				for _, w := range []int{1, 5, 7, 12} {
					out := wide(Packed(4, w, 13), 3*gap, gap)
					residual := wide(Packed(4, w, 13), gap, 2*gap)
					p := PointwiseParams{In: wide(Packed(4, w, 11), gap, gap), Out: out, Tile: tile, Split: split}
					cases = append(cases, p)
					p.Residual, p.Chunk = &residual, 10
					p.Act.Kind = ActReLU
					cases = append(cases, p)
				}
			}
		}
	}
	for _, a := range allActivations {
		if a.Kind != ActSqrt {
			cases = append(cases, PointwiseParams{In: Packed(2, 3, 4), Out: Packed(2, 3, 5), Tile: Tile{4, 8}, Act: a})
		}
	}
	runPointwise(t, cases)
}

// TestPointwiseBlocks cuts the input's channels and the pixels into blocks.
func TestPointwiseBlocks(t *testing.T) {
	var cases []PointwiseParams
	for _, in := range []int{8, 16, 17, 31, 40, 67} {
		for _, kBlock := range []int{16, 32, 64} {
			for _, chunk := range []int{0, 5, 12} {
				cases = append(cases, PointwiseParams{
					In: Packed(3, 9, in), Out: wide(Packed(3, 9, 11), 1, 0), Tile: Tile{5, 8},
					Chunk: chunk, KBlock: kBlock, Act: Activation{Kind: ActSiLU},
				})
			}
		}
	}
	runPointwise(t, cases)
}

// TestPointwiseInPlace adds the result to the residual where that stands.
func TestPointwiseInPlace(t *testing.T) {
	v := wide(Packed(3, 4, 10), 2, 1)
	m := newTestModule(2)
	var funcs []*emit.Func
	p := PointwiseParams{In: Packed(3, 4, 6), Out: v, Residual: &v, Tile: Tile{6, 8}}
	for _, a := range allActivations {
		p.Act = a
		funcs = append(funcs, PointwiseFunc(m, p))
	}
	onRig(t, m, func(t *testing.T, x *rig) {
		in, weight, residual := noise(12*6, 1), noise(10*6, 2), noise(12*10, 3)
		for i, f := range funcs {
			x.reset()
			at := x.tensor(v, residual)
			x.call(t, f, x.tensor(p.In, in), x.floats(p.Pack(weight, nil)), at, at, 0, p.Units())
			p.Act = allActivations[i]
			want := Pointwise(p, in, weight, nil, nil, residual)
			x.check(t, f.Name, v, at, want, 1e-5)
		}
	})
}

// TestPointwiseStride takes every other pixel.
func TestPointwiseStride(t *testing.T) {
	full := wide(Packed(5, 7, 6), 1, 3)
	in := View{H: 3, W: 4, C: 6, PixelStride: 2 * full.PixelStride, RowStride: 2 * full.RowStride}
	runPointwise(t, []PointwiseParams{{In: in, Out: Packed(3, 4, 9), Tile: Tile{5, 8}}})
}

// TestRelaxedIsFused checks that the products of relaxed kernels are fused ones, two for each
// input loaded as in plain ones. (wazero has no relaxed SIMD: the browser's tests run them.)
func TestRelaxedIsFused(t *testing.T) {
	p := PointwiseParams{In: Packed(4, 7, 9), Out: Packed(4, 7, 8), Tile: Tile{5, 8}, Act: Activation{Kind: ActReLU6}}
	for _, product := range []string{"f32x4.mul", "relaxed_madd"} {
		p.Relaxed = product == "relaxed_madd"
		m := emit.NewModule()
		layer := PointwiseFunc(m, p)
		strip := m.Func(strip{Options: p.Options, tile: Tile{5, 8}, rest: 9 % p.stripUnroll(), act: p.Act}.funcName())
		if strip == nil || !strings.Contains(layer.Text(), "call") {
			t.Fatalf("%s calls no strip", layer.Name)
		}
		text := strip.Text()
		products, inputs := strings.Count(text, product), strings.Count(text, "v128.load32_splat")
		if inputs == 0 || products != 2*inputs || p.Relaxed && strings.Contains(text, "f32x4.mul") {
			t.Errorf("%s: %d inputs, %d times %s", strip.Name, inputs, products, product)
		}
		if _, err := m.Encode(); err != nil {
			t.Error(err)
		}
	}
}

// TestPointwisePre starts from sums of the same and of half the size, in place too.
func TestPointwisePre(t *testing.T) {
	var cases []PointwiseParams
	for _, tile := range []Tile{{6, 8}, {5, 8}, {3, 12}} {
		for _, size := range [][2]int{{4, 10}, {3, 7}, {5, 1}, {1, 13}} {
			for up := 1; up <= 2; up++ {
				for _, gap := range []int{0, 1} {
					out := wide(Packed(size[0], size[1], 13), 3*gap, gap)
					pre := wide(Packed(ceilDiv(size[0], up), ceilDiv(size[1], up), 13), 2*gap, gap)
					p := PointwiseParams{In: wide(Packed(size[0], size[1], 35), gap, gap), Out: out, Pre: &pre, PreUp: up, Tile: tile}
					p.Act.Kind = ActSiLU
					cases = append(cases, p)
					q := p
					q.KBlock, q.Chunk = 16, 10
					residual := wide(Packed(size[0], size[1], 13), gap, 2*gap)
					p.Residual, p.Split = &residual, SplitChannels
					cases = append(cases, q, p)
				}
			}
		}
	}
	runPointwise(t, cases)
}

// TestPointwisePreInPlace continues sums where they stand.
func TestPointwisePreInPlace(t *testing.T) {
	v := wide(Packed(3, 4, 10), 2, 1)
	m := newTestModule(2)
	p := PointwiseParams{In: Packed(3, 4, 17), Out: v, Pre: &v, Tile: Tile{5, 8}, KBlock: 16}
	f := PointwiseFunc(m, p)
	onRig(t, m, func(t *testing.T, x *rig) {
		in, weight, pre := noise(12*17, 1), noise(10*17, 2), noise(12*10, 3)
		x.reset()
		at := x.tensor(v, pre)
		x.call(t, f, x.tensor(p.In, in), x.floats(p.Pack(weight, nil)), at, at, 0, p.Units())
		x.check(t, f.Name, v, at, Pointwise(p, in, weight, nil, pre, nil), 1e-5)
	})
}
