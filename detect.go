package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"spotter/models/detect"
	"spotter/models/load"
	"spotter/wasm"
	"spotter/wasm/run"
	"spotter/wasm/show"
)

const detectUsage = `Usage: spotter detect [flags] picture...

Finds objects in pictures (JPEG, PNG, GIF, WebP, BMP, TIFF) with the module that the page
runs, and prints class, score, box (x1 y1 x2 y2 in pixels of the picture) and mask.

Flags:
`

// detectFlags are the options of the detect command.
type detectFlags struct {
	model     *modelFlags
	conf, iou float64
	most      int
	json      bool
	save      string
}

// runDetect is the detect command.
func runDetect(args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("detect", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	f := detectFlags{model: addModelFlags(flags)}
	flags.Float64Var(&f.conf, "conf", 0.25, "least score of a detection")
	flags.Float64Var(&f.iou, "iou", 0.45, "overlap (IoU) above which the better of two boxes of a class hides the other")
	flags.IntVar(&f.most, "max", 300, "most detections of a picture")
	flags.BoolVar(&f.json, "json", false, "print one JSON array, masks as COCO run lengths")
	flags.StringVar(&f.save, "save", "", "folder to draw the pictures into, as PNG")
	files, err := parseMixed(flags, args, detectUsage, stdout)
	switch {
	case err != nil:
		return err
	case len(files) == 0:
		return usageError{errors.New("name at least one picture")}
	case f.conf < 0 || f.conf > 1 || f.iou < 0 || f.iou > 1:
		return usageError{errors.New("--conf and --iou lie between 0 and 1")}
	}
	return f.run(files, stdout, stderr)
}

func (f *detectFlags) run(files []string, stdout, stderr io.Writer) error {
	m, e, err := start(f.model, stderr)
	if err != nil {
		return err
	}
	defer e.Close()
	if m.Task == load.Classify {
		return fmt.Errorf("%s is a classifier: it gives classes of whole pictures, not boxes", m.Name)
	}
	if f.save != "" {
		if err := os.MkdirAll(f.save, 0o755); err != nil {
			return fileError(err)
		}
	}
	found := []found{}
	for _, file := range files {
		one, err := f.picture(e, file)
		if err != nil {
			return err
		}
		if f.json {
			found = append(found, *one)
			continue
		}
		one.print(stdout)
	}
	if !f.json {
		return nil
	}
	encoder := json.NewEncoder(stdout)
	encoder.SetIndent("", " ")
	encoder.SetEscapeHTML(false) // run lengths hold <, > and &
	return encoder.Encode(found)
}

// start loads, compiles and starts a network, saying so on stderr.
func start(model *modelFlags, stderr io.Writer) (*load.Model, *run.Engine, error) {
	say := stopwatch(stderr)
	m, err := model.load()
	if err != nil {
		return nil, nil, err
	}
	say("read %s", *model.file)
	e, err := launch(m, *model.file, say)
	return m, e, err
}

// stopwatch prints lines with the seconds since it was made.
func stopwatch(stderr io.Writer) func(format string, args ...any) {
	begin := time.Now()
	return func(format string, args ...any) {
		fmt.Fprintf(stderr, "%5.1f s  %s\n", time.Since(begin).Seconds(), fmt.Sprintf(format, args...))
	}
}

// launch compiles and starts a network; file is its name in errors.
func launch(m *load.Model, file string, say func(format string, args ...any)) (*run.Engine, error) {
	compiled, err := wasm.Compile(m.Graph, m.Weights, wasm.Options{Task: m.Task})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	say("compiled for %dx%d pixels", compiled.Manifest.Width, compiled.Manifest.Height)
	e, err := run.New(context.Background(), compiled.Module, compiled.Weights, run.Options{})
	if err != nil {
		return nil, err
	}
	say("ready")
	return e, nil
}

// found is what one picture shows, as --json prints it.
type found struct {
	File       string             `json:"file"`
	Width      int                `json:"width"`
	Height     int                `json:"height"`
	Detections []detection        `json:"detections"`
	Timings    map[string]float64 `json:"timings_ms"`
}

type detection struct {
	Class   string      `json:"class"`
	ClassID int         `json:"class_id"`
	Score   float32     `json:"score"`
	Box     [4]float32  `json:"box"` // x1 y1 x2 y2, pixels of the picture
	Mask    *detect.RLE `json:"mask,omitempty"`

	mask *detect.Mask
	area int
}

// picture runs the network on one file.
func (f *detectFlags) picture(e *run.Engine, file string) (*found, error) {
	out := &found{File: file, Detections: []detection{}, Timings: map[string]float64{}}
	last := time.Now()
	lap := func(name string) {
		now := time.Now()
		out.Timings[name] = float64(now.Sub(last).Microseconds()) / 1e3
		last = now
	}
	p, err := show.Read(file)
	if err != nil {
		return nil, err
	}
	out.Width, out.Height = p.W, p.H
	lap("read")
	if err := e.Feed(p.Pix, p.W, p.H); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	lap("feed")
	if err := e.Infer(); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	lap("network")
	results, err := e.Detect(run.DetectOptions{Conf: float32(f.conf), IoU: float32(f.iou), Max: f.most})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	lap("detect")
	for i, r := range results {
		d, err := describe(e, r, i, p)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		out.Detections = append(out.Detections, d)
	}
	lap("masks")
	return out, f.draw(p, out)
}

// describe names result i and fetches its mask.
func describe(e *run.Engine, r run.Result, i int, p *detect.Picture) (detection, error) {
	d := detection{Class: fmt.Sprintf("class %d", r.Class), ClassID: r.Class, Score: r.Score, Box: r.Box}
	if names := e.Manifest.Classes; r.Class >= 0 && r.Class < len(names) {
		d.Class = names[r.Class]
	}
	if e.Manifest.Head.Masks == 0 {
		return d, nil
	}
	m, err := e.Mask(i, p.W, p.H)
	if err != nil {
		return d, err
	}
	full := m.Full()
	for _, b := range full {
		d.area += int(b & 1)
	}
	rle := detect.EncodeRLE(full, p.W, p.H)
	d.mask, d.Mask = m, &rle
	return d, nil
}

// draw writes the picture with what was found, where --save asks for it.
func (f *detectFlags) draw(p *detect.Picture, out *found) error {
	if f.save == "" {
		return nil
	}
	var list []show.Detection
	for _, d := range out.Detections {
		list = append(list, show.Detection{Box: d.Box, Label: fmt.Sprintf("%s %.2f", d.Class, d.Score), Class: d.ClassID, Mask: d.mask})
	}
	base := filepath.Base(out.File)
	name := strings.TrimSuffix(base, filepath.Ext(base)) + ".png"
	return fileError(show.Save(filepath.Join(f.save, name), show.Draw(p, list)))
}

// print writes the detections for people.
func (o *found) print(w io.Writer) {
	total := 0.0
	for _, ms := range o.Timings {
		total += ms
	}
	fmt.Fprintf(w, "%s: %dx%d pixels, %d found in %.1f ms (network %.1f)\n",
		o.File, o.Width, o.Height, len(o.Detections), total, o.Timings["network"])
	for _, d := range o.Detections {
		fmt.Fprintf(w, "  %-16s %.3f  %7.1f %7.1f %7.1f %7.1f", d.Class, d.Score, d.Box[0], d.Box[1], d.Box[2], d.Box[3])
		if d.Mask != nil {
			fmt.Fprintf(w, "  mask of %d pixels", d.area)
		}
		fmt.Fprintln(w)
	}
}
