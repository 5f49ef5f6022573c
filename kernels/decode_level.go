package kernels

import (
	"fmt"
	"math"

	"spotter/kernels/emit"
)

var negInf = math.Inf(-1)

// levelScan emits the scan of one level's cells for one anchor.
type levelScan struct {
	*detect
	DetectLevel
	f                     *emit.Func
	box, cls, obj, coef   emit.Value // addresses of the cell's parts
	anchorW, anchorH      emit.Value
	conf, limit           emit.Value // limit: below it a raw value cannot exceed conf
	x, y                  emit.Value
	sigmoid               func(x emit.Value)
	exp                   func(x emit.Value) emit.Value
	v, certain, corners   emit.Value
	score, class, decoded emit.Value
	top                   *topLane
}

// levelFunc emits level(box, cls, obj, coef, anchorW, anchorH, conf, logit): it
// pushes the candidates of one anchor of level i.
func (d *detect) levelFunc(i int) *emit.Func {
	t, s := emit.I32, emit.F32
	f := d.m.NewFunc(fmt.Sprintf("detect_level%d", i), []emit.Type{t, t, t, t, s, s, s, s}, nil)
	v := f.Params("box", "cls", "obj", "coef", "anchor_w", "anchor_h", "conf", "logit")
	l := &levelScan{
		detect: d, DetectLevel: d.Levels[i], f: f,
		box: v[0], cls: v[1], obj: v[2], coef: v[3], anchorW: v[4], anchorH: v[5], conf: v[6], limit: v[7],
		x: f.Local(t, "x"), y: f.Local(t, "y"), v: f.Local(emit.V128, "v"),
		certain: f.Local(emit.V128, "objectness"), corners: f.Local(emit.V128, "corners"),
		score: f.Local(s, "score"), class: f.Local(t, "class"), decoded: f.Local(t, "decoded"),
		sigmoid: Activation{Kind: ActSigmoid}.apply(f, Options{}), exp: newExp(f, Options{}),
	}
	l.top = newTopLane(f, l.score, l.class)
	first := l.ObjSigmoid
	if l.Obj.Map < 0 {
		first = l.ClsSigmoid
	}
	if first {
		f.Set(l.limit, l.conf)
	}
	cells := d.Maps[l.Cls.Map]
	f.For(l.y, emit.I32Const(0), emit.I32Const(cells.H), 1, func() {
		f.For(l.x, emit.I32Const(0), emit.I32Const(cells.W), 1, func() {
			f.Block(l.cell)
			l.advance(func(v View) int { return v.PixelStride })
		})
		l.advance(func(v View) int { return v.RowStride - v.W*v.PixelStride })
	})
	return f
}

// advance moves the parts' addresses.
func (l *levelScan) advance(by func(v View) int) {
	for _, part := range []struct {
		at emit.Value
		DetectPart
	}{{l.box, l.Box}, {l.cls, l.Cls}, {l.obj, l.Obj}, {l.coef, l.Coef}} {
		if part.Map >= 0 {
			l.f.Inc(part.at, by(l.Maps[part.Map].View))
		}
	}
}

// cell looks at one cell; branching to next leaves it.
func (l *levelScan) cell(next *emit.Label) {
	f := l.f
	if l.Obj.Map >= 0 {
		raw := f.Define("raw", emit.F32Load(l.obj, 0))
		f.BrIf(next, emit.I32Eqz(emit.F32Gt(raw, l.limit)))
		f.Set(l.certain, emit.F32x4Splat(raw))
		if !l.ObjSigmoid {
			l.sigmoid(l.certain)
		}
		f.BrIf(next, emit.I32Eqz(emit.F32Gt(emit.F32x4ExtractLane(l.certain, 0), l.conf)))
	} else {
		f.BrIf(next, emit.I32Eqz(l.anyAbove(l.limit)))
	}
	f.Set(l.decoded, emit.I32Const(0))
	multi := emit.I32And(emit.I32Load(emit.I32Const(l.Flags), 0), emit.I32Const(2))
	if l.Classes == 1 {
		l.best(next)
		return
	}
	f.If(multi, l.every, func() { l.best(next) })
}

