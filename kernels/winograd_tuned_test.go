package kernels

import (
	"strings"
	"testing"

	"spotter/kernels/emit"
)

// TestWinogradChoice has layers of real networks: outputs, channels and stride.
func TestWinogradChoice(t *testing.T) {
	for _, c := range []struct {
		h, w, in, out, stride int
		m                     int // 0: not by minimal filtering
		split                 Split
	}{
		{20, 20, 64, 64, 1, 4, SplitChannels}, {40, 40, 32, 32, 1, 4, SplitPixels}, {10, 10, 256, 256, 1, 2, SplitChannels},
		{80, 80, 32, 32, 2, 4, SplitPixels}, {40, 40, 32, 96, 2, 4, SplitPixels}, {10, 10, 128, 128, 2, 2, SplitChannels},
		{160, 160, 3, 32, 2, 0, SplitPixels}, {20, 20, 8, 8, 2, 0, SplitPixels},
	} {
		p := convOf(c.h*c.stride, c.w*c.stride, c.in, c.out, 3, c.stride, 1, 1, Tile{})
		w, ok := p.Winograd()
		if ok != (c.m > 0) || w.M != c.m || w.Split != c.split {
			t.Errorf("%+v: %v, M %d, split %d", c, ok, w.M, w.Split)
		}
		p.Relaxed = true
		r, _ := p.Winograd()
		if r.M != w.M || r.Tile.Channels != w.Tile.Channels {
			t.Errorf("%+v: weights of %s and %s differ", c, w.Name(), r.Name())
		}
	}
	for _, p := range []ConvParams{
		convOf(9, 9, 8, 8, 3, 1, 1, 2, Tile{}), convOf(9, 9, 8, 8, 3, 3, 1, 1, Tile{}), convOf(9, 9, 8, 8, 5, 1, 1, 1, Tile{}),
		{In: Packed(9, 9, 8), Out: Packed(9, 9, 8), Kernel: [2]int{3, 3}, Stride: [2]int{1, 1}, Pad: [2]int{1, 1}, Groups: 2},
	} {
		if w, ok := p.Winograd(); ok {
			t.Errorf("%+v is not what %s computes", p, w.Name())
		}
	}
}

// TestWinogradTuned computes layers with the parameters chosen for them.
func TestWinogradTuned(t *testing.T) {
	var cases []WinogradParams
	for _, s := range [][4]int{{20, 20, 16, 16}, {40, 36, 8, 12}, {6, 7, 64, 40}, {48, 50, 8, 8}} {
		for stride := 1; stride <= 2; stride++ {
			if w, ok := convOf(s[0]*stride, s[1]*stride, s[2], s[3], 3, stride, 1, 1, Tile{}).Winograd(); ok {
				cases = append(cases, w)
			}
		}
	}
	if len(cases) < 6 {
		t.Fatalf("only %d of the layers", len(cases))
	}
	runWinograd(t, cases)
}

// TestWinogradRelaxed checks that the products of the relaxed kernels are fused. (wazero
// has no relaxed SIMD: the browser's tests run them.)
func TestWinogradRelaxed(t *testing.T) {
	for _, s := range winogradSchemes {
		p := winogradOf(9, 9, 8, 12, s, 1, Tile{6, 8})
		p.Relaxed = true
		m := emit.NewModule()
		if text := WinogradFunc(m, p).Text(); strings.Contains(text, "f32x4.mul") {
			t.Errorf("%s: products are not fused", p.Name())
		}
		if _, err := m.Encode(); err != nil {
			t.Error(err)
		}
	}
}
