package kernels

import (
	"math"

	"spotter/kernels/emit"
)

// pushFunc emits push(score f32, class, box v128, coef): one candidate more, if its
// score is above the floor. When there is no room, all but the best maxNMS go, and
// the worst of those becomes the floor: what comes later loses ties, so the
// result is the same as with room for all.
func (d *detect) pushFunc() *emit.Func {
	f := d.m.NewFunc("detect_push", []emit.Type{emit.F32, emit.I32, emit.V128, emit.I32}, nil)
	v := f.Params("score", "class", "box", "coef")
	score := v[0]
	entry := func(i emit.Value) emit.Value { return emit.Plus(emit.Times(i, 8), d.Scratch+d.entries()) }
	record := f.Local(emit.I32, "record")
	at := func(number emit.Value) emit.Value {
		return emit.Plus(emit.Times(number, recordBytes), d.Scratch+d.records())
	}
	if d.capacity() > d.maxNMS() {
		f.If(emit.I32GeS(d.count, emit.I32Const(d.capacity())), func() {
			f.Do(d.sort.Call())
			f.Set(d.count, emit.I32Const(d.maxNMS()))
			f.Set(record, at(emit.I32Load(entry(emit.I32Const(d.maxNMS()-1)), 4)))
			f.Set(d.floor, emit.F32Load(record, recordScore))
		})
	}
	f.If(emit.I32Eqz(emit.F32Gt(score, d.floor)), func() { f.Return() })
	e := f.Define("entry", entry(d.count))
	f.If(emit.I32Eq(d.count, d.fresh), func() {
		f.Do(emit.I32Store(e, 4, d.fresh))
		f.Set(d.fresh, emit.Plus(d.fresh, 1))
	})
	f.Set(record, at(emit.I32Load(e, 4)))
	f.Do(emit.V128Store(record, 0, v[2]))
	f.Do(emit.F32Store(record, recordScore, score))
	f.Do(emit.I32Store(record, recordClass, v[1]))
	f.Do(emit.I32Store(record, recordCoef, v[3]))
	// Ascending keys are descending scores: floats compare as integers once the
	// bits of negative ones are inverted. Adding 0 makes -0 and 0 the same.
	bits := f.Define("bits", emit.I32ReinterpretF32(emit.F32Add(score, emit.F32Const(0))))
	flip := emit.I32Or(emit.I32ShrS(bits, emit.I32Const(31)), emit.I32Const(math.MinInt32))
	f.Do(emit.I32Store(e, 0, emit.I32Xor(emit.I32Xor(bits, flip), emit.I32Const(-1))))
	f.Set(d.count, emit.Plus(d.count, 1))
	return f
}

// sortFunc emits sort(): the candidates' entries by key, equal ones in their order;
// a radix sort of four digits of eight bits, from entries to sorted and back.
func (d *detect) sortFunc() *emit.Func {
	f := d.m.NewFunc("detect_sort", nil, nil)
	i := emit.I32
	from, to := f.Define("from", emit.I32Const(d.Scratch+d.entries())), f.Define("to", emit.I32Const(d.Scratch+d.sorted()))
	shift, at, end, slot := f.Local(i, "shift"), f.Local(i, "at"), f.Local(i, "end"), f.Local(i, "slot")
	sum, n, e := f.Local(i, "sum"), f.Local(i, "n"), f.Local(emit.I64, "e")
	counts := d.Scratch + d.counts()
	// digit is the address, from counts on, of the count of an entry's digit.
	digit := func(key emit.Value) emit.Value {
		return emit.I32Shl(emit.I32And(emit.I32ShrU(key, shift), emit.I32Const(255)), emit.I32Const(2))
	}
	f.If(emit.I32LtS(d.count, emit.I32Const(2)), func() { f.Return() })
	f.For(shift, emit.I32Const(0), emit.I32Const(32), 8, func() {
		f.Do(emit.MemoryFill(emit.I32Const(counts), emit.I32Const(0), emit.I32Const(1024)))
		f.Set(end, emit.I32Add(from, emit.Times(d.count, 8)))
		f.For(at, from, end, 8, func() {
			f.Set(slot, digit(emit.I32Load(at, 0)))
			f.Do(emit.I32Store(slot, counts, emit.Plus(emit.I32Load(slot, counts), 1)))
		})
		f.Set(sum, to)
		f.For(slot, emit.I32Const(0), emit.I32Const(1024), 4, func() {
			f.Set(n, emit.I32Load(slot, counts))
			f.Do(emit.I32Store(slot, counts, sum))
			f.Set(sum, emit.I32Add(sum, emit.Times(n, 8)))
		})
		f.For(at, from, end, 8, func() {
			f.Set(e, emit.I64Load(at, 0))
			f.Set(slot, digit(emit.I32WrapI64(e)))
			f.Set(n, emit.I32Load(slot, counts))
			f.Do(emit.I64Store(n, 0, e))
			f.Do(emit.I32Store(slot, counts, emit.Plus(n, 8)))
		})
		f.Set(sum, from)
		f.Set(from, to)
		f.Set(to, sum)
	})
	return f
}

