package kernels

import (
	"fmt"
	"math"
	"testing"

	"spotter/kernels/emit"
)

// detectRig is a module with a detect, whose maps and results lie at fixed addresses.
type detectRig struct {
	p          DetectParams
	m          *emit.Module
	place, do  *emit.Func
	netW, netH int
	size       int // of all
}

// newDetectRig lays the maps and the rest out in memory; maps come with views only.
func newDetectRig(p DetectParams, netW, netH int) *detectRig {
	at := 64
	take := func(n int) int {
		v := at
		at = (at+n+15)/16*16 + 64
		return v
	}
	for i := range p.Maps {
		p.Maps[i].Address = take(p.Maps[i].Bytes())
	}
	p.ClassMask, p.Flags = take((p.Classes+31)/32*4), take(4)
	p.Placement, p.Results = take(PlacementBytes), take(32*p.MaxResults)
	p.Scratch = take(0)
	take(p.ScratchBytes())
	r := &detectRig{p: p, netW: netW, netH: netH, size: at}
	r.m = newTestModule(at/65536 + 1)
	r.place = PlaceFunc(r.m, LetterboxParams{Out: Packed(netH, netW, 3), Scale: 1, Std: [3]float32{1, 1, 1}})
	r.do = DetectFunc(r.m, p)
	return r
}

// detectRun is one call of detect.
type detectRun struct {
	maps            [][]float32 // [H][W][C]
	conf, iou       float32
	max             int
	agnostic, multi bool
	off             []int // classes not wanted
	w, h            int   // of the picture
}

// run gives the number of results.
func (r *detectRig) run(t *testing.T, x *rig, d detectRun) int {
	t.Helper()
	x.reset()
	x.take(r.size - 128)
	for i, m := range r.p.Maps {
		x.each(m.View, func(k, y, xx, c int) { x.put(m.Address+m.At(y, xx, c), d.maps[i][k]) })
	}
	words := make([]uint32, (r.p.Classes+31)/32)
	for i := range words {
		words[i] = math.MaxUint32
	}
	for _, c := range d.off {
		if c < r.p.Classes {
			words[c/32] &^= 1 << (c % 32)
		}
	}
	for i, w := range words {
		x.putWord(r.p.ClassMask+4*i, w)
	}
	var flags uint32
	if d.agnostic {
		flags |= 1
	}
	if d.multi {
		flags |= 2
	}
	x.putWord(r.p.Flags, flags)
	x.call(t, r.place, d.w, d.h, r.p.Placement)
	return x.call(t, r.do, int(math.Float32bits(d.conf)), int(math.Float32bits(d.iou)), d.max)
}

func (x *rig) putWord(at int, v uint32) { x.put(at, math.Float32frombits(v)) }

// TestNMSGolden feeds decoded rows through a head that takes them as they are.
func TestNMSGolden(t *testing.T) {
	var cases []struct {
		Name       string
		Conf, IOU  float32
		MultiLabel bool `json:"multi_label"`
		Agnostic   bool
		MaxDet     int `json:"max_det"`
		MaxNMS     int `json:"max_nms"`
		Columns    int
		Input      []float32
		Output     [][6]float64
	}
	goldenFile(t, "nms.json", &cases)
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			rows := max(1, len(c.Input)/c.Columns) // an empty input is one row of zeros
			input := append(c.Input, make([]float32, rows*c.Columns-len(c.Input))...)
			r := newDetectRig(rowsHead(rows, c.Columns-5, c.MaxNMS), 640, 640)
			onRig(t, r.m, func(t *testing.T, x *rig) {
				n := r.run(t, x, detectRun{maps: [][]float32{input}, conf: c.Conf, iou: c.IOU, max: c.MaxDet,
					multi: c.MultiLabel, agnostic: c.Agnostic, w: 640, h: 640})
				if n != len(c.Output) {
					t.Fatalf("%d results, want %d", n, len(c.Output))
				}
				for i := range n {
					got := append(x.read(r.p.Kept()+i*r.p.KeptStride(), 4), x.get(r.p.Results+32*i+16), float32(x.word(r.p.Results+32*i+20)))
					for k, want := range c.Output[i] {
						// The expectations are printed with eight digits.
						if digits := fmt.Sprintf("%.8g", got[k]); digits != fmt.Sprintf("%.8g", want) {
							t.Fatalf("row %d column %d is %v, want %v", i, k, got[k], want)
						}
					}
				}
			})
		})
	}
}

// rowsHead takes decoded rows cx cy w h obj classes.
func rowsHead(rows, classes, maxNMS int) DetectParams {
	return DetectParams{
		Kind: BoxCentre, Classes: classes, MaxNMS: maxNMS, MaxResults: 300,
		Maps: []DetectMap{{View: Packed(1, rows, 5+classes)}},
		Levels: []DetectLevel{{Stride: 1, Box: DetectPart{0, 0}, Obj: DetectPart{0, 4}, Cls: DetectPart{0, 5},
			Coef: DetectPart{-1, 0}, ClsSigmoid: true, ObjSigmoid: true}},
	}
}

// TestScaleBoxesGolden brings boxes of the network's input to the picture.
func TestScaleBoxesGolden(t *testing.T) {
	var golden struct {
		Cases []struct {
			Width, Height int
			Output        [2]int
			ScaleBoxes    []struct {
				Net   [4]float32 `json:"net_box"`
				Image [4]float32 `json:"image_box"`
			} `json:"scale_boxes"`
		}
	}
	goldenFile(t, "letterbox.json", &golden)
	for _, c := range golden.Cases {
		r := newDetectRig(rowsHead(1, 1, 0), c.Output[0], c.Output[1])
		onRig(t, r.m, func(t *testing.T, x *rig) {
			for _, s := range c.ScaleBoxes {
				b := s.Net
				row := []float32{(b[0] + b[2]) / 2, (b[1] + b[3]) / 2, b[2] - b[0], b[3] - b[1], 1, 1}
				if n := r.run(t, x, detectRun{maps: [][]float32{row}, conf: 0.25, iou: 0.45, max: 1, w: c.Width, h: c.Height}); n != 1 {
					t.Fatalf("%d results", n)
				}
				for i, want := range s.Image {
					if got := x.get(r.p.Results + 4*i); !near(got, want, 1e-6) {
						t.Errorf("picture %dx%d in %v, box %v: corner %d is %v, want %v", c.Width, c.Height, c.Output, b, i, got, want)
					}
				}
			}
		})
	}
}
