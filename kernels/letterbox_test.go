package kernels

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"testing"

	"spotter/kernels/emit"
)

// goldenFile reads expectations made with PyTorch and OpenCV.
func goldenFile(t *testing.T, name string, v any) {
	t.Helper()
	b, err := os.ReadFile("../models/golden/testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, v); err != nil {
		t.Fatal(err)
	}
}

// goldenMix is the finisher of the expectations' generator (testdata/README.md).
func goldenMix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// goldenPicture is the expectations' picture as RGBA.
func goldenPicture(w, h int, seed uint64) []byte {
	const gamma = 0x9e3779b97f4a7c15
	var pix []byte
	for y := range uint64(h) {
		for x := range uint64(w) {
			for c := range uint64(3) {
				block := goldenMix((((y>>4)*65536+(x>>4))*4+c+seed<<40)*gamma) >> 56
				noise := goldenMix(((y*65536+x)*4+c+seed<<40+1<<60)*gamma) >> 56
				pix = append(pix, byte((3*block+noise)>>2))
			}
			pix = append(pix, 255)
		}
	}
	return pix
}

func yolov5Feed(w, h int) LetterboxParams {
	return LetterboxParams{Out: Packed(h, w, 3), Pad: 114, Scale: float32(1) / 255, Std: [3]float32{1, 1, 1}}
}

// letterboxRig is a module that feeds pictures.
type letterboxRig struct {
	p         LetterboxParams
	m         *emit.Module
	place, do *emit.Func
	placement int // in memory, after the last run
}

func newLetterboxRig(p LetterboxParams, picture int) *letterboxRig {
	need := p.ScratchBytes() + p.Out.H*p.Out.RowStride + picture + 4096
	r := &letterboxRig{p: p, m: newTestModule(need/65536 + 1)}
	r.place, r.do = PlaceFunc(r.m, p), LetterboxFunc(r.m, p)
	return r
}

// run feeds a picture, in two parts as two threads would, and gives the input's address.
func (r *letterboxRig) run(t *testing.T, x *rig, rgba []byte, w, h int) (out int, scratch [2]int) {
	x.reset()
	src := x.bytes(rgba)
	r.placement = x.take(PlacementBytes)
	out = x.blank(r.p.Out)
	scratch = [2]int{x.take(r.p.ScratchBytes()), r.p.ScratchBytes()}
	x.call(t, r.place, w, h, r.placement)
	split := r.p.Out.H * 2 / 5
	x.call(t, r.do, src, r.placement, out, scratch[0], split, r.p.Out.H)
	x.call(t, r.do, src, r.placement, out, scratch[0], 0, split)
	return out, scratch
}

func TestLetterboxGolden(t *testing.T) {
	var golden struct {
		Cases []struct {
			Width, Height    int
			Net, Output, Pad []float64
			Resized          []int
			Top, Left        int
			Scaleup          bool
			ImageSeed        uint64 `json:"image_seed"`
			Samples, Corners [][5]int
			Error            string
			ScaleBoxes       []struct {
				Net   [4]float64 `json:"net_box"`
				Image [4]float64 `json:"image_box"`
			} `json:"scale_boxes"`
		}
	}
	goldenFile(t, "letterbox.json", &golden)
	for _, c := range golden.Cases {
		if !c.Scaleup || c.Error != "" {
			continue // a module always fills its input and keeps a pixel
		}
		t.Run(fmt.Sprintf("%dx%d to %v", c.Width, c.Height, c.Output), func(t *testing.T) {
			p := yolov5Feed(int(c.Output[0]), int(c.Output[1]))
			pic := goldenPicture(c.Width, c.Height, c.ImageSeed)
			r := newLetterboxRig(p, len(pic))
			onRig(t, r.m, func(t *testing.T, x *rig) {
				in, _ := r.run(t, x, pic, c.Width, c.Height)
				var got [4]int
				for i := range got {
					got[i] = x.word(r.placement + placeCorner + 4*i)
				}
				if want := [4]int{c.Left, c.Top, c.Resized[0], c.Resized[1]}; got != want {
					t.Fatalf("left, top, width, height %v, want %v", got, want)
				}
				for _, s := range append(c.Samples, c.Corners...) {
					for k := range 3 {
						got := x.get(in+p.Out.At(s[1], s[0], k)) * 255
						if d := got - float32(s[2+k]); d > 1.01 || d < -1.01 {
							t.Errorf("pixel %d,%d channel %d is %g, want %d", s[0], s[1], k, got, s[2+k])
						}
					}
				}
			})
		})
	}
}

// TestLetterbox compares every value with the scalar twin.
func TestLetterbox(t *testing.T) {
	imagenet := LetterboxParams{Scale: 1, Pad: 0, Mean: [3]float32{123.675, 116.28, 103.53}, Std: [3]float32{58.395, 57.12, 57.375}}
	raw := LetterboxParams{Scale: 1, Pad: 114, BGR: true, Std: [3]float32{1, 1, 1}}
	sizes := [][2]int{{1, 1}, {2, 1}, {1, 7}, {3, 2}, {31, 17}, {32, 24}, {64, 48}, {66, 48}, {33, 64}, {129, 65}, {200, 3}, {5, 300}}
	for _, p := range []LetterboxParams{yolov5Feed(1, 1), imagenet, raw} {
		for _, fit := range []Fit{FitLetterbox, FitTopLeft, FitSquash, FitCropCentre} {
			for _, out := range []View{Packed(24, 32, 3), wide(Packed(24, 31, 3), 1, 0), wide(Packed(5, 7, 3), 0, 2)} {
				p.Fit, p.Out = fit, out
				r := newLetterboxRig(p, 32<<10)
				onRig(t, r.m, func(t *testing.T, x *rig) {
					for _, size := range sizes {
						compareLetterbox(t, x, r, size[0], size[1])
					}
				})
			}
		}
	}
}

func compareLetterbox(t *testing.T, x *rig, r *letterboxRig, w, h int) {
	pic := make([]byte, w*h*4)
	for i, v := range noise(len(pic), uint32(w*1000+h)) {
		pic[i] = byte(int(v*128) + 128)
	}
	out, scratch := r.run(t, x, pic, w, h)
	v, want := r.p.Out, letterboxScalar(r.p, pic, w, h)
	if v.PixelStride >= 16 { // the fourth channel is set to 0
		v.C = 4
		for i := 3; i <= len(want); i += 4 {
			want = slices.Insert(want, i, 0)
		}
	}
	x.check(t, fmt.Sprintf("%+v, picture %dx%d", r.p, w, h), v, out, want, 0, scratch)
}
