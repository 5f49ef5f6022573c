package models

import (
	"slices"

	"spotter/models/say"
)

// Uses counts the readers of each value; being an output counts.
func (g *Graph) Uses() map[*Value]int {
	uses := map[*Value]int{}
	for _, n := range g.Nodes {
		for _, v := range n.In {
			uses[v]++
		}
	}
	for _, v := range g.Outputs {
		uses[v]++
	}
	return uses
}

// Param is a parameter that a node names.
type Param struct {
	Name  string
	Shape []int // nil where the operation takes any shape (constants)
	Node  *Node
}

// Params lists the parameters that the graph names, each name once, in order
// of first use. Shapes must be inferred.
func (g *Graph) Params() []Param {
	var list []Param
	seen := map[string]bool{}
	for _, n := range g.Nodes {
		for _, p := range n.Params() {
			if !seen[p.Name] {
				seen[p.Name] = true
				list = append(list, p)
			}
		}
	}
	return list
}

// Params lists the parameters that the node names, weight first.
func (n *Node) Params() []Param {
	var list []Param
	add := func(name string, shape ...int) {
		if name != "" {
			list = append(list, Param{Name: name, Shape: shape, Node: n})
		}
	}
	switch op := n.Op.(type) {
	case *Conv:
		add(op.Weight, op.Out, n.channels()/max(op.Groups, 1), op.Kernel[0], op.Kernel[1])
		add(op.Bias, op.Out)
	case *ConvTranspose:
		add(op.Weight, n.channels(), op.Out/max(op.Groups, 1), op.Kernel[0], op.Kernel[1])
		add(op.Bias, op.Out)
	case *BatchNorm:
		for _, name := range []string{op.Weight, op.Bias, op.Mean, op.Var} {
			add(name, n.channels())
		}
	case *Scale:
		add(op.Weight, n.channels())
	case *Binary:
		add(op.Const)
	case *MatMul:
		add(op.Const)
	}
	return list
}

// channels is the first dimension of the node's first input, 0 when unknown.
func (n *Node) channels() int {
	if len(n.In) == 0 || len(n.In[0].Shape) == 0 {
		return 0
	}
	return n.In[0].Shape[0]
}

// CheckWeights finds the parameters that are missing, have another shape than the
// graph asks for or not as many values as their shape; the error lists them.
func (g *Graph) CheckWeights(w Weights) error {
	var wrong []say.Text
	for _, p := range g.Params() {
		t := w[p.Name]
		switch {
		case t == nil && p.Shape == nil:
			wrong = append(wrong, say.Sprintf("%s is missing", p.Name))
		case t == nil:
			wrong = append(wrong, say.Sprintf("%s %v is missing", p.Name, p.Shape))
		case p.Shape != nil && !slices.Equal(p.Shape, t.Shape):
			wrong = append(wrong, say.Sprintf("%s is %v, the network needs %v", p.Name, t.Shape, p.Shape))
		case len(t.Data) != Shape(t.Shape).Elements():
			wrong = append(wrong, say.Sprintf("%s is %v and has %d values", p.Name, t.Shape, len(t.Data)))
		}
	}
	if len(wrong) == 0 {
		return nil
	}
	return say.Errorf("the weights do not fit the network: %s", say.Join(wrong))
}

// Elements is the number of elements of a value of this shape.
func (s Shape) Elements() int {
	n := 1
	for _, d := range s {
		n *= d
	}
	return n
}
