package formats

import (
	"io"
	"strconv"
	"strings"
)

const columns = "file,width,height,model,time,seconds,id,class_id,class,score,x1,y1,x2,y2,mask_area,mask"

// writeCSV writes a line for each detection (RFC 4180); a picture in which nothing was
// found has none.
func writeCSV(w io.Writer, entries []Entry) error {
	lines := []string{columns}
	for _, e := range entries {
		for _, d := range e.Detections {
			row, err := rowOf(e, d)
			if err != nil {
				return err
			}
			lines = append(lines, strings.Join(row, ","))
		}
	}
	_, err := io.WriteString(w, strings.Join(lines, "\r\n")+"\r\n")
	return err
}

func rowOf(e Entry, d Found) ([]string, error) {
	seconds, id, area, mask := "", "", "", ""
	if e.Seconds != nil {
		seconds = number(*e.Seconds)
	}
	if d.ID != nil {
		id = strconv.Itoa(*d.ID)
	}
	if d.Mask != nil {
		n, err := d.Mask.Area()
		if err != nil {
			return nil, err
		}
		area = strconv.Itoa(n)
		if mask, err = inLine(d.Mask); err != nil {
			return nil, err
		}
	}
	row := []string{cell(e.File), strconv.Itoa(e.Width), strconv.Itoa(e.Height), cell(e.Model), cell(e.Time), seconds,
		id, strconv.Itoa(d.ClassID), cell(d.Class), number(d.Score)}
	for _, v := range d.Box {
		row = append(row, number(v))
	}
	return append(row, area, cell(mask)), nil
}

func number(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// cell writes text. What spreadsheets would run as a formula is marked as text, as names
// come with models and files.
func cell(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r", rune(text[0])) {
		text = "'" + text
	}
	if strings.ContainsAny(text, "\",\r\n") {
		return `"` + strings.ReplaceAll(text, `"`, `""`) + `"`
	}
	return text
}
