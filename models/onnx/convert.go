package onnx

import (
	"math"

	"spotter/models"
	"spotter/models/say"
)

// converter appends the operations of a node.
type converter func(b *builder, c *call) error

// converters by operation: everything that runs.
var converters map[string]converter

func init() {
	converters = map[string]converter{
		"Conv": convertConv, "ConvTranspose": convertTransposed, "BatchNormalization": convertNorm,
		"MaxPool": convertMaxPool, "AveragePool": convertAvgPool, "GlobalAveragePool": convertGlobalPool, "ReduceMean": convertMean,
		"Resize": convertResize, "Upsample": convertResize,
		"Clip": convertClip, "LeakyRelu": convertLeaky, "PRelu": convertPRelu, "HardSigmoid": convertHardSigmoid, "Gelu": convertGelu,
		"Identity": convertSame, "Dropout": convertSame, "Cast": convertSame,
		"Reshape": convertView, "Flatten": convertView, "Squeeze": convertView, "Unsqueeze": convertView,
		"Transpose": convertTranspose, "Slice": convertSlice, "Split": convertSplit, "Concat": convertConcat, "Gather": convertGather,
		"Expand": convertExpand, "DepthToSpace": convertBlocks, "SpaceToDepth": convertBlocks, "Pad": convertPad,
		"Gemm": convertGemm, "MatMul": convertMatMul, "Softmax": convertSoftmax, "Sum": convertSum,
	}
	for op, kind := range map[string]models.ActKind{
		"Relu": models.ActReLU, "Sigmoid": models.ActSigmoid, "Tanh": models.ActTanh, "Exp": models.ActExp, "Sqrt": models.ActSqrt,
		"Neg": models.ActNeg, "HardSwish": models.ActHardSwish,
	} {
		converters[op] = func(b *builder, c *call) error { return b.activate(c, models.Activation{Kind: kind}) }
	}
	for op, kind := range map[string]models.BinaryKind{
		"Add": models.Add, "Sub": models.Sub, "Mul": models.Mul, "Div": models.Div, "Pow": models.Pow, "Max": models.Max, "Min": models.Min,
	} {
		converters[op] = func(b *builder, c *call) error { return b.binary(c, kind) }
	}
}

func (b *builder) activate(c *call, a models.Activation) error {
	x, err := b.value(c.in[0])
	if err != nil {
		return err
	}
	return b.emit(c.nodeProto, 0, &a, x)
}

func convertConv(b *builder, c *call) error {
	w, weight, err := c.convolution()
	if err != nil {
		return err
	}
	x, err := b.value(c.in[0])
	if err != nil {
		return err
	}
	if pad, ok := b.padBefore(c.in[0]); ok {
		x = x.From.In[0]
		for i := range w.pad {
			w.pad[i] += pad[i]
		}
	}
	op := &models.Conv{Out: weight[0], Kernel: w.kernel, Stride: w.stride, Pad: w.pad, Dilation: w.dilation, Groups: c.int("group", 1)}
	if op.Weight, op.Bias, err = b.filter(c, weight, op.Out); err != nil {
		return err
	}
	return b.emit(c.nodeProto, 0, op, x)
}

// filter takes a convolution's weight and, where there is one, its bias.
func (b *builder) filter(c *call, shape []int, out int) (weight, bias string, err error) {
	if weight, err = b.parameter(c.in[1], shape); err == nil && c.has(2) {
		bias, err = b.parameter(c.in[2], []int{out})
	}
	return weight, bias, err
}

func convertTransposed(b *builder, c *call) error {
	w, weight, outPad, err := c.transposed()
	if err != nil {
		return err
	}
	x, err := b.value(c.in[0])
	if err != nil {
		return err
	}
	groups := c.int("group", 1)
	op := &models.ConvTranspose{Out: weight[1] * groups, Kernel: w.kernel, Stride: w.stride, Pad: w.pad, OutPad: outPad, Groups: groups}
	if op.Weight, op.Bias, err = b.filter(c, weight, op.Out); err != nil {
		return err
	}
	return b.emit(c.nodeProto, 0, op, x)
}

func convertNorm(b *builder, c *call) error {
	x, err := b.value(c.in[0])
	if err != nil {
		return err
	}
	if len(c.in) < 5 || len(x.Shape) == 0 {
		return say.Errorf("%d inputs", len(c.in))
	}
	op := &models.BatchNorm{Eps: float32(c.float("epsilon", 1e-5))}
	for i, p := range []*string{&op.Weight, &op.Bias, &op.Mean, &op.Var} {
		if *p, err = b.parameter(c.in[i+1], []int{x.Shape[0]}); err != nil {
			return err
		}
	}
	return b.emit(c.nodeProto, 0, op, x)
}

func convertMaxPool(b *builder, c *call) error {
	x, w, err := b.pool(c)
	if err != nil {
		return err
	}
	if w.dilation != [2]int{1, 1} || len(c.out) > 1 && b.uses[c.out[1]] > 0 {
		return say.Errorf("a pool with dilation or with indices has no kernel")
	}
	return b.emit(c.nodeProto, 0, &models.MaxPool{Kernel: w.kernel, Stride: w.stride, Pad: w.pad}, x)
}

