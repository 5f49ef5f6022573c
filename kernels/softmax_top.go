package kernels

import (
	"fmt"

	"spotter/kernels/emit"
)

// ClassifyParams describe classify(): a vector of logits to the most likely classes.
// All addresses are constants of the code.
type ClassifyParams struct {
	Logits     int // address of Classes float32
	Classes    int
	Results    int // MaxResults records of 32 bytes: four zeros, score (float32), class, two zeros
	MaxResults int
	Scratch    int // ScratchBytes
}

// ScratchBytes is the memory that classify needs at Scratch.
func (p ClassifyParams) ScratchBytes() int { return (p.Classes + 3) / 4 * 16 }

// ClassifyFunc emits classify(max) -> count: softmax over the logits, then the max
// best classes, best first, the lowest class first on ties. NaN gives none.
func ClassifyFunc(m *emit.Module, p ClassifyParams) *emit.Func {
	if p.Classes < 1 || p.MaxResults < 1 {
		panic(fmt.Sprintf("BUG: classify %+v", p))
	}
	f := m.NewFunc("classify", []emit.Type{emit.I32}, []emit.Type{emit.I32})
	limit := f.Param(0, "max")
	most := min(p.MaxResults, p.Classes)
	f.Set(limit, emit.Select(emit.I32GtS(limit, emit.I32Const(most)), emit.I32Const(most), limit))
	s := newSoftmaxRow(f, p.Classes, 1, Options{})
	scores := emit.I32Const(p.Scratch)
	sum := f.Define("sum", s.exponentials(emit.I32Const(p.Logits), scores))
	f.If(emit.I32Eqz(emit.F32Gt(sum, emit.F32Const(0))), func() { f.Return(emit.I32Const(0)) })
	kept, record := f.Local(emit.I32, "kept"), f.Define("record", emit.I32Const(p.Results))
	best := newTopLane(f, f.Local(emit.F32, "score"), f.Local(emit.I32, "class"))
	f.For(kept, emit.I32Const(0), limit, 1, func() {
		best.reset()
		s.each(scores, func(at emit.Value, n int) { best.add(only(loadChannels(at, 0, n), n)) })
		best.reduce(min(4, p.Classes))
		f.If(emit.I32Eqz(emit.F32Ge(best.score, emit.F32Const(0))), f.Break)
		f.Do(emit.V128Store(record, 0, emit.F32x4All(0), 4))
		f.Do(emit.V128Store(record, 16, emit.F32x4All(0), 4))
		f.Do(emit.F32Store(record, 16, emit.F32Div(best.score, sum)))
		f.Do(emit.I32Store(record, 20, best.class))
		f.Do(emit.F32Store(emit.Times(best.class, 4), p.Scratch, emit.F32Const(-1)))
		f.Inc(record, 32)
	})
	f.Return(kept)
	return f
}

// topLane emits the search for the greatest of many numbers and its place, the first on ties.
type topLane struct {
	f            *emit.Func
	top, index   emit.Value // per lane
	lanes        emit.Value // numbers of the next four
	score, class emit.Value // after reduce
	x, better    emit.Value
}

func newTopLane(f *emit.Func, score, class emit.Value) *topLane {
	v := func(name string) emit.Value { return f.Local(emit.V128, name) }
	return &topLane{f: f, top: v("top"), index: v("index"), lanes: v("lanes"), score: score, class: class, x: v("top_x"), better: v("better")}
}

func (t *topLane) reset() {
	t.f.Set(t.top, emit.F32x4All(float32(negInf)))
	t.f.Set(t.lanes, emit.I32x4Const(0, 1, 2, 3))
	t.f.Set(t.index, t.lanes)
}

// add compares the next four numbers.
func (t *topLane) add(v emit.Value) {
	f := t.f
	f.Set(t.x, v)
	f.Set(t.better, emit.F32x4Gt(t.x, t.top))
	f.Set(t.top, emit.V128Bitselect(t.x, t.top, t.better))
	f.Set(t.index, emit.V128Bitselect(t.lanes, t.index, t.better))
	f.Set(t.lanes, emit.I32x4Add(t.lanes, emit.I32x4All(4)))
}

// reduce sets score and class from the first n lanes.
func (t *topLane) reduce(n int) {
	f := t.f
	f.Set(t.score, emit.F32x4ExtractLane(t.top, 0))
	f.Set(t.class, emit.I32x4ExtractLane(t.index, 0))
	for lane := 1; lane < n; lane++ {
		s := f.Define("s", emit.F32x4ExtractLane(t.top, lane))
		c := f.Define("c", emit.I32x4ExtractLane(t.index, lane))
		tie := emit.I32And(emit.F32Eq(s, t.score), emit.I32LtS(c, t.class))
		f.If(emit.I32Or(emit.F32Gt(s, t.score), tie), func() {
			f.Set(t.score, s)
			f.Set(t.class, c)
		})
	}
}
