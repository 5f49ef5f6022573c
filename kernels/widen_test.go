package kernels

import (
	"encoding/binary"
	"math"
	"testing"
)

// TestWidenHalf converts every binary16 there is.
func TestWidenHalf(t *testing.T) {
	m := newTestModule(8)
	f := WidenFunc(m, WidenParams{Half: true})
	onRig(t, m, func(t *testing.T, x *rig) {
		x.reset()
		all := make([]byte, 0, 1<<17)
		for h := range 1 << 16 {
			all = binary.LittleEndian.AppendUint16(all, uint16(h))
		}
		src, dst := x.bytes(all), x.take(4<<16)
		x.call(t, f, src, dst, 1<<16)
		for h := range 1 << 16 {
			got, want := uint32(x.word(dst+4*h)), math.Float32bits(widenScalar(uint16(h)))
			if got != want {
				t.Fatalf("half %#04x is %#08x, want %#08x", h, got, want)
			}
		}
	})
}

func TestWidenCounts(t *testing.T) {
	m := newTestModule(1)
	half, single := WidenFunc(m, WidenParams{Half: true}), WidenFunc(m, WidenParams{})
	onRig(t, m, func(t *testing.T, x *rig) {
		for n := 0; n <= 24; n += 4 {
			x.reset()
			halves, want := make([]byte, 2*n), make([]float32, n)
			for i := range n {
				binary.LittleEndian.PutUint16(halves[2*i:], uint16(0x3c00+i*37))
				want[i] = widenScalar(uint16(0x3c00 + i*37))
			}
			v := View{H: 1, W: 1, C: n, PixelStride: 4 * n, RowStride: 4 * n}
			src, dst := x.bytes(halves), x.blank(v)
			x.call(t, half, src, dst, n)
			x.check(t, "widen_f16_4 of "+v.String(), v, dst, want, 0)
			from, to := x.floats(want), x.blank(v)
			x.call(t, single, from, to, n)
			x.check(t, "widen_f32_4 of "+v.String(), v, to, want, 0)
		}
	})
}

func TestWidenScaled(t *testing.T) {
	m := newTestModule(1)
	cases := []WidenParams{{true, 4}, {true, 8}, {false, 8}, {true, 12}}
	for _, p := range cases {
		WidenFunc(m, p)
	}
	onRig(t, m, func(t *testing.T, x *rig) {
		for _, p := range cases {
			for k := 1; k <= 5; k++ {
				const blocks = 3
				x.reset()
				n := blocks * k * p.Block
				scales, src, want := noise(blocks*p.Block, 7), []byte{}, make([]float32, n)
				for i := range want {
					h := uint16(0x3800 + i*53)
					v := widenScalar(h)
					if p.Half {
						src = binary.LittleEndian.AppendUint16(src, h)
					} else {
						src = binary.LittleEndian.AppendUint32(src, math.Float32bits(v))
					}
					want[i] = v * scales[i/(k*p.Block)*p.Block+i%p.Block]
				}
				v := Packed(blocks, k, p.Block)
				at, s, dst := x.bytes(src), x.floats(scales), x.blank(v)
				x.call(t, m.Func(p.name()), at, s, dst, k, blocks)
				x.check(t, p.name(), v, dst, want, 0)
			}
		}
	})
}
