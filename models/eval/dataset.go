// Package eval measures a detector on a data set in COCO's format: average
// precision and recall of boxes and masks by the rules of COCO's own evaluation
// (cocodataset.org/#detection-eval), number for number as pycocotools gives them.
package eval

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"spotter/models/detect"
)

// Dataset is an annotation file (instances.json) as far as evaluation needs it.
type Dataset struct {
	Images     []Image    `json:"images"`
	Categories []Category `json:"categories"`
	Truths     []Truth    `json:"annotations"`
}

// Image is a picture of the set.
type Image struct {
	ID     int    `json:"id"`
	File   string `json:"file_name"`
	Width  int    `json:"width"`
	Height int    `json:"height"`
}

// Category is a class of the set.
type Category struct {
	ID   int    `json:"id"`
	Name string `json:"name"`
}

// Truth is an annotated object.
type Truth struct {
	ID           int             `json:"id"`
	Image        int             `json:"image_id"`
	Category     int             `json:"category_id"`
	Box          [4]float64      `json:"bbox"` // x, y, width, height in pixels
	Area         float64         `json:"area"`
	Crowd        int             `json:"iscrowd"`
	Segmentation json.RawMessage `json:"segmentation"`

	mask *runs
}

// Found is one detection, in COCO's results format.
type Found struct {
	Image    int         `json:"image_id"`
	Category int         `json:"category_id"`
	Box      [4]float64  `json:"bbox"` // x, y, width, height in pixels
	Score    float64     `json:"score"`
	Mask     *detect.RLE `json:"segmentation,omitempty"`

	mask *runs
}

// ParseDataset reads an annotation file and checks its references.
func ParseDataset(text []byte) (*Dataset, error) {
	d := new(Dataset)
	if err := json.Unmarshal(text, d); err != nil {
		return nil, fmt.Errorf("the annotations are not COCO's instances JSON: %w", err)
	}
	if len(d.Images) == 0 {
		return nil, fmt.Errorf("the annotations list no images; COCO's instances JSON is expected")
	}
	if len(d.Categories) == 0 {
		return nil, fmt.Errorf("the annotations list no categories; COCO's instances JSON is expected")
	}
	images := map[int]bool{}
	for _, im := range d.Images {
		images[im.ID] = true
	}
	for i := range d.Truths {
		if t := &d.Truths[i]; !images[t.Image] {
			return nil, fmt.Errorf("annotation %d belongs to image %d, which is not listed", t.ID, t.Image)
		}
	}
	return d, nil
}

// First is the set of the first n pictures.
func (d *Dataset) First(n int) *Dataset {
	part := &Dataset{Images: d.Images[:min(n, len(d.Images))], Categories: d.Categories}
	kept := map[int]bool{}
	for _, im := range part.Images {
		kept[im.ID] = true
	}
	for _, t := range d.Truths {
		if kept[t.Image] {
			part.Truths = append(part.Truths, t)
		}
	}
	return part
}

// CategoryOf maps a model's class ids to the set's category ids: by name, or, when
// no name is known and the counts agree, in the order of the ids. A class without
// a category maps to -1.
func (d *Dataset) CategoryOf(classes []string) ([]int, error) {
	byName := map[string]int{}
	for _, c := range d.Categories {
		byName[c.Name] = c.ID
	}
	ids, hits := make([]int, len(classes)), 0
	for i, name := range classes {
		ids[i] = -1
		if id, ok := byName[name]; ok {
			ids[i] = id
			hits++
		}
	}
	if hits > 0 {
		return ids, nil
	}
	if len(classes) != len(d.Categories) {
		return nil, fmt.Errorf("none of the model's %d classes is a category of the annotations (%d), and the counts differ", len(classes), len(d.Categories))
	}
	sorted := slices.Clone(d.Categories)
	slices.SortFunc(sorted, func(a, b Category) int { return a.ID - b.ID })
	for i, c := range sorted {
		ids[i] = c.ID
	}
	return ids, nil
}

// decodeMasks makes run lists of all masks; segmentations may be polygons,
// runs as a list of numbers, or runs as text.
func (d *Dataset) decodeMasks(found []Found) error {
	size := map[int][2]int{}
	for _, im := range d.Images {
		size[im.ID] = [2]int{im.Height, im.Width}
	}
	for i := range d.Truths {
		t := &d.Truths[i]
		var err error
		if t.mask, err = truthMask(t.Segmentation, size[t.Image]); err != nil {
			return fmt.Errorf("annotation %d: %w", t.ID, err)
		}
	}
	for i := range found {
		f := &found[i]
		if f.Mask == nil {
			return fmt.Errorf("detection %d has no mask", i)
		}
		counts, err := f.Mask.Runs()
		if err != nil {
			return fmt.Errorf("detection %d: %w", i, err)
		}
		f.mask = newRuns(counts)
	}
	return nil
}

func truthMask(raw json.RawMessage, size [2]int) (*runs, error) {
	h, w := size[0], size[1]
	if h <= 0 || w <= 0 || h > math.MaxInt32/w {
		return nil, fmt.Errorf("its image is %d x %d pixels", w, h)
	}
	var polygons [][]float64
	if json.Unmarshal(raw, &polygons) == nil {
		return fillPolygons(polygons, w, h)
	}
	var list struct {
		Size   [2]int `json:"size"`
		Counts []int  `json:"counts"`
	}
	if json.Unmarshal(raw, &list) == nil {
		return checkedRuns(list.Counts, w*h)
	}
	var text detect.RLE
	if err := json.Unmarshal(raw, &text); err != nil {
		return nil, fmt.Errorf("its segmentation is neither polygons nor runs")
	}
	counts, err := text.Runs()
	if err != nil {
		return nil, err
	}
	return newRuns(counts), nil
}
