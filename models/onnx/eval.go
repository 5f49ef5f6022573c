package onnx

import (
	"math"
	"slices"

	"spotter/models/say"
)

// evaluator computes a node on arrays: constants, and the part of a network behind
// its last convolutions while its head is being recognised.
type evaluator func(c *call, in []*array) ([]*array, error)

// evaluators by operation.
var evaluators map[string]evaluator

func init() {
	evaluators = map[string]evaluator{
		"Constant": evalConstant, "ConstantOfShape": evalConstantOfShape, "Range": evalRange,
		"Identity": evalSame, "Dropout": evalSame, "Cast": evalCast, "CastLike": evalSame,
		"Reshape": evalView, "Flatten": evalView, "Squeeze": evalView, "Unsqueeze": evalView,
		"Transpose": evalTranspose, "Slice": evalSlice, "Split": evalSplit, "Concat": evalConcat,
		"Gather": evalGather, "Expand": evalExpand, "Tile": evalTile, "Where": evalWhere,
		"Softmax": evalSoftmax, "MatMul": evalMatMul, "Conv": evalPointwise, "Clip": evalClip, "ScatterND": evalScatter,
		"ReduceSum": evalReduce, "ReduceMean": evalReduce, "ReduceMax": evalReduce, "ReduceMin": evalReduce, "ReduceProd": evalReduce,
		"HardSigmoid": evalHardSigmoid,
	}
	for op, f := range unaries {
		evaluators[op] = func(_ *call, in []*array) ([]*array, error) { return one(apply(in[0], f)) }
	}
	for op, f := range binaries {
		evaluators[op] = func(_ *call, in []*array) ([]*array, error) { return evalBinary(f, op, in) }
	}
}

func one(a *array) ([]*array, error) { return []*array{a}, nil }

var unaries = map[string]func(float64) float64{
	"Floor": math.Floor, "Ceil": math.Ceil, "Round": math.RoundToEven, "Sqrt": math.Sqrt, "Exp": math.Exp, "Log": math.Log,
	"Neg": func(v float64) float64 { return -v }, "Abs": math.Abs, "Tanh": math.Tanh, "Erf": math.Erf,
	"Sigmoid":    func(v float64) float64 { return 1 / (1 + math.Exp(-v)) },
	"Relu":       func(v float64) float64 { return max(v, 0) },
	"Reciprocal": func(v float64) float64 { return 1 / v },
	"Not":        func(v float64) float64 { return truth(v == 0) },
	"Softplus":   func(v float64) float64 { return math.Log1p(math.Exp(v)) },
}

