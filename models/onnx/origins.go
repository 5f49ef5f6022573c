package onnx

import (
	"slices"

	"spotter/models/say"
)

// Origins of an element that is not made of one element of one source.
const (
	fromConst = 0  // of none
	fromMany  = -1 // of several
)

// origins traces each element of the outputs to the element of the source that it is
// made of: 1 + its place when all sources are laid one behind the other.
func (t *tail) origins() ([]*array, error) {
	offsets := t.offsets()
	return t.run(t.fill(func(s, i int) float64 { return float64(1 + offsets[s] + i) }), trace)
}

// offsets number the elements of all sources one behind the other.
func (t *tail) offsets() []int {
	list := make([]int, len(t.sources)+1)
	for s, name := range t.sources {
		list[s+1] = list[s] + elements(t.net.shapes[name])
	}
	return list
}

// place is an element of a source.
type place struct{ source, channel, y, x int }

// place resolves an origin; false for one of none or of several.
func (t *tail) place(offsets []int, origin float64) (place, bool) {
	i := int(origin) - 1
	if i < 0 {
		return place{}, false
	}
	s, found := slices.BinarySearch(offsets, i)
	if !found {
		s--
	}
	// Sources are never empty, so that offsets differ.
	shape := t.net.shapes[t.sources[s]]
	i -= offsets[s]
	return place{source: s, channel: i / (shape[2] * shape[3]), y: i / shape[3] % shape[2], x: i % shape[3]}, true
}

// steering are the inputs that say how an operation moves elements.
var steering = map[string][]int{
	"Reshape": {1}, "Squeeze": {1}, "Unsqueeze": {1}, "Slice": {1, 2, 3, 4}, "Split": {1}, "Gather": {1}, "Expand": {1}, "Tile": {1},
	"Where": {0}, "ScatterND": {1},
}

// moves are operations that evaluate on origins as on values.
var moves = []string{
	"Reshape", "Flatten", "Squeeze", "Unsqueeze", "Transpose", "Slice", "Split", "Concat", "Gather", "Expand", "Tile", "Where", "ScatterND",
}

// trace evaluates a node on origins instead of values.
func trace(c *call, in []*array, computed []bool) ([]*array, error) {
	for i, a := range in {
		switch {
		case a == nil || slices.Contains(steering[c.op], i):
			if computed[i] {
				return nil, say.Errorf("how it moves elements depends on the picture")
			}
		case !computed[i]:
			in[i] = &array{shape: a.shape, data: make([]float64, len(a.data))}
		}
	}
	switch {
	case slices.Contains(moves, c.op):
		return evaluate(c, in)
	case binaries[c.op] != nil:
		return evalBinary(sameOrigin, "", in)
	case unaries[c.op] != nil, slices.Contains([]string{"Identity", "Dropout", "Cast", "CastLike", "Clip", "HardSigmoid"}, c.op):
		return one(in[0])
	}
	// Sums of any kind: what they are made of is lost.
	out, err := evaluate(c, in)
	for _, a := range out {
		for i := range a.data {
			a.data[i] = fromMany
		}
	}
	return out, err
}

func sameOrigin(a, b float64) float64 {
	switch {
	case a == fromConst:
		return b
	case b == fromConst, a == b:
		return a
	}
	return fromMany
}
