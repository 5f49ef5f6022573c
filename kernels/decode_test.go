package kernels

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

// yolov5Head is YOLOv5's: all parts of an anchor in one map.
func yolov5Head(netW, netH, classes, masks int) DetectParams {
	anchors := [][][2]float32{
		{{10, 13}, {16, 30}, {33, 23}}, {{30, 61}, {62, 45}, {59, 119}}, {{116, 90}, {156, 198}, {373, 326}},
	}
	p := DetectParams{Kind: BoxAnchors, Classes: classes, Masks: masks, MaxResults: 100}
	for i, a := range anchors {
		stride, step := 8<<i, 5+classes+masks
		p.Maps = append(p.Maps, DetectMap{View: Packed(netH/stride, netW/stride, 3*step)})
		p.Levels = append(p.Levels, DetectLevel{Stride: stride, Anchors: a, AnchorStep: step,
			Box: DetectPart{i, 0}, Obj: DetectPart{i, 4}, Cls: DetectPart{i, 5}, Coef: DetectPart{i, 5 + classes}})
	}
	return p
}

// yoloxHead has its class and box maps apart and gives probabilities.
func yoloxHead(netW, netH, classes int) DetectParams {
	p := DetectParams{Kind: BoxGrid, Classes: classes, MaxResults: 100}
	for i := range 3 {
		stride := 8 << i
		h, w := netH/stride, netW/stride
		p.Maps = append(p.Maps, DetectMap{View: wide(Packed(h, w, 5), 3, 1)}, DetectMap{View: Packed(h, w, classes)})
		p.Levels = append(p.Levels, DetectLevel{Stride: stride, Box: DetectPart{2 * i, 0}, Obj: DetectPart{2 * i, 4},
			Cls: DetectPart{2*i + 1, 0}, Coef: DetectPart{-1, 0}, ObjSigmoid: true, ClsSigmoid: true})
	}
	return p
}

// gflHead has no objectness.
func gflHead(netW, netH, classes, bins int, sigmoid bool) DetectParams {
	p := DetectParams{Kind: BoxBins, Classes: classes, Bins: bins, MaxResults: 100}
	for i := range 4 {
		stride := 8 << i
		h, w := netH/stride, netW/stride
		p.Maps = append(p.Maps, DetectMap{View: Packed(h, w, 4*max(bins, 1))}, DetectMap{View: wide(Packed(h, w, classes), 2, 0)})
		p.Levels = append(p.Levels, DetectLevel{Stride: stride, Box: DetectPart{2 * i, 0}, Obj: DetectPart{-1, 0},
			Cls: DetectPart{2*i + 1, 0}, Coef: DetectPart{-1, 0}, ClsSigmoid: sigmoid})
	}
	return p
}

// rawMaps fills a head's maps: logits, or probabilities where the head has those.
func rawMaps(p DetectParams, seed uint32) [][]float32 {
	var maps [][]float32
	for i, m := range p.Maps {
		data := noise(m.H*m.W*m.C, seed+uint32(i))
		for k := range data {
			data[k] = 4*data[k] - 1
		}
		maps = append(maps, data)
	}
	for _, l := range p.Levels {
		squash := func(part DetectPart, n int) {
			for k := range maps[part.Map] {
				if c := k % p.Maps[part.Map].C; c >= part.Channel && c < part.Channel+n {
					maps[part.Map][k] = sigmoid(maps[part.Map][k])
				}
			}
		}
		if l.ClsSigmoid {
			squash(l.Cls, p.Classes)
		}
		if l.ObjSigmoid {
			squash(l.Obj, 1)
		}
	}
	return maps
}

// expected are the results of the scalar twins, boxes in network pixels.
func (r *detectRig) expected(d detectRun) []candidate {
	at := func(m, y, x, c int) float32 { v := r.p.Maps[m]; return d.maps[m][(y*v.W+x)*v.C+c] }
	allowed := func(class int) bool { return !slices.Contains(d.off, class) }
	list := decodeScalar(r.p, at, d.conf, allowed, d.multi && r.p.Classes > 1)
	return nmsScalar(list, float64(d.iou), d.agnostic, r.p.maxNMS(), min(d.max, r.p.MaxResults))
}

