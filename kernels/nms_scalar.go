package kernels

import "sort"

// classShift is YOLOv5's max_wh: boxes of different classes are moved apart by it,
// in float32, before they are compared. The bits lost that way are part of the result.
const classShift = 7680

// candidate is a decoded box above the confidence threshold.
type candidate struct {
	box   [4]float32 // x1 y1 x2 y2, pixels of the network's input
	score float32
	class int
	coef  []float32
}

// nmsScalar suppresses greedily: a box falls when its IoU with a kept, better one
// exceeds iou (compared in float64, so 0/0 keeps both). Ties keep their order.
func nmsScalar(cands []candidate, iou float64, agnostic bool, maxNMS, maxDet int) []candidate {
	sorted := append([]candidate(nil), cands...)
	sort.SliceStable(sorted, func(i, j int) bool { return sorted[i].score > sorted[j].score })
	sorted = sorted[:min(len(sorted), maxNMS)]
	var kept []candidate
	var boxes [][4]float32
next:
	for _, c := range sorted {
		if len(kept) == maxDet {
			break
		}
		b := c.box
		if !agnostic {
			for i := range b {
				b[i] += float32(c.class) * classShift
			}
		}
		for _, k := range boxes {
			if float64(overlap(k, b)) > iou {
				continue next
			}
		}
		kept, boxes = append(kept, c), append(boxes, b)
	}
	return kept
}

// overlap is intersection over union in float32, NaN for two empty boxes.
func overlap(a, b [4]float32) float32 {
	w := max(0, min(a[2], b[2])-max(a[0], b[0]))
	h := max(0, min(a[3], b[3])-max(a[1], b[1]))
	inter := float32(w * h)
	areaA := float32((a[2] - a[0]) * (a[3] - a[1]))
	areaB := float32((b[2] - b[0]) * (b[3] - b[1]))
	return inter / (areaA + areaB - inter)
}
