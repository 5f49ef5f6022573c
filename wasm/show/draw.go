package show

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"os"

	"golang.org/x/image/font"
	"golang.org/x/image/font/basicfont"
	"golang.org/x/image/math/fixed"

	"spotter/models/detect"
)

// Detection is what is drawn over a picture.
type Detection struct {
	Box   [4]float32 // x1 y1 x2 y2, pixels of the picture
	Label string
	Class int
	Mask  *detect.Mask // on the picture's grid; nil when there is none
}

// palette is Okabe and Ito's, which colour-blind people can tell apart.
var palette = []color.NRGBA{
	{230, 159, 0, 255}, {86, 180, 233, 255}, {0, 158, 115, 255}, {240, 228, 66, 255},
	{0, 114, 178, 255}, {213, 94, 0, 255}, {204, 121, 167, 255},
}

// Draw gives the picture with masks, boxes and labels; the best detections on top.
func Draw(p *detect.Picture, found []Detection) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, p.W, p.H))
	copy(img.Pix, p.Pix)
	for i := 3; i < len(img.Pix); i += 4 {
		img.Pix[i] = 255
	}
	for i := len(found) - 1; i >= 0; i-- {
		tint(img, found[i].Mask, palette[found[i].Class%len(palette)])
	}
	for i := len(found) - 1; i >= 0; i-- {
		frame(img, &found[i], palette[found[i].Class%len(palette)])
	}
	return img
}

// tint mixes the colour half into the mask's pixels.
func tint(img *image.NRGBA, m *detect.Mask, c color.NRGBA) {
	if m == nil {
		return
	}
	for y := m.Y0; y < m.Y1; y++ {
		for x := m.X0; x < m.X1; x++ {
			if m.Bits[(y-m.Y0)*(m.X1-m.X0)+x-m.X0] == 0 {
				continue
			}
			px := img.Pix[img.PixOffset(x, y):]
			px[0], px[1], px[2] = half(px[0], c.R), half(px[1], c.G), half(px[2], c.B)
		}
	}
}

func half(a, b uint8) uint8 { return uint8((int(a) + int(b)) / 2) }

// frame draws the box, two pixels wide, and the label on a ground of its colour.
func frame(img *image.NRGBA, d *Detection, c color.NRGBA) {
	const line = 2
	ink := image.NewUniform(c)
	x0, y0, x1, y1 := int(d.Box[0]), int(d.Box[1]), int(d.Box[2]+0.5), int(d.Box[3]+0.5)
	for _, r := range []image.Rectangle{
		image.Rect(x0, y0, x1, y0+line), image.Rect(x0, y1-line, x1, y1),
		image.Rect(x0, y0, x0+line, y1), image.Rect(x1-line, y0, x1, y1),
	} {
		draw.Draw(img, r, ink, image.Point{}, draw.Src)
	}
	face := basicfont.Face7x13
	width := font.MeasureString(face, d.Label).Ceil() + 4
	top := max(y0-face.Height-2, 0)
	left := max(min(x0, img.Rect.Dx()-width), 0)
	ground := image.Rect(left, top, left+width, top+face.Height+2)
	draw.Draw(img, ground, ink, image.Point{}, draw.Src)
	text := font.Drawer{
		Dst: img, Src: image.Black, Face: face, Dot: fixed.P(left+2, top+face.Ascent+1),
	}
	text.DrawString(d.Label)
}

// Save writes a picture as PNG.
func Save(file string, img image.Image) error {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	if err := png.Encode(f, img); err != nil {
		f.Close()
		return fmt.Errorf("%s: %w", file, err)
	}
	return f.Close()
}
