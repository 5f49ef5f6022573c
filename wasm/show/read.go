// Package show reads the pictures that a native run gets and draws what it found.
package show

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	_ "image/gif"  // formats
	_ "image/jpeg" // that
	_ "image/png"  // are read
	"os"

	_ "golang.org/x/image/bmp"
	_ "golang.org/x/image/tiff"
	_ "golang.org/x/image/webp"

	"spotter/models/detect"
	"spotter/models/picture"
)

// maxPixels is the largest picture that is decoded: 128 million pixels.
const maxPixels = 1 << 27

// Read decodes a picture file: JPEG (upright, by its EXIF orientation), PNG, GIF
// (the first picture), WebP, BMP or TIFF.
func Read(file string) (*detect.Picture, error) {
	data, err := os.ReadFile(file)
	var path *os.PathError
	if errors.As(err, &path) {
		return nil, fmt.Errorf("%s: %w", file, path.Err)
	}
	if err != nil {
		return nil, err
	}
	p, err := Decode(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return p, nil
}

// Decode is Read for bytes.
func Decode(data []byte) (*detect.Picture, error) {
	c, _, err := image.DecodeConfig(bytes.NewReader(data))
	switch {
	case errors.Is(err, image.ErrFormat):
		return nil, errors.New("this is no picture (JPEG, PNG, GIF, WebP, BMP or TIFF)")
	case err != nil:
		return nil, fmt.Errorf("the picture is damaged: %w", err)
	case c.Width < 2 || c.Height < 2:
		return nil, fmt.Errorf("a picture of %dx%d pixels is too small to show anything", c.Width, c.Height)
	case c.Width > maxPixels/c.Height:
		return nil, fmt.Errorf("a picture of %dx%d pixels is too large", c.Width, c.Height)
	}
	img, err := picture.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("the picture is damaged: %w", err)
	}
	return upright(detect.FromImage(img), orientation(data)), nil
}

// upright turns and mirrors a picture as an EXIF orientation (1 to 8) asks.
func upright(p *detect.Picture, orientation int) *detect.Picture {
	if orientation < 2 || orientation > 8 {
		return p
	}
	w, h := p.W, p.H
	if orientation >= 5 {
		w, h = h, w
	}
	out := &detect.Picture{W: w, H: h, Pix: make([]byte, len(p.Pix))}
	for y := range h {
		for x := range w {
			sx, sy := x, y
			if orientation >= 5 {
				sx, sy = y, x
			}
			switch orientation { // what the sensor saw, from the upright picture's x and y
			case 2, 7:
				sx = p.W - 1 - sx
			case 3:
				sx, sy = p.W-1-sx, p.H-1-sy
			case 4:
				sy = p.H - 1 - sy
			}
			switch orientation {
			case 6:
				sy = p.H - 1 - sy
			case 7:
				sy = p.H - 1 - sy
			case 8:
				sx = p.W - 1 - sx
			}
			copy(out.Pix[4*(y*w+x):][:4], p.Pix[4*(sy*p.W+sx):])
		}
	}
	return out
}
