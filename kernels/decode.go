package kernels

import (
	"fmt"

	"spotter/kernels/emit"
)

// BoxKind is how a head's raw box channels become corners.
type BoxKind int

// Kinds of boxes. s is the sigmoid, t the raw channel, all in pixels of the network's input.
const (
	BoxAnchors BoxKind = iota // YOLOv5: xy = (2s-0.5+grid)*stride, wh = (2s)^2*anchor
	BoxGrid                   // YOLOX: xy = (t+grid)*stride, wh = exp(t)*stride
	BoxBins                   // GFL, YOLOv8: left, top, right, bottom of (grid+0.5)*stride, each the expectation over Bins, times stride
	BoxCentre                 // decoded already: cx, cy, w, h
)

// DetectPart is a run of channels in a raw map; Map < 0 when there is none.
type DetectPart struct{ Map, Channel int }

// DetectMap is a raw output of the network in memory.
type DetectMap struct {
	Address int
	View
}

// DetectLevel is one stride of a head. Anchor a's channels lie a*AnchorStep
// behind each part's first.
type DetectLevel struct {
	Stride                 int
	Anchors                [][2]float32 // width, height; empty when anchor-free
	AnchorStep             int
	Box, Cls, Obj, Coef    DetectPart // Obj and Coef may be missing
	ClsSigmoid, ObjSigmoid bool       // the map already is a probability
}

func (l DetectLevel) anchorCount() int { return max(len(l.Anchors), 1) }

// DetectParams describe detect(): raw maps to boxes in pixels of the picture.
// All addresses are constants of the code.
type DetectParams struct {
	Kind          BoxKind
	Classes, Bins int
	Masks         int // mask coefficients of an anchor
	Maps          []DetectMap
	Levels        []DetectLevel

	MaxNMS     int // candidates that suppression looks at, the best; 0 is YOLOv5's 30000
	MaxResults int // the most that detect gives

	Results   int // MaxResults records of 32 bytes: x1 y1 x2 y2 score (float32), class, two zeros
	ClassMask int // bit id%32 of word id/32 set: class id is wanted
	Flags     int // word: bit 0 class-agnostic suppression, bit 1 multi-label
	Placement int // as PlaceFunc writes it
	Scratch   int // ScratchBytes, aligned to 16; results' boxes and coefficients stay there for masks
}

// cells are the anchors of all levels.
func (p DetectParams) cells() int {
	n := 0
	for _, l := range p.Levels {
		n += p.Maps[l.Cls.Map].H * p.Maps[l.Cls.Map].W * l.anchorCount()
	}
	return n
}

func (p DetectParams) maxNMS() int {
	if p.MaxNMS == 0 {
		return 30000
	}
	return p.MaxNMS
}

// capacity is how many candidates there is room for. When they run out (multi-label
// at a low threshold), all but the best maxNMS are dropped.
func (p DetectParams) capacity() int { return min(p.cells()*p.Classes, 2*p.maxNMS()) }

// A candidate's record: its box (float32 x1 y1 x2 y2, network pixels), score, class
// and the address of its coefficients.
const (
	recordScore = 16
	recordClass = 20
	recordCoef  = 24
	recordBytes = 32
)

// Layout of the scratch memory, offsets from Scratch.
func (p DetectParams) entries() int { return 0 } // key and record number of each candidate, 8 bytes
func (p DetectParams) sorted() int  { return p.capacity() * 8 }
func (p DetectParams) counts() int  { return 2*p.sorted() + 8 } // of the radix sort's digits
func (p DetectParams) lanes() int   { return (p.counts() + 1024 + 31) &^ 15 }
func (p DetectParams) column() int  { return (p.MaxResults*4 + 15) &^ 15 } // of one corner of all results
func (p DetectParams) records() int { return p.lanes() + 16 + 5*p.column() }
func (p DetectParams) kept() int    { return p.records() + p.capacity()*recordBytes }

// Kept is the address where result i's box (float32 x1 y1 x2 y2, network pixels, not clipped)
// and then its mask coefficients, filled up with zeros to a multiple of four,
// stand at i*KeptStride.
func (p DetectParams) Kept() int { return p.Scratch + p.kept() }

// KeptStride is the distance of two results at Kept, bytes.
func (p DetectParams) KeptStride() int { return 16 + (p.Masks+3)/4*16 }

// ScratchBytes is the memory that detect needs at Scratch.
func (p DetectParams) ScratchBytes() int { return p.kept() + p.MaxResults*p.KeptStride() }

