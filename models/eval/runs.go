package eval

import (
	"fmt"
	"math"
	"slices"
)

// runs is a mask as the positions, column by column, at which it changes:
// outside first, so [at[0], at[1]) is inside, and so on.
type runs struct {
	at   []int
	area int
}

func newRuns(counts []int) *runs {
	r, at := new(runs), 0
	for i, n := range counts {
		if i%2 == 1 {
			r.area += n
			if n > 0 {
				r.at = append(r.at, at, at+n)
			}
		}
		at += n
	}
	return r
}

func checkedRuns(counts []int, pixels int) (*runs, error) {
	total := 0
	for _, n := range counts {
		if n < 0 || n > pixels-total {
			return nil, fmt.Errorf("its runs leave the image")
		}
		total += n
	}
	return newRuns(counts), nil
}

// overlap is the number of pixels inside both.
func (r *runs) overlap(o *runs) int {
	n, i, j := 0, 0, 0
	for i < len(r.at) && j < len(o.at) {
		n += max(0, min(r.at[i+1], o.at[j+1])-max(r.at[i], o.at[j]))
		if r.at[i+1] < o.at[j+1] {
			i += 2
		} else {
			j += 2
		}
	}
	return n
}

// union joins masks.
func union(masks []*runs) *runs {
	var spans [][2]int
	for _, m := range masks {
		for i := 0; i < len(m.at); i += 2 {
			spans = append(spans, [2]int{m.at[i], m.at[i+1]})
		}
	}
	slices.SortFunc(spans, func(a, b [2]int) int { return a[0] - b[0] })
	r := new(runs)
	for _, s := range spans {
		if n := len(r.at); n > 0 && s[0] <= r.at[n-1] {
			r.at[n-1] = max(r.at[n-1], s[1])
			continue
		}
		r.at = append(r.at, s[0], s[1])
	}
	for i := 0; i < len(r.at); i += 2 {
		r.area += r.at[i+1] - r.at[i]
	}
	return r
}

func fillPolygons(polygons [][]float64, w, h int) (*runs, error) {
	masks := make([]*runs, len(polygons))
	for i, p := range polygons {
		if len(p)%2 != 0 || len(p) < 2 {
			return nil, fmt.Errorf("polygon %d has %d numbers, not pairs", i, len(p))
		}
		for _, v := range p {
			if math.Abs(v) > 1e6 || math.IsNaN(v) {
				return nil, fmt.Errorf("polygon %d has the coordinate %g", i, v)
			}
		}
		masks[i] = fillPolygon(p, w, h)
	}
	return union(masks), nil
}

// gridScale is how much finer than a pixel COCO traces a polygon's outline.
const gridScale = 5

// fillPolygon rasterises as COCO's mask API does: the outline is traced on a grid
// five times finer; where it crosses a pixel column's centre line, the mask
// changes at the next pixel below.
func fillPolygon(p []float64, w, h int) *runs {
	us, vs := trace(p)
	var at []int
	for j := 1; j < len(us); j++ {
		if us[j] == us[j-1] {
			continue
		}
		x := (float64(min(us[j], us[j-1]))+0.5)/gridScale - 0.5
		if us[j] > us[j-1] {
			x = (float64(us[j]-1)+0.5)/gridScale - 0.5
		}
		if math.Floor(x) != x || x < 0 || x > float64(w-1) {
			continue
		}
		y := (float64(min(vs[j], vs[j-1]))+0.5)/gridScale - 0.5
		y = math.Ceil(min(max(y, 0), float64(h)))
		at = append(at, int(x)*h+int(y))
	}
	slices.Sort(at)
	if len(at)%2 == 1 {
		at = append(at, w*h)
	}
	r := new(runs)
	for i := 0; i < len(at); i += 2 {
		if at[i] == at[i+1] {
			continue
		}
		r.area += at[i+1] - at[i]
		if n := len(r.at); n > 0 && r.at[n-1] == at[i] {
			r.at[n-1] = at[i+1]
			continue
		}
		r.at = append(r.at, at[i], at[i+1])
	}
	return r
}

// trace lists the fine grid's points along the closed outline.
func trace(p []float64) (us, vs []int) {
	k := len(p) / 2
	point := func(j int) (x, y int) {
		return int(gridScale*p[2*(j%k)] + 0.5), int(gridScale*p[2*(j%k)+1] + 0.5)
	}
	for j := range k {
		xs, ys := point(j)
		xe, ye := point(j + 1)
		dx, dy := abs(xe-xs), abs(ye-ys)
		steps := max(dx, dy)
		// Always walk the longer side upwards, so that an edge gives the same points both ways.
		flip := dx >= dy && xs > xe || dx < dy && ys > ye
		if flip {
			xs, ys, xe, ye = xe, ye, xs, ys
		}
		for d := 0; d <= steps; d++ {
			t := d
			if flip {
				t = steps - d
			}
			switch {
			case steps == 0:
				us, vs = append(us, xs), append(vs, ys)
			case dx >= dy:
				us = append(us, xs+t)
				vs = append(vs, int(float64(ys)+float64(ye-ys)/float64(dx)*float64(t)+0.5))
			default:
				us = append(us, int(float64(xs)+float64(xe-xs)/float64(dy)*float64(t)+0.5))
				vs = append(vs, ys+t)
			}
		}
	}
	return us, vs
}

func abs(v int) int { return max(v, -v) }
