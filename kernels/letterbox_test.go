package kernels

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
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

func yolov5Feed(w, h, pixel int) LetterboxParams {
	return LetterboxParams{Out: View{H: h, W: w, C: 3, PixelStride: pixel, RowStride: w * pixel},
		Pad: 114, Scale: float32(1) / 255, Std: [3]float32{1, 1, 1}}
}

// letterboxBench holds where a letterbox module keeps things.
type letterboxBench struct {
	p                             LetterboxParams
	m                             *emit.Module
	place, scratch, out, src, end int
}

func newLetterboxBench(p LetterboxParams, maxPicture int) *letterboxBench {
	b := &letterboxBench{p: p, m: emit.NewModule(), place: 1024, scratch: 2048}
	b.m.Export("place", PlaceFunc(b.m, p))
	b.m.Export("letterbox", LetterboxFunc(b.m, p))
	b.out = (b.scratch + p.ScratchBytes() + 15) &^ 15
	b.src = (b.out + p.Out.H*p.Out.RowStride + 64 + 15) &^ 15
	b.end = b.src + maxPicture
	return b
}

func (b *letterboxBench) pages() int { return (b.end + 65535) / 65536 }

// run feeds a picture, in two parts as two threads would, and returns the input [H][W][3].
func (b *letterboxBench) run(vm *machine, rgba []byte, w, h int) []float32 {
	vm.write(b.src, rgba)
	vm.call("place", uint64(w), uint64(h), uint64(b.place))
	split := uint64(b.p.Out.H * 2 / 5)
	args := []uint64{uint64(b.src), uint64(b.place), uint64(b.out), uint64(b.scratch)}
	vm.call("letterbox", append(args, split, uint64(b.p.Out.H))...)
	vm.call("letterbox", append(args, 0, split)...)
	var in []float32
	for y := range b.p.Out.H {
		row := vm.f32s(b.out+y*b.p.Out.RowStride, b.p.Out.W*b.p.Out.PixelStride/4)
		for x := range b.p.Out.W {
			in = append(in, row[x*b.p.Out.PixelStride/4:][:3]...)
		}
	}
	return in
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
			p := yolov5Feed(int(c.Output[0]), int(c.Output[1]), 12)
			pic := goldenPicture(c.Width, c.Height, c.ImageSeed)
			b := newLetterboxBench(p, len(pic))
			onEngines(t, b.m, b.pages(), func(t *testing.T, vm *machine) {
				in := b.run(vm, pic, c.Width, c.Height)
				if at := vm.i32s(b.place+placeCorner, 4); at[0] != c.Left || at[1] != c.Top || at[2] != c.Resized[0] || at[3] != c.Resized[1] {
					t.Fatalf("left, top, width, height %v, want %d %d %v", at, c.Left, c.Top, c.Resized)
				}
				off := 0
				for _, s := range append(c.Samples, c.Corners...) {
					for k := range 3 {
						got := in[(s[1]*p.Out.W+s[0])*3+k] * 255
						if d := got - float32(s[2+k]); d > 1.01 || d < -1.01 {
							t.Errorf("pixel %d,%d channel %d is %g, want %d", s[0], s[1], k, got, s[2+k])
						} else if d > 0.5 || d < -0.5 {
							off++
						}
					}
				}
				t.Logf("%d of %d off by one level", off, 3*len(c.Samples))
			})
		})
	}
}

// TestLetterbox compares every value with the scalar twin.
func TestLetterbox(t *testing.T) {
	imagenet := LetterboxParams{Scale: 1, Pad: 0, Mean: [3]float32{123.675, 116.28, 103.53}, Std: [3]float32{58.395, 57.12, 57.375}}
	raw := LetterboxParams{Scale: 1, Pad: 114, BGR: true, Std: [3]float32{1, 1, 1}}
	v5 := yolov5Feed(1, 1, 12)
	sizes := [][2]int{{1, 1}, {2, 1}, {1, 7}, {3, 2}, {31, 17}, {32, 24}, {64, 48}, {66, 48}, {33, 64}, {129, 65}, {200, 3}, {5, 300}}
	for _, p := range []LetterboxParams{v5, imagenet, raw} {
		for _, fit := range []Fit{FitLetterbox, FitTopLeft, FitSquash, FitCropCentre} {
			for _, pixel := range []int{12, 16} {
				p.Fit = fit
				p.Out = View{H: 24, W: 32, C: 3, PixelStride: pixel, RowStride: 32 * pixel}
				if pixel == 16 {
					p.Out.W = 31
				}
				b := newLetterboxBench(p, 32<<10)
				onEngines(t, b.m, b.pages(), func(t *testing.T, vm *machine) {
					for _, size := range sizes {
						compareLetterbox(t, vm, b, size[0], size[1])
					}
				})
			}
		}
	}
}

func compareLetterbox(t *testing.T, vm *machine, b *letterboxBench, w, h int) {
	r := rand.New(rand.NewPCG(uint64(w), uint64(h)))
	pic := make([]byte, w*h*4)
	for i := range pic {
		pic[i] = byte(r.Uint32())
	}
	got, want := b.run(vm, pic, w, h), letterboxScalar(b.p, pic, w, h)
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("%+v, picture %dx%d: pixel %d,%d channel %d is %v, want %v", b.p, w, h,
				i/3%b.p.Out.W, i/3/b.p.Out.W, i%3, got[i], want[i])
		}
	}
	after := vm.f32s(b.out+b.p.Out.H*b.p.Out.RowStride, 4)
	for _, v := range after {
		if v != 0 {
			t.Fatalf("%+v, picture %dx%d: wrote %v behind the input", b.p, w, h, after)
		}
	}
}