var binaries = map[string]func(a, b float64) float64{
	"Add": func(a, b float64) float64 { return a + b }, "Sub": func(a, b float64) float64 { return a - b },
	"Mul": func(a, b float64) float64 { return a * b }, "Div": func(a, b float64) float64 { return a / b },
	"Pow": math.Pow, "Mod": func(a, b float64) float64 { return a - b*math.Floor(a/b) },
	"Max": func(a, b float64) float64 { return max(a, b) }, "Min": func(a, b float64) float64 { return min(a, b) },
	"Equal":   func(a, b float64) float64 { return truth(a == b) },
	"Less":    func(a, b float64) float64 { return truth(a < b) },
	"Greater": func(a, b float64) float64 { return truth(a > b) },
	"And":     func(a, b float64) float64 { return truth(a != 0 && b != 0) },
	"Or":      func(a, b float64) float64 { return truth(a != 0 || b != 0) },
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func apply(a *array, f func(float64) float64) *array {
	out := &array{shape: a.shape, data: make([]float64, len(a.data)), whole: a.whole}
	for i, v := range a.data {
		out.data[i] = f(v)
	}
	return out
}

// evalBinary takes any number of inputs, from the left.
func evalBinary(f func(a, b float64) float64, op string, in []*array) ([]*array, error) {
	acc := in[0]
	for _, b := range in[1:] {
		shape, err := broadcast(acc.shape, b.shape)
		if err != nil {
			return nil, err
		}
		if err := checkShape(shape, maxArray); err != nil {
			return nil, err
		}
		out := newArray(shape)
		out.whole = acc.whole && b.whole
		walk(shape, [][]int{strides(acc.shape, shape), strides(b.shape, shape)}, func(i int, at []int) {
			out.data[i] = f(acc.data[at[0]], b.data[at[1]])
		})
		if out.whole && op == "Div" {
			out = apply(out, math.Trunc)
		}
		acc = out
	}
	return one(acc)
}

// strides of an array seen with a larger shape: 0 along what is repeated.
func strides(shape, seen []int) []int {
	out := make([]int, len(seen))
	step := 1
	for i := len(shape) - 1; i >= 0; i-- {
		if j := len(seen) - len(shape) + i; shape[i] != 1 {
			out[j] = step
		}
		step *= shape[i]
	}
	return out
}

// walk visits the elements of a shape in order, with the offsets that the strides give.
func walk(shape []int, steps [][]int, visit func(i int, at []int)) {
	n := elements(shape)
	index := make([]int, len(shape))
	at := make([]int, len(steps))
	for i := range n {
		visit(i, at)
		for d := len(shape) - 1; d >= 0; d-- {
			index[d]++
			for k := range at {
				at[k] += steps[k][d]
			}
			if index[d] < shape[d] {
				break
			}
			for k := range at {
				at[k] -= index[d] * steps[k][d]
			}
			index[d] = 0
		}
	}
}

func evalConstant(c *call, _ []*array) ([]*array, error) {
	if a, ok := c.attrs["value"]; ok && a.t != nil {
		if err := a.t.check(); err != nil {
			return nil, err
		}
		return one(a.t.array())
	}
	if a, ok := c.attrs["value_float"]; ok {
		return one(&array{data: []float64{float64(a.f)}, shape: []int{}})
	}
	if a, ok := c.attrs["value_int"]; ok {
		return one(&array{data: []float64{float64(a.i)}, shape: []int{}, whole: true})
	}
	if _, ok := c.attrs["value_ints"]; ok {
		return one(wholes(c.list("value_ints")...))
	}
	if a, ok := c.attrs["value_floats"]; ok {
		out := newArray([]int{len(a.floats)})
		for i, v := range a.floats {
			out.data[i] = float64(v)
		}
		return one(out)
	}
	return nil, say.Errorf("a constant without a value of numbers")
}

func evalConstantOfShape(c *call, in []*array) ([]*array, error) {
	shape := in[0].ints()
	if err := checkShape(shape, maxArray); err != nil {
		return nil, err
	}
	out := newArray(shape)
	if a, ok := c.attrs["value"]; ok && a.t != nil {
		if err := a.t.check(); err != nil {
			return nil, err
		}
		if v := a.t.array(); len(v.data) == 1 {
			out.whole = v.whole
			for i := range out.data {
				out.data[i] = v.data[0]
			}
		}
	}
	return one(out)
}

func evalRange(_ *call, in []*array) ([]*array, error) {
	if len(in) != 3 || len(in[0].data) != 1 || len(in[1].data) != 1 || len(in[2].data) != 1 || in[2].data[0] == 0 {
		return nil, say.Errorf("a range without start, limit and step")
	}
	start, step := in[0].data[0], in[2].data[0]
	n := math.Ceil((in[1].data[0] - start) / step)
	if !(n <= maxArray) {
		return nil, say.Errorf("a range of %v elements", n)
	}
	out := newArray([]int{int(max(n, 0))})
	out.whole = in[0].whole
	for i := range out.data {
		out.data[i] = start + float64(i)*step
	}
	return one(out)
}

func evalSame(_ *call, in []*array) ([]*array, error) { return one(in[0]) }

func evalCast(c *call, in []*array) ([]*array, error) {
	out := &array{shape: in[0].shape, data: in[0].data, half: in[0].half}
	switch to := int64(c.int("to", typeFloat)); to {
	case typeBool:
		out = apply(out, func(v float64) float64 { return truth(v != 0) })
		out.whole = true
	case typeFloat, typeFloat16, typeDouble, typeBfloat16:
	default:
		out = apply(out, math.Trunc)
		out.whole = true
	}
	return one(out)
}

func evalView(c *call, in []*array) ([]*array, error) {
	shape, err := c.viewShape()
	if err != nil {
		return nil, err
	}
	return one(&array{shape: shape, data: in[0].data, whole: in[0].whole, half: in[0].half})
}

func evalTranspose(c *call, in []*array) ([]*array, error) {
	p, err := c.perm(len(in[0].shape))
	if err != nil {
		return nil, err
	}
	own := strides(in[0].shape, in[0].shape)
	shape, steps := make([]int, len(p)), make([]int, len(p))
	for i, a := range p {
		shape[i], steps[i] = in[0].shape[a], own[a]
	}
	return one(gather(in[0], shape, steps, 0))
}

// gather reads an array at strides from an offset.
func gather(a *array, shape, steps []int, from int) *array {
	out := newArray(shape)
	out.whole, out.half = a.whole, a.half
	walk(shape, [][]int{steps}, func(i int, at []int) { out.data[i] = a.data[from+at[0]] })
	return out
}

func evalSlice(c *call, in []*array) ([]*array, error) {
	list, err := c.cuts()
	if err != nil {
		return nil, err
	}
	return one(cutArray(in[0], list...))
}

func cutArray(a *array, list ...cut) *array {
	steps := strides(a.shape, a.shape)
	// A dimension of 1 has stride 0 there, which suits every cut of it.
	shape, from := slices.Clone(a.shape), 0
	for _, x := range list {
		from += x.start * steps[x.axis]
		steps[x.axis] *= x.step
		shape[x.axis] = x.count
	}
	return gather(a, shape, steps, from)
}

func evalSplit(c *call, in []*array) ([]*array, error) {
	along, sizes, err := c.parts()
	if err != nil {
		return nil, err
	}
	var out []*array
	from := 0
	for _, n := range sizes {
		out = append(out, cutArray(in[0], cut{axis: along, start: from, step: 1, count: n}))
		from += n
	}
	return out, nil
}

func evalConcat(c *call, in []*array) ([]*array, error) {
	along, shape, err := c.joined()
	if err != nil {
		return nil, err
	}
	out := newArray(shape)
	out.whole = in[0].whole
	rest := elements(shape[along+1:])
	at := 0
	for block := range elements(shape[:along]) {
		for _, a := range in {
			n := a.shape[along] * rest
			at += copy(out.data[at:], a.data[block*n:(block+1)*n])
		}
	}
	return one(out)
}