// anyAbove reports whether a raw class value is above limit.
func (l *levelScan) anyAbove(limit emit.Value) emit.Value {
	f := l.f
	f.Set(l.v, emit.F32x4All(float32(negInf)))
	at := f.Define("at", l.cls)
	join := func(c, n int) { f.Set(l.v, emit.F32x4Pmax(l.v, l.classes(at, c, n))) }
	if groups := l.Classes / 16; groups > 0 {
		end := f.Define("end", emit.Plus(l.cls, 64*groups))
		f.DoWhile(func() {
			for c := range 4 {
				join(4*c, 4)
			}
			f.Inc(at, 64)
		}, emit.I32LtU(at, end))
	}
	for c := 0; c < l.Classes%16; c += 4 {
		join(c, min(4, l.Classes%16-c))
	}
	return emit.V128AnyTrue(emit.F32x4Gt(l.v, emit.F32x4Splat(limit)))
}

// classes loads n class values at channel c from at; lanes behind them are -Inf.
func (l *levelScan) classes(at emit.Value, c, n int) emit.Value {
	return only(loadChannels(at, 4*c, n), n)
}

// only replaces all but the first n lanes with -Inf.
func only(v emit.Value, n int) emit.Value {
	if n == 4 {
		return v
	}
	var mask [4]int32
	for i := range n {
		mask[i] = -1
	}
	keep := emit.I32x4Const(mask[0], mask[1], mask[2], mask[3])
	return emit.V128Bitselect(v, emit.F32x4All(float32(negInf)), keep)
}

// scores sets v to the scores of the n classes at at.
func (l *levelScan) scores(at emit.Value, n int) {
	f := l.f
	f.Set(l.v, loadChannels(at, 0, n))
	if !l.ClsSigmoid {
		l.sigmoid(l.v)
	}
	if l.Obj.Map >= 0 {
		f.Set(l.v, emit.F32x4Mul(l.v, l.certain))
	}
	if n < 4 {
		f.Set(l.v, only(l.v, n))
	}
}

// eachVector runs body for every four classes; first is the first one's number.
func (l *levelScan) eachVector(body func(at, first emit.Value, n int)) {
	f := l.f
	at, first := f.Define("at", l.cls), f.Define("first", emit.I32Const(0))
	if whole := l.Classes &^ 3; whole > 0 {
		f.DoWhile(func() {
			body(at, first, 4)
			f.Inc(at, 16)
			f.Inc(first, 4)
		}, emit.I32LtS(first, emit.I32Const(whole)))
	}
	if rest := l.Classes % 4; rest > 0 {
		body(at, first, rest)
	}
}

// best pushes the class with the highest score, the lowest class on ties.
func (l *levelScan) best(next *emit.Label) {
	l.top.reset()
	l.eachVector(func(at, _ emit.Value, n int) {
		l.scores(at, n)
		l.top.add(l.v)
	})
	l.top.reduce(min(4, l.Classes))
	l.f.BrIf(next, emit.I32Eqz(emit.F32Gt(l.score, l.floor)))
	l.candidate()
}

// every pushes all classes above the floor.
func (l *levelScan) every() {
	f := l.f
	bits, lane := f.Local(emit.I32, "bits"), f.Local(emit.I32, "lane")
	scratch := emit.I32Const(l.Scratch + l.lanes())
	l.eachVector(func(at, first emit.Value, n int) {
		l.scores(at, n)
		f.Set(bits, emit.I32x4Bitmask(emit.F32x4Gt(l.v, emit.F32x4Splat(l.floor))))
		f.Do(emit.V128Store(scratch, 0, l.v))
		f.While(bits, func() {
			f.Set(lane, emit.I32Ctz(bits))
			f.Set(bits, emit.I32And(bits, emit.Plus(bits, -1)))
			f.Set(l.score, emit.F32Load(emit.Times(lane, 4), l.Scratch+l.lanes()))
			f.Set(l.class, emit.I32Add(first, lane))
			l.candidate()
		})
	})
}

// candidate pushes the cell with score and class if the class is wanted and the box finite.
func (l *levelScan) candidate() {
	f := l.f
	word := emit.I32Load(emit.I32Shl(emit.I32ShrU(l.class, emit.I32Const(5)), emit.I32Const(2)), l.ClassMask)
	wanted := emit.I32And(emit.I32ShrU(word, l.class), emit.I32Const(1))
	f.If(wanted, func() {
		f.If(emit.I32Eqz(l.decoded), func() {
			l.decodeBox()
			f.Set(l.decoded, emit.I32Const(1))
		})
		none := emit.F32x4Sub(l.corners, l.corners) // NaN for an infinity too
		f.If(emit.I32x4AllTrue(emit.F32x4Eq(none, emit.F32x4All(0))), func() {
			f.Do(l.push.Call(l.score, l.class, l.corners, l.coef))
		})
	})
}
