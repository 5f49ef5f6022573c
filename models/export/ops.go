package export

import (
	"fmt"

	"spotter/models"
)

// add writes one node of the graph as one or several of ONNX.
func (b *builder) add(n *models.Node) error {
	in, out := b.values(n.In), []string{b.value(n.Out)}
	switch op := n.Op.(type) {
	case *models.Conv:
		b.node("Conv", n.Name, b.filter(in, op.Weight, op.Bias), out, convAttrs(b, op)...)
	case *models.ConvTranspose:
		b.node("ConvTranspose", n.Name, b.filter(in, op.Weight, op.Bias), out, transposeAttrs(op)...)
	case *models.BatchNorm:
		b.node("BatchNormalization", n.Name, append(in, b.param(op.Weight), b.param(op.Bias), b.param(op.Mean), b.param(op.Var)), out,
			floatAttr("epsilon", op.Eps))
	case *models.Activation:
		return b.activation(n, op, in[0], out)
	case *models.MaxPool:
		b.node("MaxPool", n.Name, in, out, poolAttrs(op.Kernel, op.Stride, op.Pad)...)
	case *models.AvgPool:
		b.node("AveragePool", n.Name, in, out,
			append(poolAttrs(op.Kernel, op.Stride, op.Pad), intAttr("count_include_pad", flag(op.CountPad)))...)
	case *models.GlobalAvgPool:
		b.node("GlobalAveragePool", n.Name, in, out)
	case *models.Resize:
		b.resize(n, op, in[0], out)
	case *models.Concat:
		b.node("Concat", n.Name, in, out, intAttr("axis", op.Axis+1))
	case *models.Binary:
		return b.binary(n, op, in, out)
	case *models.Scale:
		b.scale(n, op, in, out)
	case *models.MQA:
		b.attention(n, op, in, out)
	default:
		return b.layout(n, in, out)
	}
	return b.err
}

// layout writes the operations that move elements or work on matrices.
func (b *builder) layout(n *models.Node, in, out []string) error {
	switch op := n.Op.(type) {
	case *models.Slice:
		step := max(op.Step, 1)
		b.node("Slice", n.Name, append(in, b.ints(n.Name+"/starts", op.Start), b.ints(n.Name+"/ends", op.End),
			b.ints(n.Name+"/axes", op.Axis+1), b.ints(n.Name+"/steps", step)), out)
	case *models.MatMul:
		for _, v := range n.In {
			if len(v.Shape) < 2 { // with the batch dimension it would be a matrix
				return fmt.Errorf("a product with the vector %s has no ONNX form here", v.Name)
			}
		}
		if op.Const != "" {
			in = operands(in[0], b.param(op.Const), op.ConstFirst)
		}
		b.node("MatMul", n.Name, in, out)
	case *models.Softmax:
		b.node("Softmax", n.Name, in, out, intAttr("axis", op.Axis+1))
	case *models.Reshape:
		b.node("Reshape", n.Name, append(in, b.ints(n.Name+"/shape", batched(op.Shape)...)), out)
	case *models.Transpose:
		perm := []int{0}
		for _, p := range op.Perm {
			perm = append(perm, p+1)
		}
		b.node("Transpose", n.Name, in, out, intsAttr("perm", perm...))
	default:
		return fmt.Errorf("this operation has no ONNX form here")
	}
	return b.err
}

// filter lists a convolution's inputs: picture, weight and, where there is one, bias.
func (b *builder) filter(in []string, weight, bias string) []string {
	in = append(in, b.param(weight))
	if bias != "" {
		in = append(in, b.param(bias))
	}
	return in
}

func convAttrs(b *builder, op *models.Conv) []attr {
	dilation := [2]int{max(op.Dilation[0], 1), max(op.Dilation[1], 1)}
	kernel := op.Kernel
	return append(poolAttrs(kernel, op.Stride, op.Pad),
		intsAttr("dilations", dilation[:]...), intAttr("group", max(op.Groups, 1)))
}

func transposeAttrs(op *models.ConvTranspose) []attr {
	return append(poolAttrs(op.Kernel, op.Stride, op.Pad),
		intsAttr("output_padding", op.OutPad[:]...), intAttr("group", max(op.Groups, 1)))
}

func poolAttrs(kernel, stride [2]int, pad [4]int) []attr {
	return []attr{intsAttr("kernel_shape", kernel[:]...), intsAttr("strides", stride[:]...), intsAttr("pads", pad[:]...)}
}

// simple are the activations that are one ONNX operator without attributes.
var simple = map[models.ActKind]string{
	models.ActReLU: "Relu", models.ActSigmoid: "Sigmoid", models.ActHardSwish: "HardSwish",
	models.ActTanh: "Tanh", models.ActExp: "Exp", models.ActSqrt: "Sqrt", models.ActNeg: "Neg", models.ActNone: "Identity",
}

