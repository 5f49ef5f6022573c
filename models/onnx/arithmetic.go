package onnx

import (
	"slices"

	"spotter/models"
	"spotter/models/say"
)

// besideConst gives the value of two inputs of which one, the first or not, is a constant,
// and the constant's name.
func (b *builder) besideConst(c *call, first bool) (*models.Value, string, error) {
	at := 0
	if first {
		at = 1
	}
	x, err := b.value(c.in[at])
	return x, c.in[1-at], err
}

// binary converts an operation of two values, or of a value and a constant.
func (b *builder) binary(c *call, kind models.BinaryKind) error {
	if len(c.in) != 2 {
		return say.Errorf("%d inputs, where two can run", len(c.in))
	}
	first, second := b.isConst(c, 0), b.isConst(c, 1)
	if !first && !second {
		return b.binaryOfTwo(c, kind)
	}
	x, name, err := b.besideConst(c, first)
	if err != nil {
		return err
	}
	shape, err := constShape(b.shapes[name], x.Shape)
	if err != nil {
		return err
	}
	perChannel := len(x.Shape) == 3 && slices.Equal(shape, []int{x.Shape[0], 1, 1})
	if perChannel && kind == models.Add && b.intoBias(c, x, name) {
		return nil
	}
	if perChannel && kind == models.Mul {
		weight, err := b.parameter(name, shape[:1])
		if err != nil {
			return err
		}
		return b.emit(c.nodeProto, 0, &models.Scale{Weight: weight}, x)
	}
	param, err := b.parameter(name, shape)
	if err != nil {
		return err
	}
	return b.emit(c.nodeProto, 0, &models.Binary{Kind: kind, Const: param, ConstFirst: first}, x)
}

func (b *builder) binaryOfTwo(c *call, kind models.BinaryKind) error {
	x, err := b.value(c.in[0])
	if err != nil {
		return err
	}
	y, err := b.value(c.in[1])
	if err != nil {
		return err
	}
	if len(x.Shape) != len(y.Shape) {
		return say.Errorf("values of %v and %v: the same number of dimensions is needed", c.shapes[0], c.shapes[1])
	}
	return b.emit(c.nodeProto, 0, &models.Binary{Kind: kind}, x, y)
}

// constShape drops the batch dimension of a constant beside a value.
func constShape(shape []int, value models.Shape) ([]int, error) {
	shape = slices.Clone(shape)
	for len(shape) > len(value) {
		if shape[0] != 1 {
			return nil, say.Errorf("its constant of shape %v is for several pictures", shape)
		}
		shape = shape[1:]
	}
	if elements(shape) == 1 {
		return []int{1}, nil
	}
	return shape, nil
}

// intoBias makes the constant that follows a convolution its bias.
func (b *builder) intoBias(c *call, x *models.Value, name string) bool {
	for _, v := range c.in {
		// An alias of the convolution's result may have other users.
		if b.values[v] == x && (b.uses[v] > 1 || b.from[v].op != "Conv") {
			return false
		}
	}
	if x.From == nil {
		return false
	}
	op, ok := x.From.Op.(*models.Conv)
	if !ok || op.Bias != "" {
		return false
	}
	bias, err := b.parameter(name, []int{op.Out})
	if err != nil {
		return false
	}
	op.Bias = bias
	b.values[c.out[0]] = x
	return true
}

// convertGemm is a fully connected layer: a convolution over a map of one pixel.
func convertGemm(b *builder, c *call) error {
	if c.int("transA", 0) != 0 || c.float("alpha", 1) != 1 || c.float("beta", 1) != 1 {
		return say.Errorf("only alpha = beta = 1 with the left side as it is can run")
	}
	x, err := b.value(c.in[0])
	if err != nil {
		return err
	}
	bias := ""
	if c.has(2) {
		bias = c.in[2]
	}
	return b.dense(c, x, c.in[1], c.int("transB", 0) != 0, bias)
}

// dense appends x [K] times a matrix [K, M], or [M, K] when it is across.
func (b *builder) dense(c *call, x *models.Value, matrix string, across bool, bias string) error {
	shape := b.shapes[matrix]
	if len(shape) != 2 || len(x.Shape) != 1 {
		return say.Errorf("a product of %v and %v has no kernel", c.shapes[0], shape)
	}
	out, in := shape[0], shape[1]
	weight, err := b.tensor(matrix, shape)
	if err != nil {
		return err
	}
	if !across {
		out, in = in, out
		weight = turned(weight)
	}
	name := b.title(c.nodeProto, 0)
	weight.Shape = []int{out, in, 1, 1}
	param := matrix + ".dense"
	if !across {
		param = matrix + ".turned" // several layers may share the matrix
	}
	b.weights[param] = weight
	op := &models.Conv{Out: out, Kernel: [2]int{1, 1}, Stride: [2]int{1, 1}, Groups: 1, Weight: param}
	if bias != "" {
		if op.Bias, err = b.parameter(bias, []int{out}); err != nil {
			return err
		}
	}
	if x, err = b.op(name+".in", &models.Reshape{Shape: models.Shape{in, 1, 1}}, x); err != nil {
		return err
	}
	if x, err = b.op(name+".product", op, x); err != nil {
		return err
	}
	return b.emit(c.nodeProto, 0, &models.Reshape{Shape: models.Shape{out}}, x)
}

// turned transposes a matrix.
func turned(t *models.Tensor) *models.Tensor {
	rows, cols := t.Shape[0], t.Shape[1]
	out := &models.Tensor{Shape: []int{cols, rows}, Data: make([]float32, len(t.Data)), Half: t.Half}
	for r := range rows {
		for c := range cols {
			out.Data[c*rows+r] = t.Data[r*cols+c]
		}
	}
	return out
}

func convertMatMul(b *builder, c *call) error {
	if b.isConst(c, 0) || b.isConst(c, 1) {
		return b.productWithConst(c)
	}
	x, err := b.value(c.in[0])
	if err != nil {
		return err
	}
	y, err := b.value(c.in[1])
	if err != nil {
		return err
	}
	return b.emit(c.nodeProto, 0, &models.MatMul{}, x, y)
}

func (b *builder) productWithConst(c *call) error {
	first := b.isConst(c, 0)
	x, matrix, err := b.besideConst(c, first)
	if err != nil {
		return err
	}
	if len(x.Shape) == 1 && !first {
		return b.dense(c, x, matrix, false, "")
	}
	shape := slices.Clone(b.shapes[matrix])
	for len(shape) > 2 && shape[0] == 1 {
		shape = shape[1:]
	}
	param, err := b.parameter(matrix, shape)
	if err != nil {
		return err
	}
	return b.emit(c.nodeProto, 0, &models.MatMul{Const: param, ConstFirst: first}, x)
}
