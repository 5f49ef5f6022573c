package onnx

import (
	"math"

	"spotter/models"
)

// fusion is a pattern of nodes that one operation stands for: functions that
// exporters spell out. in[0] is what it is applied to.
type fusion struct {
	op models.Op
	in []string
}

// fusion recognises a product whose factors are x and a function of x.
func (n *net) fusion(node *nodeProto) (fusion, bool) {
	if node.domain != "" || node.op != "Mul" && node.op != "Div" {
		return fusion{}, false
	}
	factor, values := n.factors(node, 1, 0)
	if len(values) != 2 {
		return fusion{}, false
	}
	for i := range values {
		x, f := values[i], values[1-i]
		if kind, ok := n.gated(x, f, factor); ok {
			return fusion{op: &models.Activation{Kind: kind}, in: []string{x}}, true
		}
	}
	return fusion{}, false
}

// factors flattens a tree of products: its constant factor, and the values multiplied.
func (n *net) factors(node *nodeProto, factor float64, depth int) (float64, []string) {
	var values []string
	for i, v := range node.in {
		if s, ok := n.scalar(v); ok {
			if node.op == "Div" && i == 1 {
				s = 1 / s
			} else if node.op == "Div" {
				return math.NaN(), nil // a reciprocal
			}
			factor *= s
			continue
		}
		if node.op == "Div" && i == 1 {
			return math.NaN(), nil
		}
		inner := n.from[v]
		if depth < 3 && inner != nil && inner.domain == "" && (inner.op == "Mul" || inner.op == "Div") {
			f, more := n.factors(inner, 1, depth+1)
			if len(more) == 1 || len(more) == 2 && n.scalarOperand(node) {
				factor *= f
				values = append(values, more...)
				continue
			}
		}
		values = append(values, v)
	}
	return factor, values
}

// scalarOperand tells whether a node multiplies one value with a number.
func (n *net) scalarOperand(node *nodeProto) bool {
	for _, v := range node.in {
		if _, ok := n.scalar(v); ok {
			return true
		}
	}
	return false
}

// gated recognises x * f(x) * factor.
func (n *net) gated(x, f string, factor float64) (models.ActKind, bool) {
	gate := n.from[f]
	if gate == nil || gate.domain != "" || len(gate.in) == 0 {
		return 0, false
	}
	switch gate.op {
	case "Sigmoid":
		return models.ActSiLU, gate.in[0] == x && near(factor, 1)
	case "HardSigmoid":
		c := n.call(gate)
		return models.ActHardSwish, gate.in[0] == x && near(factor, 1) && near(c.float("alpha", 0.2), 1.0/6) && near(c.float("beta", 0.5), 0.5)
	case "Clip":
		lo, hi, err := n.call(gate).bounds()
		y, shift := n.plus(gate.in[0])
		return models.ActHardSwish, err == nil && y == x && near(shift, 3) && lo == 0 && near(hi, 6) && near(factor, 1.0/6)
	case "Add":
		return models.ActGELU, n.isErf(f, x) && near(factor, 0.5)
	}
	return 0, false
}

// isErf recognises 1 + erf(x / sqrt 2).
func (n *net) isErf(f, x string) bool {
	y, shift := n.plus(f)
	erf := n.from[y]
	if erf == nil || erf.op != "Erf" || !near(shift, 1) || len(erf.in) == 0 {
		return false
	}
	inner := n.from[erf.in[0]]
	if inner == nil || inner.op != "Mul" && inner.op != "Div" {
		return false
	}
	factor, values := n.factors(inner, 1, 0)
	return len(values) == 1 && values[0] == x && near(factor, math.Sqrt2/2)
}

// plus takes a value apart into another and a constant that is added.
func (n *net) plus(v string) (string, float64) {
	node := n.from[v]
	if node == nil || node.op != "Add" || len(node.in) != 2 {
		return "", 0
	}
	for i := range node.in {
		if s, ok := n.scalar(node.in[i]); ok {
			return node.in[1-i], s
		}
	}
	return "", 0
}

// near allows for constants in half precision.
func near(a, b float64) bool { return math.Abs(a-b) <= 1e-3*math.Abs(b) }