// suppression holds the locals of nmsFunc.
type suppression struct {
	*detect
	f           *emit.Func
	iou, kept   emit.Value
	record, box emit.Value
	shifted     emit.Value // the box with its class's shift
	x1, y1      emit.Value // its corners and area in all lanes
	x2, y2      emit.Value
	area        emit.Value
}

// nmsFunc emits nms(iou f32, max) -> kept: the sorted candidates that overlap no better
// kept one by more than iou; it writes the results. The work is bounded by maxNMS
// candidates times MaxResults kept ones.
func (d *detect) nmsFunc() *emit.Func {
	f := d.m.NewFunc("detect_nms", []emit.Type{emit.F32, emit.I32}, []emit.Type{emit.I32})
	s := &suppression{detect: d, f: f, iou: f.Define("limit", emit.F32x4Splat(f.Param(0, "iou")))}
	limit := f.Param(1, "max")
	f.Set(limit, emit.Select(emit.I32GtS(limit, emit.I32Const(d.MaxResults)), emit.I32Const(d.MaxResults), limit))
	for _, v := range []struct {
		at   *emit.Value
		name string
	}{{&s.shifted, "shifted"}, {&s.box, "box"}, {&s.x1, "x1"}, {&s.y1, "y1"}, {&s.x2, "x2"}, {&s.y2, "y2"}, {&s.area, "area"}} {
		*v.at = f.Local(emit.V128, v.name)
	}
	s.kept, s.record = f.Local(emit.I32, "kept"), f.Local(emit.I32, "record")
	// NaN overlaps nothing: lanes not filled yet need no mask.
	f.Do(emit.MemoryFill(emit.I32Const(d.Scratch+d.lanes()+16), emit.I32Const(255), emit.I32Const(5*d.column())))
	n := f.Define("n", emit.Select(emit.I32GtS(d.count, emit.I32Const(d.maxNMS())), emit.I32Const(d.maxNMS()), d.count))
	i := f.Local(emit.I32, "i")
	f.For(i, emit.I32Const(0), n, 1, func() {
		f.If(emit.I32GeS(s.kept, limit), f.Break)
		number := emit.I32Load(emit.Times(i, 8), d.Scratch+d.entries()+4)
		f.Set(s.record, emit.Plus(emit.Times(number, recordBytes), d.Scratch+d.records()))
		s.load()
		f.Block(func(next *emit.Label) {
			s.compare(next)
			s.keep()
		})
	})
	f.Return(s.kept)
	return f
}

