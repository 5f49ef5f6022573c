package config

import (
	"math"
	"slices"
	"strings"
)

// Limits beyond which a number in a network's YAML is a mistake or an attack.
const (
	maxRows     = 1000
	maxRepeat   = 1000
	maxClasses  = 10_000
	maxAnchors  = 64 // of one level
	maxMultiple = 16.0
	maxChannels = 1 << 16
	maxInput    = 1 << 14
)

// document is the YAML after its keys are checked.
type document struct {
	nc           int
	depth, width float64
	anchors      value
	activation   value // none where the file has none
	classes      []string
	rows         []row
	names        map[string]value // what strings in arguments may name
}

// row is one [from, number, module, args].
type row struct {
	index    int
	from     []int
	fromList bool // written as a list
	number   int
	module   string
	args     []value
	at       place
}

func readDocument(v value, opts Options) (*document, error) {
	if v.kind != mapping {
		return nil, errorAt(v.at, "a network's YAML is a mapping with nc, anchors, backbone and head; this is %v", v.kind)
	}
	doc := &document{}
	steps := []func(value, Options) error{doc.readClasses, doc.readMultiples, doc.readAnchors, doc.readRows}
	for _, step := range steps {
		if err := step(v, opts); err != nil {
			return nil, err
		}
	}
	doc.activation, _ = v.get("activation")
	doc.names = map[string]value{"nc": intValue(doc.nc), "anchors": doc.anchors}
	return doc, nil
}

// required looks up a key that every network has.
func required(v value, key string) (value, error) {
	if x, ok := v.get(key); ok {
		return x, nil
	}
	return value{}, errorAt(v.at, "key %q is missing", key)
}

func (d *document) readClasses(v value, opts Options) error {
	nc, err := required(v, "nc")
	if err != nil {
		return err
	}
	if nc.kind != integer || nc.int < 1 || nc.int > maxClasses {
		return errorAt(nc.at, "nc is the number of classes, a whole number from 1 to %d, not %v", maxClasses, nc)
	}
	d.nc = nc.int
	d.classes = slices.Clone(opts.Classes)
	if d.classes == nil {
		if d.classes, err = classNames(v); err != nil {
			return err
		}
	}
	if opts.NC != 0 {
		d.nc = opts.NC
	} else if opts.Classes != nil {
		d.nc = len(opts.Classes)
	}
	if d.nc < 1 || d.nc > maxClasses {
		return errorAt(place{}, "%d classes asked for; 1 to %d are possible", d.nc, maxClasses)
	}
	if d.classes != nil && len(d.classes) != d.nc {
		return errorAt(place{}, "%d class names for %d classes", len(d.classes), d.nc)
	}
	return nil
}

// classNames reads names, a list or a mapping from 0, 1, ...
func classNames(v value) ([]string, error) {
	names, ok := v.get("names")
	if !ok {
		return nil, nil
	}
	if names.kind != list && names.kind != mapping {
		return nil, errorAt(names.at, "names is a list of class names, not %v", names.kind)
	}
	var classes []string
	for i, item := range names.items {
		if names.kind == mapping && names.keys[i].text != intValue(i).String() {
			return nil, errorAt(names.keys[i].at, "names counts its classes from 0 on; %q stands where %d belongs", names.keys[i].text, i)
		}
		name := item.text
		if item.kind != text {
			name = item.String()
		}
		classes = append(classes, name)
	}
	return classes, nil
}

func (d *document) readMultiples(v value, opts Options) error {
	if opts.Scale != "" {
		s, ok := scales[opts.Scale]
		if !ok {
			return errorAt(place{}, "scale %q is none of n, s, m, l, x", opts.Scale)
		}
		d.depth, d.width = s[0], s[1]
		return nil
	}
	for _, m := range []struct {
		key string
		to  *float64
	}{{"depth_multiple", &d.depth}, {"width_multiple", &d.width}} {
		x, err := required(v, m.key)
		if err != nil {
			return err
		}
		if x.kind != integer && x.kind != float || !(x.float > 0 && x.float <= maxMultiple) {
			return errorAt(x.at, "%s is a number above 0 and at most %v, not %v", m.key, maxMultiple, x)
		}
		*m.to = x.float
	}
	return nil
}

