package onnx

import (
	"math"

	"spotter/models"
	"spotter/models/detect"
	"spotter/models/say"
)

// rowsYOLOv5 is the table with anchors: box, objectness, classes, mask coefficients.
// With all logits 0 the decoded width and height are the anchor's.
func (r *recogniser) rowsYOLOv5(t *table) (*finding, error) {
	f := &finding{}
	f.head = models.Head{Kind: models.HeadYOLOv5, Masks: t.masks(5), Proto: -1}
	f.head.Classes = t.k - 5 - f.head.Masks
	if f.head.Classes < 1 {
		return nil, say.Errorf("rows of %d columns are too short for YOLOv5", t.k)
	}
	for i, l := range t.levels {
		first, err := t.consecutive(i, 0, t.k)
		if err != nil {
			return nil, err
		}
		stride, err := r.strideOf(t.t.sources[first.source])
		if err != nil {
			return nil, err
		}
		level := models.Level{Stride: stride, AnchorStep: l.step, Box: f.part(t.t, first), Coef: absent}
		level.Obj, level.Cls = level.Box, level.Box
		level.Obj.Channel += 4
		level.Cls.Channel += 5
		if f.head.Masks > 0 {
			level.Coef = level.Box
			level.Coef.Channel += 5 + f.head.Classes
		}
		level.Anchors = t.anchors(i)
		f.head.Levels = append(f.head.Levels, level)
	}
	f.reason = say.Sprintf("YOLOv5: decoded rows of box, objectness and %d classes, %d anchors on each of %d levels", f.head.Classes, t.levels[0].anchors, len(t.levels))
	if a := f.head.Levels[0].Anchors[0]; a[0] <= 0.5 { // 0, or a sigmoid's half: nothing is decoded
		if err := r.defaultAnchors(f); err != nil {
			return nil, err
		}
	} else if err := t.verify(f, false); err != nil {
		return nil, err
	}
	return f, r.withProto(f)
}

// anchors reads width and height off the rows of place (0, 0).
func (t *table) anchors(level int) [][2]float32 {
	l := t.levels[level]
	list := make([][2]float32, l.anchors)
	for row, p := range t.rowPlace {
		if t.rowLevel[row] == level && p.x == 0 && p.y == 0 {
			a := (p.channel - t.rowPlace[l.first].channel) / l.step
			if a < len(list) {
				list[a] = [2]float32{tidy(t.zero[row*t.k+2]), tidy(t.zero[row*t.k+3])}
			}
		}
	}
	return list
}

// tidy takes off what half precision and products left behind an anchor's decimals.
func tidy(v float64) float32 {
	if whole := math.Round(v); math.Abs(v-whole) < 1e-3*math.Abs(whole) {
		return float32(whole)
	}
	return float32(v)
}

// rowsPlain is the table without anchors where every column is one value of a map:
// YOLOX, or classes and distributions as NanoDet writes them.
func (r *recogniser) rowsPlain(t *table) (*finding, error) {
	zero := t.zero[t.levels[0].first*t.k:][:t.k]
	halves := 0
	for halves < t.k && zero[halves] == 0.5 {
		halves++
	}
	if bins := (t.k - halves) / 4; halves > 0 && bins > 1 && bins*4+halves == t.k {
		return r.rowsGFL(t, halves, bins)
	}
	p, _ := t.column(0, 0)
	q, _ := t.column(0, t.k-1)
	if halves == 0 && p.source == q.source && r.force != models.HeadYOLOX && zero[t.k-1] == 0 {
		// Nothing tells classes from distributions but their number.
		classes := r.classCount()
		if bins := (t.k - classes) / 4; bins > 1 && bins*4+classes == t.k {
			return r.rowsGFL(t, classes, bins)
		}
	}
	return r.rowsYOLOX(t, zero[2] != 0)
}

// classCount is the number of class names, or COCO's.
func (r *recogniser) classCount() int {
	if r.classes > 0 {
		return r.classes
	}
	return len(models.COCOClasses)
}

