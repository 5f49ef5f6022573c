package detect

import "sort"

// classShift is how far apart, in pixels, classes are moved before suppression.
// In float32 it costs small boxes of high classes up to 1/16 pixel, which
// decides close calls: torchvision's results depend on it.
const classShift = 7680

// NMSOptions steer the suppression. Zero MaxDet and MaxNMS mean 300 and 30000.
type NMSOptions struct {
	Conf       float32 // objectness and score must be above
	IOU        float64 // boxes that overlap a better one by more are dropped
	MultiLabel bool    // a box for every class above Conf, not only the best
	Agnostic   bool    // classes suppress each other
	MaxDet     int     // results
	MaxNMS     int     // candidates
	Off        []bool  // classes by id whose boxes are dropped, after a box's best class is found
}

// Detection is a box in pixels of the network's input, not clipped.
type Detection struct {
	Box   [4]float32 // x1 y1 x2 y2
	Score float32
	Class int
	Row   int // in the decoded rows: its mask coefficients are there
}

// NMS picks the best boxes of decoded rows, best first: greedy non-maximum
// suppression with torchvision's float32 arithmetic.
func NMS(rows *Rows, o NMSOptions) []Detection {
	if o.MaxDet == 0 {
		o.MaxDet = 300
	}
	if o.MaxNMS == 0 {
		o.MaxNMS = 30000
	}
	list := candidates(rows, o)
	sort.SliceStable(list, func(i, j int) bool { return list[i].Score > list[j].Score })
	list = list[:min(len(list), o.MaxNMS)]
	return suppress(list, o)
}

func candidates(rows *Rows, o NMSOptions) []Detection {
	var list []Detection
	for r := range rows.N {
		row := rows.Row(r)
		obj := row[4]
		if !(obj > o.Conf) {
			continue
		}
		// float32() keeps products and sums from fusing on other machines.
		hw, hh := row[2]/2, row[3]/2
		d := Detection{Row: r, Box: [4]float32{row[0] - hw, row[1] - hh, row[0] + hw, row[1] + hh}}
		if o.MultiLabel && rows.Classes > 1 {
			for c := range rows.Classes {
				d.Class, d.Score = c, float32(row[5+c]*obj)
				list = o.keep(list, d)
			}
			continue
		}
		d.Score = -1
		for c := range rows.Classes {
			if s := float32(row[5+c] * obj); s > d.Score {
				d.Class, d.Score = c, s
			}
		}
		list = o.keep(list, d)
	}
	return list
}

func (o *NMSOptions) off(class int) bool { return class < len(o.Off) && o.Off[class] }

func (o *NMSOptions) keep(list []Detection, d Detection) []Detection {
	if d.Score > o.Conf && !o.off(d.Class) {
		list = append(list, d)
	}
	return list
}

// suppress walks the sorted list and keeps what no better kept box overlaps.
func suppress(list []Detection, o NMSOptions) []Detection {
	var kept []Detection
	var shifted [][4]float32
	for _, d := range list {
		if len(kept) == o.MaxDet {
			break
		}
		box := d.Box
		if !o.Agnostic {
			for i := range box {
				box[i] += float32(d.Class) * classShift
			}
		}
		if !overlaps(shifted, box, o.IOU) {
			kept, shifted = append(kept, d), append(shifted, box)
		}
	}
	return kept
}

func overlaps(kept [][4]float32, box [4]float32, limit float64) bool {
	for _, k := range kept {
		if float64(IOU(k, box)) > limit {
			return true
		}
	}
	return false
}

// IOU is the intersection over the union of two boxes x1 y1 x2 y2; NaN when
// both are empty.
func IOU(a, b [4]float32) float32 {
	w := max(min(a[2], b[2])-max(a[0], b[0]), 0)
	h := max(min(a[3], b[3])-max(a[1], b[1]), 0)
	inter := float32(w * h)
	return inter / (area(a) + area(b) - inter)
}

func area(b [4]float32) float32 { return float32((b[2] - b[0]) * (b[3] - b[1])) }
