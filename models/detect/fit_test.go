package detect

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"spotter/models"
	"spotter/models/golden"
)

func letterboxCases(t *testing.T) []golden.LetterboxCase {
	t.Helper()
	cases, err := golden.LetterboxCases()
	if err != nil {
		t.Fatal(err)
	}
	return cases
}

func place(c golden.LetterboxCase) (*Placement, error) {
	return Letterbox(c.Width, c.Height, c.Net[0], c.Net[1], LetterboxOptions{Auto: c.Auto, NoScaleUp: !c.ScaleUp})
}

func TestLetterboxGeometry(t *testing.T) {
	for _, c := range letterboxCases(t) {
		p, err := place(c)
		if c.Error != "" {
			if err == nil || !strings.Contains(err.Error(), "320x0") {
				t.Errorf("%dx%d in %v: error %v, want one that names 320x0", c.Width, c.Height, c.Net, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%dx%d in %v: %v", c.Width, c.Height, c.Net, err)
			continue
		}
		if p.Resized != c.Resized || p.Left != c.Left || p.Top != c.Top || p.Net != c.Output {
			t.Errorf("%dx%d in %v auto %v scaleup %v: got %+v, want resized %v left %d top %d output %v",
				c.Width, c.Height, c.Net, c.Auto, c.ScaleUp, *p, c.Resized, c.Left, c.Top, c.Output)
		}
		for _, s := range c.ScaleBoxes {
			got := p.ToPicture(s.NetBox)
			for i := range got {
				if math.Abs(float64(got[i]-s.ImageBox[i])) > 1e-3 {
					t.Errorf("%dx%d in %v: box %v back in the picture is %v, want %v", c.Width, c.Height, c.Net, s.NetBox, got, s.ImageBox)
					break
				}
			}
		}
	}
}

// TestLetterboxPixels asks for OpenCV's very bytes.
func TestLetterboxPixels(t *testing.T) {
	for _, c := range letterboxCases(t) {
		if c.Error != "" {
			continue
		}
		p, err := place(c)
		if err != nil {
			t.Fatal(err)
		}
		out, err := p.Fit(FromRGB(c.Width, c.Height, golden.Image(c.Width, c.Height, c.ImageSeed)), 114)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range append(c.Samples, c.Corners...) {
			for ch, want := range s[2:] {
				got := int(out[(s[1]*p.Net[0]+s[0])*4+ch])
				if got != want {
					t.Errorf("%dx%d in %v: pixel %d,%d channel %d is %d, want %d", c.Width, c.Height, c.Net, s[0], s[1], ch, got, want)
				}
			}
		}
		for ch := range 3 {
			sum := 0
			for i := ch; i < len(out); i += 4 {
				sum += int(out[i])
			}
			if got := float64(sum*4) / float64(len(out)); math.Abs(got-c.Mean[ch]) > 1e-5 {
				t.Errorf("%dx%d in %v: mean of channel %d is %.5f, want %.5f", c.Width, c.Height, c.Net, ch, got, c.Mean[ch])
			}
		}
	}
}

func TestOtherFits(t *testing.T) {
	for _, c := range []struct {
		fit       models.Fit
		w, h      int
		resized   [2]int
		left, top int
		box       [4]float32 // of the net box 40 40 160 160
	}{
		{models.FitTopLeft, 640, 481, [2]int{320, 240}, 0, 0, [4]float32{80, 80, 320, 320}},
		{models.FitSquash, 640, 240, [2]int{320, 320}, 0, 0, [4]float32{80, 30, 320, 120}},
		{models.FitCropCentre, 640, 480, [2]int{427, 320}, -53, 0, [4]float32{139.5, 60, 319.5, 240}},
		{models.FitCropCentre, 160, 320, [2]int{320, 640}, 0, -160, [4]float32{20, 100, 80, 160}},
	} {
		p, err := Place(c.fit, c.w, c.h, 320, 320)
		if err != nil {
			t.Errorf("%s of %dx%d: %v", c.fit, c.w, c.h, err)
			continue
		}
		if p.Resized != c.resized || p.Left != c.left || p.Top != c.top {
			t.Errorf("%s of %dx%d: %+v, want resized %v left %d top %d", c.fit, c.w, c.h, *p, c.resized, c.left, c.top)
		}
		if got := p.ToPicture([4]float32{40, 40, 160, 160}); got != c.box {
			t.Errorf("%s of %dx%d: box %v, want %v", c.fit, c.w, c.h, got, c.box)
		}
	}
	if _, err := Place("upside down", 10, 10, 320, 320); err == nil {
		t.Error("no error for an unknown fit")
	}
	for _, s := range [][4]int{{0, 10, 320, 320}, {10, -1, 320, 320}, {10, 10, 0, 320}} {
		if _, err := Place(models.FitSquash, s[0], s[1], s[2], s[3]); err == nil {
			t.Errorf("no error for sizes %v", s)
		}
	}
}

// TestFitCopiesWithoutResizing shifts a picture by whole pixels only.
func TestFitCopiesWithoutResizing(t *testing.T) {
	pic := FromRGB(4, 2, []byte("abcdefghijklmnopqrstuvwx"))
	for _, c := range []struct {
		fit        models.Fit
		netW, netH int
		want       string // red bytes
	}{
		{models.FitLetterbox, 4, 4, "....adgjmpsv...."},
		{models.FitTopLeft, 4, 3, "adgjmpsv...."},
		{models.FitCropCentre, 2, 2, "dgps"},
		{models.FitSquash, 4, 2, "adgjmpsv"},
	} {
		p, err := Place(c.fit, 4, 2, c.netW, c.netH)
		if err != nil {
			t.Fatal(err)
		}
		out, err := p.Fit(pic, '.')
		if err != nil {
			t.Fatal(err)
		}
		var red []byte
		for i := 0; i < len(out); i += 4 {
			red = append(red, out[i])
		}
		if string(red) != c.want {
			t.Errorf("%s in %dx%d: %s, want %s", c.fit, c.netW, c.netH, red, c.want)
		}
	}
	p, _ := Place(models.FitSquash, 4, 3, 4, 2)
	if _, err := p.Fit(pic, 0); err == nil {
		t.Error("no error for a picture of another size than placed")
	}
}

func TestFeedTable(t *testing.T) {
	yolo := FeedTable(models.Feed{Scale: 1.0 / 255, Std: [3]float32{1, 1, 1}})
	for b := range 256 {
		if want := float32(b) / 255; yolo[2][b] != want {
			t.Errorf("byte %d: %g, want %g", b, yolo[2][b], want)
		}
	}
	pico := FeedTable(models.Feed{Scale: 1, Mean: [3]float32{123.675, 116.28, 103.53}, Std: [3]float32{58.395, 57.12, 57.375}})
	if got, want := pico[1][200], float32((200-116.28)/57.12); math.Abs(float64(got-want)) > 1e-6 {
		t.Errorf("byte 200 of channel 1: %g, want %g", got, want)
	}
}

func TestInputOrdersChannels(t *testing.T) {
	pic := FromRGB(2, 1, []byte{10, 20, 30, 40, 50, 60})
	feed := models.Feed{Fit: models.FitSquash, Scale: 1, Std: [3]float32{1, 1, 1}}
	for bgr, want := range map[bool][]float32{false: {10, 40, 20, 50, 30, 60}, true: {30, 60, 20, 50, 10, 40}} {
		feed.BGR = bgr
		got, _, err := Input(feed, pic, 2, 1)
		if err != nil {
			t.Fatal(err)
		}
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("bgr %v: %v, want %v", bgr, got, want)
				break
			}
		}
	}
}

func TestResizeOfOneColourKeepsIt(t *testing.T) {
	for _, size := range [][4]int{{1, 1, 7, 5}, {3, 500, 2, 320}, {97, 31, 40, 40}, {5, 5, 64, 1}} {
		src := bytes.Repeat([]byte{255}, size[0]*size[1])
		for i, v := range Resize(src, size[0], size[1], 1, size[2], size[3]) {
			if v != 255 {
				t.Errorf("%v: pixel %d is %d", size, i, v)
				break
			}
		}
	}
}
