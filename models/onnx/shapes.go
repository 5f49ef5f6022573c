package onnx

import (
	"slices"

	"spotter/models/say"
)

// shapeRule gives the shapes of a node's results.
type shapeRule func(c *call) ([][]int, error)

func single(shape []int, err error) ([][]int, error) { return [][]int{shape}, err }

// shapeRules by operation; what is missing has results of unknown shape.
var shapeRules map[string]shapeRule

func init() {
	shapeRules = map[string]shapeRule{
		"Conv": func(c *call) ([][]int, error) {
			w, weight, err := c.convolution()
			return single([]int{1, dim(weight, 0), w.out[0], w.out[1]}, err)
		},
		"ConvTranspose": func(c *call) ([][]int, error) {
			w, weight, _, err := c.transposed()
			return single([]int{1, dim(weight, 1) * c.int("group", 1), w.out[0], w.out[1]}, err)
		},
		"MaxPool": poolShape, "AveragePool": poolShape,
		"GlobalAveragePool": globalShape, "GlobalMaxPool": globalShape,
		"Resize": resizeShape, "Upsample": resizeShape,
		"Reshape": viewRule, "Flatten": viewRule, "Squeeze": viewRule, "Unsqueeze": viewRule,
		"Transpose": transposeShape, "Slice": sliceShape, "Split": splitShape,
		"Concat": func(c *call) ([][]int, error) {
			_, shape, err := c.joined()
			return single(shape, err)
		},
		"Gather": gatherShape, "Expand": expandShape, "MatMul": matMulRule, "Gemm": gemmShape,
		"Pad": padShape, "DepthToSpace": blockShape, "SpaceToDepth": blockShape,
		"Where": broadcastRule, "PRelu": sameShape,
	}
	for _, op := range []string{
		"BatchNormalization", "LeakyRelu", "Elu", "HardSwish", "HardSigmoid", "Clip", "Gelu", "Mish", "Identity", "Dropout", "Cast", "CastLike",
		"Softmax", "Selu", "Softsign", "Celu", "ThresholdedRelu", "InstanceNormalization", "LayerNormalization", "Swish", "ScatterND",
	} {
		shapeRules[op] = sameShape
	}
	for op := range unaries {
		shapeRules[op] = sameShape
	}
	for op := range binaries {
		shapeRules[op] = broadcastRule
	}
	shapeRules["Sum"] = broadcastRule
	for _, op := range []string{"ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL2"} {
		shapeRules[op] = func(c *call) ([][]int, error) {
			shape, _, err := c.reduced()
			return single(shape, err)
		}
	}
}

func dim(shape []int, i int) int {
	if i < len(shape) {
		return shape[i]
	}
	return 0
}

func sameShape(c *call) ([][]int, error) { return single(c.shape(0)) }

func viewRule(c *call) ([][]int, error) { return single(c.viewShape()) }

func broadcastRule(c *call) ([][]int, error) {
	out := []int{}
	for i := range c.in {
		in, err := c.shape(i)
		if err == nil {
			out, err = broadcast(out, in)
		}
		if err != nil {
			return nil, err
		}
	}
	return single(out, nil)
}

func poolShape(c *call) ([][]int, error) {
	in, err := c.shape(0)
	if err != nil {
		return nil, err
	}
	w, err := c.window(in, c.list("kernel_shape"))
	if err != nil {
		return nil, err
	}
	return single([]int{in[0], in[1], w.out[0], w.out[1]}, nil)
}

func globalShape(c *call) ([][]int, error) {
	in, err := c.shape(0)
	if err == nil && len(in) != 4 {
		err = say.Errorf("a pool over %v: only pictures, [1, C, H, W], are supported", in)
	}
	if err != nil {
		return nil, err
	}
	return single([]int{in[0], in[1], 1, 1}, nil)
}

func resizeShape(c *call) ([][]int, error) {
	r, err := c.resizing()
	if err != nil {
		return nil, err
	}
	return single([]int{c.shapes[0][0], c.shapes[0][1], r.out[0], r.out[1]}, nil)
}

