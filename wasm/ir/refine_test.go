package ir

import (
	"slices"
	"testing"
)

func TestRefine(t *testing.T) {
	for _, c := range []struct{ a, b, want []int }{
		{[]int{6, 4}, []int{2, 12}, []int{2, 3, 4}},
		{[]int{6, 8, 12}, []int{2, 3, 8, 12}, []int{2, 3, 8, 12}},
		{[]int{1, 5, 1}, []int{5}, []int{5}},
		{[]int{24}, []int{2, 3, 4}, []int{2, 3, 4}},
		{[]int{1}, []int{1, 1}, nil},
	} {
		if got, ok := Refine(c.a, c.b); !ok || !slices.Equal(got, c.want) {
			t.Errorf("%v and %v: %v, %t, want %v", c.a, c.b, got, ok, c.want)
		}
	}
	if got, ok := Refine([]int{6, 4}, []int{8, 3}); ok {
		t.Errorf("6x4 and 8x3 share %v, want no common cut", got)
	}
}
