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

func TestFloatToHalfRoundsToNearestEven(t *testing.T) {
	for i := range 1 << 16 {
		h := uint16(i)
		f := HalfToFloat(h)
		if got := FloatToHalf(f); got != h && f == f {
			t.Fatalf("half %#04x as %g comes back as %#04x", h, f, got)
		}
		if f != f && FloatToHalf(f)&0x7fff <= 0x7c00 {
			t.Fatalf("NaN %#04x comes back as a number", h)
		}
		// Between this half and the next away from zero.
		if h&0x7fff >= 0x7bff {
			continue
		}
		middle := f/2 + HalfToFloat(h+1)/2
		even := h + h&1
		below, above := math.Nextafter32(middle, f), math.Nextafter32(middle, HalfToFloat(h+1))
		if got := [3]uint16{FloatToHalf(below), FloatToHalf(middle), FloatToHalf(above)}; got != [3]uint16{h, even, h + 1} {
			t.Fatalf("around %g: %#04x, want %#04x %#04x %#04x", middle, got, h, even, h+1)
		}
	}
	for f, want := range map[float32]uint16{65519: 0x7bff, 65520: 0x7c00, -1e30: 0xfc00, 1e-30: 0, 2.9802322e-08: 0} {
		if got := FloatToHalf(f); got != want {
			t.Errorf("%g: %#04x, want %#04x", f, got, want)
		}
	}
}
