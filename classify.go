package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"spotter/models/load"
	"spotter/wasm/run"
	"spotter/wasm/show"
)

const classifyUsage = `Usage: spotter classify --model M [flags] picture...

Names what pictures show, best first, with a classifier: MobileNetV4 with timm's
parameter names (mobilenetv4_conv_small ... hybrid_large) or the tutorial's, or ONNX.

Flags:
`

// classifyFlags are the options of the classify command.
type classifyFlags struct {
	model *modelFlags
	names string
	top   int
	json  bool
}

// runClassify is the classify command.
func runClassify(args []string, stdout, stderr io.Writer) error {
	flags := newFlags("classify")
	f := classifyFlags{model: addModelFlags(flags)}
	flags.StringVar(&f.names, "names", "", "text file with a class name a line, where the model file does not hold them")
	flags.IntVar(&f.top, "top", 5, "how many classes to print of a picture")
	flags.BoolVar(&f.json, "json", false, "print one JSON array")
	files, err := parsePictures(flags, args, classifyUsage, stdout)
	switch {
	case err != nil:
		return err
	case f.top < 1:
		return usageError{errors.New("--top is at least 1")}
	}
	return f.run(files, stdout, stderr)
}

func (f *classifyFlags) run(files []string, stdout, stderr io.Writer) error {
	e, err := f.start(stderr)
	if err != nil {
		return err
	}
	defer e.Close()
	shown := []classified{}
	for _, file := range files {
		one, err := f.picture(e, file)
		if err != nil {
			return err
		}
		if f.json {
			shown = append(shown, *one)
			continue
		}
		one.print(stdout)
	}
	if !f.json {
		return nil
	}
	encoder := json.NewEncoder(stdout)
	encoder.SetIndent("", " ")
	return encoder.Encode(shown)
}

// start loads the classifier, names its classes and starts it.
func (f *classifyFlags) start(stderr io.Writer) (*run.Engine, error) {
	say := stopwatch(stderr)
	m, err := f.model.load()
	if err != nil {
		return nil, err
	}
	if m.Task != load.Classify {
		return nil, fmt.Errorf("%s finds objects (spotter detect); --model names a classifier", *f.model.file)
	}
	if f.names != "" {
		text, err := os.ReadFile(f.names)
		if err != nil {
			return nil, fileError(err)
		}
		names := strings.Split(strings.TrimRight(strings.ReplaceAll(string(text), "\r\n", "\n"), "\n"), "\n")
		if len(names) != m.Graph.Head.Classes {
			return nil, fmt.Errorf("%s has %d lines, the classifier %d classes", f.names, len(names), m.Graph.Head.Classes)
		}
		m.Graph.Classes = names
	}
	say("read %s", *f.model.file)
	return launch(m, *f.model.file, say)
}

// classified is what one picture shows, as --json prints it.
type classified struct {
	File    string  `json:"file"`
	Width   int     `json:"width"`
	Height  int     `json:"height"`
	Classes []class `json:"classes"`
	Took    float64 `json:"took_ms"`
}

type class struct {
	Class   string  `json:"class"`
	ClassID int     `json:"class_id"`
	Score   float32 `json:"score"`
}

// picture runs the classifier on one file.
func (f *classifyFlags) picture(e *run.Engine, file string) (*classified, error) {
	p, err := show.Read(file)
	if err != nil {
		return nil, err
	}
	begin := time.Now()
	err = e.Feed(p.Pix, p.W, p.H)
	if err == nil {
		err = e.Infer()
	}
	var results []run.Result
	if err == nil {
		results, err = e.Classify(f.top)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	out := &classified{File: file, Width: p.W, Height: p.H, Took: float64(time.Since(begin).Microseconds()) / 1e3}
	names := classNames(e)
	for _, r := range results {
		out.Classes = append(out.Classes, class{Class: names[r.Class], ClassID: r.Class, Score: r.Score})
	}
	return out, nil
}

// print writes the classes for people.
func (c *classified) print(w io.Writer) {
	fmt.Fprintf(w, "%s: %dx%d pixels, %.1f ms\n", c.File, c.Width, c.Height, c.Took)
	for _, k := range c.Classes {
		fmt.Fprintf(w, "  %.4f  %s\n", k.Score, k.Class)
	}
}
