package onnx

import (
	"slices"

	"spotter/models/say"
)

// table is one output, or two side by side, as rows of predictions: for each place
// of each map box, objectness, classes and mask coefficients in columns.
type table struct {
	t        *tail
	offsets  []int
	n, k     int
	origin   []float64 // [n, k]
	zero     []float64
	assemble func([]*array) []float64 // the same of other values
	levels   []tableLevel
	rowLevel []int // level of each row
	rowPlace []place
}

// tableLevel is the rows that one map's places make.
type tableLevel struct {
	h, w    int
	anchors int
	step    int // channels between anchors
	first   int // the row of place (0, 0) and anchor 0
	count   int
}

// rows tries the heads that give one row a prediction.
func (r *recogniser) rows() (*finding, error) {
	t, err := r.table()
	if err != nil {
		return nil, err
	}
	if t.levels[0].anchors > 1 {
		return r.rowsYOLOv5(t)
	}
	for c := range t.k {
		if t.origin[t.levels[0].first*t.k+c] <= 0 {
			return r.rowsDistances(t)
		}
	}
	return r.rowsPlain(t)
}

// table finds the output of rows: the largest of three dimensions; boxes and classes
// may be two outputs.
func (r *recogniser) table() (*table, error) {
	var flat []*output
	for _, o := range r.outputs {
		if o.err == nil && len(o.shape) == 3 && o.shape[0] == 1 {
			flat = append(flat, o)
		}
	}
	if len(flat) == 0 {
		for _, o := range r.outputs {
			if o.err != nil {
				return nil, say.Errorf("output %.60s: %w", o.name, o.err)
			}
		}
		return nil, say.Errorf("no output is a table [1, n, k] of predictions")
	}
	if len(flat) > 2 {
		return nil, say.Errorf("more than two outputs are tables")
	}
	names := []string{flat[0].name}
	if len(flat) == 2 {
		boxes := 0
		if !flat[0].summed() {
			boxes = 1
		}
		names = []string{flat[boxes].name, flat[1-boxes].name}
		if !flat[boxes].summed() || !slices.Contains(flat[boxes].shape[1:], 4) {
			return nil, say.Errorf("two tables that are not boxes and scores")
		}
	}
	t := &table{}
	var err error
	if t.t, err = r.findTail(names); err != nil {
		return nil, err
	}
	return t, t.read(r.net)
}

// summed tells whether values of the output are made of several of a map's.
func (o *output) summed() bool { return slices.Contains(o.origins.data, fromMany) }

// read lays the outputs side by side, predictions in rows.
func (t *table) read(n *net) error {
	origins, err := t.t.origins()
	if err != nil {
		return err
	}
	zero, err := t.t.values(t.t.fill(func(int, int) float64 { return 0 }))
	if err != nil {
		return err
	}
	t.offsets = t.t.offsets()
	across := make([]bool, len(origins))
	for i, a := range origins {
		rows, cols := a.shape[1], a.shape[2]
		if across[i] = !t.samePlace(a, 1, cols); across[i] {
			if !t.samePlace(a, cols, rows) {
				return say.Errorf("its rows mix predictions of several places")
			}
			rows, cols = cols, rows
		}
		if t.n != 0 && t.n != rows {
			return say.Errorf("tables of %d and %d rows", t.n, rows)
		}
		t.n = rows
		t.k += cols
	}
	t.assemble = func(list []*array) []float64 { return sideBySide(list, across, t.n, t.k) }
	t.origin, t.zero = t.assemble(origins), t.assemble(zero)
	return t.findLevels(n)
}

// samePlace tells whether count elements of an output, step apart, are of one place;
// several places tell the number of rows from that of columns.
func (t *table) samePlace(a *array, step, count int) bool {
	rows := len(a.data) / count
	stride := 1
	if step == 1 {
		stride = count
	}
	many := 0
	for _, row := range []int{0, rows / 2, rows - 1} {
		var first place
		seen := false
		for c := range count {
			p, ok := t.t.place(t.offsets, a.data[row*stride+c*step])
			if !ok {
				many++
				continue
			}
			if seen && (p.x != first.x || p.y != first.y) {
				return false
			}
			first, seen = p, true
		}
	}
	// Boxes that are sums have no places: there are four columns of them.
	return many < 3*count || count == 4
}

