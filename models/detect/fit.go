// Package detect is what happens around a network, in plain scalar Go: fitting
// a picture into the input, decoding the head's maps to boxes, non-maximum
// suppression, masks, and COCO's run-length encoding. It is the reference for
// what compiled modules do with SIMD.
package detect

import (
	"math"

	"spotter/models"
	"spotter/models/say"
)

// Placement is how a picture lies in the network's input. All sizes are pixels,
// width first. A point of the picture maps to picture*Gain + Pad in the input.
type Placement struct {
	Picture [2]int // the picture
	Net     [2]int // the network's input
	Resized [2]int // the picture after resizing
	Left    int    // where the resized picture's corner lies in the input;
	Top     int    // negative when it is cropped
	Gain    [2]float64
	Pad     [2]float64
}

// LetterboxOptions are YOLOv5's choices besides centring in a fixed size.
type LetterboxOptions struct {
	NoScaleUp bool // leave small pictures as they are
	Auto      bool // pad to the next multiple of 32 only: Net becomes smaller
}

// Letterbox keeps the aspect and centres the picture. It is an error when a side
// would vanish.
func Letterbox(w, h, netW, netH int, o LetterboxOptions) (*Placement, error) {
	if err := checkSizes(w, h, netW, netH); err != nil {
		return nil, err
	}
	r := min(float64(netH)/float64(h), float64(netW)/float64(w))
	if o.NoScaleUp {
		r = min(r, 1)
	}
	rw, rh := scaled(w, r), scaled(h, r)
	padW, padH := netW-rw, netH-rh
	if o.Auto {
		padW, padH = padW%32, padH%32
	}
	p := &Placement{
		Picture: [2]int{w, h}, Net: [2]int{rw + padW, rh + padH}, Resized: [2]int{rw, rh},
		// The 0.1 decides the half pixel of odd pads: it goes right and below.
		Left: int(math.RoundToEven(float64(padW)/2 - 0.1)),
		Top:  int(math.RoundToEven(float64(padH)/2 - 0.1)),
	}
	gain := min(float64(p.Net[1])/float64(h), float64(p.Net[0])/float64(w))
	p.Gain = [2]float64{gain, gain}
	p.Pad = [2]float64{(float64(p.Net[0]) - float64(w)*gain) / 2, (float64(p.Net[1]) - float64(h)*gain) / 2}
	return p, p.check()
}

// Place fits a picture of w x h into an input of netW x netH.
func Place(fit models.Fit, w, h, netW, netH int) (*Placement, error) {
	if err := checkSizes(w, h, netW, netH); err != nil {
		return nil, err
	}
	sx, sy := float64(netW)/float64(w), float64(netH)/float64(h)
	p := &Placement{Picture: [2]int{w, h}, Net: [2]int{netW, netH}}
	switch fit {
	case models.FitLetterbox:
		return Letterbox(w, h, netW, netH, LetterboxOptions{})
	case models.FitTopLeft:
		r := min(sx, sy)
		p.Gain = [2]float64{r, r}
		// YOLOX cuts the fraction off where YOLOv5 rounds.
		p.Resized = [2]int{int(float64(w) * r), int(float64(h) * r)}
	case models.FitSquash:
		p.Gain = [2]float64{sx, sy}
		p.Resized = p.Net
	case models.FitCropCentre:
		r := max(sx, sy)
		p.Gain = [2]float64{r, r}
		p.Resized = [2]int{scaled(w, r), scaled(h, r)}
		p.Left, p.Top = -((p.Resized[0] - netW) / 2), -((p.Resized[1] - netH) / 2)
		p.Pad = [2]float64{float64(p.Left), float64(p.Top)}
	default:
		return nil, say.Errorf("there is no way %q to fit a picture", fit)
	}
	return p, p.check()
}

func scaled(side int, r float64) int { return int(math.RoundToEven(float64(side) * r)) }

func checkSizes(w, h, netW, netH int) error {
	if w < 1 || h < 1 {
		return say.Errorf("a picture of %dx%d pixels holds nothing", w, h)
	}
	if netW < 1 || netH < 1 {
		return say.Errorf("a network input of %dx%d pixels holds nothing", netW, netH)
	}
	return nil
}

func (p *Placement) check() error {
	if p.Resized[0] < 1 || p.Resized[1] < 1 {
		return say.Errorf("a picture of %dx%d would shrink to %dx%d in an input of %dx%d: too long and thin",
			p.Picture[0], p.Picture[1], p.Resized[0], p.Resized[1], p.Net[0], p.Net[1])
	}
	return nil
}

// ToPicture brings a box x1 y1 x2 y2 of the network's input to pixels of the
// picture, clipped to it.
func (p *Placement) ToPicture(box [4]float32) [4]float32 {
	for i := range box {
		axis := i % 2
		v := (box[i] - float32(p.Pad[axis])) / float32(p.Gain[axis])
		box[i] = min(max(v, 0), float32(p.Picture[axis]))
	}
	return box
}
