package detect

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"spotter/models/golden"
)

type maskCase struct {
	golden.MaskCase
	proto Prototypes
	coef  []float32
	place *Placement
}

func maskCases(t *testing.T) []maskCase {
	t.Helper()
	cases, err := golden.MaskCases()
	if err != nil {
		t.Fatal(err)
	}
	var list []maskCase
	for _, c := range cases {
		p, err := Letterbox(c.Net[0], c.Net[1], c.Net[0], c.Net[1], LetterboxOptions{})
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, maskCase{c, Map{C: c.ProtoShape[0], H: c.ProtoShape[1], W: c.ProtoShape[2], Data: c.Proto()},
			golden.Uniform(c.CoefName, c.N*c.ProtoShape[0]), p})
	}
	return list
}

func (c *maskCase) coefficients(i int) []float32 { return c.coef[i*c.proto.C : (i+1)*c.proto.C] }

func TestLowMask(t *testing.T) {
	for _, c := range maskCases(t) {
		for i, box := range c.Boxes {
			low := LowMask(c.proto, c.coefficients(i), box, c.Net[0], c.Net[1])
			for j, want := range c.LowSamples[i] {
				if got := low[61*j]; math.Abs(float64(got-want)) > 1e-5 {
					t.Errorf("net %v box %d: low mask at %d is %g, want %g", c.Net, i, 61*j, got, want)
				}
			}
		}
	}
}

func TestUpsampledMask(t *testing.T) {
	for _, c := range maskCases(t) {
		xs, ys := gridAxis(c.Net[0], c.place, 0, c.proto.W), gridAxis(c.Net[1], c.place, 1, c.proto.H)
		for i, box := range c.Boxes {
			low := LowMask(c.proto, c.coefficients(i), box, c.Net[0], c.Net[1])
			for j, want := range c.UpSamples[i] {
				x, y := 997*j%c.Net[0], 997*j/c.Net[0]
				if got := bilinear(low, c.proto.W, c.proto.H, xs[x], ys[y]); math.Abs(float64(got-want)) > 1e-5 {
					t.Errorf("net %v box %d: mask at %d,%d is %g, want %g", c.Net, i, x, y, got, want)
				}
			}
		}
	}
}

// TestPictureMask compares whole masks of a picture of the network's size. No
// sample lies nearer to 0.5 than 2e-5, so none may flip.
func TestPictureMask(t *testing.T) {
	for _, c := range maskCases(t) {
		for i, box := range c.Boxes {
			m := PictureMask(c.proto, c.coefficients(i), box, c.place, c.Net[0], c.Net[1])
			full := m.Full()
			area := 0
			for _, v := range full {
				area += int(v) / 255
			}
			if area != c.Area[i] {
				t.Errorf("net %v box %d: area %d, want %d", c.Net, i, area, c.Area[i])
			}
			if runs := rowRuns(full); !slices.Equal(runs, c.RLE[i]) {
				t.Errorf("net %v box %d: runs %v, want %v", c.Net, i, runs, c.RLE[i])
			}
		}
	}
}

// rowRuns are row-major run lengths: those of the mask seen as one column.
func rowRuns(mask []byte) []int { return Runs(mask, 1, len(mask)) }

// TestMaskThroughLetterbox maps a mask through padding and scaling: at every
// grid point it must be what the network's own grid has at the same place.
func TestMaskThroughLetterbox(t *testing.T) {
	c := maskCases(t)[0] // 128 x 96
	place, err := Letterbox(256, 128, 128, 96, LetterboxOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if place.Gain[0] != 0.5 || place.Pad != [2]float64{0, 16} {
		t.Fatalf("placed as %+v", *place)
	}
	for i, box := range c.Boxes {
		whole := PictureMask(c.proto, c.coefficients(i), box, c.place, 128, 96).Full()
		got := PictureMask(c.proto, c.coefficients(i), box, place, 128, 64)
		for at, v := range got.Full() {
			x, y := at%128, at/128
			if want := whole[(y+16)*128+x]; v != want {
				t.Errorf("box %d: mask at %d,%d is %d, want %d", i, x, y, v, want)
			}
		}
	}
}

func TestMaskRectangleHoldsTheMask(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	proto := Map{C: 1, H: 24, W: 32, Data: slices.Repeat([]float32{9}, 24*32)}
	for range 200 {
		w, h := 1+r.IntN(300), 1+r.IntN(300)
		place, err := Letterbox(40+r.IntN(200), 40+r.IntN(200), 128, 96, LetterboxOptions{})
		if err != nil {
			t.Fatal(err)
		}
		box := [4]float32{r.Float32() * 100, r.Float32() * 80, r.Float32() * 128, r.Float32() * 96}
		m := PictureMask(proto, []float32{1}, box, place, w, h)
		low := LowMask(proto, []float32{1}, box, 128, 96)
		xs, ys := gridAxis(w, place, 0, 32), gridAxis(h, place, 1, 24)
		for at, v := range m.Full() {
			want := bilinear(low, 32, 24, xs[at%w], ys[at/w]) > 0.5
			if want != (v == 255) {
				t.Fatalf("grid %dx%d box %v place %+v: mask at %d,%d is %d, sample above 0.5: %v", w, h, box, *place, at%w, at/w, v, want)
			}
		}
	}
}
