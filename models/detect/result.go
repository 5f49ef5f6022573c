package detect

import (
	"cmp"
	"math"
	"slices"

	"spotter/models"
	"spotter/models/say"
)

// Result is what a network saw in a picture.
type Result struct {
	Detections []Detection // boxes in pixels of the network's input, best first
	Place      *Placement
	rows       *Rows
	proto      *Prototypes
}

// Detect decodes a detector's output maps and suppresses overlaps.
func Detect(head *models.Head, maps []Map, place *Placement, o NMSOptions) (*Result, error) {
	rows, err := Decode(head, maps)
	if err != nil {
		return nil, err
	}
	r := &Result{Place: place, rows: rows, Detections: NMS(rows, o)}
	if head.Masks > 0 {
		if head.Proto < 0 || head.Proto >= len(maps) {
			return nil, say.Errorf("the head has mask coefficients but no prototypes")
		}
		r.proto = &maps[head.Proto]
	}
	return r, nil
}

// Box is the i-th detection's box in pixels of the picture, clipped to it.
func (r *Result) Box(i int) [4]float32 { return r.Place.ToPicture(r.Detections[i].Box) }

// Mask is the i-th detection's mask on a grid of w x h over the whole picture;
// nil when the network makes no masks.
func (r *Result) Mask(i, w, h int) *Mask {
	if r.proto == nil {
		return nil
	}
	d := r.Detections[i]
	return PictureMask(*r.proto, r.rows.Coefficients(d.Row), d.Box, r.Place, w, h)
}

// Class is a classifier's answer.
type Class struct {
	ID    int
	Score float32
}

// Classify is the softmax of a classifier's logits, the best n classes first.
func Classify(logits []float32, n int) []Class {
	top := float32(math.Inf(-1))
	for _, v := range logits {
		top = max(top, v)
	}
	var sum float64
	list := make([]Class, len(logits))
	for i, v := range logits {
		e := math.Exp(float64(v - top))
		sum += e
		list[i] = Class{ID: i, Score: float32(e)}
	}
	for i := range list {
		list[i].Score = float32(float64(list[i].Score) / sum)
	}
	slices.SortStableFunc(list, func(a, b Class) int { return cmp.Compare(b.Score, a.Score) })
	return list[:min(n, len(list))]
}
