package plan

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"spotter/models"
	"spotter/wasm/ir"
)

// program makes random steps, each reading one or two earlier values.
func program(r *rand.Rand) *ir.Program {
	value := func(i int) *ir.Value {
		return &ir.Value{Name: fmt.Sprint(i), Shape: models.Shape{r.IntN(40) + 1, r.IntN(8) + 1, r.IntN(8) + 1}}
	}
	p := &ir.Program{Input: value(0)}
	values := []*ir.Value{p.Input}
	for i := range 30 {
		s := &ir.Step{Out: value(i + 1), In: []*ir.Value{values[r.IntN(len(values))], values[len(values)-1]}}
		s.Out.From = s
		p.Steps = append(p.Steps, s)
		values = append(values, s.Out)
	}
	p.Outputs = []*ir.Value{values[7], values[30]}
	return p
}

// TestNothingOverlaps: values that are needed at the same time lie apart, and the arena
// is not larger than without sharing.
func TestNothingOverlaps(t *testing.T) {
	for seed := range uint64(50) {
		p := program(rand.New(rand.NewPCG(seed, 0)))
		a := New(p)
		list := storages(p)
		for i, s := range list {
			at := a.Offset(s.root)
			if at%Align != 0 || at+s.bytes > a.Bytes {
				t.Fatalf("seed %d: %s at %d of %d", seed, s.root.Name, at, a.Bytes)
			}
			for _, o := range list[:i] {
				other := a.Offset(o.root)
				if s.first <= o.last && o.first <= s.last && at < other+o.bytes && other < at+s.bytes {
					t.Fatalf("seed %d: %s (steps %d to %d) and %s (%d to %d) overlap", seed, s.root.Name, s.first, s.last, o.root.Name, o.first, o.last)
				}
			}
		}
		if a.Bytes > a.Sum {
			t.Errorf("seed %d: %d bytes, %d without sharing", seed, a.Bytes, a.Sum)
		}
	}
}

func TestViewOfParts(t *testing.T) {
	base := &ir.Value{Shape: models.Shape{10, 4, 6}}
	part := &ir.Value{Shape: models.Shape{3, 4, 6}, Place: ir.Place{Base: base, Start: 5}}
	rows := &ir.Value{Shape: models.Shape{3, 2, 6}, Place: ir.Place{Base: part, Axis: 1, Start: 1, Step: 2}}
	if v := View(rows); v.H != 2 || v.W != 6 || v.C != 3 || v.PixelStride != 40 || v.RowStride != 480 {
		t.Errorf("view %+v", v)
	}
	if _, offset := rows.Strides(); offset != 5+60 {
		t.Errorf("offset %d, want channel 5 of row 1", offset)
	}
}
