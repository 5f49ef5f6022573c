package kernels

import (
	"math"

	"spotter/kernels/emit"
)

// Scratch of LetterboxFunc, per thread: the table of x taps (byte offset of the
// left pixel, two 16-bit weights), then two rows of the picture resized in x as
// 16-bit numbers with 7 bits after the point, four channels a pixel.
const tapBytes, levelBytes = 8, 8

func (p LetterboxParams) tableBytes() int { return (p.Out.W + 2) * tapBytes &^ 15 }
func (p LetterboxParams) rowBytes() int   { return (p.Out.W + 2) * levelBytes &^ 15 }

// Units are the rows of the network's input.
func (p LetterboxParams) Units() int { return p.Out.H }

// ScratchBytes is what one thread of LetterboxFunc needs, aligned to 16.
func (p LetterboxParams) ScratchBytes() int { return p.tableBytes() + 2*p.rowBytes() }

// level is the network's value of byte v in channel c.
func (p LetterboxParams) level(c int, v int32) float32 {
	hi, lo, add := p.affine(c)
	return float32(float32(v)*hi) + float32(float32(float32(v)*lo)+add)
}

// affine gives value = v*hi + (v*lo + add). For YOLOv5's feed the value must be
// exactly float32(v)/255: hi has 8 bits so that v*hi is exact, lo is the rest.
func (p LetterboxParams) affine(c int) (hi, lo, add float32) {
	if p.Scale == float32(1)/255 && p.Mean[c] == 0 && p.Std[c] == 1 {
		exact := 1 / 255.0
		hi = math.Float32frombits(math.Float32bits(float32(exact)) &^ (1<<16 - 1))
		return hi, float32(exact - float64(hi)), 0
	}
	return float32(float64(p.Scale) / float64(p.Std[c])), 0, float32(-float64(p.Mean[c]) / float64(p.Std[c]))
}

// LetterboxFunc emits letterbox(src, placement, out, scratch, begin, end): rows
// [begin, end) of the network's input from the RGBA picture at src, resized as
// OpenCV's INTER_LINEAR does on bytes: half-pixel centres, no antialiasing, 11-bit
// weights. It may read the 4 bytes before the picture.
func LetterboxFunc(m *emit.Module, p LetterboxParams) *emit.Func {
	name := p.name("letterbox_u8")
	if f := m.Func(name); f != nil {
		return f
	}
	b := &letterbox{LetterboxParams: p, m: m}
	rowX, rowY, half, fill := b.rowX(), b.rowY(), b.rowHalf(), b.fill()
	i := emit.I32
	f := m.NewFunc(name, []emit.Type{i, i, i, i, i, i}, nil)
	b.f = f
	b.prologue()
	f.For(b.y, b.begin, b.end, 1, func() {
		outside := emit.I32Or(emit.I32LtS(b.y, b.y0), emit.I32GeS(b.y, b.y1))
		f.If(outside, func() {
			f.Do(fill.Call(b.row, emit.I32Const(p.Out.W)))
		}, func() {
			f.Do(fill.Call(b.row, b.x0))
			first := emit.I32Add(b.row, emit.Times(b.x0, p.Out.PixelStride))
			f.If(b.halves, func() {
				src := emit.Times(emit.I32Sub(b.y, b.top), 2)
				f.Do(half.Call(emit.I32Add(b.src, emit.I32Mul(src, b.pitch)), b.pitch, first, emit.I32Sub(b.x1, b.x0)))
			}, func() { b.resizeRow(rowX, rowY, first) })
			last := emit.I32Add(b.row, emit.Times(b.x1, p.Out.PixelStride))
			f.Do(fill.Call(last, emit.I32Sub(emit.I32Const(p.Out.W), b.x1)))
		})
		f.Inc(b.row, p.Out.RowStride)
	})
	return f
}

// letterbox holds the locals of a LetterboxFunc while it is emitted.
type letterbox struct {
	LetterboxParams
	m *emit.Module
	f *emit.Func

	src, place, scratch, out, begin, end emit.Value

	y, row, pitch, w, h, top   emit.Value // pitch: bytes of a picture's row
	x0, x1, y0, y1, outW, outH emit.Value // the input's pixels that show the picture
	halves                     emit.Value // the picture is exactly twice as large
	tag                        [2]emit.Value
}

