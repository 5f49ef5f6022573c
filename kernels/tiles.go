package kernels

// Tiles that exist as kernels.
var Tiles = []Tile{{4, 8}, {5, 8}, {6, 8}, {3, 12}, {4, 4}, {8, 4}}

// DefaultTile chooses the tile for a convolution from runs of pixels to channels.
func DefaultTile(pixels, channels int, o Options) Tile {
	return Tile{5, 8}
}
