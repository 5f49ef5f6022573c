package show

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"strings"
	"testing"

	"spotter/models/detect"
)

// TestUpright turns the picture 1 2 3 / 4 5 6 as each EXIF orientation asks.
func TestUpright(t *testing.T) {
	for o, want := range map[int]string{
		1: "123/456", 2: "321/654", 3: "654/321", 4: "456/123",
		5: "14/25/36", 6: "41/52/63", 7: "63/52/41", 8: "36/25/14", 9: "123/456",
	} {
		p := &detect.Picture{W: 3, H: 2}
		for i := range 6 {
			p.Pix = append(p.Pix, byte('1'+i), 0, 0, 255)
		}
		got := upright(p, o)
		var rows []string
		for y := range got.H {
			row := ""
			for x := range got.W {
				row += string(rune(got.Pix[4*(y*got.W+x)]))
			}
			rows = append(rows, row)
		}
		if text := strings.Join(rows, "/"); text != want {
			t.Errorf("orientation %d: %s, want %s", o, text, want)
		}
	}
}

func TestOrientationOfJPEG(t *testing.T) {
	var plain bytes.Buffer
	if err := jpeg.Encode(&plain, image.NewGray(image.Rect(0, 0, 8, 4)), nil); err != nil {
		t.Fatal(err)
	}
	exif := "Exif\x00\x00MM\x00\x2a\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00\x00\x00\x00\x00"
	turned := append([]byte("\xff\xd8\xff\xe1\x00"), byte(len(exif)+2))
	turned = append(append(turned, exif...), plain.Bytes()[2:]...)
	p, err := Decode(turned)
	if err != nil {
		t.Fatal(err)
	}
	if p.W != 4 || p.H != 8 {
		t.Errorf("a picture of 8x4 on its side became %dx%d, want 4x8", p.W, p.H)
	}
	for cut := range turned[:60] { // never out of bounds
		orientation(turned[:cut])
	}
}

func TestBadPictures(t *testing.T) {
	var one, cut bytes.Buffer
	if err := png.Encode(&one, image.NewGray(image.Rect(0, 0, 1, 1))); err != nil {
		t.Fatal(err)
	}
	if err := png.Encode(&cut, image.NewGray(image.Rect(0, 0, 9, 9))); err != nil {
		t.Fatal(err)
	}
	for want, data := range map[string][]byte{
		"this is no picture": []byte("hello"),
		"too small":          one.Bytes(),
		"damaged":            cut.Bytes()[:cut.Len()/2],
	} {
		if _, err := Decode(data); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%d bytes: error %v, want one with %q", len(data), err, want)
		}
	}
	if _, err := Read("no-such-file.jpg"); err == nil || !strings.Contains(err.Error(), "no-such-file.jpg") {
		t.Errorf("missing file: error %v", err)
	}
}

func TestDraw(t *testing.T) {
	p := &detect.Picture{W: 40, H: 40, Pix: make([]byte, 40*40*4)}
	mask := &detect.Mask{W: 40, H: 40, X0: 20, Y0: 25, X1: 22, Y1: 26, Bits: []byte{255, 0}}
	img := Draw(p, []Detection{{Box: [4]float32{10, 20, 30, 35}, Label: "cat 0.90", Class: 1, Mask: mask}})
	blue := palette[1]
	for _, c := range []struct {
		x, y int
		want color.NRGBA
	}{
		{10, 30, blue}, {29, 34, blue}, // the frame
		{20, 25, color.NRGBA{blue.R / 2, blue.G / 2, blue.B / 2, 255}}, // the mask
		{21, 25, color.NRGBA{0, 0, 0, 255}}, {5, 38, color.NRGBA{0, 0, 0, 255}},
	} {
		if got := img.NRGBAAt(c.x, c.y); got != c.want {
			t.Errorf("pixel %d,%d is %v, want %v", c.x, c.y, got, c.want)
		}
	}
}
