package golden

import (
	"crypto/sha256"
	"encoding/hex"
	"math"
	"strings"
	"testing"
)

func TestTensorsMatchTheSamples(t *testing.T) {
	list, err := Models()
	if err != nil {
		t.Fatal(err)
	}
	if len(list) != 11 {
		t.Fatalf("%d networks, want 11", len(list))
	}
	for _, m := range list {
		for name, want := range m.Weights {
			got := Tensor(name, want.Shape, m.Residual)
			for i, v := range want.First {
				// The samples are printed with nine digits, which identify a float32.
				if got.Data[i] != float32(v) {
					t.Errorf("%s: %s[%d]: got %.9g, want %.9g", m.File, name, i, got.Data[i], v)
				}
			}
			var sum float64
			for _, v := range got.Data {
				sum += float64(v)
			}
			if math.Abs(sum-want.Sum) > 1e-9*max(1, math.Abs(want.Sum)) {
				t.Errorf("%s: %s: sum %.12g, want %.12g", m.File, name, sum, want.Sum)
			}
		}
	}
}

func TestImageMatchesTheDigests(t *testing.T) {
	list, err := Models()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range list {
		for _, r := range m.Runs {
			pix := Image(r.Width, r.Height, r.ImageSeed)
			sum := sha256.Sum256(pix)
			if got := hex.EncodeToString(sum[:]); got != r.ImageID {
				t.Errorf("%s %dx%d seed %d: image %s, want %s", m.File, r.Width, r.Height, r.ImageSeed, got, r.ImageID)
			}
		}
	}
}

func TestInputDividesAndPlanes(t *testing.T) {
	got := Input([]byte{0, 1, 2, 255, 254, 253})
	want := []float32{0, 1, float32(1) / 255, float32(254) / 255, float32(2) / 255, float32(253) / 255}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("value %d: got %g, want %g", i, got[i], want[i])
		}
	}
}

func TestCompareFindsAWrongValue(t *testing.T) {
	good := []float32{1, 2, 3, 4, 5, 6}
	c := Check{Shape: []int{2, 3}, Mean: 3.5, Std: 1.70782513, Min: 1, Max: 6,
		Values: []float64{2, 5}, Rows: map[string][]float64{"1": {4, 5, 6}}}
	if err := c.Compare("x", []int{2, 3}, good); err != nil {
		t.Errorf("right values: %v", err)
	}
	for name, bad := range map[string][]float32{
		"a sample":     {1, 2.1, 3, 4, 5, 6},
		"a row":        {1, 2, 3, 4, 5, 6.01},
		"unsampled":    {1.01, 2, 3, 4, 5, 6},
		"not a number": {1, 2, float32(math.NaN()), 4, 5, 6},
		"too short":    {1, 2, 3},
	} {
		if err := c.Compare("x", []int{2, 3}, bad); err == nil {
			t.Errorf("%s: no error for %v", name, bad)
		}
	}
	if err := c.Compare("x", []int{3, 2}, good); err == nil {
		t.Error("no error for another shape")
	}
	err := c.Compare("x", []int{2, 3}, []float32{1, 2, 3, 4, 7, 6})
	if err == nil || !strings.Contains(err.Error(), "x at [1 1]") {
		t.Errorf("the error does not name tensor and coordinate: %v", err)
	}
}

func TestEveryExpectationLoads(t *testing.T) {
	if cases, err := NMSCases(); err != nil || len(cases) != 18 {
		t.Errorf("nms: %d cases, %v", len(cases), err)
	}
	if cases, err := LetterboxCases(); err != nil || len(cases) != 21 {
		t.Errorf("letterbox: %d cases, %v", len(cases), err)
	}
	cases, err := MaskCases()
	if err != nil || len(cases) != 2 {
		t.Errorf("mask: %d cases, %v", len(cases), err)
	}
	for _, c := range cases {
		if len(c.Proto()) != product(c.ProtoShape) {
			t.Errorf("mask %v: %d prototype values for %v", c.Net, len(c.Proto()), c.ProtoShape)
		}
	}
	if e, err := Formats(); err != nil || len(e.Raw) != 3 || len(e.Decoded.Rows) != 14 {
		t.Errorf("formats: %+v, %v", e, err)
	}
	if b, err := Format("best.pt"); err != nil || len(b) == 0 {
		t.Errorf("best.pt: %d bytes, %v", len(b), err)
	}
}
