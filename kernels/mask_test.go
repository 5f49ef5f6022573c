package kernels

import (
	"fmt"
	"math"
	"testing"

	"spotter/kernels/emit"
)

// maskRig is a module with a mask and what detect would have left for it.
type maskRig struct {
	p         MaskParams
	m         *emit.Module
	place, do *emit.Func
	dst       int
}

func newMaskRig(proto View, netW, netH, results, dstBytes int) *maskRig {
	at := 64
	take := func(n int) int {
		v := at
		at = (at+n+15)/16*16 + 64
		return v
	}
	p := MaskParams{Proto: DetectMap{View: proto}, NetWidth: netW, NetHeight: netH, MaxResults: results}
	p.KeptStride = 16 + (proto.C+3)/4*16
	p.Proto.Address, p.Kept = take(proto.Bytes()), take(results*p.KeptStride)
	p.Placement, p.Rect = take(PlacementBytes), take(16)
	p.Scratch = take(0)
	take(p.ScratchBytes())
	r := &maskRig{p: p, dst: take(dstBytes)}
	r.m = newTestModule(at/65536 + 1)
	r.place = PlaceFunc(r.m, LetterboxParams{Out: Packed(netH, netW, 3), Scale: 1, Std: [3]float32{1, 1, 1}})
	r.do = MaskFunc(r.m, p)
	return r
}

// maskRun is one result and where its mask goes.
type maskRun struct {
	proto        []float32 // [H][W][C]
	box          [4]float32
	coef         []float32
	w, h         int // of the picture
	gridW, gridH int
}

// run gives the mask's rectangle and bytes.
func (r *maskRig) run(t *testing.T, x *rig, d maskRun) (rect [4]int, bits []byte) {
	t.Helper()
	x.reset()
	x.take(r.dst - 64 - 16)
	x.each(r.p.Proto.View, func(i, y, xx, c int) { x.put(r.p.Proto.Address+r.p.Proto.At(y, xx, c), d.proto[i]) })
	index := r.p.MaxResults - 1
	kept := make([]float32, r.p.KeptStride/4)
	copy(kept, d.box[:])
	copy(kept[4:], d.coef)
	for i, v := range kept {
		x.put(r.p.Kept+index*r.p.KeptStride+4*i, v)
	}
	x.call(t, r.place, d.w, d.h, r.p.Placement)
	dst := x.take(d.gridW * d.gridH)
	x.call(t, r.do, index, d.gridW, d.gridH, dst)
	for i := range rect {
		rect[i] = x.word(r.p.Rect + 4*i)
	}
	n := (rect[2] - rect[0]) * (rect[3] - rect[1])
	for i, b := range x.before[dst+n:] {
		if x.mem[dst+n+i] != b {
			t.Fatalf("%+v: wrote behind the mask of %v, %d bytes", d.box, rect, i)
		}
	}
	return rect, x.mem[dst : dst+n]
}

// full spreads the mask over the grid.
func full(rect [4]int, bits []byte, w, h int) []bool {
	all := make([]bool, w*h)
	for i, b := range bits {
		n := rect[2] - rect[0]
		all[(rect[1]+i/n)*w+rect[0]+i%n] = b == 255
	}
	return all
}

func TestMaskGolden(t *testing.T) {
	var cases []struct {
		Net   [2]int
		Shape [3]int    `json:"proto_shape"`
		Proto []float32 `json:"proto_times_256"`
		Name  string    `json:"coef_name"`
		Boxes [][4]float32
		RLE   [][]int `json:"rle"`
	}
	goldenFile(t, "mask.json", &cases)
	for _, c := range cases {
		k, h, w := c.Shape[0], c.Shape[1], c.Shape[2]
		proto := make([]float32, len(c.Proto))
		for i, v := range c.Proto {
			proto[i%(h*w)*k+i/(h*w)] = v / 256
		}
		coef := goldenUniform(c.Name, len(c.Boxes)*k)
		r := newMaskRig(Packed(h, w, k), c.Net[0], c.Net[1], 3, c.Net[0]*c.Net[1])
		onRig(t, r.m, func(t *testing.T, x *rig) {
			for i, box := range c.Boxes {
				rect, bits := r.run(t, x, maskRun{proto, box, coef[i*k : (i+1)*k], c.Net[0], c.Net[1], c.Net[0], c.Net[1]})
				got := full(rect, bits, c.Net[0], c.Net[1])
				at, set := 0, false
				for _, run := range c.RLE[i] {
					for range run {
						if got[at] != set {
							t.Fatalf("net %v box %v: pixel %d,%d is %v", c.Net, box, at%c.Net[0], at/c.Net[0], got[at])
						}
						at++
					}
					set = !set
				}
			}
		})
	}
}