func transposeShape(c *call) ([][]int, error) {
	in, err := c.shape(0)
	if err != nil {
		return nil, err
	}
	p, err := c.perm(len(in))
	out := make([]int, len(p))
	for i, a := range p {
		out[i] = in[a]
	}
	return single(out, err)
}

func sliceShape(c *call) ([][]int, error) {
	list, err := c.cuts()
	if err != nil {
		return nil, err
	}
	out := slices.Clone(c.shapes[0])
	for _, x := range list {
		out[x.axis] = x.count
	}
	return single(out, nil)
}

func splitShape(c *call) ([][]int, error) {
	along, sizes, err := c.parts()
	if err != nil {
		return nil, err
	}
	var list [][]int
	for _, n := range sizes {
		out := slices.Clone(c.shapes[0])
		out[along] = n
		list = append(list, out)
	}
	return list, nil
}

func gatherShape(c *call) ([][]int, error) {
	in, index, err := c.two()
	if err != nil {
		return nil, err
	}
	along, err := axis(c.int("axis", 0), len(in))
	if err != nil {
		return nil, err
	}
	return single(slices.Concat(in[:along], index, in[along+1:]), nil)
}

func expandShape(c *call) ([][]int, error) {
	in, err := c.shape(0)
	if err != nil {
		return nil, err
	}
	target, err := c.constant(1)
	if err != nil {
		return nil, err
	}
	if err := checkShape(target.ints(), maxArray); err != nil {
		return nil, err
	}
	return single(broadcast(in, target.ints()))
}

func matMulRule(c *call) ([][]int, error) {
	a, b, err := c.two()
	if err != nil {
		return nil, err
	}
	return single(matMulShape(a, b))
}

func gemmShape(c *call) ([][]int, error) {
	a, b, err := c.two()
	if err != nil {
		return nil, err
	}
	if len(a) != 2 || len(b) != 2 {
		return nil, say.Errorf("a product of %v and %v", a, b)
	}
	rows, inner := a[0], a[1]
	if c.int("transA", 0) != 0 {
		rows, inner = inner, rows
	}
	from, cols := b[0], b[1]
	if c.int("transB", 0) != 0 {
		from, cols = cols, from
	}
	if inner != from {
		return nil, say.Errorf("a product of %v and %v", a, b)
	}
	return single([]int{rows, cols}, nil)
}

// pads are Pad's: before all dimensions, then behind all.
func (c *call) pads() ([]int, error) {
	in, err := c.shape(0)
	if err != nil {
		return nil, err
	}
	list, err := c.listOr("pads", 1)
	if err != nil {
		return nil, err
	}
	if c.has(3) || len(list) != 2*len(in) {
		return nil, say.Errorf("padding %v of %v", list, in)
	}
	return list, nil
}

func padShape(c *call) ([][]int, error) {
	list, err := c.pads()
	if err != nil {
		return nil, err
	}
	out := slices.Clone(c.shapes[0])
	for i := range out {
		if list[i] < -maxWindow || list[i] > maxWindow || list[i+len(out)] < -maxWindow || list[i+len(out)] > maxWindow {
			return nil, say.Errorf("padding %v", list)
		}
		out[i] += list[i] + list[i+len(out)]
	}
	return single(out, nil)
}

func blockShape(c *call) ([][]int, error) {
	in, err := c.shape(0)
	if err != nil {
		return nil, err
	}
	b := c.int("blocksize", 0)
	if len(in) != 4 || b < 1 || b > 64 {
		return nil, say.Errorf("blocks of %d pixels in %v", b, in)
	}
	if c.op == "DepthToSpace" {
		if in[1]%(b*b) != 0 {
			return nil, say.Errorf("blocks of %d pixels from %v", b, in)
		}
		return single([]int{in[0], in[1] / (b * b), in[2] * b, in[3] * b}, nil)
	}
	if in[2]%b != 0 || in[3]%b != 0 {
		return nil, say.Errorf("blocks of %d pixels in %v", b, in)
	}
	return single([]int{in[0], in[1] * b * b, in[2] / b, in[3] / b}, nil)
}
