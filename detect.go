package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"spotter/models/detect"
	"spotter/models/formats"
	"spotter/models/load"
	"spotter/wasm"
	"spotter/wasm/run"
	"spotter/wasm/show"
)

const detectUsage = `Usage: spotter detect [flags] picture...

Finds objects in pictures (JPEG, PNG, GIF, WebP, BMP, TIFF) with the module that the page
runs, and prints class, score, box (x1 y1 x2 y2 in pixels of the picture) and mask.
docs/results.md describes the formats.

Flags:
`

// detectFlags are the options of the detect command.
type detectFlags struct {
	model     *modelFlags
	conf, iou float64
	most      int
	json      bool
	format    string
	save      string
}

// runDetect is the detect command.
func runDetect(args []string, stdout, stderr io.Writer) error {
	flags := newFlags("detect")
	f := detectFlags{model: addModelFlags(flags)}
	flags.Float64Var(&f.conf, "conf", 0.25, "least score of a detection")
	flags.Float64Var(&f.iou, "iou", 0.45, "overlap (IoU) above which the better of two boxes of a class hides the other")
	flags.IntVar(&f.most, "max", 300, "most detections of a picture")
	flags.BoolVar(&f.json, "json", false, "print one JSON array, masks as COCO run lengths: --format json")
	flags.StringVar(&f.format, "format", "text", "what to print: text, json, csv, coco (results) or coco-dataset")
	flags.StringVar(&f.save, "save", "", "folder to draw the pictures into, as PNG")
	files, err := parsePictures(flags, args, detectUsage, stdout)
	switch {
	case err != nil:
		return err
	case f.conf < 0 || f.conf > 1 || f.iou < 0 || f.iou > 1:
		return usageError{errors.New("--conf and --iou lie between 0 and 1")}
	case f.json:
		f.format = "json"
	case f.format != "text" && !slices.Contains(formats.Names, f.format):
		return usageError{fmt.Errorf("--format is text, %s", strings.Join(formats.Names, ", "))}
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
	entries := []formats.Entry{}
	for _, file := range files {
		one, err := f.picture(e, file)
		if err != nil {
			return err
		}
		if f.format != "text" {
			entries = append(entries, one.Entry)
			continue
		}
		one.print(stdout)
	}
	if f.format == "text" {
		return nil
	}
	return formats.Write(stdout, f.format, entries, classNames(e))
}

// classNames are the names of a network's classes: their numbers where it has none.
func classNames(e *run.Engine) []string {
	names := slices.Clone(e.Manifest.Classes)
	for i := len(names); i < e.Manifest.Head.Classes; i++ {
		names = append(names, strconv.Itoa(i))
	}
	return names
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

// found is what one picture shows.
type found struct {
	formats.Entry
	masks []*detect.Mask // of its detections; nil where the network makes none
}

// picture runs the network on one file.
func (f *detectFlags) picture(e *run.Engine, file string) (*found, error) {
	last := time.Now()
	out := &found{Entry: formats.Entry{File: file, Model: e.Manifest.Name, Time: formats.Stamp(last),
		Detections: []formats.Found{}, Timings: map[string]float64{}}}
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
	names := classNames(e)
	for i, r := range results {
		if err := out.add(e, r, i, names[r.Class]); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
	}
	lap("masks")
	return out, f.draw(p, out)
}

// add takes result i of that class's name and fetches its mask.
func (o *found) add(e *run.Engine, r run.Result, i int, class string) error {
	var mask *detect.Mask
	var rle *detect.RLE
	if e.Manifest.Head.Masks > 0 {
		m, err := e.Mask(i, o.Width, o.Height)
		if err != nil {
			return err
		}
		whole := m.RLE()
		mask, rle = m, &whole
	}
	o.Detections = append(o.Detections, formats.NewFound(class, r.Class, r.Score, r.Box, rle))
	o.masks = append(o.masks, mask)
	return nil
}

// draw writes the picture with what was found, where --save asks for it.
func (f *detectFlags) draw(p *detect.Picture, out *found) error {
	if f.save == "" {
		return nil
	}
	var list []show.Detection
	for i, d := range out.Detections {
		box := [4]float32{float32(d.Box[0]), float32(d.Box[1]), float32(d.Box[2]), float32(d.Box[3])}
		list = append(list, show.Detection{Box: box, Label: fmt.Sprintf("%s %.2f", d.Class, d.Score), Class: d.ClassID, Mask: out.masks[i]})
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
	for i, d := range o.Detections {
		fmt.Fprintf(w, "  %-16s %.3f  %7.1f %7.1f %7.1f %7.1f", d.Class, d.Score, d.Box[0], d.Box[1], d.Box[2], d.Box[3])
		if m := o.masks[i]; m != nil {
			fmt.Fprintf(w, "  mask of %d pixels", len(m.Bits)-bytes.Count(m.Bits, []byte{0}))
		}
		fmt.Fprintln(w)
	}
}
