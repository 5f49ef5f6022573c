package kernels

import "spotter/kernels/emit"

// window emits the loops of kernels that slide one over rows of pixels: rows of the
// window outside the picture are left out at run time, columns at compile time.
type window struct {
	f                   *emit.Func
	in                  View
	kernel, stride, pad [2]int

	row       emit.Value // address of the window's first row that lies in the picture
	ky0, taps emit.Value // its index, and how many rows do
}

// span is a run of tiles of n pixels from x on, repeated.
type span struct{ x, n, repeat int }

// tilesOf divides w pixels into tiles of at most t, as equal as can be; like tiles
// that are whole (read no padding) become one run.
func tilesOf(w, t int, whole func(x, n int) bool) []span {
	var out []span
	count := (w + t - 1) / t
	for i := range count {
		x := i * w / count
		n := (i+1)*w/count - x
		if k := len(out) - 1; k >= 0 && out[k].n == n && whole(x, n) && whole(out[k].x, n) {
			out[k].repeat++
			continue
		}
		out = append(out, span{x, n, 1})
	}
	return out
}

// whole reports whether outputs [x, x+n) read inside the rows only.
func (w *window) whole(x, n int) bool {
	first := x*w.stride[1] - w.pad[1]
	return first >= 0 && (x+n-1)*w.stride[1]-w.pad[1]+w.kernel[1] <= w.in.W
}

// columns are the columns of the picture that a tile reads, in order.
func (w *window) columns(t span) []int {
	var list []int
	for j := range (t.n-1)*w.stride[1] + w.kernel[1] {
		if x := t.x*w.stride[1] - w.pad[1] + j; x >= 0 && x < w.in.W {
			list = append(list, x)
		}
	}
	return list
}

// rows sets row, ky0 and taps for output row y.
func (w *window) rows(y, in emit.Value) {
	f := w.f
	if w.row == (emit.Value{}) {
		w.row, w.ky0, w.taps = f.Local(emit.I32, "row"), f.Local(emit.I32, "ky0"), f.Local(emit.I32, "rows")
	}
	top := f.Define("top", emit.Plus(emit.Times(y, w.stride[0]), -w.pad[0]))
	f.Set(w.ky0, emit.Select(emit.I32LtS(top, emit.I32Const(0)), emit.I32Sub(emit.I32Const(0), top), emit.I32Const(0)))
	below := f.Define("below", emit.I32Sub(emit.I32Const(w.in.H), top))
	kh := emit.I32Const(w.kernel[0])
	f.Set(w.taps, emit.I32Sub(emit.Select(emit.I32LtS(below, kh), below, kh), w.ky0))
	f.Set(w.row, emit.I32Add(in, emit.Times(emit.I32Add(top, w.ky0), w.in.RowStride)))
}

// run emits a run of tiles: body gets the column that in points to.
func (w *window) run(t span, view View, outRow emit.Value, body func(t span, left int, in, out emit.Value)) {
	f := w.f
	left := max(0, t.x*w.stride[1]-w.pad[1])
	in := f.Define("tile_in", emit.Plus(w.row, left*w.in.PixelStride))
	out := f.Define("tile_out", emit.Plus(outRow, t.x*view.PixelStride))
	if t.repeat == 1 {
		body(t, left, in, out)
		return
	}
	end := f.Define("tile_end", emit.Plus(out, t.repeat*t.n*view.PixelStride))
	f.DoWhile(func() {
		body(t, left, in, out)
		f.Inc(in, t.n*w.stride[1]*w.in.PixelStride)
		f.Inc(out, t.n*view.PixelStride)
	}, emit.I32LtU(out, end))
}

// blocks emits body for every four channels, and for the one to three left.
func (w *window) blocks(channels int, in, out emit.Value, body func(src, dst emit.Value, channels int)) {
	f := w.f
	src, dst := f.Define("src", in), f.Define("dst", out)
	if vectors := channels / 4; vectors > 0 {
		end := f.Define("end", emit.Plus(out, vectors*16))
		f.DoWhile(func() {
			body(src, dst, 4)
			f.Inc(src, 16)
			f.Inc(dst, 16)
		}, emit.I32LtU(dst, end))
	}
	if rest := channels % 4; rest > 0 {
		body(src, dst, rest)
	}
}
