package kernels

import (
	"fmt"

	"spotter/kernels/emit"
)

// WinogradParams describe a dense 3x3 convolution, out = act(in * weights + bias) +
// residual, by minimal filtering (Lavin and Gray, arXiv 1509.09308): M x M outputs are
// sums of the products of a transformed patch of the input with transformed
// weights, each channel by each, fewer products than there are taps:
//
//	stride 1, M 2: 16 for 36    M 4: 36 for 144
//	stride 2, M 2: 25 for 36    M 3: 49 for 81     M 4: 81 for 144
//
// Each thread transforms a block of tiles, multiplies it and transforms it back,
// all in its own scratch memory. The channels are multiples of 4.
type WinogradParams struct {
	In, Out  View
	Residual *View // nil: none; may be the output itself
	Stride   int   // 1 or 2, in both directions; 0 is 1
	Pad      [2]int
	Act      Activation
	M        int   // outputs of a tile in each direction
	Tile     Tile  // of the products: the pixels are Winograd's tiles
	Split    Split // SplitChannels has each thread transform the whole input
	Block    int   // tiles done at a time; 0: all
	Options
}

// Name is the kernel's name: wino4x4s1_f32_5x8_relaxed.
func (p WinogradParams) Name() string {
	return fmt.Sprintf("wino%dx%ds%d_f32_%dx%d%s", p.M, p.M, max(p.Stride, 1), p.Tile.Pixels, p.Tile.Channels, p.suffix())
}

func (p WinogradParams) funcName() string {
	s := fmt.Sprintf("%s%s %v-%v pad%v", p.Name(), p.Act.suffix(), p.In, p.Out, p.Pad)
	if p.Residual != nil {
		s += fmt.Sprintf("+%v", *p.Residual)
	}
	if p.Split == SplitChannels {
		s += " channels"
	}
	if p.Block > 0 {
		s += fmt.Sprintf(" %d", p.Block)
	}
	return s
}

// normal fills in the defaults and panics where the shapes do not fit.
func (p WinogradParams) normal() WinogradParams {
	p.Stride = max(p.Stride, 1)
	p.In.check("input of " + p.Name())
	p.Out.check("output of " + p.Name())
	bad := p.In.C%4 != 0 || p.Out.C%4 != 0 || p.Tile.Pixels < 1 || p.Tile.Channels%4 != 0 || !hasScheme(p.Stride, p.M)
	if r := p.Residual; r != nil {
		bad = bad || r.H != p.Out.H || r.W != p.Out.W || r.C != p.Out.C
	}
	for i := range 2 {
		bad = bad || p.Pad[i] < 0 || p.Pad[i] > 2
	}
	if bad {
		panic("BUG: " + p.funcName())
	}
	return p
}

// across and down count the tiles in a row and in a column.
func (p WinogradParams) across() int { return ceilDiv(p.Out.W, p.M) }
func (p WinogradParams) down() int   { return ceilDiv(p.Out.H, p.M) }

// Units is the number of units of work: Tile.Pixels tiles, or blocks of channels.
func (p WinogradParams) Units() int {
	if p.Split == SplitChannels {
		return ceilDiv(p.Out.C, p.Tile.Channels)
	}
	return ceilDiv(p.across()*p.down(), p.Tile.Pixels)
}

// blockUnits is the number of groups of Tile.Pixels tiles done at a time.
func (p WinogradParams) blockUnits() int {
	all := ceilDiv(p.across()*p.down(), p.Tile.Pixels)
	if p.Block == 0 {
		return all
	}
	return min(max(p.Block/p.Tile.Pixels, 1), all)
}

// Plain is the convolution as ConvParams: its Pack gives the weights that
// WinogradWeightsFunc takes.
func (p WinogradParams) Plain() ConvParams {
	p = p.normal()
	return ConvParams{
		In: p.In, Out: p.Out, Residual: p.Residual, Kernel: [2]int{3, 3}, Stride: [2]int{p.Stride, p.Stride},
		Pad: p.Pad, Act: p.Act, Tile: p.Tile, Options: p.Options,
	}
}

// matrixFloats is the size of the packed weights of one product of the tile.
func (p WinogradParams) matrixFloats() int { return packedLen(p.Out.C, p.In.C, p.Tile.Channels) }

// WeightFloats is the size of the transformed weights.
func (p WinogradParams) WeightFloats() int {
	s := schemeOf(p.normal().Stride, p.M)
	return len(s.g) * len(s.g) * p.matrixFloats()
}

// Pack transforms weights [Out.C][In.C][3][3] and lays them out with the bias [Out.C]
// (or nil) for the kernel: for each row and column of the transformed kernel what
// PackGemm makes. The bias stands with row 1, column 1, which every output counts once.
func (p WinogradParams) Pack(weight, bias []float32) []float32 {
	s := schemeOf(p.normal().Stride, p.M)
	packed := make([]float32, 0, p.WeightFloats())
	part := make([]float32, p.Out.C*p.In.C)
	for u := range s.g {
		for v := range s.g {
			for i := range part {
				sum := 0.0
				for t, w := range weight[9*i : 9*i+9] {
					sum += s.g[u][t/3] * s.g[v][t%3] * float64(w)
				}
				part[i] = float32(sum)
			}
			var b []float32
			if u == 1 && v == 1 {
				b = bias
			}
			packed = append(packed, PackGemm(part, b, p.Out.C, p.In.C, p.Tile.Channels)...)
		}
	}
	return packed
}

// winogradLayout places a thread's scratch memory.
type winogradLayout struct {
	stripRow              int // bytes of a row of the input, transformed down the columns
	inPlane, outPlane     int // bytes of one product's input and output
	inPlanes, outPlanes   int
	zeros, zeroBytes, end int // what rows outside the picture read
}

// planeBytes is n rounded up to an odd number of cache lines, so that the same
// place in many planes does not fall into one set of the cache.
func planeBytes(n int) int { return (n+127)/128*128 + 64 }

func (p WinogradParams) layout() winogradLayout {
	p = p.normal()
	s := schemeOf(p.Stride, p.M)
	n := s.points()
	tiles := p.blockUnits() * p.Tile.Pixels
	l := winogradLayout{
		stripRow:  planeBytes(4 * p.In.C * (s.step()*(min(tiles, p.across())-1) + s.inputs())),
		inPlane:   planeBytes(4 * p.In.C * tiles),
		outPlane:  planeBytes(4 * p.Out.C * tiles),
		zeroBytes: p.In.W * p.In.PixelStride,
	}
	l.inPlanes = n * l.stripRow
	l.outPlanes = l.inPlanes + n*n*l.inPlane
	l.zeros = l.outPlanes + n*n*l.outPlane
	l.end = l.zeros + l.zeroBytes
	return l
}

// ScratchBytes is the memory in bytes that each thread needs.
func (p WinogradParams) ScratchBytes() int { return p.layout().end }

// WinogradFunc emits f(in, weights, out[, residual], scratch, begin, end).
func WinogradFunc(m *emit.Module, p WinogradParams) *emit.Func {
	p = p.normal()
	if f := m.Func(p.funcName()); f != nil {
		return f
	}
	f, v := newDense(m, p.funcName(), p.Residual)
	newWinograd(f, p, v).all()
	return f
}
