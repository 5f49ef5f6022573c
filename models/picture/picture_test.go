package picture

import (
	"bytes"
	"image"
	_ "image/jpeg"
	_ "image/png"
	"os"
	"testing"
)

// TestDecodeAsLibjpeg holds JPEGs of every subsampling against libjpeg-turbo's pixels
// (stored as PNG by Pillow 11). The inverse transforms of the two decoders round
// differently: two levels are allowed, where repeated colours differ by dozens.
func TestDecodeAsLibjpeg(t *testing.T) {
	for _, name := range []string{"444", "422", "420"} {
		got, want := open(t, name+".jpg"), open(t, name+".png")
		if got.Bounds() != want.Bounds() {
			t.Fatalf("%s: %v, want %v", name, got.Bounds(), want.Bounds())
		}
		for y := range got.Bounds().Dy() {
			for x := range got.Bounds().Dx() {
				a, b := rgb(got, x, y), rgb(want, x, y)
				for c := range a {
					if d := a[c] - b[c]; d < -2 || d > 2 {
						t.Fatalf("%s: pixel %d,%d is %v, want %v", name, x, y, a, b)
					}
				}
			}
		}
	}
}

func open(t *testing.T, name string) image.Image {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	img, err := Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func rgb(img image.Image, x, y int) [3]int {
	r, g, b, _ := img.At(x, y).RGBA()
	return [3]int{int(r >> 8), int(g >> 8), int(b >> 8)}
}

func TestDecodeKeepsOtherFormats(t *testing.T) {
	if _, ok := open(t, "444.png").(*image.RGBA); !ok {
		t.Error("a PNG changed its type")
	}
	if _, err := Decode(bytes.NewReader([]byte("no picture"))); err == nil {
		t.Error("a text is a picture")
	}
}
