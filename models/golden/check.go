package golden

import (
	"fmt"
	"math"
	"slices"
)

// Tolerance is the largest difference allowed between a value and the expected
// one, in standard deviations of the tensor.
const Tolerance = 1e-3

// extremes is what min and max may differ by in proportion, where that is more.
// A decoded box's side is the square of a sigmoid: the largest lie 50 and more
// deviations out and magnify the logits' rounding. PyTorch's own answers for the
// largest side of convlarge-n-detect-tutorial at 96x160 are 967.4246 (expected),
// 967.4531 (other threads), 967.4352 (no oneDNN) and 967.4558 (float64), where the
// deviation would allow 0.017.
const extremes = 1e-4

// Check is what is known of a tensor: its shape without the batch, statistics
// over all its values (the deviation is the population's) and samples at
// regular distances.
type Check struct {
	Shape  []int
	Mean   float64
	Std    float64
	Min    float64
	Max    float64
	Values []float64
	Rows   map[string][]float64 // whole rows of a matrix by index
}

// Compare checks a tensor, row-major, against the expectation. The error names
// the tensor, the coordinate and both values.
func (c *Check) Compare(name string, shape []int, got []float32) error {
	if !slices.Equal(shape, c.Shape) {
		return fmt.Errorf("%s: shape %v, want %v", name, shape, c.Shape)
	}
	if len(got) != product(shape) {
		return fmt.Errorf("%s: %d values for shape %v", name, len(got), shape)
	}
	for j, want := range c.Values {
		i := (2*j + 1) * len(got) / (2 * len(c.Values))
		if err := c.compareAt(name, i, got[i], want); err != nil {
			return err
		}
	}
	if err := c.compareRows(name, got); err != nil {
		return err
	}
	return c.compareStatistics(name, got)
}

func (c *Check) compareRows(name string, got []float32) error {
	for row, values := range c.Rows {
		var r int
		if _, err := fmt.Sscan(row, &r); err != nil || r < 0 || r >= c.Shape[0] {
			return fmt.Errorf("%s: expectation for row %q of %v", name, row, c.Shape)
		}
		for i, want := range values {
			at := r*len(values) + i
			if err := c.compareAt(name, at, got[at], want); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *Check) compareAt(name string, i int, got float32, want float64) error {
	if math.Abs(float64(got)-want) <= Tolerance*c.Std { // false for NaN
		return nil
	}
	return fmt.Errorf("%s at %v of %v: got %g, want %g (std %g, allowed %g)",
		name, Coordinate(i, c.Shape), c.Shape, got, want, c.Std, Tolerance*c.Std)
}

func (c *Check) compareStatistics(name string, got []float32) error {
	mean, std, lo, hi := statistics(got)
	limit := Tolerance * c.Std
	for _, s := range []struct {
		what             string
		got, want, limit float64
	}{
		{"mean", mean, c.Mean, limit}, {"std", std, c.Std, limit},
		{"min", lo, c.Min, max(limit, extremes*math.Abs(c.Min))},
		{"max", hi, c.Max, max(limit, extremes*math.Abs(c.Max))},
	} {
		if !(math.Abs(s.got-s.want) <= s.limit) { // NaN fails too
			return fmt.Errorf("%s of %v: %s is %g, want %g (allowed %g)", name, c.Shape, s.what, s.got, s.want, s.limit)
		}
	}
	return nil
}

func statistics(values []float32) (mean, std, lo, hi float64) {
	lo, hi = math.Inf(1), math.Inf(-1)
	for _, v := range values {
		mean += float64(v)
		lo, hi = min(lo, float64(v)), max(hi, float64(v))
	}
	mean /= float64(len(values))
	for _, v := range values {
		std += (float64(v) - mean) * (float64(v) - mean)
	}
	return mean, math.Sqrt(std / float64(len(values))), lo, hi
}

// Coordinate turns a flat row-major index into one index a dimension.
func Coordinate(i int, shape []int) []int {
	at := make([]int, len(shape))
	for d := len(shape) - 1; d >= 0; d-- {
		at[d] = i % shape[d]
		i /= shape[d]
	}
	return at
}
