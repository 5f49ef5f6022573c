package models

import (
	"math"
	"testing"
)

// Every half is sign * mantissa * 2^exponent; the conversion must be exact.
func TestHalfToFloatEveryValue(t *testing.T) {
	for i := range 1 << 16 {
		h := uint16(i)
		sign, e, f := 1-2*float64(h>>15), int(h>>10&31), float64(h&1023)
		want := math.Ldexp(sign*f, -24)
		switch {
		case e == 31 && f == 0:
			want = math.Inf(int(sign))
		case e == 31:
			want = math.NaN()
		case e > 0:
			want = math.Ldexp(sign*(1024+f), e-25)
		}
		got := float64(HalfToFloat(h))
		if got != want && !(math.IsNaN(got) && math.IsNaN(want)) || math.Signbit(got) != math.Signbit(want) && !math.IsNaN(want) {
			t.Fatalf("half %#04x: %v, want %v", h, got, want)
		}
	}
}