func (r *recogniser) rowsYOLOX(t *table, decoded bool) (*finding, error) {
	if t.k < 6 {
		return nil, say.Errorf("rows of %d columns are too short for YOLOX", t.k)
	}
	f := &finding{head: models.Head{Kind: models.HeadYOLOX, Classes: t.k - 5, Proto: -1}}
	for i := range t.levels {
		box, err := t.consecutive(i, 0, 4)
		if err != nil {
			return nil, err
		}
		cls, err := t.consecutive(i, 5, t.k)
		if err != nil {
			return nil, err
		}
		obj, _ := t.column(i, 4)
		stride, err := r.strideOf(t.t.sources[box.source])
		if err != nil {
			return nil, err
		}
		f.head.Levels = append(f.head.Levels, models.Level{
			Stride: stride, Box: f.part(t.t, box), Obj: f.part(t.t, obj), Cls: f.part(t.t, cls), Coef: absent,
		})
	}
	how := say.Sprintf("rows before decoding")
	if decoded {
		how = say.Sprintf("decoded rows")
		if err := t.verify(f, false); err != nil {
			return nil, err
		}
	}
	f.reason = say.Sprintf("YOLOX: %s of box, objectness and %d classes, one for each place of %d levels", how, f.head.Classes, len(t.levels))
	return f, nil
}

// rowsGFL is classes, then four distributions over bins.
func (r *recogniser) rowsGFL(t *table, classes, bins int) (*finding, error) {
	f := &finding{head: models.Head{Kind: models.HeadGFL, Classes: classes, Bins: bins, Proto: -1}}
	for i := range t.levels {
		cls, err := t.consecutive(i, 0, classes)
		if err != nil {
			return nil, err
		}
		box, err := t.consecutive(i, classes, t.k)
		if err != nil {
			return nil, err
		}
		stride, err := r.strideOf(t.t.sources[box.source])
		if err != nil {
			return nil, err
		}
		f.head.Levels = append(f.head.Levels, models.Level{Stride: stride, Box: f.part(t.t, box), Cls: f.part(t.t, cls), Obj: absent, Coef: absent})
	}
	f.reason = say.Sprintf("NanoDet: rows of %d classes and four distributions over %d bins on %d levels", classes, bins, len(t.levels))
	return f, nil
}

// rowsDistances is the table whose boxes are sums: distances to the four sides, which
// are expectations over bins or plain numbers; then classes and mask coefficients.
func (r *recogniser) rowsDistances(t *table) (*finding, error) {
	if t.k < 5 {
		return nil, say.Errorf("rows of %d columns are too short for boxes and classes", t.k)
	}
	f := &finding{head: models.Head{Kind: models.HeadYOLOv8, Masks: t.masks(4), Proto: -1}}
	f.head.Classes = t.k - 4 - f.head.Masks
	for i, l := range t.levels {
		cls, err := t.consecutive(i, 4, 4+f.head.Classes)
		if err != nil {
			return nil, err
		}
		level := models.Level{Cls: f.part(t.t, cls), Obj: absent, Coef: absent}
		taken := []place{cls}
		if f.head.Masks > 0 {
			coef, err := t.consecutive(i, 4+f.head.Classes, t.k)
			if err != nil {
				return nil, err
			}
			level.Coef = f.part(t.t, coef)
			taken = append(taken, coef)
		}
		box, bins, err := r.distanceMap(t, l, taken, f.head.Classes)
		if err != nil {
			return nil, err
		}
		level.Box = f.part(t.t, box)
		if level.Stride, err = r.strideOf(t.t.sources[box.source]); err != nil {
			return nil, err
		}
		f.head.Bins = bins
		f.head.Levels = append(f.head.Levels, level)
	}
	if err := t.verify(f, false); err != nil {
		if t.verify(f, true) != nil {
			return nil, err
		}
	}
	name := "YOLOv8"
	if last := f.head.Levels[len(f.head.Levels)-1]; r.force == models.HeadGFL || r.force == "" && last.Stride == 64 && f.head.Bins == 8 {
		f.head.Kind, name = models.HeadGFL, "PicoDet"
	}
	f.reason = say.Sprintf("%s: decoded boxes from distances over %d bins and %d classes, without objectness, on %d levels", name, f.head.Bins, f.head.Classes, len(t.levels))
	return f, r.withProto(f)
}

