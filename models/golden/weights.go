// Package golden holds the expectations that Spotter is measured against, made
// with PyTorch, torchvision and OpenCV (testdata/README.md says how), and the
// formulas for the weights and pictures that they were made from.
package golden

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math"
	"regexp"
	"slices"
	"strings"

	"spotter/models"
)

const gamma = 0x9e3779b97f4a7c15 // step of the Weyl sequence (splitmix64)

// mix is splitmix64's finisher.
func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// hash is FNV-1a, 64 bit.
func hash(s string) uint64 {
	h := uint64(0xcbf29ce484222325)
	for i := 0; i < len(s); i++ {
		h = (h ^ uint64(s[i])) * 0x100000001b3
	}
	return h
}

// Uniform gives n values in [-1, 1), multiples of 2^-23, that depend on the name only.
func Uniform(name string, n int) []float32 {
	z := hash(name)
	u := make([]float32, n)
	for i := range u {
		z += gamma
		u[i] = float32(mix(z)>>40)/(1<<23) - 1
	}
	return u
}

var detectConv = regexp.MustCompile(`^model\.\d+\.m\.\d+\.(weight|bias)$`)

// Tensor gives the values of a parameter by its state_dict name and shape, bit
// for bit as the expectations' networks had them. Residual says whether the
// network adds a block's input to its output: it damps the projections.
func Tensor(name string, shape []int, residual bool) *models.Tensor {
	data := Uniform(name, product(shape))
	// Each product is rounded to float32 before the sum: float32() keeps them from fusing.
	affine := func(scale, offset float32) {
		for i, u := range data {
			data[i] = float32(scale*u) + offset
		}
	}
	switch {
	case strings.HasSuffix(name, "running_var"):
		affine(0.5, 1)
	case strings.HasSuffix(name, "running_mean"):
		affine(0.125, 0)
	case strings.HasSuffix(name, "_gamma"):
		affine(0.25, 0.5)
	case detectConv.MatchString(name) && strings.HasSuffix(name, ".bias"):
		affine(0.5, -2)
	case strings.HasSuffix(name, ".bias"):
		affine(0.5, 0)
	case len(shape) == 1:
		affine(0.25, 1)
	default:
		fanIn := product(shape[1:])
		affine(float32(math.Sqrt(3*gain(name, shape, residual)/float64(fanIn))), 0)
	}
	return &models.Tensor{Shape: slices.Clone(shape), Data: data}
}

// gain is the variance that a convolution's weights keep, by the kind of convolution.
func gain(name string, shape []int, residual bool) float64 {
	projection := strings.Contains(name, "_proj_conv") || strings.Contains(name, "_output_proj")
	switch {
	case detectConv.MatchString(name):
		return 2.5
	case shape[1] == 3:
		return 4
	case shape[1] == 1:
		return 2
	case projection && residual:
		return 1.5 * 0.125
	case strings.HasPrefix(name, "model.0."):
		return 1.5
	}
	return 2
}

// Weights gives every parameter that the graph names. Shapes must be inferred.
func Weights(g *models.Graph, residual bool) models.Weights {
	w := models.Weights{}
	for _, p := range g.Params() {
		w[p.Name] = Tensor(p.Name, p.Shape, residual)
	}
	return w
}

// Digest is the SHA-256, in hex, over the little-endian values of all tensors in
// byte order of their names; anchors and counters are left out, as are the
// copies named features.
func Digest(w models.Weights) string {
	var names []string
	for name := range w {
		if strings.HasSuffix(name, ".num_batches_tracked") || strings.HasSuffix(name, ".anchors") ||
			strings.Contains(name, ".features.") {
			continue
		}
		names = append(names, name)
	}
	slices.Sort(names)
	h := sha256.New()
	for _, name := range names {
		h.Write(littleEndian(w[name].Data))
	}
	return hex.EncodeToString(h.Sum(nil))
}

func littleEndian(data []float32) []byte {
	b := make([]byte, 0, 4*len(data))
	for _, v := range data {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	return b
}

func product(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}