// goldenUniform is the expectations' numbers for a name (testdata/README.md).
func goldenUniform(name string, n int) []float32 {
	z := uint64(0xcbf29ce484222325)
	for i := range len(name) {
		z = (z ^ uint64(name[i])) * 0x100000001b3
	}
	u := make([]float32, n)
	for i := range u {
		z += 0x9e3779b97f4a7c15
		u[i] = float32(goldenMix(z)>>40)/(1<<23) - 1
	}
	return u
}

// TestMask compares masks on grids of many sizes with the scalar twin.
func TestMask(t *testing.T) {
	grids := [][2]int{{1, 1}, {15, 7}, {16, 9}, {17, 31}, {64, 48}, {100, 50}, {1300, 3}, {2100, 2}}
	boxes := [][4]float32{{0, 0, 64, 48}, {10.3, 8.7, 50.2, 40.9}, {-10, -20, 20.5, 90}, {30, 20, 30, 40}, {63, 47, 70, 70}, {100, 10, 120, 20},
		{20, 10, 15, 40}, {5, 13, 6, 35}}
	for _, c := range []int{32, 5, 1} {
		proto := wide(Packed(12, 16, c), c%3, 1)
		r := newMaskRig(proto, 64, 48, 2, 64<<10)
		onRig(t, r.m, func(t *testing.T, x *rig) {
			d := maskRun{proto: noise(12*16*c, 1), coef: noise(c, uint32(c))}
			for _, size := range [][2]int{{64, 48}, {640, 480}, {50, 100}, {333, 77}} {
				for _, grid := range grids {
					for _, box := range boxes {
						d.w, d.h, d.gridW, d.gridH, d.box = size[0], size[1], grid[0], grid[1], box
						r.compare(t, x, d)
					}
				}
			}
		})
	}
}

func (r *maskRig) compare(t *testing.T, x *rig, d maskRun) {
	t.Helper()
	p := r.p.Proto
	label := fmt.Sprintf("%d coefficients, picture %dx%d, grid %dx%d, box %v", p.C, d.w, d.h, d.gridW, d.gridH, d.box)
	rect, bits := r.run(t, x, d)
	at := func(y, xx, c int) float32 { return d.proto[(y*p.W+xx)*p.C+c] }
	low := lowMaskScalar(r.p, at, d.coef, d.box)
	f := fitScalar(LetterboxParams{Out: Packed(r.p.NetHeight, r.p.NetWidth, 3)}, d.w, d.h)
	ax := axisScalar(d.gridW, d.w, r.p.NetWidth, p.W, f.gainX, f.padX)
	ay := axisScalar(d.gridH, d.h, r.p.NetHeight, p.H, f.gainY, f.padY)
	got := full(rect, bits, d.gridW, d.gridH)
	for i, set := range got {
		v := upMaskScalar(low, ax, ay, i%d.gridW, i/d.gridW)
		if set != (v > 0.5) && math.Abs(float64(v)-0.5) > 1e-5 {
			t.Fatalf("%s: cell %d,%d is %v, value %v; rectangle %v", label, i%d.gridW, i/d.gridW, set, v, rect)
		}
	}
	var want [4]int
	cx0, cx1 := maskCrop(d.box[0], d.box[2], r.p.scaleX(), p.W)
	cy0, cy1 := maskCrop(d.box[1], d.box[3], r.p.scaleY(), p.H)
	want[0], want[2] = ax.span(d.gridW, cx0, cx1)
	want[1], want[3] = ay.span(d.gridH, cy0, cy1)
	if want[0] == want[2] || want[1] == want[3] {
		want = [4]int{}
	}
	if rect != want {
		t.Fatalf("%s: rectangle %v, want %v", label, rect, want)
	}
}

// TestMaskIndex asks for masks that there are none of.
func TestMaskIndex(t *testing.T) {
	r := newMaskRig(Packed(4, 4, 4), 16, 16, 3, 256)
	onRig(t, r.m, func(t *testing.T, x *rig) {
		x.reset()
		for _, i := range []int{-1, 3, 1 << 30} {
			x.call(t, r.do, i, 16, 16, r.dst)
			for k := range 4 {
				if v := x.word(r.p.Rect + 4*k); v != 0 {
					t.Errorf("mask %d has a rectangle: word %d is %d", i, k, v)
				}
			}
		}
	})
}
