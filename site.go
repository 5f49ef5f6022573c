package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"time"

	"spotter/web"
)

// What the page starts with: the file, relative to the project's folder, and what it can't say of itself.
const (
	defaultModel   = "models/weights/yolov5n-mnv4s-seg-f16.safetensors"
	defaultName    = "YOLOv5n + MobileNetV4-S, segment"
	defaultLicence = "Apache-2.0"
)

const siteAbout = `Usage: spotter site -o folder [flags]

Writes the page with a compiled model as a folder of plain files, compressed forms
beside them, for any static host. The host should send the headers in its _headers file.

`

// runSite is the command site.
func runSite(args []string, stdout, stderr io.Writer) error {
	set := flag.NewFlagSet("site", flag.ContinueOnError)
	set.SetOutput(io.Discard) // the dispatcher prints mistakes
	out := set.String("o", "", "folder to write; an earlier site in it is replaced")
	model := set.String("model", "", "model file instead of the default one")
	if err := parseFlags(set, args, siteAbout, stdout); err != nil {
		return err
	}
	if *out == "" {
		return usageError{errors.New("-o names the folder to write")}
	}
	site, err := buildSite(*model, web.Best, stderr)
	if err != nil {
		return err
	}
	if err := site.Write(*out); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "wrote %d files to %s\n", len(site), *out)
	return nil
}

// buildSite compiles the model (the default one where it is "") and builds the site around it.
func buildSite(model string, effort web.Effort, stderr io.Writer) (web.Site, error) {
	file := model
	if file == "" {
		file = defaultModel
	}
	start := time.Now()
	say := func(step string) { fmt.Fprintf(stderr, "%5.1f s  %s\n", time.Since(start).Seconds(), step) }
	say("compiling " + file)
	compiled, err := web.CompileFile(file)
	switch {
	case errors.Is(err, fs.ErrNotExist) && model == "":
		return nil, fmt.Errorf("%s is not here: run in the project's folder, or name a model with --model", file)
	case err != nil:
		return nil, err
	}
	if model == "" {
		compiled.Name, compiled.Licence = defaultName, defaultLicence
	}
	site, err := web.Build(web.Options{Models: []web.Model{compiled}, Effort: effort, Progress: say})
	if err != nil {
		return nil, err
	}
	say("ready")
	return site, nil
}
