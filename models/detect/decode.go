package detect

import (
	"math"

	"spotter/models"
	"spotter/models/say"
)

// Map is an output of the network: [C, H, W], row-major.
type Map struct {
	C, H, W int
	Data    []float32
}

// Maps gives the graph's outputs their shapes. Outputs that are no feature maps
// come back as one column of channels.
func Maps(g *models.Graph, outputs [][]float32) []Map {
	maps := make([]Map, len(outputs))
	for i, data := range outputs {
		maps[i] = Map{C: len(data), H: 1, W: 1, Data: data}
		if s := g.Outputs[i].Shape; len(s) == 3 {
			maps[i].C, maps[i].H, maps[i].W = s[0], s[1], s[2]
		}
	}
	return maps
}

// Rows are decoded predictions in the order level, anchor, y, x. A row is
// cx cy w h in pixels of the network's input, objectness (1 where the head has
// none), the classes' probabilities and the mask coefficients.
type Rows struct {
	N, Classes, Masks int
	Data              []float32
}

// Columns is the length of a row.
func (r *Rows) Columns() int { return 5 + r.Classes + r.Masks }

// Row is one prediction.
func (r *Rows) Row(i int) []float32 { return r.Data[i*r.Columns() : (i+1)*r.Columns()] }

// Coefficients are the mask coefficients of a row.
func (r *Rows) Coefficients(i int) []float32 { return r.Row(i)[5+r.Classes:] }

// Decode turns a head's output maps into rows.
func Decode(head *models.Head, maps []Map) (*Rows, error) {
	box, err := boxDecoder(head)
	if err != nil {
		return nil, err
	}
	shapes := make([]models.Shape, len(maps))
	for i, m := range maps {
		if len(m.Data) != m.C*m.H*m.W {
			return nil, say.Errorf("output %d is [%d, %d, %d] with %d values", i, m.C, m.H, m.W, len(m.Data))
		}
		shapes[i] = models.Shape{m.C, m.H, m.W}
	}
	rows := &Rows{Classes: head.Classes, Masks: head.Masks}
	for l := range head.Levels {
		if err := head.CheckLevel(l, shapes); err != nil {
			return nil, err
		}
		d := levelDecoder{head: head, level: &head.Levels[l], maps: maps, rows: rows, box: box}
		for a := range max(len(d.level.Anchors), 1) {
			d.anchor(a)
		}
	}
	return rows, nil
}

// levelDecoder decodes one stride of a head.
type levelDecoder struct {
	head  *models.Head
	level *models.Level
	maps  []Map
	rows  *Rows
	box   boxFunc
}

// boxFunc gives cx cy w h of the cell x, y of an anchor; at(k) is the box part's
// k-th channel.
type boxFunc func(at func(k int) float32, l *models.Level, anchor int, x, y float32) [4]float32

func boxDecoder(head *models.Head) (boxFunc, error) {
	switch head.Kind {
	case models.HeadYOLOv5:
		return yolov5Box, nil
	case models.HeadYOLOX:
		return yoloxBox, nil
	case models.HeadGFL, models.HeadYOLOv8:
		return func(at func(int) float32, l *models.Level, _ int, x, y float32) [4]float32 {
			return distanceBox(at, l, head.Bins, x, y)
		}, nil
	}
	return nil, say.Errorf("a head of kind %q has no boxes to decode", head.Kind)
}

// anchor appends the rows of one anchor.
func (d *levelDecoder) anchor(a int) {
	cells := d.maps[d.level.Box.Map]
	for i := range cells.H * cells.W {
		value := func(p models.Part, k int) float32 {
			return d.maps[p.Map].Data[(p.Channel+a*d.level.AnchorStep+k)*cells.H*cells.W+i]
		}
		at := func(k int) float32 { return value(d.level.Box, k) }
		b := d.box(at, d.level, a, float32(i%cells.W), float32(i/cells.W))
		row := append(d.rows.Data, b[:]...)
		obj := float32(1)
		if d.level.Obj.Map >= 0 {
			obj = probability(value(d.level.Obj, 0), d.level.ObjSigmoid)
		}
		row = append(row, obj)
		for c := range d.head.Classes {
			row = append(row, probability(value(d.level.Cls, c), d.level.ClsSigmoid))
		}
		for k := range d.head.Masks {
			row = append(row, value(d.level.Coef, k))
		}
		d.rows.Data = row
		d.rows.N++
	}
}

func yolov5Box(at func(int) float32, l *models.Level, anchor int, x, y float32) [4]float32 {
	s := float32(l.Stride)
	w, h := 2*sigmoid(at(2)), 2*sigmoid(at(3))
	return [4]float32{
		(2*sigmoid(at(0)) - 0.5 + x) * s,
		(2*sigmoid(at(1)) - 0.5 + y) * s,
		float32(w*w) * l.Anchors[anchor][0],
		float32(h*h) * l.Anchors[anchor][1],
	}
}

func yoloxBox(at func(int) float32, l *models.Level, _ int, x, y float32) [4]float32 {
	s := float32(l.Stride)
	return [4]float32{(at(0) + x) * s, (at(1) + y) * s, exp(at(2)) * s, exp(at(3)) * s}
}

// distanceBox reads the distances of the four sides (left, top, right, bottom)
// from the cell's centre, in strides: each the expectation over its bins
// (Generalized Focal Loss, arXiv 2006.04388, section 3.2).
func distanceBox(at func(int) float32, l *models.Level, bins int, x, y float32) [4]float32 {
	var side [4]float32
	for k := range side {
		if bins <= 1 {
			side[k] = at(k)
			continue
		}
		side[k] = expectation(func(b int) float32 { return at(k*bins + b) }, bins)
	}
	s := float32(l.Stride)
	x1, y1 := (x+0.5-side[0])*s, (y+0.5-side[1])*s
	x2, y2 := (x+0.5+side[2])*s, (y+0.5+side[3])*s
	return [4]float32{(x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1}
}

// expectation is the mean bin under the softmax of the bins' logits.
func expectation(logit func(b int) float32, bins int) float32 {
	top := logit(0)
	for b := 1; b < bins; b++ {
		top = max(top, logit(b))
	}
	var sum, mean float64
	for b := range bins {
		e := math.Exp(float64(logit(b) - top))
		sum += e
		mean += e * float64(b)
	}
	return float32(mean / sum)
}

func probability(v float32, done bool) float32 {
	if done {
		return v
	}
	return sigmoid(v)
}

func sigmoid(v float32) float32 { return float32(1 / (1 + math.Exp(-float64(v)))) }

func exp(v float32) float32 { return float32(math.Exp(float64(v))) }