func (b *builder) activation(n *models.Node, op *models.Activation, in string, out []string) error {
	if name, ok := simple[op.Kind]; ok {
		b.node(name, n.Name, []string{in}, out)
		return b.err
	}
	switch op.Kind {
	case models.ActReLU6:
		b.node("Clip", n.Name, []string{in, b.scalar(0), b.scalar(6)}, out)
	case models.ActClip:
		b.node("Clip", n.Name, []string{in, b.scalar(op.Lo), b.scalar(op.Hi)}, out)
	case models.ActSiLU:
		b.node("Mul", n.Name, []string{in, b.step("Sigmoid", n.Name, []string{in})}, out)
	case models.ActLeakyReLU:
		b.node("LeakyRelu", n.Name, []string{in}, out, floatAttr("alpha", op.Lo))
	case models.ActHardSigmoid:
		b.node("HardSigmoid", n.Name, []string{in}, out, floatAttr("alpha", op.Lo), floatAttr("beta", op.Hi))
	case models.ActGELU:
		b.gelu(n, in, out)
	default:
		return fmt.Errorf("activation %d has no ONNX form here", op.Kind)
	}
	return b.err
}

// gelu is 0.5 x (1 + erf(x / sqrt 2)); ONNX has it as one operator only from opset 20.
func (b *builder) gelu(n *models.Node, in string, out []string) {
	erf := b.step("Erf", n.Name, []string{b.step("Mul", n.Name, []string{in, b.scalar(0.70710677)})})
	half := b.step("Mul", n.Name, []string{in, b.scalar(0.5)})
	b.node("Mul", n.Name, []string{half, b.step("Add", n.Name, []string{erf, b.scalar(1)})}, out)
}

func (b *builder) resize(n *models.Node, op *models.Resize, in string, out []string) {
	attrs := []attr{stringAttr("mode", "nearest"), stringAttr("nearest_mode", "floor"), stringAttr("coordinate_transformation_mode", "asymmetric")}
	if op.Mode == "linear" {
		coords := "half_pixel"
		if op.Corner {
			coords = "align_corners"
		}
		attrs = []attr{stringAttr("mode", "linear"), stringAttr("coordinate_transformation_mode", coords)}
	}
	if op.Size != [2]int{} {
		size := b.ints(n.Name+"/sizes", 1, n.In[0].Shape[0], op.Size[0], op.Size[1])
		b.node("Resize", n.Name, []string{in, "", "", size}, out, attrs...)
		return
	}
	name := b.unique(n.Name + "/scales")
	scales := b.floats(name, []int{4}, []float32{1, 1, op.Scale[0], op.Scale[1]})
	b.node("Resize", n.Name, []string{in, "", scales}, out, attrs...)
}

var binaryOps = map[models.BinaryKind]string{
	models.Add: "Add", models.Sub: "Sub", models.Mul: "Mul", models.Div: "Div",
	models.Pow: "Pow", models.Max: "Max", models.Min: "Min",
}

func (b *builder) binary(n *models.Node, op *models.Binary, in, out []string) error {
	name, ok := binaryOps[op.Kind]
	if !ok {
		return fmt.Errorf("function %d has no ONNX form here", op.Kind)
	}
	if op.Const != "" {
		in = operands(in[0], b.param(op.Const), op.ConstFirst)
	}
	b.node(name, n.Name, in, out)
	return b.err
}

func operands(value, constant string, constFirst bool) []string {
	if constFirst {
		return []string{constant, value}
	}
	return []string{value, constant}
}

// scale multiplies by one factor a channel: the parameter [C] is written as [C,1,1], which broadcasts.
func (b *builder) scale(n *models.Node, op *models.Scale, in, out []string) {
	t := b.tensor(op.Weight)
	if t == nil {
		return
	}
	factor := b.floats(op.Weight, []int{len(t.Data), 1, 1}, t.Data)
	b.node("Mul", n.Name, []string{in[0], factor}, out)
}

// attention writes multi-query attention with ONNX's own operators. Heads become a
// batch dimension; the one key and value broadcast over them.
func (b *builder) attention(n *models.Node, op *models.MQA, in, out []string) {
	q, kv := n.In[0].Shape, n.In[1].Shape
	query, keys := q[1]*q[2], kv[1]*kv[2]
	reshape := func(v string, dims ...int) string {
		return b.step("Reshape", n.Name, []string{v, b.ints(n.Name+"/shape", dims...)})
	}
	turn := func(v string) string { return b.step("Transpose", n.Name, []string{v}, intsAttr("perm", 0, 1, 3, 2)) }
	rows := turn(reshape(in[0], 1, op.Heads, op.Dim, query))
	products := b.step("MatMul", n.Name, []string{rows, reshape(in[1], 1, 1, op.Dim, keys)})
	scaled := b.step("Mul", n.Name, []string{products, b.scalar(op.Scale)})
	weights := b.step("Softmax", n.Name, []string{scaled}, intAttr("axis", 3))
	mixed := b.step("MatMul", n.Name, []string{weights, turn(reshape(in[2], 1, 1, op.Dim, keys))})
	b.node("Reshape", n.Name, []string{turn(mixed), b.ints(n.Name+"/shape", 1, op.Heads*op.Dim, q[1], q[2])}, out)
}

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}
