package kernels

import "math"

// widenScalar is the float32 of an IEEE 754 binary16: 1 sign, 5 exponent (bias 15),
// 10 fraction bits.
func widenScalar(h uint16) float32 {
	sign, exp, frac := uint32(h>>15)<<31, uint32(h>>10)&31, uint32(h)&1023
	switch exp {
	case 0: // zero and subnormal: frac * 2^-24
		v := math.Float32bits(float32(frac) / (1 << 24))
		return math.Float32frombits(v | sign)
	case 31: // infinity and NaN keep their fraction
		return math.Float32frombits(sign | 255<<23 | frac<<13)
	}
	return math.Float32frombits(sign | (exp+112)<<23 | frac<<13)
}
