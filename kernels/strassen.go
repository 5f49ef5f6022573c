package kernels

import (
	"fmt"

	"spotter/kernels/emit"
)

// StrassenParams describe a 1x1 convolution, out = act(in * weights + bias), over many
// channels by Winograd's form of Strassen's algorithm (Strassen 1969; Winograd 1971): pixels,
// input and output channels are each cut in two halves, and the product takes 7
// products of halves for 8. The sums around them are few beside products of
// hundreds of channels.
//
// Output channels j and j + Out.C/2 go together, so a thread computes its own
// pairs of blocks from its own copy of the halves of the input, with nothing to wait for.
// The input's channels are a multiple of 8, the output's of two tiles'.
type StrassenParams struct {
	In, Out View // pixels in one run, see View.Run
	Act     Activation
	Tile    Tile
	Chunk   int // pixels done at a time; 0: all
	Options
}

// Name is the kernel's name: strassen_f32_5x8_relaxed.
func (p StrassenParams) Name() string {
	return fmt.Sprintf("strassen_f32_%dx%d%s", p.Tile.Pixels, p.Tile.Channels, p.suffix())
}

func (p StrassenParams) funcName() string {
	return fmt.Sprintf("%s%s %v-%v %d", p.Name(), p.Act.suffix(), p.In, p.Out, p.Chunk)
}

func (p StrassenParams) check() {
	p.In.check("input of " + p.Name())
	p.Out.check("output of " + p.Name())
	if p.In.H != p.Out.H || p.In.W != p.Out.W || !p.In.Run() || !p.Out.Run() || p.In.C%8 != 0 ||
		p.Tile.Pixels < 1 || p.Tile.Channels < 4 || p.Tile.Channels%4 != 0 || p.Out.C%(2*p.Tile.Channels) != 0 {
		panic("BUG: " + p.funcName())
	}
}

// Units is the number of units of work: pairs of blocks of output channels.
func (p StrassenParams) Units() int { return p.Out.C / (2 * p.Tile.Channels) }

func (p StrassenParams) pixels() int { return p.Out.H * p.Out.W }

// half is the number of pixels in half a chunk.
func (p StrassenParams) half() int {
	if p.Chunk == 0 {
		return ceilDiv(p.pixels(), 2)
	}
	return ceilDiv(min(p.Chunk, p.pixels()), 2)
}

// strassenProduct says of which quarters of input and weights a product is. Quarters are
// 11, 12, 21, 22: pixels by input channels; input channels by output channels.
type strassenProduct struct{ in, weights [4]float64 }

// strassenProducts are in the order in which they are computed.
var strassenProducts = [7]strassenProduct{
	{[4]float64{1, 0, 0, 0}, [4]float64{1, 0, 0, 0}},
	{[4]float64{0, 1, 0, 0}, [4]float64{0, 0, 1, 0}},
	{[4]float64{-1, 0, 1, 1}, [4]float64{1, -1, 0, 1}},
	{[4]float64{0, 0, 1, 1}, [4]float64{-1, 1, 0, 0}},
	{[4]float64{1, 0, -1, 0}, [4]float64{0, -1, 0, 1}},
	{[4]float64{1, 1, -1, -1}, [4]float64{0, 0, 0, 1}},
	{[4]float64{0, 0, 0, 1}, [4]float64{-1, 1, 1, -1}},
}

// matrixFloats is the size of one product's weights for a block of output channels.
func (p StrassenParams) matrixFloats() int { return p.In.C / 2 * p.Tile.Channels }

// pairFloats is the size of the weights of a pair of blocks.
func (p StrassenParams) pairFloats() int { return 2*p.Tile.Channels + 7*p.matrixFloats() }

// WeightFloats is the size of the packed weights.
func (p StrassenParams) WeightFloats() int { return p.Units() * p.pairFloats() }

// Pack sums weights [Out.C][In.C] and lays them out with the bias [Out.C] (or nil): for
// each pair of blocks of output channels their biases, then for each product and
// input channel of half of them the block's weights.
func (p StrassenParams) Pack(weight, bias []float32) []float32 {
	p.check()
	packed := make([]float32, 0, p.WeightFloats())
	n, half, lanes := p.In.C, p.Out.C/2, p.Tile.Channels
	for first := 0; first < half; first += lanes {
		for i := range 2 * lanes {
			b := float32(0)
			if bias != nil {
				b = bias[first+i%lanes+i/lanes*half]
			}
			packed = append(packed, b)
		}
		for _, product := range strassenProducts {
			for i := range p.matrixFloats() {
				k, o := i/lanes, first+i%lanes
				sum := 0.0
				for q, sign := range product.weights {
					sum += sign * float64(weight[(o+q%2*half)*n+k+q/2*n/2])
				}
				packed = append(packed, float32(sum))
			}
		}
	}
	return packed
}

