package kernels

import (
	"fmt"

	"spotter/kernels/emit"
)

// MaskParams describe mask(): coefficients of a kept box times prototypes, on a grid
// over the picture. All addresses are constants of the code.
type MaskParams struct {
	Proto               DetectMap // one channel a coefficient; up to three pixels behind it may be read
	NetWidth, NetHeight int       // of the network's input, pixels
	Kept, KeptStride    int       // of DetectParams
	MaxResults          int
	Placement           int // as PlaceFunc writes it
	Rect                int // four words: x0 y0 x1 y1 on the grid, half open
	Scratch             int // ScratchBytes, aligned to 16
}

// maskChunk is how many columns of the grid are made at a time.
const maskChunk = 1024

// Layout of the scratch memory, offsets from Scratch.
func (p MaskParams) low() int     { return 0 } // a row of the low mask, a zero on each side
func (p MaskParams) taps() int    { return (4*p.Proto.W + 64) &^ 15 }
func (p MaskParams) weights() int { return p.taps() + 4*maskChunk }
func (p MaskParams) row() int     { return p.weights() + 4*maskChunk } // two rows, resized in x
func (p MaskParams) tail() int    { return p.row() + 8*maskChunk }

// ScratchBytes is the memory that mask needs at Scratch.
func (p MaskParams) ScratchBytes() int { return p.tail() + 16 }

func (p MaskParams) scaleX() float32 { return float32(p.Proto.W) / float32(p.NetWidth) }
func (p MaskParams) scaleY() float32 { return float32(p.Proto.H) / float32(p.NetHeight) }

func (p MaskParams) check() {
	p.Proto.View.check("prototypes")
	if p.Scratch%16 != 0 || p.Placement%8 != 0 || p.KeptStride < 16+4*p.Proto.C || p.NetWidth < 1 || p.NetHeight < 1 {
		panic(fmt.Sprintf("BUG: mask %+v", p))
	}
}

// mask holds the locals of MaskFunc while it is emitted.
type mask struct {
	MaskParams
	m *emit.Module
	f *emit.Func

	index, gridW, gridH, dst emit.Value
	kept                     emit.Value // address of the result's box
	crop                     [2][2]emit.Value
	scale, shift             [2]emit.Value // prototype = (cell+0.5)*scale + shift, f64
	from, to                 [2]emit.Value // cells
	x, n, wide               emit.Value    // first column of the chunk, its columns, and in sixteens
	tag                      [2]emit.Value // prototype rows in the two row buffers
}

// MaskFunc emits mask(i, w, h, dst): the mask of result i of the last detect on a grid
// of w x h cells over the whole picture. It writes the rectangle outside which
// the mask is empty to Rect and its bytes, 0 or 255, row by row at dst. With w, h
// the picture's size this is YOLOv5's mask: sigmoid(coefficients . prototypes),
// cropped to the box on the prototypes' grid, bilinear with clamped edges, > 0.5.
func MaskFunc(m *emit.Module, p MaskParams) *emit.Func {
	p.check()
	b := &mask{MaskParams: p, m: m}
	span, tap, lowRow, stretch, blend := b.spanFunc(), b.tapFunc(), b.lowRowFunc(), b.stretchFunc(), b.blendFunc()
	i := emit.I32
	f := m.NewFunc("mask", []emit.Type{i, i, i, i}, nil)
	b.f = f
	v := f.Params("i", "w", "h", "dst")
	b.index, b.gridW, b.gridH, b.dst = v[0], v[1], v[2], v[3]
	f.Do(emit.V128Store(emit.I32Const(p.Rect), 0, emit.F32x4All(0), 4))
	f.If(emit.I32GeU(b.index, emit.I32Const(p.MaxResults)), func() { f.Return() })
	b.kept = f.Define("kept", emit.Plus(emit.Times(b.index, p.KeptStride), p.Kept))
	b.axis(span, 0, b.gridW, p.Proto.W, p.NetWidth, p.scaleX())
	b.axis(span, 1, b.gridH, p.Proto.H, p.NetHeight, p.scaleY())
	width := f.Define("width", emit.I32Sub(b.to[0], b.from[0]))
	height := f.Define("height", emit.I32Sub(b.to[1], b.from[1]))
	f.If(emit.I32Or(emit.I32LeS(width, emit.I32Const(0)), emit.I32LeS(height, emit.I32Const(0))), func() { f.Return() })
	for k, v := range []emit.Value{b.from[0], b.from[1], b.to[0], b.to[1]} {
		f.Do(emit.I32Store(emit.I32Const(p.Rect), 4*k, v))
	}
	end := f.Define("end", emit.I32Add(b.dst, emit.I32Mul(width, height)))
	// Rows may run over into the next one only when that is written later.
	f.If(emit.I32GtS(width, emit.I32Const(maskChunk)), func() { f.Set(end, emit.I32Const(0)) })
	b.x, b.n, b.wide = f.Local(i, "x"), f.Local(i, "n"), f.Local(i, "wide")
	f.For(b.x, b.from[0], b.to[0], maskChunk, func() {
		b.columns(tap)
		b.rows(tap, lowRow, stretch, func(upper, lower, weight, y emit.Value) {
			at := emit.I32Add(emit.I32Mul(emit.I32Sub(y, b.from[1]), width), emit.I32Sub(b.x, b.from[0]))
			f.Do(blend.Call(upper, lower, weight, emit.I32Add(b.dst, at), b.n, end))
		})
	})
	return f
}

