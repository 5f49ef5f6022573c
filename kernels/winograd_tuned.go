package kernels

// Winograd gives the same convolution by minimal filtering, tuned, where the model of
// its cost is lower. All instruction sets get the same M and block of channels, so
// that they can share their weights.
func (p ConvParams) Winograd() (WinogradParams, bool) {
	three, two := [2]int{3, 3}, [2]int{p.Stride[0], p.Stride[0]}
	if p.Kernel != three || p.Stride != two || p.Groups > 1 || max(p.Dilation[0], p.Dilation[1]) > 1 ||
		p.In.C%4 != 0 || p.Out.C%4 != 0 || max(p.Pad[0], p.Pad[1]) > 2 {
		return WinogradParams{}, false
	}
	relaxed := Options{Relaxed: true}
	least := float64(p.Out.H*9*p.In.C)*tiledCost(p.Out.W, p.Out.C, DefaultTile(p.Out.W, p.Out.C, relaxed)) + streamCost(9*p.In.C*p.Out.C)
	best := WinogradParams{}
	for _, s := range schemes {
		w := WinogradParams{
			In: p.In, Out: p.Out, Residual: p.Residual, Stride: s.stride, Pad: p.Pad, Act: p.Act, M: s.m, Options: p.Options,
		}
		if s.stride != p.Stride[0] {
			continue
		}
		if c := w.cost(); c < least {
			least, best = c, w
		}
	}
	if best.M == 0 {
		return best, false
	}
	return best.Tuned(), true
}

// transformCost is the cycles that the transforms of four channels of a tile take,
// into the planes and back: their loads and stores, at about 1.5 a cycle.
var transformCost = map[[2]int][2]float64{{1, 2}: {40, 25}, {1, 4}: {90, 75}, {2, 2}: {60, 40}, {2, 3}: {110, 75}, {2, 4}: {190, 130}}

// cost models the cycles of the layer, in units of tileCost.
func (p WinogradParams) cost() float64 {
	tiles := p.across() * p.down()
	points := float64(schemeOf(p.Stride, p.M).points())
	p.Tile = DefaultTile(tiles, p.Out.C, Options{Relaxed: true})
	products := points * points * float64(p.In.C) * tiledCost(tiles, p.Out.C, p.Tile)
	t := transformCost[[2]int{p.Stride, p.M}]
	return products + float64(tiles)*(float64(p.In.C)*t[0]+float64(p.Out.C)*t[1])/4 + streamCost(p.WeightFloats())
}

// streamCost is the cycles in which so many weights come from the third level.
func streamCost(floats int) float64 { return float64(floats) }

// Tuned fills in the tile, the split and the block where they are zero. The
// tile's channels do not depend on the instruction set.
func (p WinogradParams) Tuned() WinogradParams {
	tiles := p.across() * p.down()
	if p.Tile == (Tile{}) {
		p.Tile = DefaultTile(tiles, p.Out.C, Options{Relaxed: true})
		if p.Tile == (Tile{6, 8}) && !p.Relaxed {
			p.Tile = Tile{5, 8}
		}
	}
	if ceilDiv(tiles, p.Tile.Pixels) < 16 {
		p.Split = SplitChannels
	}
	if p.Block == 0 {
		points := schemeOf(max(p.Stride, 1), p.M).points()
		room := max(level2/(4*points*points*(p.In.C+p.Out.C))/p.Tile.Pixels, 2)
		units := ceilDiv(tiles, p.Tile.Pixels)
		p.Block = ceilDiv(units, ceilDiv(units, room)) * p.Tile.Pixels
	}
	return p
}
