package summary

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"

	"spotter/models"
)

func isBackbone(l models.Layer) bool { return strings.HasPrefix(l.Module, "MobileNetV4") }

// Print writes the table of rows as YOLOv5 prints it (index, from, n, params, module,
// arguments) and the totals. A graph without rows gets the table of its nodes.
func Print(w io.Writer, g *models.Graph) error {
	b := bufio.NewWriter(w)
	if len(g.Layers) == 0 {
		printNodes(b, g)
	} else {
		printRows(b, g)
	}
	printTotal(b, g)
	return b.Flush()
}

// PrintNodes writes one line per operation: output shape, parameters and multiply-adds; and
// the totals.
func PrintNodes(w io.Writer, g *models.Graph) error {
	b := bufio.NewWriter(w)
	printNodes(b, g)
	printTotal(b, g)
	return b.Flush()
}

func printRows(w io.Writer, g *models.Graph) {
	fmt.Fprintf(w, "%3s%18s%3s%10s  %-40s%s\n", "", "from", "n", "params", "module", "arguments")
	for i, l := range g.Layers {
		fmt.Fprintf(w, "%3d%18s%3d%10d  %-40s%s\n", i, l.From, l.Repeat, l.Params, l.Module, l.Args)
	}
}

func printNodes(w io.Writer, g *models.Graph) {
	name := len("node")
	for _, n := range g.Nodes {
		name = max(name, len(n.Name))
	}
	fmt.Fprintf(w, "%5s  %-*s  %-14s%-20s%10s%10s\n", "", name, "node", "operation", "output", "params", "MMACs")
	for i, n := range g.Nodes {
		fmt.Fprintf(w, "%5d  %-*s  %-14s%-20s%10d%10.2f\n", i, name, n.Name, n.Op.OpName(),
			shape(n.Out.Shape), models.Trainable(n), float64(MACs(n))/1e6)
	}
}

func shape(s models.Shape) string {
	parts := make([]string, len(s))
	for i, d := range s {
		parts[i] = strconv.Itoa(d)
	}
	return strings.Join(parts, "x")
}

func printTotal(w io.Writer, g *models.Graph) {
	t := Count(g)
	fmt.Fprintf(w, "%s summary: ", g.Name)
	if t.Layers > 0 {
		fmt.Fprintf(w, "%d layers, ", t.Layers)
	} else {
		fmt.Fprintf(w, "%d operations, ", t.Nodes)
	}
	fmt.Fprintf(w, "%d parameters, %.2f GFLOPs at %d x %d\n", t.Params, t.GFLOPs(), t.Width, t.Height)
	if counted, ok := t.TutorialGFLOPs(); ok {
		fmt.Fprintf(w, "the tutorial's count: %.1f GFLOPs (takes the backbone four times, and BatchNorm as operations)\n", counted)
	}
}
