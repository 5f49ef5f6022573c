package kernels

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestWinogradError holds the rounding errors of minimal filtering, in standard deviations
// of the output, to what a network bears a hundred times over: weights and inputs are drawn
// as trained networks have them, activations rectified and not.
func TestWinogradError(t *testing.T) {
	for _, c := range []struct {
		s         [2]int
		channels  int
		mean, max float64
	}{
		{[2]int{1, 2}, 64, 3e-7, 5e-6}, {[2]int{1, 4}, 64, 2e-6, 3e-5}, {[2]int{1, 4}, 256, 3e-6, 5e-5},
		{[2]int{2, 2}, 64, 3e-7, 5e-6}, {[2]int{2, 3}, 64, 3e-7, 5e-6},
		{[2]int{2, 4}, 64, 1e-6, 1e-5},
	} {
		p := winogradOf(16, 16, c.channels, 16, c.s, 1, Tile{5, 8})
		m := newTestModule(128)
		f := WinogradFunc(m, p)
		onRig(t, m, func(t *testing.T, x *rig) {
			if x.slow() {
				return
			}
			r := rand.New(rand.NewPCG(1, 2))
			in, weight := make([]float32, 256*c.channels), make([]float32, 9*16*c.channels)
			for i := range in {
				in[i] = float32(max(r.NormFloat64(), -0.28))
			}
			for i := range weight {
				weight[i] = float32(r.NormFloat64() * math.Sqrt(2/float64(9*c.channels)))
			}
			x.reset()
			out := x.blank(p.Out)
			x.call(t, f, x.tensor(p.In, in), x.floats(p.Pack(weight, nil)), out, x.take(p.ScratchBytes()), 0, p.Units())
			mean, worst := relativeError(x.read(out, p.Out.H*p.Out.W*16), Conv(p.Plain(), in, weight, nil, nil))
			if mean > c.mean || worst > c.max {
				t.Errorf("%s, %d channels: error %.2g in the mean, at most %.2g", p.Name(), c.channels, mean, worst)
			}
			t.Logf("%s, %d channels: error %.2g in the mean, at most %.2g", p.Name(), c.channels, mean, worst)
		})
	}
}

// relativeError gives the mean and largest error in standard deviations of want.
func relativeError(got, want []float32) (mean, worst float64) {
	squares := 0.0
	for i, w := range want {
		d := math.Abs(float64(got[i]) - float64(w))
		mean, worst = mean+d, max(worst, d)
		squares += float64(w) * float64(w)
	}
	std := math.Sqrt(squares / float64(len(want)))
	return mean / float64(len(want)) / std, worst / std
}
