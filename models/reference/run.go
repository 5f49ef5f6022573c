// Package reference runs a network in plain scalar Go: the meaning of
// models.Graph, against which the compiled modules are measured. Values are
// row-major in the framework's order, [C, H, W] for feature maps.
package reference

import (
	"fmt"
	"runtime"
	"sync"

	"spotter/models"
)

// Run computes the graph's outputs from the input, [3, H, W] as g.Input.Shape
// says. Shapes must be inferred. Visit, when not nil, sees the value of every
// node in the order of computation; it may keep the slice but not change it.
// An error names the node and what does not fit.
func Run(g *models.Graph, w models.Weights, input []float32, visit func(*models.Node, []float32)) ([][]float32, error) {
	if want := g.Input.Shape.Elements(); len(input) != want {
		return nil, fmt.Errorf("%d input values, the network takes %v", len(input), []int(g.Input.Shape))
	}
	if err := g.CheckWeights(w); err != nil {
		return nil, err
	}
	values := map[*models.Value][]float32{g.Input: input}
	uses := g.Uses()
	for _, n := range g.Nodes {
		out, err := runNode(n, w, values)
		if err != nil {
			return nil, fmt.Errorf("node %s (%s): %w", n.Name, n.Op.OpName(), err)
		}
		values[n.Out] = out
		if visit != nil {
			visit(n, out)
		}
		for _, v := range n.In {
			if uses[v]--; uses[v] == 0 {
				delete(values, v)
			}
		}
	}
	outputs := make([][]float32, len(g.Outputs))
	for i, v := range g.Outputs {
		if outputs[i] = values[v]; outputs[i] == nil {
			return nil, fmt.Errorf("output %d (%s) is the result of no node", i, v.Name)
		}
	}
	return outputs, nil
}

// tensor is a value with its shape.
type tensor struct {
	shape models.Shape
	data  []float32
}

func runNode(n *models.Node, w models.Weights, values map[*models.Value][]float32) ([]float32, error) {
	in := make([]tensor, len(n.In))
	for i, v := range n.In {
		in[i] = tensor{v.Shape, values[v]}
		if in[i].data == nil || len(in[i].data) != v.Shape.Elements() {
			return nil, fmt.Errorf("input %s has %d values for shape %v", v.Name, len(in[i].data), []int(v.Shape))
		}
	}
	out := tensor{n.Out.Shape, make([]float32, n.Out.Shape.Elements())}
	return out.data, run(n.Op, w, in, out)
}

func run(op models.Op, w models.Weights, in []tensor, out tensor) error {
	switch op := op.(type) {
	case *models.Conv:
		conv(op, w, in[0], out)
	case *models.ConvTranspose:
		convTranspose(op, w, in[0], out)
	case *models.BatchNorm:
		batchNorm(op, w, in[0], out)
	case *models.Activation:
		return activate(op, in[0], out)
	case *models.MaxPool:
		maxPool(op, in[0], out)
	case *models.AvgPool:
		avgPool(op, in[0], out)
	case *models.GlobalAvgPool:
		globalAvgPool(in[0], out)
	case *models.Resize:
		return resize(op, in[0], out)
	case *models.Scale:
		scale(w[op.Weight].Data, in[0], out)
	case *models.MQA:
		attention(op, in[0], in[1], in[2], out)
	default:
		return runRank(op, w, in, out)
	}
	return nil
}

// runRank runs the operations that work on any rank.
func runRank(op models.Op, w models.Weights, in []tensor, out tensor) error {
	switch op := op.(type) {
	case *models.Concat:
		concat(op.Axis, in, out)
	case *models.Slice:
		slice(op, in[0], out)
	case *models.Binary:
		a, b := operands(in, w[op.Const], op.ConstFirst)
		return binary(op.Kind, a, b, out)
	case *models.MatMul:
		a, b := operands(in, w[op.Const], op.ConstFirst)
		matMul(a, b, out)
	case *models.Softmax:
		softmax(op.Axis, in[0], out)
	case *models.Reshape:
		copy(out.data, in[0].data)
	case *models.Transpose:
		transpose(op.Perm, in[0], out)
	default:
		return fmt.Errorf("operation of unknown kind %T", op)
	}
	return nil
}

// operands puts a constant on its side.
func operands(in []tensor, c *models.Tensor, first bool) (a, b tensor) {
	if c == nil {
		return in[0], in[1]
	}
	constant := tensor{c.Shape, c.Data}
	if first {
		return constant, in[0]
	}
	return in[0], constant
}

// parallel calls f for every i below n, on all processors.
func parallel(n int, f func(i int)) {
	workers := min(runtime.GOMAXPROCS(0), n)
	var wait sync.WaitGroup
	for worker := range workers {
		wait.Go(func() {
			for i := worker; i < n; i += workers {
				f(i)
			}
		})
	}
	wait.Wait()
}
