package web

import (
	"bufio"
	"bytes"
	"fmt"
	"image"
	"image/color"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/image/draw"

	"spotter/models/picture"
)

// The fake camera's video: two pictures by turns, on grounds of one colour each, so
// that a test can tell from any pixel of the ground which picture is shown.
const (
	videoWidth, videoHeight = 640, 480
	videoRate               = 10 // frames a second
	videoRun                = 4  // frames of one picture in a row
)

// scene is a picture somewhere on a ground.
type scene struct {
	sample string
	ground color.RGBA
	at     image.Rectangle
}

var scenes = []scene{
	{"astronaut", color.RGBA{104, 48, 44, 255}, image.Rect(0, 60, 360, 420)},
	{"portrait", color.RGBA{40, 52, 104, 255}, image.Rect(300, 20, 640, 418)},
}

// fakeVideo writes the video for the fake capture device, as Y4M, and returns its path.
func fakeVideo(t *testing.T) string {
	t.Helper()
	path := filepath.Join(scratch, "camera.y4m")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := bufio.NewWriter(f)
	fmt.Fprintf(w, "YUV4MPEG2 W%d H%d F%d:1 Ip A1:1 C420jpeg\n", videoWidth, videoHeight, videoRate)
	for _, s := range scenes {
		frame := s.paint(t)
		for range videoRun {
			writeY4M(w, frame)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	return path
}

func (s scene) paint(t *testing.T) *image.RGBA {
	frame := image.NewRGBA(image.Rect(0, 0, videoWidth, videoHeight))
	draw.Draw(frame, frame.Bounds(), image.NewUniform(s.ground), image.Point{}, draw.Src)
	picture := samplePicture(t, s.sample)
	draw.CatmullRom.Scale(frame, s.at, picture, picture.Bounds(), draw.Src, nil)
	return frame
}

// writeY4M writes a frame in planes, chroma at half resolution, BT.601 in the limited range.
func writeY4M(w io.Writer, frame *image.RGBA) {
	var luma, blue, red []byte
	for y := range videoHeight {
		for x := range videoWidth {
			r, g, b := rgb(frame, x, y)
			luma = append(luma, level(16+(65.481*r+128.553*g+24.966*b)/255))
			if x%2 == 0 && y%2 == 0 {
				blue = append(blue, level(128+(-37.797*r-74.203*g+112*b)/255))
				red = append(red, level(128+(112*r-93.786*g-18.214*b)/255))
			}
		}
	}
	fmt.Fprint(w, "FRAME\n")
	for _, plane := range [][]byte{luma, blue, red} {
		_, _ = w.Write(plane) // errors show in Flush
	}
}

func rgb(frame *image.RGBA, x, y int) (r, g, b float64) {
	c := frame.RGBAAt(x, y)
	return float64(c.R), float64(c.G), float64(c.B)
}

func level(v float64) byte { return byte(min(max(v+0.5, 0), 255)) }

func sampleFile(t *testing.T, name string) []byte {
	t.Helper()
	data, err := fs.ReadFile(sources, "samples/"+name+".jpg")
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func samplePicture(t *testing.T, name string) image.Image {
	t.Helper()
	img, err := picture.Decode(bytes.NewReader(sampleFile(t, name)))
	if err != nil {
		t.Fatal(err)
	}
	return img
}
