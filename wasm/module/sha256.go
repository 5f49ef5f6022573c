package module

import (
	"encoding/binary"
	"math"
	"math/bits"
)

// sum256 is SHA-256 (FIPS 180-4, section 6.2). The standard library's brings along
// all of Go's FIPS module, which the compiler in the page would have to download.
func sum256(data []byte) [32]byte {
	h := roots(2, 8)
	k := roots(3, 64)
	tail := append([]byte(nil), data[len(data)/64*64:]...)
	tail = append(tail, 0x80)
	for len(tail)%64 != 56 {
		tail = append(tail, 0)
	}
	tail = binary.BigEndian.AppendUint64(tail, uint64(len(data))*8)
	for _, part := range [][]byte{data[:len(data)/64*64], tail} {
		for ; len(part) > 0; part = part[64:] {
			block(h, k, part)
		}
	}
	var sum [32]byte
	for i, v := range h {
		binary.BigEndian.PutUint32(sum[4*i:], v)
	}
	return sum
}

// roots gives the first 32 bits behind the point of the n-th roots (2 or 3) of the first primes.
func roots(n, count int) []uint32 {
	var list []uint32
	for p := 2; len(list) < count; p++ {
		prime := true
		for d := 2; d*d <= p; d++ {
			prime = prime && p%d != 0
		}
		if !prime {
			continue
		}
		root := math.Sqrt(float64(p))
		if n == 3 {
			root = math.Cbrt(float64(p))
		}
		list = append(list, uint32(uint64(math.Floor(root*(1<<32)))))
	}
	return list
}

// block mixes 64 bytes into h.
func block(h, k []uint32, data []byte) {
	var w [64]uint32
	for i := range 16 {
		w[i] = binary.BigEndian.Uint32(data[4*i:])
	}
	for i := 16; i < 64; i++ {
		x, y := w[i-15], w[i-2]
		s0 := bits.RotateLeft32(x, -7) ^ bits.RotateLeft32(x, -18) ^ x>>3
		s1 := bits.RotateLeft32(y, -17) ^ bits.RotateLeft32(y, -19) ^ y>>10
		w[i] = w[i-16] + s0 + w[i-7] + s1
	}
	a, b, c, d, e, f, g, last := h[0], h[1], h[2], h[3], h[4], h[5], h[6], h[7]
	for i, v := range w {
		s1 := bits.RotateLeft32(e, -6) ^ bits.RotateLeft32(e, -11) ^ bits.RotateLeft32(e, -25)
		t := last + s1 + (e&f ^ ^e&g) + k[i] + v
		s0 := bits.RotateLeft32(a, -2) ^ bits.RotateLeft32(a, -13) ^ bits.RotateLeft32(a, -22)
		u := s0 + (a&b ^ a&c ^ b&c)
		a, b, c, d, e, f, g, last = t+u, a, b, c, d+t, e, f, g
	}
	for i, v := range [8]uint32{a, b, c, d, e, f, g, last} {
		h[i] += v
	}
}
