package onnx

import (
	"spotter/models/say"
)

// call is a node with what is known of its inputs: their shapes, and the values of
// those that are constant.
type call struct {
	*nodeProto
	opset  int64
	shapes [][]int  // nil where unknown
	consts []*array // nil where not constant
}

func (c *call) int(name string, otherwise int) int {
	if a, ok := c.attrs[name]; ok {
		return clampInt(a.i)
	}
	return otherwise
}

func (c *call) float(name string, otherwise float64) float64 {
	if a, ok := c.attrs[name]; ok {
		return float64(a.f)
	}
	return otherwise
}

func (c *call) text(name, otherwise string) string {
	if a, ok := c.attrs[name]; ok {
		return a.s
	}
	return otherwise
}

// list gives an attribute of whole numbers, nil when there is none.
func (c *call) list(name string) []int {
	a, ok := c.attrs[name]
	if !ok {
		return nil
	}
	list := make([]int, len(a.ints))
	for i, v := range a.ints {
		list[i] = clampInt(v)
	}
	return list
}

func clampInt(v int64) int { return int(max(-far, min(far, v))) }

// has tells whether input i is given at all.
func (c *call) has(i int) bool { return i < len(c.in) && c.in[i] != "" }

// constant gives input i, which must be known at import.
func (c *call) constant(i int) (*array, error) {
	if !c.has(i) || c.consts[i] == nil {
		return nil, say.Errorf("its input %d is computed from the picture, where a constant is needed", i)
	}
	return c.consts[i], nil
}

// shape gives input i's, which must be known.
func (c *call) shape(i int) ([]int, error) {
	if !c.has(i) || c.shapes[i] == nil {
		return nil, say.Errorf("the shape of its input %d is not known", i)
	}
	return c.shapes[i], nil
}

// two are the shapes of the first two inputs, which must be known.
func (c *call) two() (a, b []int, err error) {
	if a, err = c.shape(0); err != nil {
		return nil, nil, err
	}
	b, err = c.shape(1)
	return a, b, err
}

// listOr gives whole numbers that newer opsets have in input i and older ones in an
// attribute; nil when neither is there.
func (c *call) listOr(name string, i int) ([]int, error) {
	if l := c.list(name); l != nil || !c.has(i) {
		return l, nil
	}
	a, err := c.constant(i)
	if err != nil {
		return nil, err
	}
	return a.ints(), nil
}

// axis resolves a possibly negative axis of a rank.
func axis(a, rank int) (int, error) {
	if a < 0 {
		a += rank
	}
	if a < 0 || a >= rank {
		return 0, say.Errorf("axis %d of %d dimensions", a, rank)
	}
	return a, nil
}

// axes resolves several; all of them when list is nil.
func axes(list []int, rank int) ([]int, error) {
	if list == nil {
		for i := range rank {
			list = append(list, i)
		}
		return list, nil
	}
	out := make([]int, len(list))
	for i, a := range list {
		var err error
		if out[i], err = axis(a, rank); err != nil {
			return nil, err
		}
	}
	return out, nil
}
