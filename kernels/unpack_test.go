package kernels

import (
	"encoding/binary"
	"fmt"
	"math"
	"testing"
)

// TestUnpack sweeps block widths, rows and blocks, with the source behind the
// result and with both overlapping as load() lays them.
func TestUnpack(t *testing.T) {
	for _, lanes := range []int{4, 8, 12} {
		m := newTestModule(1)
		f := UnpackFunc(m, UnpackParams{Lanes: lanes})
		onRig(t, m, func(t *testing.T, x *rig) {
			for _, rows := range []int{2, 3, 9} {
				for blocks := range 4 {
					label := fmt.Sprintf("lanes=%d rows=%d blocks=%d", lanes, rows, blocks)
					scale, bias := noise(lanes*blocks, 1), noise(lanes*blocks, 2)
					halves := make([]uint16, lanes*blocks*rows)
					for i := range halves {
						halves[i] = uint16(i*9377) & 0xfbff // no infinity, no NaN
					}
					want := Unpack(scale, bias, halves, lanes, rows)
					for _, lead := range []int{4 * len(want), 2*len(halves) - 4*lanes*blocks} {
						x.reset()
						dst := x.take(lead + 8*lanes*blocks + 2*len(halves) + 4*len(want))
						writeWire(x, dst+lead, scale, bias, halves, lanes, rows)
						x.call(t, f, dst+lead, dst, rows, blocks)
						for i, w := range want {
							if got := x.get(dst + 4*i); math.Float32bits(got) != math.Float32bits(w) {
								t.Fatalf("%s lead=%d: value %d is %v, want %v", label, lead, i, got, w)
							}
						}
					}
				}
			}
		})
	}
}

func writeWire(x *rig, at int, scale, bias []float32, halves []uint16, lanes, rows int) {
	for first := 0; first < len(scale); first += lanes {
		for _, list := range [][]float32{scale, bias} {
			for _, v := range list[first : first+lanes] {
				x.put(at, v)
				at += 4
			}
		}
		for _, h := range halves[first*rows : (first+lanes)*rows] {
			binary.LittleEndian.PutUint16(x.mem[at:], h)
			at += 2
		}
	}
}
