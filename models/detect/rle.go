package detect

import (
	"spotter/models/say"
)

// RLE is a mask in COCO's run-length encoding: Counts are the lengths of runs of
// zeros and ones in turn, column by column, beginning with zeros, in pycocotools'
// text form: numbers in groups of five bits, from the fourth on as the
// difference to the one two before.
type RLE struct {
	Size   [2]int `json:"size"` // height, width
	Counts string `json:"counts"`
}

// maxPixels limits masks that are decoded: 2^28.
const maxPixels = 1 << 28

// EncodeRLE encodes a mask of w x h, row by row; anything but 0 is inside.
func EncodeRLE(mask []byte, w, h int) RLE { return FromRuns(Runs(mask, w, h), w, h) }

// Runs are the lengths of the runs of zeros and ones in turn, column by column.
func Runs(mask []byte, w, h int) []int {
	var runs []int
	inside, n := false, 0
	for x := range w {
		for y := range h {
			if (mask[y*w+x] != 0) != inside {
				runs = append(runs, n)
				inside, n = !inside, 0
			}
			n++
		}
	}
	return append(runs, n)
}

// RLE encodes the mask over its whole grid; it reads the rectangle only.
func (m *Mask) RLE() RLE {
	var runs []int
	inside, n := false, 0
	add := func(v bool, count int) {
		if v != inside && count > 0 {
			runs = append(runs, n)
			inside, n = v, 0
		}
		n += count
	}
	width := m.X1 - m.X0
	add(false, m.X0*m.H)
	for x := range width {
		add(false, m.Y0)
		for i := x; i < len(m.Bits); i += width {
			add(m.Bits[i] != 0, 1)
		}
		add(false, m.H-m.Y1)
	}
	add(false, (m.W-m.X1)*m.H)
	return FromRuns(append(runs, n), m.W, m.H)
}

// FromRuns writes runs as text.
func FromRuns(runs []int, w, h int) RLE {
	var text []byte
	for i, v := range runs {
		if i > 2 {
			v -= runs[i-2]
		}
		for more := true; more; {
			group := v & 31
			v >>= 5
			// Done when the rest only repeats the group's top bit, the sign.
			if more = v != -(group >> 4); more {
				group |= 32
			}
			text = append(text, byte(group+48))
		}
	}
	return RLE{Size: [2]int{h, w}, Counts: string(text)}
}

// Runs reads the text; the error says where it is broken or does not fit Size.
func (r RLE) Runs() ([]int, error) {
	h, w := r.Size[0], r.Size[1]
	if h < 0 || w < 0 || h > 0 && w > maxPixels/h {
		return nil, say.Errorf("a run-length mask of %d x %d pixels is not possible", w, h)
	}
	var runs []int
	total := 0
	for i := 0; i < len(r.Counts); {
		v, next, err := readCount(r.Counts, i)
		if err != nil {
			return nil, err
		}
		if len(runs) > 2 {
			v += runs[len(runs)-2]
		}
		total += v
		if v < 0 || total > w*h {
			return nil, say.Errorf("run %d of a run-length mask of %d x %d pixels (character %d) is %d long: it ends outside", len(runs), w, h, i, v)
		}
		runs, i = append(runs, v), next
	}
	if total != w*h {
		return nil, say.Errorf("the runs of a mask of %d x %d pixels cover %d", w, h, total)
	}
	return runs, nil
}

// readCount reads one number at i and says where the next begins.
func readCount(s string, i int) (v, next int, err error) {
	for shift := 0; ; shift += 5 {
		if i >= len(s) || shift > 30 {
			return 0, 0, say.Errorf("run-length text breaks off or runs on at character %d", i)
		}
		group := int(s[i]) - 48
		i++
		if group < 0 || group > 63 {
			return 0, 0, say.Errorf("run-length text has the character %q at %d", s[i-1], i-1)
		}
		v |= group & 31 << shift
		if group&32 == 0 {
			if group&16 != 0 {
				v |= -1 << (shift + 5)
			}
			return v, i, nil
		}
	}
}

// Decode gives the mask, w x h bytes of 0 or 255, row by row.
func (r RLE) Decode() ([]byte, error) {
	runs, err := r.Runs()
	if err != nil {
		return nil, err
	}
	h, w := r.Size[0], r.Size[1]
	mask := make([]byte, w*h)
	at := 0
	for i, n := range runs {
		for end := at + n; at < end; at++ {
			if i%2 == 1 {
				mask[at%h*w+at/h] = 255
			}
		}
	}
	return mask, nil
}

// Area is the number of points inside.
func (r RLE) Area() (int, error) {
	runs, err := r.Runs()
	area := 0
	for i := 1; i < len(runs); i += 2 {
		area += runs[i]
	}
	return area, err
}
