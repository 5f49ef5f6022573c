package kernels

import "math"

// mapReader gives channel c of pixel (x, y) of raw map m.
type mapReader func(m, y, x, c int) float32

func sigmoid(x float32) float32 { return float32(1 / (1 + math.Exp(-float64(x)))) }

// probability is a channel of part as a probability; absent parts are certain.
func probability(at mapReader, part DetectPart, y, x, offset int, done bool) float32 {
	if part.Map < 0 {
		return 1
	}
	t := at(part.Map, y, x, part.Channel+offset)
	if done {
		return t
	}
	return sigmoid(t)
}

// decodeScalar lists the boxes whose score exceeds conf, in the order level,
// anchor, y, x (and class with multi).
func decodeScalar(p DetectParams, at mapReader, conf float32, allowed func(class int) bool, multi bool) []candidate {
	var out []candidate
	for _, l := range p.Levels {
		cells := p.Maps[l.Cls.Map]
		for i := range l.anchorCount() * cells.H * cells.W {
			a, y, x := i/(cells.H*cells.W), i/cells.W%cells.H, i%cells.W
			obj := probability(at, l.Obj, y, x, a*l.AnchorStep, l.ObjSigmoid)
			if !(obj > conf) {
				continue
			}
			box := boxScalar(p, l, at, a, y, x)
			for _, c := range scoresScalar(p, l, at, a, y, x, obj, multi) {
				if c.score > conf && allowed(c.class) && finite(box) {
					c.box, c.coef = box, coefScalar(p, l, at, y, x, a*l.AnchorStep)
					out = append(out, c)
				}
			}
		}
	}
	return out
}

// scoresScalar is the best class of a cell (the lowest on ties), or with multi every class.
func scoresScalar(p DetectParams, l DetectLevel, at mapReader, a, y, x int, obj float32, multi bool) []candidate {
	var all []candidate
	best := -1
	for k := range p.Classes {
		s := float32(probability(at, l.Cls, y, x, a*l.AnchorStep+k, l.ClsSigmoid) * obj)
		all = append(all, candidate{class: k, score: s})
		if s == s && (best < 0 || s > all[best].score) {
			best = k
		}
	}
	if multi {
		return all
	}
	return all[max(best, 0):][:1]
}

func coefScalar(p DetectParams, l DetectLevel, at mapReader, y, x, step int) []float32 {
	coef := make([]float32, p.Masks)
	for i := range coef {
		coef[i] = at(l.Coef.Map, y, x, l.Coef.Channel+step+i)
	}
	return coef
}

// boxScalar decodes one box to x1 y1 x2 y2 in pixels of the network's input.
func boxScalar(p DetectParams, l DetectLevel, at mapReader, anchor, y, x int) [4]float32 {
	t := func(i int) float32 { return at(l.Box.Map, y, x, l.Box.Channel+anchor*l.AnchorStep+i) }
	s, gx, gy := float32(l.Stride), float32(x), float32(y)
	switch p.Kind {
	case BoxAnchors:
		cx, cy := (2*sigmoid(t(0))-0.5+gx)*s, (2*sigmoid(t(1))-0.5+gy)*s
		w, h := 2*sigmoid(t(2)), 2*sigmoid(t(3))
		return corners(cx, cy, w*w*l.Anchors[anchor][0], h*h*l.Anchors[anchor][1])
	case BoxGrid:
		return corners((t(0)+gx)*s, (t(1)+gy)*s, expf(t(2))*s, expf(t(3))*s)
	case BoxBins:
		side := t
		if p.Bins > 1 {
			side = func(i int) float32 { return expectation(t, i*p.Bins, p.Bins) }
		}
		cx, cy := gx+0.5, gy+0.5
		return [4]float32{(cx - side(0)) * s, (cy - side(1)) * s, (cx + side(2)) * s, (cy + side(3)) * s}
	}
	return corners(t(0), t(1), t(2), t(3))
}

// expectation is the mean bin under the softmax of n logits from first on.
func expectation(t func(int) float32, first, n int) float32 {
	top := float32(math.Inf(-1))
	for i := range n {
		top = max(top, t(first+i))
	}
	var sum, mean float32
	for i := range n {
		e := expf(t(first+i) - top)
		sum += e
		mean += e * float32(i)
	}
	return mean / sum
}

func corners(cx, cy, w, h float32) [4]float32 {
	return [4]float32{cx - w/2, cy - h/2, cx + w/2, cy + h/2}
}

func expf(x float32) float32 { return float32(math.Exp(float64(x))) }

func finite(b [4]float32) bool {
	for _, v := range b {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return false
		}
	}
	return true
}