func sideBySide(list []*array, across []bool, n, k int) []float64 {
	out := make([]float64, n*k)
	from := 0
	for i, a := range list {
		cols := len(a.data) / n
		for r := range n {
			for c := range cols {
				at := r*cols + c
				if across[i] {
					at = c*n + r
				}
				out[r*k+from+c] = a.data[at]
			}
		}
		from += cols
	}
	return out
}

// findLevels gives every row its map and place, by its last column.
func (t *table) findLevels(n *net) error {
	t.rowLevel, t.rowPlace = make([]int, t.n), make([]place, t.n)
	index := map[[2]int]int{}
	for r := range t.n {
		p, ok := t.t.place(t.offsets, t.origin[r*t.k+t.k-1])
		if !ok {
			return say.Errorf("the last column of its rows is no value of a map")
		}
		s := n.shapes[t.t.sources[p.source]]
		key := [2]int{s[2], s[3]}
		i, ok := index[key]
		if !ok {
			i = len(t.levels)
			index[key] = i
			t.levels = append(t.levels, tableLevel{h: key[0], w: key[1], first: -1})
		}
		l := &t.levels[i]
		l.count++
		t.rowLevel[r], t.rowPlace[r] = i, p
		if p.x == 0 && p.y == 0 {
			if l.first < 0 || p.channel < t.rowPlace[l.first].channel {
				l.first = r
			}
		}
	}
	for i := range t.levels {
		l := &t.levels[i]
		l.anchors = l.count / (l.h * l.w)
		if l.first < 0 || l.anchors*l.h*l.w != l.count || l.anchors > 64 {
			return say.Errorf("%d rows for a map of %dx%d", l.count, l.w, l.h)
		}
	}
	return t.findSteps()
}

// findSteps measures the distance between anchors: the next row of the same place.
func (t *table) findSteps() error {
	for r, p := range t.rowPlace {
		l := &t.levels[t.rowLevel[r]]
		if d := p.channel - t.rowPlace[l.first].channel; p.x == 0 && p.y == 0 && d > 0 && (l.step == 0 || d < l.step) {
			l.step = d
		}
	}
	for i, l := range t.levels {
		if l.anchors > 1 && l.step == 0 || l.anchors != t.levels[0].anchors {
			return say.Errorf("%d anchors on level %d and %d on the first", l.anchors, i, t.levels[0].anchors)
		}
	}
	return nil
}

// column gives the place of a level's first row.
func (t *table) column(level, c int) (place, bool) {
	return t.t.place(t.offsets, t.origin[t.levels[level].first*t.k+c])
}

// consecutive checks that columns from..to of a level's first row are consecutive
// channels of one source, and gives the first.
func (t *table) consecutive(level, from, to int) (place, error) {
	first, ok := t.column(level, from)
	for c := from; c < to; c++ {
		p, single := t.column(level, c)
		if !ok || !single || p.source != first.source || p.channel != first.channel+c-from {
			return first, say.Errorf("columns %d to %d are not consecutive channels of one map", from, to-1)
		}
	}
	return first, nil
}

// masks counts the last columns that are raw: mask coefficients get no sigmoid.
func (t *table) masks(from int) int {
	n := 0
	row := t.zero[t.levels[0].first*t.k:][:t.k]
	for c := t.k - 1; c > from && row[c] == 0; c-- {
		n++
	}
	if n == t.k-from-1 && row[from] == 0 {
		return 0 // nothing has a sigmoid
	}
	return n
}

// withProto adds the prototypes that mask coefficients need: the output [1, masks, H, W].
func (r *recogniser) withProto(f *finding) error {
	if f.head.Masks == 0 {
		return nil
	}
	for _, o := range r.outputs {
		if shape := r.shapes[o.name]; len(shape) == 4 && shape[1] == f.head.Masks {
			f.head.Proto = f.mapIndex(o.name)
			f.reason = say.Sprintf("%s, with %d mask coefficients and prototypes in %s", f.reason, f.head.Masks, o.name)
			return nil
		}
	}
	return say.Errorf("%d columns look like mask coefficients, but no output has prototypes for them", f.head.Masks)
}