func (b *builder) pool(c *call) (*models.Value, window, error) {
	in, err := c.shape(0)
	if err != nil {
		return nil, window{}, err
	}
	w, err := c.window(in, c.list("kernel_shape"))
	if err != nil {
		return nil, w, err
	}
	x, err := b.value(c.in[0])
	return x, w, err
}

func convertAvgPool(b *builder, c *call) error {
	x, w, err := b.pool(c)
	if err != nil {
		return err
	}
	counts := c.int("count_include_pad", 0) != 0 && w.pad != [4]int{}
	if counts && c.int("ceil_mode", 0) != 0 || w.dilation != [2]int{1, 1} {
		return say.Errorf("an average pool that counts its padding and rounds its size up, or with dilation, has no kernel")
	}
	if whole := b.wholeMap(c, w); whole {
		return b.emit(c.nodeProto, 0, &models.GlobalAvgPool{}, x)
	}
	return b.emit(c.nodeProto, 0, &models.AvgPool{Kernel: w.kernel, Stride: w.stride, Pad: w.pad, CountPad: counts}, x)
}

// wholeMap tells whether a pool covers all of its map, at the file's own size where
// this is another: exporters write a global pool so.
func (b *builder) wholeMap(c *call, w window) bool {
	in := c.shapes[0]
	if b.as != nil {
		in = b.as.shapes[c.in[0]]
	}
	return w.pad == [4]int{} && len(in) == 4 && w.kernel == [2]int{in[2], in[3]}
}

func convertGlobalPool(b *builder, c *call) error {
	x, err := b.value(c.in[0])
	if err != nil {
		return err
	}
	return b.emit(c.nodeProto, 0, &models.GlobalAvgPool{}, x)
}

// convertMean is a mean over height and width.
func convertMean(b *builder, c *call) error {
	x, err := b.value(c.in[0])
	if err != nil {
		return err
	}
	shape, over, err := c.reduced()
	if err != nil {
		return err
	}
	if len(x.Shape) != 3 || len(over) != 2 || over[0]+over[1] != 5 || over[0]*over[1] != 6 {
		return say.Errorf("a mean over axes %v of %v has no kernel (over height and width has)", over, c.shapes[0])
	}
	if len(shape) == 4 {
		return b.emit(c.nodeProto, 0, &models.GlobalAvgPool{}, x)
	}
	if x, err = b.op(b.title(c.nodeProto, 0)+".pool", &models.GlobalAvgPool{}, x); err != nil {
		return err
	}
	return b.emit(c.nodeProto, 0, &models.Reshape{Shape: models.Shape{x.Shape[0]}}, x)
}

func convertResize(b *builder, c *call) error {
	r, err := c.resizing()
	if err != nil {
		return err
	}
	x, err := b.value(c.in[0])
	if err != nil {
		return err
	}
	op := &models.Resize{Scale: [2]float32{float32(r.scale[0]), float32(r.scale[1])}, Mode: "nearest", Corner: r.corner}
	if r.linear {
		op.Mode = "linear"
	}
	// A scale that is no whole number may round to another size: the size counts.
	if r.scale[0] != math.Trunc(r.scale[0]) || r.scale[1] != math.Trunc(r.scale[1]) {
		op.Size = r.out
	}
	return b.emit(c.nodeProto, 0, op, x)
}

func convertClip(b *builder, c *call) error {
	lo, hi, err := c.bounds()
	if err != nil {
		return err
	}
	a := models.Activation{Kind: models.ActClip, Lo: float32(lo), Hi: float32(hi)}
	switch {
	case lo == 0 && hi == 6:
		a = models.Activation{Kind: models.ActReLU6}
	case lo == 0 && hi > math.MaxFloat32:
		a = models.Activation{Kind: models.ActReLU}
	}
	return b.activate(c, a)
}

func convertLeaky(b *builder, c *call) error {
	return b.activate(c, models.Activation{Kind: models.ActLeakyReLU, Lo: float32(c.float("alpha", 0.01))})
}

// convertPRelu takes a slope that is the same everywhere.
func convertPRelu(b *builder, c *call) error {
	t, err := b.tensor(c.in[len(c.in)-1], c.shapes[len(c.in)-1])
	if err != nil {
		return err
	}
	for _, v := range t.Data {
		if v != t.Data[0] {
			return say.Errorf("a slope for each channel has no kernel (one for all has)")
		}
	}
	if len(t.Data) == 0 {
		return say.Errorf("it has no slope")
	}
	return b.activate(c, models.Activation{Kind: models.ActLeakyReLU, Lo: t.Data[0]})
}

func convertHardSigmoid(b *builder, c *call) error {
	return b.activate(c, models.Activation{Kind: models.ActHardSigmoid, Lo: float32(c.float("alpha", 0.2)), Hi: float32(c.float("beta", 0.5))})
}

func convertGelu(b *builder, c *call) error {
	if c.text("approximate", "none") != "none" {
		return say.Errorf("GELU in its tanh approximation has no kernel (the exact form has)")
	}
	return b.activate(c, models.Activation{Kind: models.ActGELU})
}

func convertSame(b *builder, c *call) error {
	x, err := b.value(c.in[0])
	if err != nil {
		return err
	}
	if c.op == "Cast" {
		switch c.int("to", typeFloat) {
		case typeFloat, typeFloat16, typeDouble, typeBfloat16:
		default:
			return say.Errorf("a conversion of computed values to whole numbers has no kernel")
		}
	}
	b.values[c.out[0]] = x
	return nil
}