func (r *detectRig) compare(t *testing.T, x *rig, d detectRun) {
	t.Helper()
	label := fmt.Sprintf("kind %d, %d classes, %d masks, %d bins, net %dx%d, conf %g, iou %g, multi %v, agnostic %v, off %v, max %d, max nms %d",
		r.p.Kind, r.p.Classes, r.p.Masks, r.p.Bins, r.netW, r.netH, d.conf, d.iou, d.multi, d.agnostic, d.off, d.max, r.p.maxNMS())
	n, want := r.run(t, x, d), r.expected(d)
	if n != len(want) {
		t.Fatalf("%s: %d results, want %d", label, n, len(want))
	}
	f := fitScalar(LetterboxParams{Out: Packed(r.netH, r.netW, 3)}, d.w, d.h)
	for i, c := range want {
		result := r.p.Results + 32*i
		kept := x.read(r.p.Kept()+i*r.p.KeptStride(), 4+r.p.Masks)
		if class := x.word(result + 20); class != c.class || !near(x.get(result+16), c.score, 1e-6) {
			t.Fatalf("%s: result %d is class %d score %v, want %d %v", label, i, class, x.get(result+16), c.class, c.score)
		}
		for k, v := range c.box {
			pad, gain, side := f.padX, f.gainX, d.w
			if k%2 == 1 {
				pad, gain, side = f.padY, f.gainY, d.h
			}
			picture := min(max((v-float32(pad))/float32(gain), 0), float32(side))
			if got := x.get(result + 4*k); !near(got, picture, 2e-5) || !near(kept[k], v, 2e-5) {
				t.Fatalf("%s: result %d corner %d is %v in the picture, %v in the net, want %v, %v", label, i, k, got, kept[k], picture, v)
			}
		}
		for k, v := range c.coef {
			if kept[4+k] != v {
				t.Fatalf("%s: result %d coefficient %d is %v, want %v", label, i, k, kept[4+k], v)
			}
		}
	}
}

func TestDetect(t *testing.T) {
	heads := []DetectParams{
		yolov5Head(64, 32, 80, 0), yolov5Head(32, 64, 80, 32), yolov5Head(64, 64, 1, 5), yolov5Head(64, 64, 2, 0), yolov5Head(96, 32, 7, 0),
		yoloxHead(64, 32, 80), yoloxHead(64, 64, 3),
		gflHead(64, 64, 80, 8, true), gflHead(64, 128, 33, 16, false), gflHead(64, 64, 1, 7, false), gflHead(64, 64, 5, 0, true),
	}
	for i, p := range heads {
		netW, netH := p.Maps[0].W*8, p.Maps[0].H*8
		r := newDetectRig(p, netW, netH)
		onRig(t, r.m, func(t *testing.T, x *rig) {
			d := detectRun{maps: rawMaps(p, uint32(10*i)), conf: 0.25, iou: 0.45, max: 100, w: 100, h: 50}
			r.compare(t, x, d)
			d.conf, d.multi = 0.6, true
			r.compare(t, x, d)
			d.agnostic, d.max = true, 7
			r.compare(t, x, d)
			d.off, d.iou, d.multi = []int{0, 32, 79}, 0.7, false
			r.compare(t, x, d)
			for _, conf := range []float32{0.9999, 1, 2, float32(math.NaN()), float32(math.Inf(1))} {
				d.conf = conf
				r.compare(t, x, d)
			}
			d.max = -1
			if n := r.run(t, x, d); n != 0 {
				t.Errorf("%d results at most -1", n)
			}
		})
	}
}

// TestDetectOverflow has more candidates than room: the best stay, ties in order.
func TestDetectOverflow(t *testing.T) {
	const rows, classes = 60, 5
	r := newDetectRig(rowsHead(rows, classes, 20), 640, 640)
	onRig(t, r.m, func(t *testing.T, x *rig) {
		for seed := range uint32(5) {
			data := noise(rows*(5+classes), seed)
			for i := range data {
				if c := i % (5 + classes); c < 4 {
					data[i] = 40*data[i] + 50
				} else {
					data[i] = float32(int(8*data[i]+8)) / 16 // many ties
				}
			}
			for _, conf := range []float32{-1, 0, 0.01, 0.3} {
				r.compare(t, x, detectRun{maps: [][]float32{data}, conf: conf, iou: 0.45, max: 300, multi: true, w: 640, h: 640})
			}
		}
	})
}

// TestDetectGarbage feeds what a broken network may give.
func TestDetectGarbage(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	garbage := []float32{nan, inf, -inf, 1e38, -1e38, 100, 0, 1e-40, 3, -3}
	for i, p := range []DetectParams{yolov5Head(64, 64, 6, 4), yoloxHead(64, 64, 6), gflHead(64, 64, 6, 8, false), rowsHead(50, 3, 20)} {
		r := newDetectRig(p, 64, 64)
		onRig(t, r.m, func(t *testing.T, x *rig) {
			for seed := range uint32(len(garbage)) {
				maps := rawMaps(p, seed)
				for _, m := range maps {
					for k, v := range noise(len(m), seed+99) {
						if seed == 0 {
							m[k] = nan
						} else if v > 0 {
							m[k] = garbage[int(v*1e6)%len(garbage)]
						}
					}
				}
				n := r.run(t, x, detectRun{maps: maps, conf: 0.001, iou: 0.45, max: 100, multi: seed%2 == 1, w: 64, h: 48})
				if n < 0 || n > 100 || seed == 0 && n > 0 {
					t.Fatalf("head %d, seed %d: %d results", i, seed, n)
				}
				for k := range n {
					for c, v := range x.read(r.p.Results+32*k, 5) {
						if limit := []float32{64, 48, 64, 48, inf}[c]; !(v >= 0 && v <= limit) {
							t.Fatalf("head %d, seed %d: result %d column %d is %v", i, seed, k, c, v)
						}
					}
				}
			}
		})
	}
}
