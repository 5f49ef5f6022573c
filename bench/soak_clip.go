package bench

import (
	"bufio"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"math"
	"os"

	"golang.org/x/image/draw"
)

// clipRun is for how many frames the soak's camera stays with a picture.
const clipRun = 90

// writeClip writes a moving clip as Motion JPEG, which Chromium's fake camera plays in a loop
// at 30 frames a second: a view that swings and zooms over each of the pictures in turn.
func writeClip(f io.WriteCloser, pattern string) error {
	files, err := pictures(pattern)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(f)
	frame := image.NewRGBA(image.Rect(0, 0, videoWidth, videoHeight))
	for _, name := range files {
		picture, err := decodePicture(name)
		if err != nil {
			return err
		}
		for i := range clipRun {
			draw.ApproxBiLinear.Scale(frame, frame.Bounds(), picture, clipView(picture.Bounds(), i), draw.Src, nil)
			if err := jpeg.Encode(w, frame, &jpeg.Options{Quality: 85}); err != nil {
				return err
			}
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return f.Close()
}

// clipView is the part of a picture that frame i shows: from six to nine tenths of it, in the camera's shape.
func clipView(all image.Rectangle, i int) image.Rectangle {
	turn := 2 * math.Pi * float64(i) / clipRun
	part := 0.75 + 0.15*math.Sin(turn)
	height := part * min(float64(all.Dy()), float64(all.Dx())*videoHeight/videoWidth)
	width := height * videoWidth / videoHeight
	x := (float64(all.Dx()) - width) * (0.5 + 0.5*math.Cos(turn))
	y := (float64(all.Dy()) - height) * (0.5 + 0.5*math.Sin(2*turn))
	return image.Rect(int(x), int(y), int(x+width), int(y+height)).Add(all.Min)
}

func decodePicture(name string) (image.Image, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	picture, _, err := image.Decode(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return picture, nil
}
