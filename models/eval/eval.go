package eval

import (
	"math"
	"slices"
)

// Summary is COCO's twelve numbers, and AP by class. A number without any truth to
// measure it on is NaN.
type Summary struct {
	AP, AP50, AP75             float64
	Small, Medium, Large       float64 // AP by size
	AR1, AR10, AR100           float64
	ARSmall, ARMedium, ARLarge float64
	Classes                    []ClassAP
}

// ClassAP is one class's share.
type ClassAP struct {
	Name     string
	Truths   int
	AP, AP50 float64
}

// Evaluate compares detections with a set, by masks or by boxes.
func Evaluate(d *Dataset, found []Found, masks bool) (*Summary, error) {
	if masks {
		if err := d.decodeMasks(found); err != nil {
			return nil, err
		}
	}
	categories := slices.Clone(d.Categories)
	slices.SortFunc(categories, func(a, b Category) int { return a.ID - b.ID })
	pairs := pairUp(d, found, masks)
	var curves []*classCurves
	for _, c := range categories {
		curves = append(curves, newClassCurves(c, pairs[c.ID]))
	}
	return summarise(curves), nil
}

// pairUp sorts truths and detections by class and image (ascending image ids).
func pairUp(d *Dataset, found []Found, masks bool) map[int][]*pair {
	type key struct{ category, image int }
	truths, detections := map[key][]*Truth{}, map[key][]*Found{}
	for i := range d.Truths {
		t := &d.Truths[i]
		k := key{t.Category, t.Image}
		truths[k] = append(truths[k], t)
	}
	for i := range found {
		f := &found[i]
		k := key{f.Category, f.Image}
		detections[k] = append(detections[k], f)
	}
	images := make([]int, len(d.Images))
	for i, im := range d.Images {
		images[i] = im.ID
	}
	slices.Sort(images)
	pairs := map[int][]*pair{}
	for _, c := range d.Categories {
		for _, image := range slices.Compact(images) {
			k := key{c.ID, image}
			if len(truths[k])+len(detections[k]) > 0 {
				pairs[c.ID] = append(pairs[c.ID], newPair(truths[k], detections[k], masks))
			}
		}
	}
	return pairs
}

// classCurves holds a class's precision and recall; NaN where nothing is to find.
type classCurves struct {
	name      string
	truths    int
	precision [4][]float64 // by size: mean over thresholds and recalls in [0], below by threshold
	byIoU     []float64    // all sizes: AP at each threshold
	recall    [4]float64   // by size, 100 detections, mean over thresholds
	recallAt  [3]float64   // all sizes, by detections an image
}

func newClassCurves(c Category, pairs []*pair) *classCurves {
	curves := &classCurves{name: c.Name}
	for a, area := range areas {
		results := make([]*matched, len(pairs))
		for i, p := range pairs {
			results[i] = p.evaluate(area)
			if a == 0 {
				curves.truths += results[i].truths
			}
		}
		precision, recall := accumulate(results, maxDetections[2])
		curves.precision[a], curves.recall[a] = precision, mean(recall)
		if a == 0 {
			curves.byIoU = precision
			for k, most := range maxDetections {
				_, recall := accumulate(results, most)
				curves.recallAt[k] = mean(recall)
			}
		}
	}
	return curves
}

// accumulate gives, by threshold, the mean precision over the 101 recalls and the
// largest recall, of a class over all images.
func accumulate(results []*matched, most int) (precision, recall []float64) {
	truths := 0
	type hit struct{ image, index int }
	var hits []hit
	for i, r := range results {
		truths += r.truths
		for d := range min(most, len(r.scores)) {
			hits = append(hits, hit{i, d})
		}
	}
	if truths == 0 {
		return nil, nil
	}
	slices.SortStableFunc(hits, func(a, b hit) int {
		x, y := results[a.image].scores[a.index], results[b.image].scores[b.index]
		switch {
		case x > y:
			return -1
		case x < y:
			return 1
		}
		return 0
	})
	for t := range thresholds {
		var rc, pr []float64
		tp, fp := 0.0, 0.0
		for _, h := range hits {
			r := results[h.image]
			if !r.ignored[t][h.index] {
				if r.match[t][h.index] {
					tp++
				} else {
					fp++
				}
			}
			rc = append(rc, tp/float64(truths))
			pr = append(pr, tp/(tp+fp+epsilon))
		}
		precision = append(precision, meanPrecision(rc, pr))
		recall = append(recall, tp/float64(truths))
	}
	return precision, recall
}

// epsilon is numpy's spacing of 1, which keeps 0/0 away.
const epsilon = 0x1p-52

// meanPrecision makes precision fall steadily and reads it at the recalls.
func meanPrecision(rc, pr []float64) float64 {
	for i := len(pr) - 1; i > 0; i-- {
		pr[i-1] = max(pr[i-1], pr[i])
	}
	sum := 0.0
	for _, r := range recalls {
		if i, _ := slices.BinarySearch(rc, r); i < len(pr) {
			sum += pr[i]
		}
	}
	return sum / float64(len(recalls))
}

func summarise(curves []*classCurves) *Summary {
	pick := func(value func(*classCurves) float64) float64 {
		var list []float64
		for _, c := range curves {
			if v := value(c); !math.IsNaN(v) {
				list = append(list, v)
			}
		}
		return mean(list)
	}
	at := func(t int) func(*classCurves) float64 {
		return func(c *classCurves) float64 {
			if c.byIoU == nil {
				return math.NaN()
			}
			return c.byIoU[t]
		}
	}
	size := func(a int) float64 {
		return pick(func(c *classCurves) float64 { return mean(c.precision[a]) })
	}
	recall := func(a int) float64 { return pick(func(c *classCurves) float64 { return c.recall[a] }) }
	recallAt := func(k int) float64 { return pick(func(c *classCurves) float64 { return c.recallAt[k] }) }
	s := &Summary{
		AP: size(0), AP50: pick(at(0)), AP75: pick(at(5)),
		Small: size(1), Medium: size(2), Large: size(3),
		AR1: recallAt(0), AR10: recallAt(1), AR100: recallAt(2),
		ARSmall: recall(1), ARMedium: recall(2), ARLarge: recall(3),
	}
	for _, c := range curves {
		s.Classes = append(s.Classes, ClassAP{c.name, c.truths, mean(c.byIoU), at(0)(c)})
	}
	return s
}

// mean of none is NaN.
func mean(list []float64) float64 {
	sum := 0.0
	for _, v := range list {
		sum += v
	}
	return sum / float64(len(list))
}
