package kernels

import (
	"fmt"

	"spotter/kernels/emit"
)

// AttentionParams describe multi-query attention: all heads share keys and values
// (MobileNetV4, arXiv 2404.10518, section 3.2). Head h of a query pixel is its channels
// [h*Dim, (h+1)*Dim): out = softmax(Scale * query . keys) . values, laid out
// as the queries.
type AttentionParams struct {
	Query, Out View // Heads*Dim channels
	Key, Value View // Dim channels, pixels following each other (View.Run)
	Heads, Dim int  // Dim a multiple of 4
	Scale      float32
	Options
}

// Units are the rows of the queries.
func (p AttentionParams) Units() int { return p.Query.H }

// MACs are the multiply-adds of both products.
func (p AttentionParams) MACs() int {
	return 2 * p.Query.H * p.Query.W * p.Heads * p.Key.H * p.Key.W * p.Dim
}

// Name is the kernel's name in tables: mqa_f32_2x4_relaxed, two queries by four keys.
func (p AttentionParams) Name() string { return fmt.Sprintf("mqa_f32_%dx4%s", p.rows(), p.suffix()) }

func (p AttentionParams) keys() int { return p.Key.H * p.Key.W }

// rows is how many heads of a pixel are computed together.
func (p AttentionParams) rows() int { return 2 - p.Heads%2 }

// rowBytes is a row of scores, filled up to vectors.
func (p AttentionParams) rowBytes() int { return (p.keys() + 3) / 4 * 16 }

// ScratchBytes is what one thread needs, aligned to 16.
func (p AttentionParams) ScratchBytes() int { return p.rows() * p.rowBytes() }

func (p AttentionParams) check() {
	for name, v := range map[string]View{"queries": p.Query, "output": p.Out, "keys": p.Key, "values": p.Value} {
		v.check(name)
	}
	if p.Query.C != p.Heads*p.Dim || p.Out.C != p.Query.C || p.Key.C != p.Dim || p.Value.C != p.Dim || p.Dim%4 != 0 ||
		p.Out.H != p.Query.H || p.Out.W != p.Query.W || p.Value.H != p.Key.H || p.Value.W != p.Key.W || !p.Key.Run() || !p.Value.Run() {
		panic(fmt.Sprintf("BUG: attention %+v", p))
	}
}

// attention holds the locals of AttentionFunc while it is emitted.
type attention struct {
	AttentionParams
	f                   *emit.Func
	key, value, scratch emit.Value
	query, out          emit.Value // of the heads at work
	at, end, score      emit.Value
	head                [2]emit.Value // an operand of each head
	shared              emit.Value    // the other one
	acc                 [2][4]emit.Value
	row                 *softmaxRow
	inverse             [2]emit.Value // 1 / sum of exponentials
}

// AttentionFunc emits mqa(query, key, value, out, scratch, begin, end) for rows of the queries.
func AttentionFunc(m *emit.Module, p AttentionParams) *emit.Func {
	p.check()
	name := fmt.Sprintf("%s_%dx%d*%g_%v_%v_%v_%v", p.Name(), p.Heads, p.Dim, p.Scale, p.Query, p.Key, p.Value, p.Out)
	if f := m.Func(name); f != nil {
		return f
	}
	i := emit.I32
	f := m.NewFunc(name, []emit.Type{i, i, i, i, i, i, i}, nil)
	v := f.Params("query", "key", "value", "out", "scratch", "begin", "end")
	a := &attention{AttentionParams: p, f: f, key: v[1], value: v[2], scratch: v[4], row: newSoftmaxRow(f, p.keys(), p.Scale, p.Options)}
	a.query, a.out = f.Local(i, "query_head"), f.Local(i, "out_head")
	a.at, a.end, a.score = f.Local(i, "at"), f.Local(i, "end"), f.Local(i, "score")
	a.shared = f.Local(emit.V128, "shared")
	for r := range a.rows() {
		a.head[r], a.inverse[r] = f.Local(emit.V128, "head"), f.Local(emit.V128, "inverse")
		for k := range a.acc[r] {
			a.acc[r][k] = f.Local(emit.V128, fmt.Sprintf("acc%d%d", r, k))
		}
	}
	x, y, head := f.Local(i, "x"), f.Local(i, "y"), f.Local(i, "head")
	f.For(y, v[5], v[6], 1, func() {
		f.For(x, emit.I32Const(0), emit.I32Const(p.Query.W), 1, func() {
			pixel := func(base emit.Value, v View) emit.Value {
				return emit.I32Add(base, emit.I32Add(emit.Times(y, v.RowStride), emit.Times(x, v.PixelStride)))
			}
			f.Set(a.query, pixel(v[0], p.Query))
			f.Set(a.out, pixel(v[3], p.Out))
			f.For(head, emit.I32Const(0), emit.I32Const(p.Heads), p.rows(), func() {
				a.scores()
				a.normalise()
				a.mix()
				f.Inc(a.query, 4*p.rows()*p.Dim)
				f.Inc(a.out, 4*p.rows()*p.Dim)
			})
		})
	})
	return f
}

