package kernels

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"spotter/kernels/emit"
)

func runStrassen(t *testing.T, cases []StrassenParams) {
	m := newTestModule(128)
	funcs, transforms := make([]*emit.Func, len(cases)), make([]*emit.Func, len(cases))
	for i, p := range cases {
		funcs[i], transforms[i] = StrassenFunc(m, p), StrassenWeightsFunc(m, p)
	}
	onRig(t, m, func(t *testing.T, x *rig) {
		failed := 0
		for i, p := range cases {
			if x.slow() && p.pixels()*p.In.C*p.Out.C > 8000 {
				continue
			}
			if !strassenCase(t, x, p, funcs[i], transforms[i]) {
				if failed++; failed == 5 {
					t.Fatal("and so on")
				}
			}
		}
	})
}

// strassenCase runs a kernel as two threads would, on weights that Pack has summed and on
// weights that the module has.
func strassenCase(t *testing.T, x *rig, p StrassenParams, f, transform *emit.Func) bool {
	t.Helper()
	in, weight, bias := noise(p.pixels()*p.In.C, 1), noise(p.Out.C*p.In.C, 2), noise(p.Out.C, 3)
	want := Pointwise(p.Plain(), in, weight, bias, nil, nil)
	for _, packed := range []bool{true, false} {
		x.reset()
		weights := x.take(4 * p.WeightFloats())
		if packed {
			for i, v := range p.Pack(weight, bias) {
				x.put(weights+4*i, v)
			}
		} else {
			x.call(t, transform, x.floats(p.Plain().Pack(weight, bias)), weights)
			if !x.check(t, transform.Name, Packed(1, 1, p.WeightFloats()), weights, p.Pack(weight, bias), 1e-6) {
				return false
			}
		}
		scratch, units := x.take(p.ScratchBytes()), p.Units()
		at, out := x.tensor(p.In, in), x.blank(p.Out)
		x.call(t, f, at, weights, out, scratch, units/3, units)
		before := append([]byte(nil), x.before...)
		x.call(t, f, at, weights, out, scratch, 0, units/3)
		x.before = before
		if !x.check(t, f.Name, p.Out, out, want, 3e-6*float64(p.In.C), [2]int{scratch, p.ScratchBytes()}) {
			return false
		}
	}
	return true
}

// TestStrassen sweeps pixels, channels, tiles, chunks, gaps and activations.
func TestStrassen(t *testing.T) {
	var cases []StrassenParams
	for _, tile := range []Tile{{5, 8}, {6, 8}, {3, 12}, {8, 4}} {
		for pixels := 1; pixels <= 2*tile.Pixels+3; pixels++ {
			for _, chunk := range []int{0, 5, 6} {
				cases = append(cases, StrassenParams{In: Packed(1, pixels, 8), Out: Packed(1, pixels, 2*tile.Channels), Tile: tile, Chunk: chunk})
			}
		}
	}
	for _, in := range []int{8, 16, 24, 40, 72, 136} {
		for _, act := range []ActKind{ActNone, ActReLU6, ActSiLU} {
			for gap := range 2 {
				cases = append(cases, StrassenParams{
					In: wide(Packed(3, 4, in), gap, 0), Out: wide(Packed(3, 4, 48), 3*gap, 0), Tile: Tile{5, 8}, Act: Activation{Kind: act},
				})
			}
		}
	}
	runStrassen(t, cases)
}

// TestStrassenChoice has layers of real networks.
func TestStrassenChoice(t *testing.T) {
	var cases []StrassenParams
	for _, c := range []struct {
		pixels, in, out int
		want            bool
	}{
		{100, 960, 1280, true}, {100, 2560, 256, true}, {400, 256, 256, true},
		{100, 128, 512, false}, {25, 960, 1280, false}, {400, 960, 255, false},
	} {
		p := PointwiseParams{In: Packed(1, c.pixels, c.in), Out: Packed(1, c.pixels, c.out)}
		s, ok := p.Strassen()
		if ok != c.want {
			t.Errorf("%d pixels, %d to %d channels: %v", c.pixels, c.in, c.out, ok)
		}
		if ok && s.In.C == s.Out.C {
			cases = append(cases, s)
		}
	}
	residual := Packed(1, 100, 512)
	if _, ok := (PointwiseParams{In: residual, Out: residual, Residual: &residual}).Strassen(); ok {
		t.Error("Strassen's algorithm adds no residual")
	}
	runStrassen(t, cases)
}

// TestStrassenRelaxed checks that the products of the relaxed kernels are fused.
func TestStrassenRelaxed(t *testing.T) {
	p := StrassenParams{In: Packed(1, 20, 16), Out: Packed(1, 20, 32), Tile: Tile{6, 8}, Options: Options{Relaxed: true}}
	m := emit.NewModule()
	StrassenFunc(m, p)
	text := p.productFunc(m).Text()
	if strings.Contains(text, "f32x4.mul") || !strings.Contains(text, "relaxed_madd") {
		t.Error("products are not fused")
	}
	if _, err := m.Encode(); err != nil {
		t.Error(err)
	}
}

// TestStrassenError holds the rounding errors, in standard deviations of the output,
// to what a network bears a hundred times over.
func TestStrassenError(t *testing.T) {
	p := StrassenParams{In: Packed(1, 100, 960), Out: Packed(1, 100, 32), Tile: Tile{5, 8}}
	m := newTestModule(128)
	f := StrassenFunc(m, p)
	onRig(t, m, func(t *testing.T, x *rig) {
		if x.slow() {
			return
		}
		r := rand.New(rand.NewPCG(1, 2))
		in, weight := make([]float32, 100*960), make([]float32, 32*960)
		for i := range in {
			in[i] = float32(min(max(r.NormFloat64(), 0), 6))
		}
		for i := range weight {
			weight[i] = float32(r.NormFloat64() * math.Sqrt(2./960))
		}
		x.reset()
		out := x.blank(p.Out)
		x.call(t, f, x.tensor(p.In, in), x.floats(p.Pack(weight, nil)), out, x.take(p.ScratchBytes()), 0, p.Units())
		mean, worst := relativeError(x.read(out, 100*32), Pointwise(p.Plain(), in, weight, nil, nil, nil))
		if mean > 2e-6 || worst > 2e-5 {
			t.Errorf("%s: error %.2g in the mean, at most %.2g", p.Name(), mean, worst)
		}
		t.Logf("%s: error %.2g in the mean, at most %.2g", p.Name(), mean, worst)
	})
}