// Plain is the convolution as PointwiseParams: its Pack gives the weights that
// StrassenWeightsFunc takes.
func (p StrassenParams) Plain() PointwiseParams {
	return PointwiseParams{In: p.In, Out: p.Out, Act: p.Act, Tile: p.Tile, Options: p.Options}
}

// StrassenWeightsFunc emits f(plain, weights): sums the weights that p.Plain().Pack
// makes, once they are in memory, to what p.Pack makes.
func StrassenWeightsFunc(m *emit.Module, p StrassenParams) *emit.Func {
	p.check()
	name := fmt.Sprintf("strassen_weights_f32_%d %dx%d", p.Tile.Channels, p.Out.C, p.In.C)
	if f := m.Func(name); f != nil {
		return f
	}
	f := m.NewFunc(name, []emit.Type{emit.I32, emit.I32}, nil)
	v := f.Params("plain", "weights")
	plain, to := v[0], v[1]
	row := 4 * p.Tile.Channels
	right := p.Units() * row * (p.In.C + 1) // from a block of the first half to that of the second
	below := p.In.C / 2 * row               // from the first half of the input channels
	end, unit := f.Local(emit.I32, "end"), f.Local(emit.I32, "unit")
	var q [4]emit.Value
	for i := range q {
		q[i] = f.Local(emit.V128, "q")
	}
	f.For(unit, emit.I32Const(0), emit.I32Const(p.Units()), 1, func() {
		for j := 0; j < row; j += 16 {
			f.Do(emit.V128Store(to, j, emit.V128Load(plain, j)))
			f.Do(emit.V128Store(to, row+j, emit.V128Load(plain, right+j)))
		}
		f.Inc(plain, row)
		f.Inc(to, 2*row)
		f.Set(end, emit.Plus(plain, below))
		f.DoWhile(func() {
			for i := range q {
				f.Set(q[i], emit.V128Load(plain, i%2*right+i/2*below))
			}
			for i, product := range strassenProducts {
				f.Do(emit.V128Store(to, 4*i*p.matrixFloats(), signed(product.weights, q)))
			}
			f.Inc(plain, 16)
			f.Inc(to, 16)
		}, emit.I32LtU(plain, end))
		f.Inc(plain, below)
		f.Inc(to, 6*4*p.matrixFloats())
	})
	return f
}

// signed is the sum of the values whose sign is not 0, which begins with one that is added.
func signed(signs [4]float64, x [4]emit.Value) emit.Value {
	var sum emit.Value
	for i, s := range signs {
		if s > 0 && sum == (emit.Value{}) {
			sum = x[i]
		} else if s > 0 {
			sum = emit.F32x4Add(sum, x[i])
		}
	}
	for i, s := range signs {
		if s < 0 {
			sum = emit.F32x4Sub(sum, x[i])
		}
	}
	return sum
}

// Strassen gives the same convolution by Strassen's algorithm, tuned, where the layer is large
// enough for it to be faster. All instruction sets share its weights.
func (p PointwiseParams) Strassen() (StrassenParams, bool) {
	s := StrassenParams{In: p.In, Out: p.Out, Act: p.Act, Options: p.Options}
	if p.Residual != nil || p.Pre != nil || !p.In.Run() || !p.Out.Run() || s.pixels() < 64 ||
		p.In.C < 256 || p.Out.C < 256 || p.In.C%8 != 0 || p.Out.C%16 != 0 {
		return StrassenParams{}, false
	}
	return s.Tuned(), true
}

// Tuned fills in the tile and the chunk where they are zero.
func (p StrassenParams) Tuned() StrassenParams {
	if p.Tile == (Tile{}) {
		p.Tile = Tile{5, 8}
		if p.Relaxed {
			p.Tile = Tile{6, 8}
		}
	}
	if p.Chunk == 0 {
		chunks := ceilDiv(p.pixels(), 128)
		p.Chunk = 2 * ceilDiv(p.pixels(), 2*chunks)
	}
	return p
}
