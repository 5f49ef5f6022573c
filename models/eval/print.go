package eval

import (
	"fmt"
	"io"
	"math"
)

// Print writes COCO's twelve numbers, and AP by class where asked, of boxes and masks;
// masks may be nil.
func Print(w io.Writer, boxes, masks *Summary, classes bool) {
	all := []*Summary{boxes}
	head := fmt.Sprintf("%-28s %8s", "", "boxes")
	if masks != nil {
		all = append(all, masks)
		head += fmt.Sprintf(" %8s", "masks")
	}
	fmt.Fprintln(w, head)
	for _, row := range rows {
		fmt.Fprintf(w, "%-28s", row.name)
		for _, s := range all {
			fmt.Fprintf(w, " %8s", number(row.value(s)))
		}
		fmt.Fprintln(w)
	}
	if classes {
		printClasses(w, all)
	}
}

// rows of the table, in the order and with the meaning of pycocotools' summary.
var rows = []struct {
	name  string
	value func(*Summary) float64
}{
	{"AP   IoU 0.50:0.95", func(s *Summary) float64 { return s.AP }},
	{"AP50 IoU 0.50", func(s *Summary) float64 { return s.AP50 }},
	{"AP75 IoU 0.75", func(s *Summary) float64 { return s.AP75 }},
	{"AP   small", func(s *Summary) float64 { return s.Small }},
	{"AP   medium", func(s *Summary) float64 { return s.Medium }},
	{"AP   large", func(s *Summary) float64 { return s.Large }},
	{"AR   1 detection a picture", func(s *Summary) float64 { return s.AR1 }},
	{"AR   10 detections", func(s *Summary) float64 { return s.AR10 }},
	{"AR   100 detections", func(s *Summary) float64 { return s.AR100 }},
	{"AR   small", func(s *Summary) float64 { return s.ARSmall }},
	{"AR   medium", func(s *Summary) float64 { return s.ARMedium }},
	{"AR   large", func(s *Summary) float64 { return s.ARLarge }},
}

// printClasses leaves out the classes that no picture shows.
func printClasses(w io.Writer, all []*Summary) {
	fmt.Fprintf(w, "\n%-20s %7s", "class", "objects")
	for _, kind := range []string{"boxes", "masks"}[:len(all)] {
		fmt.Fprintf(w, " %8s %5s", kind, "AP50")
	}
	fmt.Fprintln(w)
	for i, c := range all[0].Classes {
		if c.Truths == 0 {
			continue
		}
		fmt.Fprintf(w, "%-20s %7d", c.Name, c.Truths)
		for _, s := range all {
			fmt.Fprintf(w, " %8s %5s", number(s.Classes[i].AP), number(s.Classes[i].AP50))
		}
		fmt.Fprintln(w)
	}
}

// number prints three decimals, or a dash where there was nothing to measure.
func number(v float64) string {
	if math.IsNaN(v) {
		return "-"
	}
	return fmt.Sprintf("%.3f", v)
}
