package detect

import (
	"strconv"
	"testing"

	"spotter/models/golden"
)

func TestNMSAgreesWithTorchvision(t *testing.T) {
	cases, err := golden.NMSCases()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		rows := &Rows{N: len(c.Input) / c.Columns, Classes: c.Columns - 5, Data: c.Input}
		got := NMS(rows, NMSOptions{Conf: float32(c.Conf), IOU: c.IOU, MultiLabel: c.MultiLabel,
			Agnostic: c.Agnostic, MaxDet: c.MaxDet, MaxNMS: c.MaxNMS})
		if len(got) != len(c.Output) {
			t.Errorf("%s: %d boxes, want %d", c.Name, len(got), len(c.Output))
			continue
		}
		for i, want := range c.Output {
			d := got[i]
			for k, v := range []float32{d.Box[0], d.Box[1], d.Box[2], d.Box[3], d.Score, float32(d.Class)} {
				if eightDigits(v) != want[k] {
					t.Errorf("%s: box %d is %+v, want %v", c.Name, i, d, want)
					break
				}
			}
		}
	}
}

// eightDigits rounds as the expectations were printed.
func eightDigits(v float32) float64 {
	f, err := strconv.ParseFloat(strconv.FormatFloat(float64(v), 'g', 8, 64), 64)
	if err != nil {
		panic("BUG: " + err.Error())
	}
	return f
}

func TestNMSClassFilter(t *testing.T) {
	rows := &Rows{N: 3, Classes: 2, Data: []float32{
		50, 50, 20, 20, 1, 0.9, 0.5,
		50, 50, 20, 20, 1, 0.4, 0.8,
		150, 50, 20, 20, 1, 0.1, 0.7,
	}}
	got := NMS(rows, NMSOptions{Conf: 0.25, IOU: 0.45, Agnostic: true, Off: []bool{true}})
	// The first row's best class is off: the box goes, and cannot hide the second.
	if len(got) != 2 || got[0].Row != 1 || got[1].Row != 2 {
		t.Errorf("with class 0 off: %+v", got)
	}
	got = NMS(rows, NMSOptions{Conf: 0.25, IOU: 0.45, MultiLabel: true, Off: []bool{false, true}})
	if len(got) != 1 || got[0].Row != 0 || got[0].Class != 0 {
		t.Errorf("with class 1 off: %+v", got)
	}
}
