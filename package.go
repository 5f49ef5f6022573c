//go:build !embed

package main

import (
	"errors"
	"fmt"
	"io"

	"spotter/models/zoo"
	"spotter/web"
)

const packageAbout = `Usage: spotter package -o folder [flags]

Writes the JavaScript module with its models as a folder: what a web developer puts
beside a page (docs/embed.md), and what npm pack makes a package of.

`

// runPackage is the command package.
func runPackage(args []string, stdout, stderr io.Writer) error {
	set := newFlags("package")
	out := set.String("o", "", "folder to write; an earlier package in it is replaced")
	model := set.String("model", "", "model file, or the name of one network that ships ("+zoo.IDs()+"), instead of all that ship")
	if err := parseFlags(set, args, packageAbout, stdout); err != nil {
		return err
	}
	if *out == "" {
		return usageError{errors.New("-o names the folder to write")}
	}
	say := stopwatch(stderr)
	models, err := compileModels(*model, func(name string) { say("compiling %s", name) })
	if err != nil {
		return err
	}
	say("building the compiler for models in their own files")
	compiler, err := web.BuildCompiler(".", web.Fast)
	if err != nil {
		return err
	}
	p, err := web.Package(models, compiler)
	if err != nil {
		return err
	}
	if err := p.Write(*out); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "wrote %d files to %s\n", len(p), *out)
	return nil
}
