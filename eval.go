package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"spotter/models/eval"
	"spotter/models/load"
	"spotter/wasm/show"
)

const evalUsage = `Usage: spotter eval --model M --images DIR --annotations instances.json [flags]

Measures a network on a set of pictures in COCO's format, as YOLOv5's validation does: a
box counts for every class above --conf, and up to --max boxes a picture count. Prints
average precision and recall of boxes and masks, number for number as pycocotools.

Flags:
`

// evalFlags are the options of the eval command.
type evalFlags struct {
	model               *modelFlags
	images, annotations string
	out                 string
	conf, iou           float64
	most, first, jobs   int
	classes, masks      bool
	reference           bool
}

func parseEval(args []string, stdout io.Writer) (*evalFlags, error) {
	flags := newFlags("eval")
	f := &evalFlags{model: addModelFlags(flags)}
	flags.StringVar(&f.images, "images", "", "folder of the pictures")
	flags.StringVar(&f.annotations, "annotations", "", "COCO's instances JSON")
	flags.StringVar(&f.out, "out", "", "file for the detections in COCO's results format")
	flags.Float64Var(&f.conf, "conf", 0.001, "least score of a detection")
	flags.Float64Var(&f.iou, "iou", 0.65, "overlap (IoU) above which the better of two boxes of a class hides the other")
	flags.IntVar(&f.most, "max", 300, "most detections of a picture")
	flags.IntVar(&f.first, "first", 0, "measure on the first pictures of the set only; 0 is all")
	flags.IntVar(&f.jobs, "jobs", runtime.GOMAXPROCS(0), "pictures at a time")
	flags.BoolVar(&f.classes, "classes", true, "print the table by class")
	flags.BoolVar(&f.masks, "masks", true, "measure masks too, where the network makes them")
	flags.BoolVar(&f.reference, "reference", false, "run the scalar interpreter instead of the compiled module (slow)")
	err := parseFlags(flags, args, evalUsage, stdout)
	switch {
	case err != nil:
		return nil, err
	case f.images == "" || f.annotations == "":
		return nil, usageError{errors.New("--images and --annotations name the pictures and what they show")}
	case f.conf < 0 || f.conf > 1 || f.iou < 0 || f.iou > 1:
		return nil, usageError{errors.New("--conf and --iou lie between 0 and 1")}
	case f.most < 1 || f.jobs < 1 || f.first < 0:
		return nil, usageError{errors.New("--max and --jobs are at least 1, --first at least 0")}
	}
	return f, nil
}

// runEval is the eval command.
func runEval(args []string, stdout, stderr io.Writer) error {
	f, err := parseEval(args, stdout)
	if err != nil {
		return err
	}
	set, err := f.readSet()
	if err != nil {
		return err
	}
	m, err := f.model.load()
	if err != nil {
		return err
	}
	if m.Task == load.Classify {
		return fmt.Errorf("%s is a classifier: this measures detectors", m.Name)
	}
	f.masks = f.masks && m.Task == load.Segment
	categories, err := set.CategoryOf(m.Graph.Classes)
	if err != nil {
		return err
	}
	found, err := f.detect(m, set, categories, stderr)
	if err != nil {
		return err
	}
	if err := f.save(found); err != nil {
		return err
	}
	return f.print(set, found, stdout)
}

// readSet reads the annotations and sees that all pictures are there.
func (f *evalFlags) readSet() (*eval.Dataset, error) {
	text, err := os.ReadFile(f.annotations)
	if err != nil {
		return nil, fileError(err)
	}
	set, err := eval.ParseDataset(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.annotations, err)
	}
	if f.first > 0 {
		set = set.First(f.first)
	}
	missing, example := 0, ""
	for _, im := range set.Images {
		if _, err := os.Stat(filepath.Join(f.images, im.File)); err != nil {
			if missing++; example == "" {
				example = im.File
			}
		}
	}
	if missing > 0 {
		return nil, fmt.Errorf("%s lacks %d of %d pictures of the annotations, %s for one", f.images, missing, len(set.Images), example)
	}
	return set, nil
}

// detect runs the network on all pictures; the results are in the set's order.
func (f *evalFlags) detect(m *load.Model, set *eval.Dataset, categories []int, stderr io.Writer) (found []eval.Found, err error) {
	lookers, err := f.lookers(m)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, closeAll(lookers)) }()
	progress := newProgress(len(set.Images), stderr)
	byImage := make([][]eval.Found, len(set.Images))
	err = share(len(lookers), len(set.Images), func(looker, i int) error {
		list, err := f.picture(lookers[looker], set.Images[i])
		byImage[i] = eval.Results(set.Images[i].ID, list, categories)
		return err
	}, progress.step)
	if err != nil {
		return nil, err
	}
	progress.end(m.Graph.Input.Shape[2], m.Graph.Input.Shape[1])
	found = []eval.Found{}
	for _, list := range byImage {
		found = append(found, list...)
	}
	return found, nil
}

// picture looks at one picture of the set.
func (f *evalFlags) picture(l looker, im eval.Image) ([]eval.Prediction, error) {
	file := filepath.Join(f.images, im.File)
	p, err := show.Read(file)
	if err != nil {
		return nil, err
	}
	if p.W != im.Width || p.H != im.Height {
		return nil, fmt.Errorf("%s has %dx%d pixels, its annotations are for %dx%d", file, p.W, p.H, im.Width, im.Height)
	}
	list, err := l.look(p, f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return list, nil
}

func (f *evalFlags) save(found []eval.Found) error {
	if f.out == "" {
		return nil
	}
	text, err := json.Marshal(found)
	if err != nil {
		return err
	}
	return fileError(os.WriteFile(f.out, append(text, '\n'), 0o644))
}

func (f *evalFlags) print(set *eval.Dataset, found []eval.Found, stdout io.Writer) error {
	boxes, err := eval.Evaluate(set, found, false)
	if err != nil {
		return err
	}
	var masks *eval.Summary
	if f.masks {
		if masks, err = eval.Evaluate(set, found, true); err != nil {
			return err
		}
	}
	eval.Print(stdout, boxes, masks, f.classes)
	return nil
}

// progress says how many pictures are done, every few seconds.
type progress struct {
	done, all   int
	start, last time.Time
	w           io.Writer
}

const progressEvery = 5 * time.Second

func newProgress(all int, w io.Writer) *progress {
	now := time.Now()
	return &progress{all: all, start: now, last: now, w: w}
}

func (p *progress) rate() float64 { return float64(p.done) / time.Since(p.start).Seconds() }

func (p *progress) step() {
	p.done++
	if time.Since(p.last) < progressEvery {
		return
	}
	p.last = time.Now()
	left := time.Duration(float64(p.all-p.done) / p.rate() * float64(time.Second)).Round(time.Second)
	fmt.Fprintf(p.w, "%d of %d pictures, %.1f images/s, %v left\n", p.done, p.all, p.rate(), left)
}

func (p *progress) end(width, height int) {
	fmt.Fprintf(p.w, "%d pictures at %dx%d, %.1f images/s\n", p.done, width, height, p.rate())
}
