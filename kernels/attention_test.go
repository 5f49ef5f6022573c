package kernels

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"spotter/kernels/emit"
)

func TestAttention(t *testing.T) {
	m := newTestModule(2)
	var cases []AttentionParams
	add := func(h, w, kh, kw, heads, dim int) {
		cases = append(cases, AttentionParams{
			Query: Packed(h, w, heads*dim), Out: Packed(h, w, heads*dim), Key: Packed(kh, kw, dim), Value: Packed(kh, kw, dim),
			Heads: heads, Dim: dim, Scale: float32(1 / math.Sqrt(float64(dim))),
		})
	}
	for keys := 1; keys <= 9; keys++ {
		add(1, 2, 1, keys, 2, 4)
	}
	for heads := 1; heads <= 5; heads++ {
		add(2, 1, 3, 3, heads, 8)
	}
	for dim := 4; dim <= 64; dim += 4 {
		add(2, 2, 2, 3, 2, dim)
	}
	gaps := cases[len(cases)-1]
	gaps.Query, gaps.Out, gaps.Key, gaps.Value = wide(gaps.Query, 3, 1), wide(gaps.Out, 1, 2), wide(gaps.Key, 5, 0), wide(gaps.Value, 2, 0)
	cases = append(cases, gaps)
	funcs := make([]*emit.Func, len(cases))
	for i, p := range cases {
		funcs[i] = AttentionFunc(m, p)
	}
	onRig(t, m, func(t *testing.T, x *rig) {
		for i, p := range cases {
			query, key, value := noise(p.Query.H*p.Query.W*p.Query.C, 1), noise(p.keys()*p.Dim, 2), noise(p.keys()*p.Dim, 3)
			for k := range query {
				query[k] *= 20
			}
			x.reset()
			q, k, v, out := x.tensor(p.Query, query), x.tensor(p.Key, key), x.tensor(p.Value, value), x.blank(p.Out)
			scratch := x.take(p.ScratchBytes())
			split := p.Query.H / 2
			x.call(t, funcs[i], q, k, v, out, scratch, split, p.Query.H)
			x.call(t, funcs[i], q, k, v, out, scratch, 0, split)
			x.check(t, fmt.Sprintf("%s of %+v", funcs[i].Name, p), p.Out, out, attentionScalar(p, query, key, value), 3e-6, [2]int{scratch, p.ScratchBytes()})
		}
	})
}

// TestAttentionRelaxed checks that both products of the relaxed kernel are fused; wazero
// cannot run it.
func TestAttentionRelaxed(t *testing.T) {
	m := newTestModule(1)
	q, k := Packed(2, 2, 128), Packed(3, 3, 64)
	p := AttentionParams{Query: q, Out: q, Key: k, Value: k, Heads: 2, Dim: 64, Scale: 0.125}
	plain := AttentionFunc(m, p).Text()
	p.Relaxed = true
	relaxed := AttentionFunc(m, p).Text()
	// The rest of the products: the first of each sum, exp's square, scale and inverses.
	if a, b := strings.Count(plain, "f32x4.mul"), strings.Count(relaxed, "f32x4.mul"); a-b < 64 || strings.Count(relaxed, "f32x4.relaxed_madd") != a-b {
		t.Errorf("%d products, of them %d not fused", a, b)
	}
}