// readAnchors takes a number of anchors too; YOLOv5 then starts from placeholders.
func (d *document) readAnchors(v value, _ Options) error {
	a, err := required(v, "anchors")
	if err != nil {
		return err
	}
	d.anchors = a
	_, err = anchorTable(a)
	return err
}

// anchorTable checks anchors: a list per level of width, height, width, height ...
// in pixels, or a number of anchors, for which it gives nil.
func anchorTable(a value) ([][][2]float32, error) {
	if a.kind == integer && a.int >= 1 && a.int <= maxAnchors {
		return nil, nil
	}
	if a.kind != list || len(a.items) == 0 {
		return nil, errorAt(a.at, "anchors is a list per level of width, height, width, height ..., not %v", a.kind)
	}
	var table [][][2]float32
	for _, level := range a.items {
		n := len(level.items)
		if level.kind != list || n == 0 || n%2 != 0 || n > 2*maxAnchors {
			return nil, errorAt(level.at, "a level's anchors are pairs of width and height, not %v", level)
		}
		var pairs [][2]float32
		for i := 0; i < n; i += 2 {
			w, h := level.items[i], level.items[i+1]
			if !positive(w) || !positive(h) {
				return nil, errorAt(w.at, "an anchor has a width and a height in pixels, not %v and %v", w, h)
			}
			pairs = append(pairs, [2]float32{float32(w.float), float32(h.float)})
		}
		if len(table) > 0 && len(pairs) != len(table[0]) {
			return nil, errorAt(level.at, "%d anchors here, %d in the first level: all levels need the same number", len(pairs), len(table[0]))
		}
		table = append(table, pairs)
	}
	return table, nil
}

func positive(v value) bool {
	return (v.kind == integer || v.kind == float) && v.float > 0 && v.float <= math.MaxInt16
}

func (d *document) readRows(v value, _ Options) error {
	for _, part := range []string{"backbone", "head"} {
		rows, err := required(v, part)
		if err != nil {
			return err
		}
		if rows.kind != list {
			return errorAt(rows.at, "%s is a list of rows [from, number, module, args], not %v", part, rows.kind)
		}
		for _, item := range rows.items {
			r, err := readRow(item, len(d.rows))
			if err != nil {
				return err
			}
			d.rows = append(d.rows, r)
		}
	}
	if len(d.rows) == 0 || len(d.rows) > maxRows {
		return errorAt(v.at, "backbone and head have %d rows; 1 to %d are possible", len(d.rows), maxRows)
	}
	return nil
}

func readRow(v value, index int) (row, error) {
	r := row{index: index, at: v.at}
	if v.kind != list || len(v.items) != 4 {
		return r, r.errorf("a row is [from, number, module, args], not %v", v)
	}
	from, number, module, args := v.items[0], v.items[1], v.items[2], v.items[3]
	if module.kind != text {
		return r, r.errorf("the module is a name, not %v", module)
	}
	r.module = strings.TrimSpace(module.text)
	if number.kind != integer || number.int < 1 || number.int > maxRepeat {
		return r, r.errorf("the number of repeats is a whole number from 1 to %d, not %v", maxRepeat, number)
	}
	r.number = number.int
	if args.kind != list {
		return r, r.errorf("the arguments are a list, not %v", args)
	}
	r.args = args.items
	refs := from.items
	if r.fromList = from.kind == list; !r.fromList {
		refs = []value{from}
	}
	for _, ref := range refs {
		if ref.kind != integer {
			return r, r.errorf("from is a layer's index or a list of them, not %v", from)
		}
		r.from = append(r.from, ref.int)
	}
	if len(r.from) == 0 {
		return r, r.errorf("from names no layer")
	}
	return r, nil
}

// errorf makes an Error of this row.
func (r *row) errorf(format string, args ...any) *Error {
	e := errorAt(r.at, format, args...)
	e.Layer, e.Module = r.index, r.module
	return e
}

// fromText prints the references as the summary does.
func (r *row) fromText() string {
	if !r.fromList {
		return intValue(r.from[0]).String()
	}
	var items []value
	for _, f := range r.from {
		items = append(items, intValue(f))
	}
	return listValue(items...).String()
}
