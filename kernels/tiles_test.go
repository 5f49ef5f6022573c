package kernels

import "testing"

func TestDefaultTile(t *testing.T) {
	relaxed := Options{Relaxed: true}
	for _, c := range []struct {
		pixels, channels int
		o                Options
		want             Tile
	}{
		{960, 64, relaxed, Tile{6, 8}}, {960, 64, Options{}, Tile{5, 8}},
		{100, 1280, relaxed, Tile{6, 8}}, {10, 64, relaxed, Tile{5, 8}}, {20, 64, relaxed, Tile{5, 8}},
		{1, 64, relaxed, Tile{3, 12}}, {400, 4, relaxed, Tile{8, 4}}, {9, 12, Options{}, Tile{3, 12}},
	} {
		if got := DefaultTile(c.pixels, c.channels, c.o); got != c.want {
			t.Errorf("DefaultTile(%d, %d, %v) = %v, want %v", c.pixels, c.channels, c.o, got, c.want)
		}
	}
}

// TestTunedRuns computes real layers' shapes, made small, with the parameters chosen for them.
func TestTunedRuns(t *testing.T) {
	var pw []PointwiseParams
	var conv []ConvParams
	for _, s := range [][4]int{{2, 5, 960, 24}, {20, 20, 640, 16}, {40, 40, 96, 20}, {1, 1, 512, 100}, {4, 5, 16, 255}, {80, 80, 64, 8}} {
		p := PointwiseParams{In: Packed(s[0], s[1], s[2]), Out: Packed(s[0], s[1], s[3])}
		pw = append(pw, p.Tuned())
		p.In = wide(p.In, 4, 0)
		p.Out = wide(p.Out, 0, 4)
		pw = append(pw, p.Tuned())
	}
	for _, s := range [][4]int{{40, 40, 3, 32}, {20, 20, 40, 33}, {4, 4, 24, 96}, {64, 96, 16, 8}} {
		for stride := 1; stride <= 2; stride++ {
			conv = append(conv, convOf(s[0], s[1], s[2], s[3], 3, stride, 1, 1, Tile{}).Tuned())
		}
	}
	blocked, chunked, split := 0, 0, 0
	for _, p := range pw {
		blocked, chunked, split = blocked+p.KBlock, chunked+p.Chunk, split+int(p.Split)
	}
	if blocked == 0 || chunked == 0 || split == 0 {
		t.Error("no case is blocked, chunked or split by channels")
	}
	runPointwise(t, pw)
	runConv(t, conv)
}
