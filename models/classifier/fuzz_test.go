package classifier

import (
	"maps"
	"testing"

	"spotter/models"
)

// FuzzRecognise gives a parameter of a classifier another shape, or adds one: whatever it
// is, the answer is a network, none, or an error.
func FuzzRecognise(f *testing.F) {
	good := models.Weights{}
	for _, naming := range []Naming{Timm, Tutorial} {
		s, err := New("ConvSmall", naming, 5)
		if err != nil {
			f.Fatal(err)
		}
		g, err := s.Graph(64)
		if err != nil {
			f.Fatal(err)
		}
		for _, p := range g.Params() {
			good[p.Name] = &models.Tensor{Shape: p.Shape}
		}
	}
	f.Add(true, "blocks.2.0.dw_start.conv.weight", 64, 1, 0, 5, 4)
	f.Add(true, "blocks.3.0.attn.query.proj.weight", 8, 96, 1, 1, 4)
	f.Add(true, "classifier.weight", -1, 1280, 0, 0, 2)
	f.Add(true, "conv_head.weight", 1<<40, 1<<40, 1<<40, 3, 4)
	f.Add(false, "fc.weight", 5, 1280, 0, 0, 2)
	f.Add(false, "layer3.uib_0._proj_conv.conv.weight", 8, 8, 1<<20, 1, 4)
	f.Fuzz(func(t *testing.T, timm bool, name string, a, b, c, d, rank int) {
		w := maps.Clone(good)
		if timm {
			delete(w, "conv0.convbn_0.conv.weight")
		} else {
			delete(w, "conv_stem.weight")
		}
		w[name] = &models.Tensor{Shape: []int{a, b, c, d}[:min(max(rank, 0), 4)]}
		s, err := Recognise(w)
		if s == nil || err != nil {
			return
		}
		g, err := s.Graph(0)
		if err != nil {
			return
		}
		if _, err := s.Fit(g, w); err == nil { // the tensors hold no values
			t.Errorf("weights without a value fit %s", s.Name())
		}
	})
}
