package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"

	"spotter/models/config"
	"spotter/models/summary"
)

const summaryUsage = `Usage: spotter summary [flags] network.yaml

Prints a network's layers as YOLOv5 does (index, from, repeats, parameters, module,
arguments) and its totals. GFLOPs are two operations per multiply-add of convolutions and
attention. The network is a YAML file or the name of a built-in one:
%s

Flags:
`

// runSummary is the summary command. Flags may stand before and behind the file.
func runSummary(args []string, stdout, _ io.Writer) error {
	flags := flag.NewFlagSet("summary", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	scale := flags.String("scale", "", "n, s, m, l or x instead of the YAML's depth and width multiples")
	imgsz := flags.Int("imgsz", 640, "side of the square input, pixels, a multiple of 32")
	width := flags.Int("width", 0, "width of the input instead of --imgsz")
	height := flags.Int("height", 0, "height of the input instead of --imgsz")
	nc := flags.Int("nc", 0, "number of classes instead of the YAML's")
	residual := flags.Bool("residual", false, "blocks of the backbone add their input, as in the paper")
	nodes := flags.Bool("nodes", false, "one line per operation, with shapes and multiply-adds")
	usage := fmt.Sprintf(summaryUsage, wrapNames(config.BuiltinNames()))
	files, err := parseMixed(flags, args, usage, stdout)
	if err != nil {
		return err
	}
	if len(files) != 1 {
		return usageError{errors.New("exactly one network is needed")}
	}
	o := config.Options{Scale: *scale, Width: *imgsz, Height: *imgsz, NC: *nc, Residual: *residual}
	if *width != 0 {
		o.Width = *width
	}
	if *height != 0 {
		o.Height = *height
	}
	g, err := loadYAML(files[0], o)
	if err != nil {
		return err
	}
	if *nodes {
		return summary.PrintNodes(stdout, g)
	}
	return summary.Print(stdout, g)
}

// parseMixed parses flags wherever they stand and gives the rest.
func parseMixed(flags *flag.FlagSet, args []string, usage string, stdout io.Writer) ([]string, error) {
	var rest []string
	for {
		switch err := flags.Parse(args); {
		case errors.Is(err, flag.ErrHelp):
			return nil, parseFlags(flags, []string{"--help"}, usage, stdout)
		case err != nil:
			return nil, usageError{err}
		}
		if args = flags.Args(); len(args) == 0 {
			return rest, nil
		}
		rest, args = append(rest, args[0]), args[1:]
	}
}

// wrapNames lists names in lines of 80 columns.
func wrapNames(names []string) string {
	var b strings.Builder
	column := 0
	for i, name := range names {
		if i < len(names)-1 {
			name += ", "
		}
		if column+len(name) > 78 {
			b.WriteString("\n")
			column = 0
		}
		if column == 0 {
			b.WriteString("  ")
			column = 2
		}
		b.WriteString(name)
		column += len(name)
	}
	return b.String()
}
