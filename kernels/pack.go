package kernels

import "fmt"

// PackGemm lays out weights [out][k] and bias [out] (or nil) in blocks of n
// output channels: the bias of the block, then for each k the weights of its
// channels. The last block is filled up with zeros to a multiple of 4 channels.
func PackGemm(weight, bias []float32, out, k, n int) []float32 {
	if len(weight) != out*k || bias != nil && len(bias) != out {
		panic(fmt.Sprintf("BUG: %d weights and %d biases for %d x %d", len(weight), len(bias), out, k))
	}
	packed := make([]float32, 0, packedLen(out, k, n))
	for first := 0; first < out; first += n {
		c := min(n, out-first)
		wide := 4 * vectors(c)
		at := len(packed)
		packed = packed[:at+wide*(k+1)]
		for j := range c {
			if bias != nil {
				packed[at+j] = bias[first+j]
			}
			for i := range k {
				packed[at+wide*(i+1)+j] = weight[(first+j)*k+i]
			}
		}
	}
	return packed
}

// packedLen is the number of floats that PackGemm makes.
func packedLen(out, k, n int) int {
	return (out/n*n + 4*vectors(out%n)) * (k + 1)
}
