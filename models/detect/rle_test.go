package detect

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// rleCases were written by pycocotools 2.0.
//
//go:embed testdata/rle.json
var rleCases []byte

func TestRLEAgreesWithPycocotools(t *testing.T) {
	var cases []struct {
		Name          string
		Width, Height int
		RowRuns       []int `json:"row_runs"`
		Size          [2]int
		Counts        string
	}
	if err := json.Unmarshal(rleCases, &cases); err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		var mask []byte
		for i, n := range c.RowRuns {
			mask = append(mask, bytes.Repeat([]byte{byte(i%2) * 255}, n)...)
		}
		got := EncodeRLE(mask, c.Width, c.Height)
		if got.Size != c.Size || got.Counts != c.Counts {
			t.Errorf("%s: got %v %.200s, want %v %.200s", c.Name, got.Size, got.Counts, c.Size, c.Counts)
		}
		back, err := RLE{Size: c.Size, Counts: c.Counts}.Decode()
		if err != nil || !bytes.Equal(back, mask) {
			t.Errorf("%s: decoded mask is another one (%v)", c.Name, err)
		}
	}
}

func TestRLERefusesBrokenText(t *testing.T) {
	good := EncodeRLE(bytes.Repeat([]byte{0, 255, 255}, 40), 12, 10)
	for name, c := range map[string]struct {
		r    RLE
		want string
	}{
		"cut in a number":    {RLE{[2]int{40, 40}, "o"}, "breaks off"},
		"cut after a number": {RLE{good.Size, good.Counts[:len(good.Counts)-1]}, "cover"},
		"too many pixels":    {RLE{[2]int{2, 2}, good.Counts}, "outside"},
		"bad character":      {RLE{good.Size, "\x01" + good.Counts}, "character"},
		"number that ends never": {RLE{good.Size, strings.Repeat("o", 40)},
			"runs on"},
		"negative run":  {RLE{[2]int{10, 10}, "J"}, "outside"},
		"negative size": {RLE{[2]int{-1, 10}, "0"}, "not possible"},
		"huge size":     {RLE{[2]int{1 << 40, 1 << 40}, "0"}, "not possible"},
		"nothing":       {RLE{[2]int{3, 3}, ""}, "cover"},
	} {
		if _, err := c.r.Decode(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", name, err, c.want)
		}
	}
}

func TestRunsGoByColumn(t *testing.T) {
	// 0 1
	// 0 1
	// 1 0
	got := Runs([]byte{0, 1, 0, 1, 1, 0}, 2, 3)
	if want := []int{2, 3, 1}; !slices.Equal(got, want) {
		t.Errorf("runs %v, want %v", got, want)
	}
}

// FuzzRLE: a text that decodes gives a mask that survives encoding and decoding.
func FuzzRLE(f *testing.F) {
	f.Add(3, 4, EncodeRLE([]byte{0, 1, 1, 0, 0, 1, 0, 1, 1, 0, 0, 1}, 4, 3).Counts)
	f.Add(10, 10, "J")
	f.Add(1<<40, 1<<40, "0")
	f.Add(0, 5, "0")
	f.Add(40, 40, "PPYo1")
	f.Fuzz(func(t *testing.T, h, w int, counts string) {
		r := RLE{Size: [2]int{h, w}, Counts: counts}
		if h > 2000 || w > 2000 { // not more memory than a fuzzer may take
			return
		}
		mask, err := r.Decode()
		if err != nil {
			return
		}
		again, err := EncodeRLE(mask, w, h).Decode()
		if err != nil || !bytes.Equal(again, mask) {
			t.Errorf("%d x %d %q: encoded and decoded again it is another mask (%v)", w, h, counts, err)
		}
	})
}

// TestRLEOfAMask reads the rectangle only and must say the same as the whole grid.
func TestRLEOfAMask(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 300 {
		m := &Mask{W: 1 + rng.IntN(9), H: 1 + rng.IntN(9)}
		m.X0, m.Y0 = rng.IntN(m.W+1), rng.IntN(m.H+1)
		m.X1, m.Y1 = m.X0+rng.IntN(m.W-m.X0+1), m.Y0+rng.IntN(m.H-m.Y0+1)
		m.Bits = make([]byte, (m.X1-m.X0)*(m.Y1-m.Y0))
		for i := range m.Bits {
			m.Bits[i] = byte(255 * rng.IntN(2))
		}
		if got, want := m.RLE(), EncodeRLE(m.Full(), m.W, m.H); got != want {
			t.Fatalf("%+v is encoded as %+v, want %+v", m, got, want)
		}
	}
}
