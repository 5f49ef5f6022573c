package kernels

// Tiles that the tests sweep and DefaultTile chooses from. 16 vector registers hold
// the sums, one k's weights and one input; multiply and add need one more than
// the fused form, so 6x8 spills without relaxed SIMD.
var Tiles = []Tile{{6, 8}, {5, 8}, {4, 8}, {3, 12}, {8, 4}, {4, 4}}

// Cache sizes that the blocking aims at, in bytes: what the smaller of today's
// processors have, with room left for the output. Larger caches lose nothing measurable.
const (
	level1 = 24 << 10
	level2 = 384 << 10
)

// tileCost models the cycles that a tile of n pixels and v vectors of channels
// takes for each k: two multiply-adds a cycle, two loads a cycle, four cycles from one
// addition to the next into the same sum; the rest is fitted to tiles measured in
// Chromium (GFLOP/s on Zen 5 and Zen 1: 6x8 70, 45; 5x8 67, 43; 4x8 60, 36; 3x12 64, 40).
func tileCost(n, v int) float64 {
	cost := max(float64(n*v), float64(n+v), 8)/2 + 0.5
	if n*v < 10 {
		cost += 0.5
	}
	return cost
}

// DefaultTile chooses the tile that computes rows of so many pixels and channels in the
// fewest cycles, what is left over at the ends included.
func DefaultTile(pixels, channels int, o Options) Tile {
	best, least := Tile{}, 0.0
	for _, t := range Tiles {
		if t == (Tile{6, 8}) && !o.Relaxed {
			continue
		}
		cost := tiledCost(pixels, channels, t)
		if best == (Tile{}) || cost < least {
			best, least = t, cost
		}
	}
	return best
}

// tiledCost is the cost of one k for all pixels and channels in tiles of t.
func tiledCost(pixels, channels int, t Tile) float64 {
	cost := float64(channels/t.Channels) * rowCost(pixels, t.Pixels, t.Channels)
	if rest := channels % t.Channels; rest > 0 {
		cost += rowCost(pixels, t.Pixels, rest)
	}
	return cost
}

// rowCost is the cost of a row of pixels in tiles of n.
func rowCost(pixels, n, channels int) float64 {
	v := vectors(channels)
	cost := float64(pixels/n) * tileCost(n, v)
	if rest := pixels % n; rest > 0 {
		cost += tileCost(rest, v)
	}
	return cost
}

// Tuned fills in the tile, the split and the blocks where they are zero.
func (p PointwiseParams) Tuned() PointwiseParams {
	pixels := p.Out.H * p.Out.W
	if p.Tile == (Tile{}) {
		row := pixels
		if !p.run() {
			row = p.Out.W
		}
		p.Tile = DefaultTile(row, p.Out.C, p.Options)
	}
	weights := 4 * p.In.C * p.Out.C
	if weights > 8*p.In.C*pixels {
		p.Split = SplitChannels
	}
	if p.KBlock == 0 && p.Residual == nil && 4*p.In.C*(p.Tile.Pixels+p.Tile.Channels) > level1 {
		blocks := ceilDiv(4*p.In.C*(p.Tile.Pixels+p.Tile.Channels), level1)
		p.KBlock = ceilDiv(p.In.C, 16*blocks) * 16
	}
	if p.Chunk == 0 {
		p.Chunk = chunkPixels(4*p.In.C, pixels, weights)
	}
	return p
}

// chunkPixels is how many pixels of so many bytes should pass all the weights at a
// time: a quarter of the second level where the weights fit beside them, else nearly all of it.
func chunkPixels(pixelBytes, pixels, weights int) int {
	room := level2
	if weights < level2/2 {
		room = level2 / 4
	}
	if pixels*pixelBytes <= room {
		return 0
	}
	return max(room/pixelBytes, 24)
}

// Tuned fills in the tile, the split and the chunk where they are zero.
func (p ConvParams) Tuned() ConvParams {
	groups := max(p.Groups, 1)
	if p.Tile == (Tile{}) {
		p.Tile = DefaultTile(p.Out.W, p.Out.C/groups, p.Options)
	}
	pixels := p.Out.H * p.Out.W
	weights := 4 * p.In.C / groups * p.Out.C * p.Kernel[0] * p.Kernel[1]
	input := 4 * p.In.C * p.Stride[0] * p.Stride[1] // bytes a pixel of the output
	if groups == 1 && weights > 2*input*pixels {
		p.Split = SplitChannels
	}
	if p.Chunk == 0 {
		p.Chunk = chunkPixels(input, pixels, weights)
	}
	return p
}
