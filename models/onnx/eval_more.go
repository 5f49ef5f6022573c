package onnx

import (
	"math"
	"slices"

	"spotter/models/say"
)

// evalGather takes slices of one axis by index.
func evalGather(c *call, in []*array) ([]*array, error) {
	a, index := in[0], in[1]
	along, err := axis(c.int("axis", 0), len(a.shape))
	if err != nil {
		return nil, err
	}
	shape := slices.Concat(a.shape[:along], index.shape, a.shape[along+1:])
	if err := checkShape(shape, maxArray); err != nil {
		return nil, err
	}
	out := &array{shape: shape, whole: a.whole, half: a.half, data: make([]float64, 0, elements(shape))}
	rest, size := elements(a.shape[along+1:]), a.shape[along]
	list := index.ints()
	for block := range elements(a.shape[:along]) {
		for _, i := range list {
			if i < 0 {
				i += size
			}
			if i < 0 || i >= size {
				return nil, say.Errorf("index %d of %d", i, size)
			}
			from := (block*size + i) * rest
			out.data = append(out.data, a.data[from:from+rest]...)
		}
	}
	return one(out)
}

func evalExpand(c *call, in []*array) ([]*array, error) {
	target := in[1].ints()
	if err := checkShape(target, maxArray); err != nil {
		return nil, err
	}
	shape, err := broadcast(in[0].shape, target)
	if err != nil {
		return nil, err
	}
	if err := checkShape(shape, maxArray); err != nil {
		return nil, err
	}
	return one(gather(in[0], shape, strides(in[0].shape, shape), 0))
}

func evalTile(_ *call, in []*array) ([]*array, error) {
	a, repeats := in[0], in[1].ints()
	if len(repeats) != len(a.shape) {
		return nil, say.Errorf("%d repeats of %d dimensions", len(repeats), len(a.shape))
	}
	// As a broadcast: each dimension d becomes (repeats, d).
	var seen, from, shape []int
	for i, r := range repeats {
		seen, from = append(seen, r, a.shape[i]), append(from, 1, a.shape[i])
		if r < 0 || r > maxArray {
			return nil, say.Errorf("%d repeats", r)
		}
		shape = append(shape, r*a.shape[i])
	}
	if err := checkShape(shape, maxArray); err != nil {
		return nil, err
	}
	out := gather(a, seen, strides(from, seen), 0)
	out.shape = shape
	return one(out)
}

func evalWhere(_ *call, in []*array) ([]*array, error) {
	shape, err := broadcast(in[0].shape, in[1].shape)
	if err == nil {
		shape, err = broadcast(shape, in[2].shape)
	}
	if err == nil {
		err = checkShape(shape, maxArray)
	}
	if err != nil {
		return nil, err
	}
	out := newArray(shape)
	out.whole = in[1].whole && in[2].whole
	steps := [][]int{strides(in[0].shape, shape), strides(in[1].shape, shape), strides(in[2].shape, shape)}
	walk(shape, steps, func(i int, at []int) {
		out.data[i] = in[2].data[at[2]]
		if in[0].data[at[0]] != 0 {
			out.data[i] = in[1].data[at[1]]
		}
	})
	return one(out)
}

// evalSoftmax normalises over one axis; before opset 13 over it and all behind it.
func evalSoftmax(c *call, in []*array) ([]*array, error) {
	a := in[0]
	along, err := c.softmaxAxis(a.shape)
	if err != nil {
		return nil, err
	}
	out := &array{shape: a.shape, data: make([]float64, len(a.data))}
	size, rest := a.shape[along], elements(a.shape[along+1:])
	for start := range len(a.data) / max(size, 1) {
		base := start/rest*rest*size + start%rest
		top, sum := math.Inf(-1), 0.0
		for k := range size {
			top = max(top, a.data[base+k*rest])
		}
		for k := range size {
			e := math.Exp(a.data[base+k*rest] - top)
			out.data[base+k*rest] = e
			sum += e
		}
		for k := range size {
			out.data[base+k*rest] /= sum
		}
	}
	return one(out)
}