// scores writes query . key for every key, four keys at a time.
func (a *attention) scores() {
	f := a.f
	f.Set(a.at, a.key)
	f.Set(a.score, a.scratch)
	if whole := a.keys() / 4; whole > 0 {
		f.Set(a.end, emit.Plus(a.key, whole*4*a.Key.PixelStride))
		f.DoWhile(func() {
			a.dot(4)
			f.Inc(a.at, 4*a.Key.PixelStride)
			f.Inc(a.score, 16)
		}, emit.I32LtU(a.at, a.end))
	}
	if rest := a.keys() % 4; rest > 0 {
		a.dot(rest)
	}
}

// dot emits the products of the heads with n keys at at.
func (a *attention) dot(n int) {
	f := a.f
	for c := 0; c < a.Dim; c += 4 {
		for r := range a.rows() {
			f.Set(a.head[r], emit.V128Load(a.query, 4*(r*a.Dim+c), 4))
		}
		for k := range n {
			f.Set(a.shared, emit.V128Load(a.at, k*a.Key.PixelStride+4*c, 4))
			for r := range a.rows() {
				if c == 0 {
					f.Set(a.acc[r][k], emit.F32x4Mul(a.head[r], a.shared))
					continue
				}
				f.Set(a.acc[r][k], a.madd(a.head[r], a.shared, a.acc[r][k]))
			}
		}
	}
	for r := range a.rows() {
		for k := n; k < 4; k++ {
			f.Set(a.acc[r][k], a.acc[r][0]) // a lane that softmax does not read
		}
		f.Do(emit.V128Store(a.score, r*a.rowBytes(), addRows(f, a.acc[r])))
	}
}

// normalise turns scores into exponentials and sets inverse.
func (a *attention) normalise() {
	f := a.f
	for r := range a.rows() {
		f.Set(a.score, emit.Plus(a.scratch, r*a.rowBytes()))
		sum := a.row.exponentials(a.score, a.score)
		f.Set(a.inverse[r], emit.F32x4Splat(emit.F32Div(emit.F32Const(1), sum)))
	}
}

// mix writes the mean of the values, weighted by the exponentials, sixteen
// channels at a time.
func (a *attention) mix() {
	f := a.f
	for first := 0; first < a.Dim; first += 16 {
		vectors := min(4, (a.Dim-first)/4)
		for r := range a.rows() {
			for k := range vectors {
				f.Set(a.acc[r][k], emit.F32x4All(0))
			}
		}
		f.Set(a.at, a.value)
		f.Set(a.score, a.scratch)
		f.Set(a.end, emit.Plus(a.scratch, 4*a.keys()))
		f.DoWhile(func() {
			for r := range a.rows() {
				f.Set(a.head[r], emit.V128Load32Splat(a.score, r*a.rowBytes()))
			}
			for k := range vectors {
				f.Set(a.shared, emit.V128Load(a.at, 4*first+16*k, 4))
				for r := range a.rows() {
					f.Set(a.acc[r][k], a.madd(a.head[r], a.shared, a.acc[r][k]))
				}
			}
			f.Inc(a.at, a.Value.PixelStride)
			f.Inc(a.score, 4)
		}, emit.I32LtU(a.score, a.end))
		for r := range a.rows() {
			for k := range vectors {
				f.Do(emit.V128Store(a.out, 4*(r*a.Dim+first)+16*k, emit.F32x4Mul(a.acc[r][k], a.inverse[r]), 4))
			}
		}
	}
}
