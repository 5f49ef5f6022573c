// Package formats writes what was found in pictures as files that other programs read: JSON,
// CSV, and COCO's two forms. The page writes the same, see web/src/results; docs/results.md
// says what each field means.
package formats

import (
	"math"
	"time"

	"spotter/models/detect"
)

// Entry is one picture.
type Entry struct {
	File       string             `json:"file"`
	Width      int                `json:"width"`
	Height     int                `json:"height"`
	Model      string             `json:"model"`
	Time       string             `json:"time"`              // when it was looked at, as Stamp writes it
	Seconds    *float64           `json:"seconds,omitempty"` // place in the video, where it is a frame of one
	Detections []Found            `json:"detections"`
	Timings    map[string]float64 `json:"timings_ms,omitempty"`
}

// Found is one detection.
type Found struct {
	Class   string      `json:"class"`
	ClassID int         `json:"class_id"`
	Score   float64     `json:"score"`
	Box     [4]float64  `json:"box"`          // x1 y1 x2 y2, pixels of the picture
	ID      *int        `json:"id,omitempty"` // identity over frames, where objects are followed
	Mask    *detect.RLE `json:"mask,omitempty"`
}

// NewFound rounds a detection as files have it: coordinates to a thousandth of a pixel,
// scores to five decimals.
func NewFound(class string, id int, score float32, box [4]float32, mask *detect.RLE) Found {
	f := Found{Class: class, ClassID: id, Score: Round(float64(score), 1e5), Mask: mask}
	for i, v := range box {
		f.Box[i] = Round(float64(v), 1e3)
	}
	return f
}

// Stamp is a time in UTC to a millisecond (ISO 8601).
func Stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// Round rounds to the given parts of one, halves up as JavaScript does.
func Round(v, parts float64) float64 {
	v *= parts
	whole := math.Floor(v)
	if v-whole >= 0.5 {
		whole++
	}
	return whole / parts
}
