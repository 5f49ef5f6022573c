package models

// Trainable is the node's number of trainable parameters: weights and biases, not a
// BatchNorm's running statistics. Shapes must be inferred.
func Trainable(n *Node) int {
	bn, _ := n.Op.(*BatchNorm)
	total := 0
	for _, p := range n.Params() {
		if bn != nil && (p.Name == bn.Mean || p.Name == bn.Var) {
			continue
		}
		size := 1
		for _, d := range p.Shape {
			size *= d
		}
		if p.Shape != nil {
			total += size
		}
	}
	return total
}