func (c *call) softmaxAxis(shape []int) (int, error) {
	byDefault := -1
	if c.opset < 13 {
		byDefault = 1
	}
	along, err := axis(c.int("axis", byDefault), len(shape))
	if err == nil && c.opset < 13 && elements(shape[along+1:]) != 1 {
		err = say.Errorf("a softmax over several dimensions at once (axis %d of %v before opset 13)", along, shape)
	}
	return along, err
}

// matMulShape is the shape of a product of the last two dimensions, batched.
func matMulShape(a, b []int) ([]int, error) {
	if len(a) < 2 || len(b) < 2 || a[len(a)-1] != b[len(b)-2] {
		return nil, say.Errorf("a product of %v and %v", a, b)
	}
	lead, err := broadcast(a[:len(a)-2], b[:len(b)-2])
	if err != nil {
		return nil, err
	}
	return append(lead, a[len(a)-2], b[len(b)-1]), nil
}

func evalMatMul(_ *call, in []*array) ([]*array, error) {
	a, b := in[0], in[1]
	if len(b.shape) == 1 { // a vector on the right: a column whose dimension goes again
		column := &array{shape: []int{b.shape[0], 1}, data: b.data}
		out, err := evalMatMul(nil, []*array{a, column})
		if err == nil {
			out[0].shape = out[0].shape[:len(out[0].shape)-1]
		}
		return out, err
	}
	shape, err := matMulShape(a.shape, b.shape)
	if err == nil {
		err = checkShape(shape, maxArray)
	}
	if err != nil {
		return nil, err
	}
	out := newArray(shape)
	n := len(shape)
	rows, cols, inner := shape[n-2], shape[n-1], a.shape[len(a.shape)-1]
	if inner > 1<<12 || len(out.data)*max(inner, 1) > maxArray*4 {
		return nil, say.Errorf("a product of %v and %v is too large to be computed at import", a.shape, b.shape)
	}
	lead := shape[:n-2]
	walk(lead, [][]int{strides(a.shape[:len(a.shape)-2], lead), strides(b.shape[:len(b.shape)-2], lead)}, func(i int, at []int) {
		x, y, z := a.data[at[0]*rows*inner:], b.data[at[1]*inner*cols:], out.data[i*rows*cols:]
		for r := range rows {
			for k := range inner {
				for c := range cols {
					z[r*cols+c] += x[r*inner+k] * y[k*cols+c]
				}
			}
		}
	})
	return one(out)
}

// evalPointwise is a 1x1 convolution without groups: the expectation over bins at the
// end of a YOLOv8 head.
func evalPointwise(c *call, in []*array) ([]*array, error) {
	x, w := in[0], in[1]
	if len(w.shape) != 4 || w.shape[2] != 1 || w.shape[3] != 1 || c.int("group", 1) != 1 || len(in) > 2 ||
		len(x.shape) != 4 || x.shape[0] != 1 || x.shape[1] != w.shape[1] || w.shape[0] > 64 {
		return nil, say.Errorf("this convolution is not computed at import")
	}
	pixels := x.shape[2] * x.shape[3]
	product, err := evalMatMul(nil, []*array{
		{shape: w.shape[:2], data: w.data},
		{shape: []int{x.shape[1], pixels}, data: x.data},
	})
	if err != nil {
		return nil, err
	}
	product[0].shape = []int{1, w.shape[0], x.shape[2], x.shape[3]}
	return product, nil
}

// bounds are Clip's: attributes before opset 11, inputs since.
func (c *call) bounds() (lo, hi float64, err error) {
	lo, hi = c.float("min", math.Inf(-1)), c.float("max", math.Inf(1))
	for i, p := range []*float64{&lo, &hi} {
		if !c.has(i + 1) {
			continue
		}
		a, err := c.constant(i + 1)
		if err != nil {
			return 0, 0, err
		}
		if len(a.data) != 1 {
			return 0, 0, say.Errorf("a bound of %d values", len(a.data))
		}
		*p = a.data[0]
	}
	return lo, hi, nil
}

