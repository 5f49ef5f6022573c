package kernels

import "spotter/kernels/emit"

// decodeBox sets corners to the cell's box, x1 y1 x2 y2 in network pixels.
func (l *levelScan) decodeBox() {
	f := l.f
	gridX, gridY := emit.F32ConvertI32S(l.x), emit.F32ConvertI32S(l.y)
	grid := emit.F32x4ReplaceLane(emit.F32x4ReplaceLane(emit.F32x4All(0), 0, gridX), 1, gridY)
	stride := emit.F32x4All(float32(l.Stride))
	if l.Kind == BoxBins {
		l.decodeSides(emit.Shuffle32(grid, grid, 0, 1, 0, 1), stride)
		return
	}
	t := f.Define("t", emit.V128Load(l.box, 0, 4))
	f.Set(l.corners, t)
	size := f.Local(emit.V128, "size")
	switch l.Kind {
	case BoxAnchors:
		l.sigmoid(t)
		f.Set(t, emit.F32x4Add(t, t))
		f.Set(size, emit.F32x4Mul(emit.F32x4Mul(t, t),
			emit.F32x4ReplaceLane(emit.F32x4ReplaceLane(emit.F32x4All(0), 2, l.anchorW), 3, l.anchorH)))
		centre := emit.F32x4Mul(emit.F32x4Add(emit.F32x4Sub(t, emit.F32x4All(0.5)), grid), stride)
		f.Set(l.corners, emit.Shuffle32(centre, size, 0, 1, 6, 7))
	case BoxGrid:
		f.Set(size, emit.F32x4Mul(l.exp(t), stride))
		centre := emit.F32x4Mul(emit.F32x4Add(t, grid), stride)
		f.Set(l.corners, emit.Shuffle32(centre, size, 0, 1, 6, 7))
	}
	half := emit.F32x4Mul(emit.Shuffle32(l.corners, l.corners, 2, 3, 2, 3), emit.F32x4Const(-0.5, -0.5, 0.5, 0.5))
	f.Set(l.corners, emit.F32x4Add(emit.Shuffle32(l.corners, l.corners, 0, 1, 0, 1), half))
}

// decodeSides sets corners from the distances of the four sides from the centre.
func (l *levelScan) decodeSides(grid, stride emit.Value) {
	f := l.f
	side := f.Local(emit.V128, "side")
	if l.Bins <= 1 {
		f.Set(side, emit.V128Load(l.box, 0, 4))
	} else {
		for i := range 4 {
			f.Set(side, emit.F32x4ReplaceLane(side, i, l.expectation(4*i*l.Bins)))
		}
	}
	out := emit.F32x4Mul(side, emit.F32x4Const(-1, -1, 1, 1))
	f.Set(l.corners, emit.F32x4Mul(emit.F32x4Add(emit.F32x4Add(grid, emit.F32x4All(0.5)), out), stride))
}

// expectation is the mean bin under the softmax of Bins logits at offset from box
// (Generalized Focal Loss, arXiv 2006.04388, section 3.2).
func (l *levelScan) expectation(offset int) emit.Value {
	f := l.f
	logits := func(b int) emit.Value {
		n := min(4, l.Bins-b)
		return only(loadChannels(l.box, offset+4*b, n), n)
	}
	top := f.Define("top", logits(0))
	for b := 4; b < l.Bins; b += 4 {
		f.Set(top, emit.F32x4Pmax(top, logits(b)))
	}
	f.Set(top, emit.F32x4Pmax(top, emit.Shuffle32(top, top, 2, 3, 0, 1)))
	f.Set(top, emit.F32x4Pmax(top, emit.Shuffle32(top, top, 1, 0, 3, 2)))
	sum, mean := f.Define("sum", emit.F32x4All(0)), f.Define("mean", emit.F32x4All(0))
	e := f.Local(emit.V128, "e")
	for b := 0; b < l.Bins; b += 4 {
		f.Set(e, l.exp(emit.F32x4Sub(logits(b), top)))
		i := float32(b)
		f.Set(sum, emit.F32x4Add(sum, e))
		f.Set(mean, emit.F32x4Add(mean, emit.F32x4Mul(e, emit.F32x4Const(i, i+1, i+2, i+3))))
	}
	return emit.F32Div(addLanes(f, mean), addLanes(f, sum))
}

// addLanes is the sum of the four lanes of a local.
func addLanes(f *emit.Func, v emit.Value) emit.Value {
	f.Set(v, emit.F32x4Add(v, emit.Shuffle32(v, v, 2, 3, 0, 1)))
	return emit.F32Add(emit.F32x4ExtractLane(v, 0), emit.F32x4ExtractLane(v, 1))
}