func (p DetectParams) check() {
	fail := func(what string) { panic(fmt.Sprintf("BUG: detect: %s in %+v", what, p)) }
	if p.Classes < 1 || p.MaxResults < 1 || p.MaxNMS < 0 || p.Scratch%16 != 0 || p.Placement%8 != 0 {
		fail("sizes")
	}
	for _, l := range p.Levels {
		last := (l.anchorCount() - 1) * l.AnchorStep
		for _, part := range []struct {
			DetectPart
			n    int
			must bool
		}{{l.Box, 4 * max(p.Bins, 1), true}, {l.Cls, p.Classes, true}, {l.Obj, 1, false}, {l.Coef, p.Masks, p.Masks > 0}} {
			if part.Map < 0 && !part.must || part.n == 0 {
				continue
			}
			if part.Map < 0 || part.Map >= len(p.Maps) || part.Channel < 0 || part.Channel+last+part.n > p.Maps[part.Map].C {
				fail("a part outside its map")
			}
			if m, c := p.Maps[part.Map], p.Maps[l.Cls.Map]; m.H != c.H || m.W != c.W {
				fail("maps of different sizes in a level")
			}
		}
	}
}

// detect holds what the functions of one detect share.
type detect struct {
	DetectParams
	m *emit.Module

	count, fresh emit.Value // globals: candidates; record numbers given out
	floor        emit.Value // global: scores must be above

	sort, push *emit.Func
}

// DetectFunc emits detect(conf f32, iou f32, max) -> count: decode the head's maps,
// keep the boxes whose score exceeds conf, suppress those that overlap a better one of
// their class by more than iou, and write the best max to Results in pixels of
// the picture, clipped to it. NaN scores and boxes that are not finite are dropped.
// The arithmetic of suppression is YOLOv5's and torchvision's, in float32.
func DetectFunc(m *emit.Module, p DetectParams) *emit.Func {
	p.check()
	d := &detect{DetectParams: p, m: m}
	d.count = m.Global("detect_count", true, emit.I32Const(0))
	d.fresh = m.Global("detect_fresh", true, emit.I32Const(0))
	d.floor = m.Global("detect_floor", true, emit.F32Const(0))
	d.sort = d.sortFunc()
	d.push = d.pushFunc()
	levels := make([]*emit.Func, len(p.Levels))
	for i := range levels {
		levels[i] = d.levelFunc(i)
	}
	nms := d.nmsFunc()
	logit := d.logitFunc()

	f := m.NewFunc("detect", []emit.Type{emit.F32, emit.F32, emit.I32}, []emit.Type{emit.I32})
	v := f.Params("conf", "iou", "max")
	f.Set(d.count, emit.I32Const(0))
	f.Set(d.fresh, emit.I32Const(0))
	f.Set(d.floor, v[0])
	raw := f.Define("logit", logit.Call(v[0]))
	for i, l := range p.Levels {
		for a := range l.anchorCount() {
			f.Do(levels[i].Call(append(d.anchorArgs(l, a), v[0], raw)...))
		}
	}
	f.Do(d.sort.Call())
	f.Return(nms.Call(v[1], v[2]))
	return f
}

// anchorArgs are levelFunc's arguments for an anchor: addresses of its channels of
// the first cell, and its size.
func (d *detect) anchorArgs(l DetectLevel, a int) []emit.Value {
	var args []emit.Value
	for _, part := range []DetectPart{l.Box, l.Cls, l.Obj, l.Coef} {
		at := 0
		if part.Map >= 0 {
			at = d.Maps[part.Map].Address + 4*(part.Channel+a*l.AnchorStep)
		}
		args = append(args, emit.I32Const(at))
	}
	var size [2]float32
	if len(l.Anchors) > 0 {
		size = l.Anchors[a]
	}
	return append(args, emit.F32Const(size[0]), emit.F32Const(size[1]))
}

// logitFunc emits a function that gives a number just below the least logit whose
// sigmoid exceeds conf: what is not above it need not be looked at.
func (d *detect) logitFunc() *emit.Func {
	f := d.m.NewFunc("detect_logit", []emit.Type{emit.F32}, []emit.Type{emit.F32})
	conf := f.Param(0, "conf")
	lo, hi := f.Define("lo", emit.F32Const(-90)), f.Define("hi", emit.F32Const(90))
	mid, v := f.Local(emit.F32, "mid"), f.Local(emit.V128, "v")
	apply := Activation{Kind: ActSigmoid}.apply(f, Options{})
	f.If(emit.F32Le(conf, emit.F32Const(0)), func() { f.Return(emit.F32Const(float32(negInf))) })
	i := f.Local(emit.I32, "i")
	f.For(i, emit.I32Const(0), emit.I32Const(24), 1, func() {
		f.Set(mid, emit.F32Mul(emit.F32Add(lo, hi), emit.F32Const(0.5)))
		f.Set(v, emit.F32x4Splat(mid))
		apply(v)
		f.If(emit.F32Gt(emit.F32x4ExtractLane(v, 0), conf),
			func() { f.Set(hi, mid) }, func() { f.Set(lo, mid) })
	})
	f.Return(emit.F32Sub(lo, emit.F32Const(0.001)))
	return f
}