// distanceMap finds the map of the distances: the one of the level's size that nothing
// else reads, or the channels that the classes leave in theirs.
func (r *recogniser) distanceMap(t *table, l tableLevel, taken []place, classes int) (place, int, error) {
	for s, name := range t.t.sources {
		shape := r.shapes[name]
		free := shape[2] == l.h && shape[3] == l.w && shape[1]%4 == 0
		for _, p := range taken {
			free = free && p.source != s
		}
		if free {
			return place{source: s}, shape[1] / 4, nil
		}
	}
	cls := taken[0]
	channels := r.shapes[t.t.sources[cls.source]][1] - classes
	if channels > 0 && channels%4 == 0 && len(taken) == 1 {
		p := place{source: cls.source}
		if cls.channel == 0 {
			p.channel = classes
		}
		return p, channels / 4, nil
	}
	return place{}, 0, say.Errorf("no map is that of the distances to the boxes' sides")
}

// verify decodes random maps as the head says and compares with what the file's own
// nodes make of them. Corners tells that the file gives boxes by two corners.
func (t *table) verify(f *finding, corners bool) error {
	seed := uint64(1)
	sources := t.t.fill(func(int, int) float64 {
		seed = seed*6364136223846793005 + 1442695040888963407
		return float64(float32(int32(seed>>32))/(1<<30)) * 1.5
	})
	list, err := t.t.values(sources)
	if err != nil {
		return err
	}
	want := t.assemble(list)
	var maps []detect.Map
	for _, name := range f.values {
		a := sources[name]
		m := detect.Map{C: a.shape[1], H: a.shape[2], W: a.shape[3], Data: make([]float32, len(a.data))}
		for i, v := range a.data {
			m.Data[i] = float32(v)
		}
		maps = append(maps, m)
	}
	rows, err := detect.Decode(&f.head, maps)
	if err != nil {
		return err
	}
	return t.compare(f, rows, want, corners)
}

// compare holds decoded rows against the file's, row by row as their places say.
func (t *table) compare(f *finding, rows *detect.Rows, want []float64, corners bool) error {
	start := make([]int, len(t.levels)+1)
	for i, l := range t.levels {
		start[i+1] = start[i] + l.count
	}
	if rows.N != t.n {
		return say.Errorf("the %s head gives %d rows and the file %d", f.head.Kind, rows.N, t.n)
	}
	for r := range t.n {
		l, p := t.levels[t.rowLevel[r]], t.rowPlace[r]
		anchor := 0
		if l.step > 0 {
			anchor = (p.channel - t.rowPlace[l.first].channel) / l.step
		}
		at := start[t.rowLevel[r]] + (anchor*l.h+p.y)*l.w + p.x
		if at >= rows.N {
			return say.Errorf("row %d is of no anchor", r)
		}
		got := rows.Row(at)
		if f.head.Kind != models.HeadYOLOv5 && f.head.Kind != models.HeadYOLOX {
			got = append(append([]float32{}, got[:4]...), got[5:]...) // no objectness
		}
		if corners {
			cx, cy, w, h := got[0], got[1], got[2]/2, got[3]/2
			got[0], got[1], got[2], got[3] = cx-w, cy-h, cx+w, cy+h
		}
		for c, v := range got {
			if w := want[r*t.k+c]; !(math.Abs(float64(v)-w) <= 2e-3*(1+math.Abs(w))) {
				return say.Errorf("as %s, column %d of row %d would be %v where the file computes %v", f.head.Kind, c, r, v, w)
			}
		}
	}
	return nil
}
