package eval

import (
	"cmp"
	"math"
	"slices"
)

// areas are COCO's size classes: all, small, medium, large (square pixels).
var areas = [4][2]float64{{0, 1e10}, {0, 32 * 32}, {32 * 32, 96 * 96}, {96 * 96, 1e10}}

// thresholds are the IoUs 0.50, 0.55, ... 0.95.
var thresholds = spaced(0.5, 0.95, 10)

// recalls are the 101 points at which precision is read.
var recalls = spaced(0, 1, 101)

// spaced are n numbers from lo to hi, computed as numpy's linspace does.
func spaced(lo, hi float64, n int) []float64 {
	list := make([]float64, n)
	step := (hi - lo) / float64(n-1)
	for i := range list {
		list[i] = float64(float64(i)*step) + lo
	}
	list[n-1] = hi
	return list
}

// maxDetections are the detections an image that AR counts; AP takes the last.
var maxDetections = [3]int{1, 10, 100}

// pair is the truths and detections of one class in one image.
type pair struct {
	truths []*Truth
	found  []*Found // best first, at most 100
	iou    [][]float64
}

// matched is a pair's result for one size class.
type matched struct {
	scores  []float64
	match   [][]bool // by threshold and detection
	ignored [][]bool
	truths  int // that count
}

// newPair sorts by score (stable) and computes all overlaps.
func newPair(truths []*Truth, found []*Found, masks bool) *pair {
	slices.SortStableFunc(found, func(a, b *Found) int { return cmp.Compare(b.Score, a.Score) })
	p := &pair{truths: truths, found: found[:min(len(found), maxDetections[2])]}
	for _, f := range p.found {
		row := make([]float64, len(truths))
		for j, t := range truths {
			if masks {
				row[j] = maskIoU(f.mask, t.mask, t.Crowd != 0)
			} else {
				row[j] = boxIoU(f.Box, t.Box, t.Crowd != 0)
			}
		}
		p.iou = append(p.iou, row)
	}
	return p
}

// boxIoU is the overlap over the union; against a crowd, over the detection alone.
func boxIoU(d, g [4]float64, crowd bool) float64 {
	w := min(d[0]+d[2], g[0]+g[2]) - max(d[0], g[0])
	h := min(d[1]+d[3], g[1]+g[3]) - max(d[1], g[1])
	if w <= 0 || h <= 0 {
		return 0
	}
	both, all := w*h, d[2]*d[3]
	if !crowd {
		all += g[2]*g[3] - both
	}
	return both / all
}

func maskIoU(d, g *runs, crowd bool) float64 {
	both := d.overlap(g)
	all := d.area
	if !crowd {
		all += g.area - both
	}
	if all == 0 {
		return 0
	}
	return float64(both) / float64(all)
}

// evaluate matches greedily, best detection first, at every threshold.
func (p *pair) evaluate(area [2]float64) *matched {
	order, ignore := p.order(area)
	m := &matched{}
	for _, ig := range ignore {
		if !ig {
			m.truths++
		}
	}
	for _, f := range p.found {
		m.scores = append(m.scores, f.Score)
	}
	for _, threshold := range thresholds {
		match, ignored := make([]bool, len(p.found)), make([]bool, len(p.found))
		taken := make([]bool, len(order))
		for d, f := range p.found {
			best := p.best(d, order, ignore, taken, threshold)
			if best >= 0 {
				match[d], ignored[d], taken[best] = true, ignore[best], true
				continue
			}
			size := f.area()
			ignored[d] = size < area[0] || size > area[1]
		}
		m.match, m.ignored = append(m.match, match), append(m.ignored, ignored)
	}
	return m
}

// order lists the truths' indices with those that don't count last.
func (p *pair) order(area [2]float64) (order []int, ignore []bool) {
	var late []int
	for j, t := range p.truths {
		if t.Crowd != 0 || t.Area < area[0] || t.Area > area[1] {
			late = append(late, j)
			continue
		}
		order = append(order, j)
	}
	ignore = make([]bool, len(order)+len(late))
	for k := len(order); k < len(ignore); k++ {
		ignore[k] = true
	}
	return append(order, late...), ignore
}

// best is the place in order of the truth that detection d takes, -1 for none: the
// one of largest overlap that is free (a crowd always is), one that counts before
// one that doesn't.
func (p *pair) best(d int, order []int, ignore, taken []bool, threshold float64) int {
	least, best := min(threshold, 1-1e-10), -1
	for k, j := range order {
		if taken[k] && p.truths[j].Crowd == 0 {
			continue
		}
		if best >= 0 && !ignore[best] && ignore[k] {
			break
		}
		if p.iou[d][j] < least || math.IsNaN(p.iou[d][j]) {
			continue
		}
		least, best = p.iou[d][j], k
	}
	return best
}