// load sets the locals of the candidate at record.
func (s *suppression) load() {
	f := s.f
	f.Set(s.box, emit.V128Load(s.record, 0))
	f.Set(s.shifted, s.box)
	agnostic := emit.I32And(emit.I32Load(emit.I32Const(s.Flags), 0), emit.I32Const(1))
	f.If(emit.I32Eqz(agnostic), func() {
		class := emit.F32ConvertI32S(emit.I32Load(s.record, recordClass))
		f.Set(s.shifted, emit.F32x4Add(s.box, emit.F32x4Splat(emit.F32Mul(class, emit.F32Const(classShift)))))
	})
	for i, v := range []emit.Value{s.x1, s.y1, s.x2, s.y2} {
		f.Set(v, emit.Shuffle32(s.shifted, s.shifted, byte(i), byte(i), byte(i), byte(i)))
	}
	f.Set(s.area, emit.F32x4Mul(emit.F32x4Sub(s.x2, s.x1), emit.F32x4Sub(s.y2, s.y1)))
}

// compare branches to next when a kept box overlaps the candidate, four at a time.
func (s *suppression) compare(next *emit.Label) {
	f := s.f
	at := f.Define("at", emit.I32Const(s.Scratch+s.lanes()+16))
	end := f.Define("end", emit.I32Add(at, emit.Times(s.kept, 4)))
	inter := f.Local(emit.V128, "inter")
	column := func(i int) emit.Value { return emit.V128Load(at, i*s.column()) }
	side := func(lo, hi int, a, b emit.Value) emit.Value {
		return emit.F32x4Pmax(emit.F32x4All(0), emit.F32x4Sub(emit.F32x4Pmin(column(hi), b), emit.F32x4Pmax(column(lo), a)))
	}
	f.For(at, at, end, 16, func() {
		f.Set(inter, emit.F32x4Mul(side(0, 2, s.x1, s.x2), side(1, 3, s.y1, s.y2)))
		union := emit.F32x4Sub(emit.F32x4Add(column(4), s.area), inter)
		f.BrIf(next, emit.V128AnyTrue(emit.F32x4Gt(emit.F32x4Div(inter, union), s.iou)))
	})
}

// keep adds the candidate to the kept ones and writes its result.
func (s *suppression) keep() {
	f, d := s.f, s.detect
	lane := f.Define("lane", emit.Plus(emit.Times(s.kept, 4), d.Scratch+d.lanes()+16))
	for i, v := range []emit.Value{s.x1, s.y1, s.x2, s.y2, s.area} {
		f.Do(emit.F32Store(lane, i*d.column(), emit.F32x4ExtractLane(v, 0)))
	}
	kept := f.Define("kept_at", emit.Plus(emit.Times(s.kept, d.KeptStride()), d.Kept()))
	f.Do(emit.V128Store(kept, 0, s.box))
	coef := f.Define("coef", emit.I32Load(s.record, recordCoef))
	for c := 0; c < d.Masks; c += 4 {
		f.Do(emit.V128Store(kept, 16+4*c, loadChannels(coef, 4*c, min(4, d.Masks-c))))
	}
	place := emit.I32Const(d.Placement)
	pair := func(x, y emit.Value) emit.Value { // x y x y
		v := f.Define("xy", emit.F32x4ReplaceLane(emit.F32x4Splat(x), 1, y))
		return emit.Shuffle32(v, v, 0, 1, 0, 1)
	}
	number := func(offset int) emit.Value { return emit.F32DemoteF64(emit.F64Load(place, offset)) }
	side := func(offset int) emit.Value { return emit.F32ConvertI32S(emit.I32Load(place, offset)) }
	pads, gains := pair(number(placePadX), number(placePadY)), pair(number(placeGainX), number(placeGainY))
	picture := emit.F32x4Div(emit.F32x4Sub(s.box, pads), gains)
	picture = emit.F32x4Min(emit.F32x4Max(picture, emit.F32x4All(0)), pair(side(placeSize), side(placeSize+4)))
	result := f.Define("result", emit.Plus(emit.Times(s.kept, 32), d.Results))
	f.Do(emit.V128Store(result, 0, picture))
	f.Do(emit.V128Store(result, 16, emit.F32x4ReplaceLane(emit.V128Load64Zero(s.record, recordScore), 2, emit.F32Const(0))))
	f.Inc(s.kept, 1)
}
