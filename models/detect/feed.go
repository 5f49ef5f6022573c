package detect

import (
	"image"
	"image/draw"

	"spotter/models"
	"spotter/models/say"
)

// Picture is RGBA bytes, row by row; alpha is not looked at.
type Picture struct {
	W, H int
	Pix  []byte
}

// FromRGB makes a Picture of RGB bytes.
func FromRGB(w, h int, rgb []byte) *Picture {
	p := &Picture{W: w, H: h, Pix: make([]byte, 0, w*h*4)}
	for i := 0; i < len(rgb); i += 3 {
		p.Pix = append(p.Pix, rgb[i], rgb[i+1], rgb[i+2], 255)
	}
	return p
}

// FromImage copies an image; transparent pixels keep their colour.
func FromImage(img image.Image) *Picture {
	b := img.Bounds()
	nrgba, ok := img.(*image.NRGBA)
	if !ok || nrgba.Stride != 4*b.Dx() || b.Min != (image.Point{}) {
		nrgba = image.NewNRGBA(image.Rect(0, 0, b.Dx(), b.Dy()))
		draw.Draw(nrgba, nrgba.Rect, img, b.Min, draw.Src)
	}
	return &Picture{W: b.Dx(), H: b.Dy(), Pix: nrgba.Pix}
}

// Fit lays a picture into the network's input: RGBA bytes of p.Net, with the
// grey level pad around the picture.
func (p *Placement) Fit(pic *Picture, pad byte) ([]byte, error) {
	if pic.W != p.Picture[0] || pic.H != p.Picture[1] || len(pic.Pix) != pic.W*pic.H*4 {
		return nil, say.Errorf("%d bytes for a picture of %dx%d RGBA pixels, placed as %dx%d",
			len(pic.Pix), pic.W, pic.H, p.Picture[0], p.Picture[1])
	}
	resized := pic.Pix
	if p.Resized != p.Picture {
		resized = Resize(pic.Pix, pic.W, pic.H, 4, p.Resized[0], p.Resized[1])
	}
	out := make([]byte, p.Net[0]*p.Net[1]*4)
	for i := range out {
		out[i] = pad
	}
	x0, x1 := max(p.Left, 0), min(p.Left+p.Resized[0], p.Net[0])
	for y := max(p.Top, 0); y < min(p.Top+p.Resized[1], p.Net[1]); y++ {
		from := ((y-p.Top)*p.Resized[0] + x0 - p.Left) * 4
		copy(out[(y*p.Net[0]+x0)*4:(y*p.Net[0]+x1)*4], resized[from:])
	}
	return out, nil
}

// FeedTable gives the network's value of every byte, per channel of the network.
func FeedTable(f models.Feed) [3][256]float32 {
	var table [3][256]float32
	for c := range table {
		for b := range table[c] {
			v := float32(b) * f.Scale
			if f.Scale == float32(1)/255 {
				v = float32(b) / 255 // as YOLOv5 has it: not the same bits as the product
			}
			table[c][b] = (v - f.Mean[c]) / f.Std[c]
		}
	}
	return table
}

// Input fits a picture into an input of netW x netH and normalises it:
// [3, netH, netW], and where the picture lies.
func Input(f models.Feed, pic *Picture, netW, netH int) ([]float32, *Placement, error) {
	p, err := Place(f.Fit, pic.W, pic.H, netW, netH)
	if err != nil {
		return nil, nil, err
	}
	fitted, err := p.Fit(pic, f.Pad)
	if err != nil {
		return nil, nil, err
	}
	table := FeedTable(f)
	n := netW * netH
	in := make([]float32, 3*n)
	for c := range 3 {
		from := c
		if f.BGR {
			from = 2 - c
		}
		for i := range n {
			in[c*n+i] = table[c][fitted[4*i+from]]
		}
	}
	return in, p, nil
}