// axis sets crop, scale, shift, from and to along x (0) or y (1).
func (b *mask) axis(span *emit.Func, axis int, cells emit.Value, proto, net int, scale float32) {
	f, place := b.f, emit.I32Const(b.Placement)
	k := float64(proto) / float64(net)
	picture := emit.F64ConvertI32S(emit.I32Load(place, placeSize+4*axis))
	perCell := emit.F64Mul(emit.F64Div(picture, emit.F64ConvertI32S(cells)), emit.F64Load(place, placeGainX+8*axis))
	b.scale[axis] = f.Define("scale", emit.F64Mul(perCell, emit.F64Const(k)))
	b.shift[axis] = f.Define("shift", emit.F64Mul(emit.F64Load(place, placePadX+8*axis), emit.F64Const(k)))
	for side := range 2 {
		edge := emit.F32Ceil(emit.F32Mul(emit.F32Load(b.kept, 4*axis+8*side), emit.F32Const(scale)))
		edge = emit.F32Max(emit.F32Min(edge, emit.F32Const(float32(proto))), emit.F32Const(0))
		b.crop[axis][side] = f.Define("crop", emit.I32TruncSatF32S(edge))
	}
	find := func(edge emit.Value) emit.Value {
		return span.Call(cells, emit.F64ConvertI32S(edge), b.scale[axis], b.shift[axis])
	}
	b.from[axis] = f.Define("from", find(b.crop[axis][0]))
	b.to[axis] = f.Define("to", find(b.crop[axis][1]))
}

// spanFunc emits span(n, edge, scale, shift): the first of n cells whose centre is
// not before the edge.
func (b *mask) spanFunc() *emit.Func {
	f := b.m.NewFunc("mask_span", []emit.Type{emit.I32, emit.F64, emit.F64, emit.F64}, []emit.Type{emit.I32})
	v := f.Params("n", "edge", "scale", "shift")
	before := func(g emit.Value) emit.Value {
		centre := emit.F64Add(emit.F64ConvertI32S(g), emit.F64Const(0.5))
		return emit.F64Lt(emit.F64Add(emit.F64Mul(centre, v[2]), v[3]), v[1])
	}
	g := f.Define("g", emit.I32TruncSatF64S(emit.F64Sub(emit.F64Div(emit.F64Sub(v[1], v[3]), v[2]), emit.F64Const(1))))
	f.Set(g, emit.Select(emit.I32GtS(g, v[0]), v[0], g))
	f.Set(g, emit.Select(emit.I32LtS(g, emit.I32Const(0)), emit.I32Const(0), g))
	f.Loop(func() { // the guess is at most two cells early
		f.If(emit.I32GeS(g, v[0]), func() { f.Return(v[0]) })
		f.If(emit.I32Eqz(before(g)), func() { f.Return(g) })
		f.Inc(g, 1)
	})
	f.Do(emit.Unreachable())
	return f
}

// tapFunc emits tap(cell, scale, shift, size f64) -> f64: where the cell's centre lies
// between prototypes, 0 at the first one's centre, clamped.
func (b *mask) tapFunc() *emit.Func {
	f := b.m.NewFunc("mask_tap", []emit.Type{emit.I32, emit.F64, emit.F64, emit.F64}, []emit.Type{emit.F64})
	v := f.Params("cell", "scale", "shift", "last")
	centre := emit.F64Add(emit.F64ConvertI32S(v[0]), emit.F64Const(0.5))
	at := emit.F64Sub(emit.F64Add(emit.F64Mul(centre, v[1]), v[2]), emit.F64Const(0.5))
	f.Return(emit.F64Min(emit.F64Max(at, emit.F64Const(0)), v[3]))
	return f
}
