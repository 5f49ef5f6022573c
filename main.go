// Command spotter compiles YOLOv5 + MobileNetV4 networks into WebAssembly and
// serves the page that runs them. See README.md and docs/architecture.md.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
)

// command is one word of the command line. Its run parses its own flags,
// answers --help with flag.ErrHelp and gives an error as a sentence.
type command struct {
	name, about string
	run         func(args []string, stdout, stderr io.Writer) error
}

// commands, in the order in which the help lists them; a new command adds its line here
// and lives in a file of its name.
var commands = append([]command{
	{"detect", "find objects in pictures", runDetect},
	{"classify", "name what pictures show, with a classifier", runClassify},
	{"eval", "measure a network on pictures in COCO's format", runEval},
	{"compile", "compile a network to a WebAssembly module and its weights", runCompile},
	{"serve", "serve the page", runServe},
	{"site", "write the page as a folder of files for any static host", runSite},
	{"summary", "print a network's layers, parameters and GFLOPs", runSummary},
	{"export", "write a network as ONNX", runExport},
}, sourceCommands...)

// usageError is a mistake on the command line (exit code 2).
type usageError struct{ error }

func main() { os.Exit(dispatch(os.Args[1:], os.Stdout, os.Stderr)) }

func dispatch(args []string, stdout, stderr io.Writer) int {
	if len(args) == 0 || args[0] == "help" || args[0] == "--help" || args[0] == "-h" {
		usage(stdout)
		return 0
	}
	for _, c := range commands {
		if c.name != args[0] {
			continue
		}
		return exitCode(c.name, c.run(args[1:], stdout, stderr), stderr)
	}
	fmt.Fprintf(stderr, "spotter: there is no command %q; `spotter help` lists them\n", args[0])
	return 2
}

func exitCode(name string, err error, stderr io.Writer) int {
	var wrong usageError
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	case errors.As(err, &wrong):
		fmt.Fprintf(stderr, "spotter %s: %v (see spotter %s --help)\n", name, err, name)
		return 2
	}
	fmt.Fprintf(stderr, "spotter %s: %v\n", name, err)
	return 1
}

func usage(w io.Writer) {
	fmt.Fprint(w, "Usage: spotter <command> [flags]   (go run . <command> from the sources)\n\n")
	for _, c := range commands {
		fmt.Fprintf(w, "  %-10s %s\n", c.name, c.about)
	}
	fmt.Fprint(w, "\nspotter <command> --help says more about each.\n")
}
