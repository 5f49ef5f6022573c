package formats

import (
	"regexp"
	"slices"
	"strconv"

	"spotter/models"
	"spotter/models/detect"
)

// annotation is an entry of COCO's results, which pycocotools' loadRes takes.
type annotation struct {
	Image    int         `json:"image_id"`
	Category int         `json:"category_id"`
	Box      [4]float64  `json:"bbox"` // x, y, width, height in pixels
	Score    float64     `json:"score"`
	Mask     *detect.RLE `json:"segmentation,omitempty"`
}

// dataset is COCO's data set with the detections for annotations, which pycocotools'
// COCO and tools for labelling open.
type dataset struct {
	Info struct {
		Description string `json:"description"`
	} `json:"info"`
	Images      []image    `json:"images"`
	Categories  []category `json:"categories"`
	Annotations []truth    `json:"annotations"`
}

type image struct {
	ID     int    `json:"id"`
	File   string `json:"file_name"`
	Width  int    `json:"width"`
	Height int    `json:"height"`
}

type category struct {
	ID   int    `json:"id"`
	Name string `json:"name"`
}

type truth struct {
	ID       int         `json:"id"`
	Image    int         `json:"image_id"`
	Category int         `json:"category_id"`
	Box      [4]float64  `json:"bbox"`
	Area     float64     `json:"area"`
	Crowd    int         `json:"iscrowd"`
	Score    float64     `json:"score"`
	Mask     *detect.RLE `json:"segmentation,omitempty"`
}

func annotations(entries []Entry, classes []string) []annotation {
	list, ids, categories := []annotation{}, imageIDs(entries), categoriesOf(classes)
	for i, e := range entries {
		for _, d := range e.Detections {
			a := annotation{Image: ids[i], Category: d.ClassID + 1, Score: d.Score, Mask: d.Mask, Box: [4]float64{
				d.Box[0], d.Box[1], Round(d.Box[2]-d.Box[0], 1e3), Round(d.Box[3]-d.Box[1], 1e3)}}
			if d.ClassID < len(categories) {
				a.Category = categories[d.ClassID].ID
			}
			list = append(list, a)
		}
	}
	return list
}

func newDataset(entries []Entry, classes []string) (*dataset, error) {
	set := &dataset{Images: []image{}, Categories: categoriesOf(classes), Annotations: []truth{}}
	set.Info.Description = "Detections by Spotter, not checked by anyone"
	for i, id := range imageIDs(entries) {
		set.Images = append(set.Images, image{ID: id, File: entries[i].File, Width: entries[i].Width, Height: entries[i].Height})
	}
	for i, a := range annotations(entries, classes) {
		area := Round(a.Box[2]*a.Box[3], 1e3)
		if a.Mask != nil {
			n, err := a.Mask.Area()
			if err != nil {
				return nil, err
			}
			area = float64(n)
		}
		set.Annotations = append(set.Annotations, truth{ID: i + 1, Image: a.Image, Category: a.Category, Box: a.Box,
			Area: area, Score: a.Score, Mask: a.Mask})
	}
	return set, nil
}

var numbered = regexp.MustCompile(`(?:^|[/\\])(\d{1,15})\.\w+$`)

// imageIDs are the numbers that COCO's pictures are named by, where all are; else 1, 2, ...
func imageIDs(entries []Entry) []int {
	ids, plain, seen := []int{}, []int{}, map[int]bool{}
	for i, e := range entries {
		plain = append(plain, i+1)
		if m := numbered.FindStringSubmatch(e.File); m != nil {
			id, _ := strconv.Atoi(m[1]) // digits that fit
			ids, seen[id] = append(ids, id), true
		}
	}
	if len(seen) == len(entries) {
		return ids
	}
	return plain
}

// unused are numbers from 1 to 90 that COCO gave to categories without annotations.
var unused = []int{12, 26, 29, 30, 45, 66, 68, 69, 71, 83}

// categoriesOf are the categories of a model's classes: with COCO's own numbers where all
// are COCO's, else with the class's id and one.
func categoriesOf(classes []string) []category {
	byName := map[string]int{}
	for id := 1; len(byName) < len(models.COCOClasses); id++ {
		if !slices.Contains(unused, id) {
			byName[models.COCOClasses[len(byName)]] = id
		}
	}
	coco, list := true, []category{}
	for i, name := range classes {
		list = append(list, category{ID: i + 1, Name: name})
		coco = coco && byName[name] > 0
	}
	for i := range list {
		if coco {
			list[i].ID = byName[list[i].Name]
		}
	}
	return list
}