func evalClip(c *call, in []*array) ([]*array, error) {
	lo, hi, err := c.bounds()
	if err != nil {
		return nil, err
	}
	return one(apply(in[0], func(v float64) float64 { return min(max(v, lo), hi) }))
}

func evalHardSigmoid(c *call, in []*array) ([]*array, error) {
	alpha, beta := c.float("alpha", 0.2), c.float("beta", 0.5)
	return one(apply(in[0], func(v float64) float64 { return min(max(alpha*v+beta, 0), 1) }))
}

// reduced is the shape of a reduction, and the axes that it goes over.
func (c *call) reduced() (shape, over []int, err error) {
	in, err := c.shape(0)
	if err != nil {
		return nil, nil, err
	}
	list, err := c.listOr("axes", 1)
	if err != nil {
		return nil, nil, err
	}
	if len(list) == 0 {
		list = nil
		if c.int("noop_with_empty_axes", 0) != 0 {
			return in, nil, nil
		}
	}
	if over, err = axes(list, len(in)); err != nil {
		return nil, nil, err
	}
	shape = []int{}
	for i, d := range in {
		switch {
		case !slices.Contains(over, i):
			shape = append(shape, d)
		case c.int("keepdims", 1) != 0:
			shape = append(shape, 1)
		}
	}
	return shape, over, nil
}

func evalReduce(c *call, in []*array) ([]*array, error) {
	shape, over, err := c.reduced()
	if err != nil {
		return nil, err
	}
	a := in[0]
	kept := slices.Clone(a.shape)
	count := 1
	for _, i := range over {
		count *= kept[i]
		kept[i] = 1
	}
	out := newArray(shape)
	out.whole = a.whole
	start := map[string]float64{"ReduceProd": 1, "ReduceMax": math.Inf(-1), "ReduceMin": math.Inf(1)}[c.op]
	for i := range out.data {
		out.data[i] = start
	}
	fold := map[string]func(a, b float64) float64{"ReduceProd": binaries["Mul"], "ReduceMax": binaries["Max"], "ReduceMin": binaries["Min"]}[c.op]
	if fold == nil {
		fold = binaries["Add"]
	}
	walk(a.shape, [][]int{strides(kept, a.shape)}, func(i int, at []int) { out.data[at[0]] = fold(out.data[at[0]], a.data[i]) })
	if c.op == "ReduceMean" {
		out = apply(out, func(v float64) float64 { return v / float64(count) })
	}
	return one(out)
}

// evalScatter writes slices by index: what assignments in place export to.
func evalScatter(_ *call, in []*array) ([]*array, error) {
	data, index, updates := in[0], in[1], in[2]
	rank := len(index.shape)
	if rank == 0 || index.shape[rank-1] > len(data.shape) {
		return nil, say.Errorf("indices of shape %v into %v", index.shape, data.shape)
	}
	depth := index.shape[rank-1]
	steps := strides(data.shape, data.shape)
	size := elements(data.shape[depth:])
	out := &array{shape: data.shape, data: slices.Clone(data.data), whole: data.whole}
	if len(updates.data) != elements(index.shape[:rank-1])*size {
		return nil, say.Errorf("updates of shape %v for indices of shape %v", updates.shape, index.shape)
	}
	list := index.ints()
	for u := range elements(index.shape[:rank-1]) {
		at := 0
		for d := range depth {
			i := list[u*depth+d]
			if i < 0 {
				i += data.shape[d]
			}
			if i < 0 || i >= data.shape[d] {
				return nil, say.Errorf("index %d of %d", i, data.shape[d])
			}
			at += i * steps[d]
		}
		copy(out.data[at:at+size], updates.data[u*size:])
	}
	return one(out)
}
