package eval

import (
	"math"

	"spotter/models/detect"
)

// Prediction is what a network found in a picture, in the picture's pixels.
type Prediction struct {
	Box   [4]float32 // x1 y1 x2 y2
	Score float32
	Class int         // the network's
	Mask  *detect.RLE // of the whole picture; nil for none
}

// Results puts predictions into COCO's results format: coordinates to a thousandth of a
// pixel and scores to five decimals, as YOLOv5's validation writes them. Categories are
// the set's by class (CategoryOf); predictions of a class without one are left out.
func Results(image int, list []Prediction, categories []int) []Found {
	var found []Found
	for _, p := range list {
		if p.Class < 0 || p.Class >= len(categories) || categories[p.Class] < 0 {
			continue
		}
		x, y := float64(p.Box[0]), float64(p.Box[1])
		found = append(found, Found{
			Image: image, Category: categories[p.Class], Score: round(float64(p.Score), 1e5), Mask: p.Mask,
			Box: [4]float64{round(x, 1e3), round(y, 1e3), round(float64(p.Box[2])-x, 1e3), round(float64(p.Box[3])-y, 1e3)},
		})
	}
	return found
}

func round(v, parts float64) float64 { return math.Round(v*parts) / parts }

// area decides whether a detection that hits nothing is small, medium or large. It is
// that of the box where the results have one, for masks too: pycocotools and YOLOv5's
// validation take it so.
func (f *Found) area() float64 {
	if f.Box == ([4]float64{}) && f.mask != nil {
		return float64(f.mask.area)
	}
	return f.Box[2] * f.Box[3]
}