// prologue loads the placement, makes the table of x taps and sets the locals.
func (b *letterbox) prologue() {
	f := b.f
	v := f.Params("src", "placement", "out", "scratch", "begin", "end")
	b.src, b.place, b.out, b.scratch, b.begin, b.end = v[0], v[1], v[2], v[3], v[4], v[5]
	get := func(name string, offset int) emit.Value { return f.Define(name, emit.I32Load(b.place, offset)) }
	b.w, b.h = get("w", placeSize), get("h", placeSize+4)
	left := get("left", placeCorner)
	b.top = get("top", placeCorner+4)
	b.outW, b.outH = get("out_w", placeOut), get("out_h", placeOut+4)
	b.pitch = f.Define("pitch", emit.Times(b.w, 4))
	clip := func(name string, x emit.Value, limit int) emit.Value {
		v := f.Define(name, x)
		f.Set(v, emit.Select(emit.I32LtS(v, emit.I32Const(0)), emit.I32Const(0), v))
		f.Set(v, emit.Select(emit.I32GtS(v, emit.I32Const(limit)), emit.I32Const(limit), v))
		return v
	}
	b.x0, b.x1 = clip("x0", left, b.Out.W), clip("x1", emit.I32Add(left, b.outW), b.Out.W)
	b.y0, b.y1 = clip("y0", b.top, b.Out.H), clip("y1", emit.I32Add(b.top, b.outH), b.Out.H)
	whole := emit.I32Eq(emit.I32Sub(b.x1, b.x0), b.outW)
	twice := emit.I32And(emit.I32Eq(b.w, emit.Times(b.outW, 2)), emit.I32Eq(b.h, emit.Times(b.outH, 2)))
	b.halves = f.Define("halves", emit.I32And(whole, twice))
	f.If(emit.I32Eqz(b.halves), func() { b.tapTable(left) })
	b.y = f.Local(emit.I32, "y")
	b.row = f.Define("row", emit.I32Add(b.out, emit.I32Mul(b.begin, emit.I32Const(b.Out.RowStride))))
	for i := range b.tag {
		b.tag[i] = f.Define("tag", emit.I32Const(-1))
	}
}

// tap is OpenCV's tap of output d of out from src pixels: the source index and the
// two 11-bit weights.
func (b *letterbox) tap(d, out, src emit.Value) (index, a0, a1 emit.Value) {
	f := b.f
	scale := emit.F64Div(emit.F64Const(1), emit.F64Div(emit.F64ConvertI32S(out), emit.F64ConvertI32S(src)))
	centre := emit.F64Mul(emit.F64Add(emit.F64ConvertI32S(d), emit.F64Const(0.5)), scale)
	at := f.Define("at", emit.F32DemoteF64(emit.F64Sub(centre, emit.F64Const(0.5))))
	floor := f.Define("floor", emit.F32Floor(at))
	f.Set(at, emit.F32Sub(at, floor))
	fixed := func(x emit.Value) emit.Value {
		return emit.I32TruncSatF32S(emit.F32Nearest(emit.F32Mul(x, emit.F32Const(2048))))
	}
	index = f.Define("index", emit.I32TruncSatF32S(floor))
	a0 = f.Define("a0", fixed(emit.F32Sub(emit.F32Const(1), at)))
	a1 = f.Define("a1", fixed(at))
	return index, a0, a1
}

// tapTable writes the taps of columns [x0, x1) and one more, for rowX's pairs.
func (b *letterbox) tapTable(left emit.Value) {
	f := b.f
	entry := f.Define("entry", b.scratch)
	x := f.Local(emit.I32, "x")
	f.For(x, b.x0, b.x1, 1, func() {
		i, a0, a1 := b.tap(emit.I32Sub(x, left), b.outW, b.w)
		both := emit.I32Add(a0, a1)
		// Edges repeat: all the weight goes to one pixel of a pair inside the
		// picture. Of a picture one pixel wide the pair begins before it.
		f.If(emit.I32LtS(i, emit.I32Const(0)), func() {
			f.Set(i, emit.I32Const(0))
			f.Set(a0, both)
			f.Set(a1, emit.I32Const(0))
		})
		f.If(emit.I32GeS(i, emit.Plus(b.w, -1)), func() {
			f.Set(i, emit.Plus(b.w, -2))
			f.Set(a1, both)
			f.Set(a0, emit.I32Const(0))
		})
		f.Do(emit.I32Store(entry, 0, emit.Times(i, 4)))
		f.Do(emit.I32Store(entry, 4, emit.I32Or(a0, emit.I32Shl(a1, emit.I32Const(16)))))
		f.Inc(entry, tapBytes)
	})
	f.Do(emit.I64Store(entry, 0, emit.I64Load(emit.Plus(entry, -tapBytes), 0)))
}

// resizeRow makes row y from its two source rows, which stay cached in x-resized
// form for the next one.
func (b *letterbox) resizeRow(rowX, rowY *emit.Func, out emit.Value) {
	f := b.f
	index, b0, b1 := b.tap(emit.I32Sub(b.y, b.top), b.outH, b.h)
	n := emit.I32Sub(b.x1, b.x0)
	cached := func(name string, row emit.Value) emit.Value {
		r := f.Define(name, row)
		f.Set(r, emit.Select(emit.I32LtS(r, emit.I32Const(0)), emit.I32Const(0), r))
		f.Set(r, emit.Select(emit.I32GeS(r, b.h), emit.Plus(b.h, -1), r))
		slot := f.Define("slot", emit.Plus(b.scratch, b.tableBytes()))
		fresh := func(i int) {
			f.If(emit.I32Ne(b.tag[i], r), func() {
				f.Set(b.tag[i], r)
				f.Do(rowX.Call(emit.I32Add(b.src, emit.I32Mul(r, b.pitch)), b.scratch, slot, n))
			})
		}
		f.If(emit.I32And(r, emit.I32Const(1)), func() {
			f.Inc(slot, b.rowBytes())
			fresh(1)
		}, func() { fresh(0) })
		return slot
	}
	upper, lower := cached("upper", index), cached("lower", emit.Plus(index, 1))
	f.Do(rowY.Call(upper, lower, out, n, b0, b1))
}
