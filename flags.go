package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"spotter/models/load"
	"spotter/models/zoo"
)

// newFlags are a command's flags; the dispatcher prints mistakes.
func newFlags(command string) *flag.FlagSet {
	flags := flag.NewFlagSet(command, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	return flags
}

// parseFlags parses, answers --help on stdout, and makes mistakes usage errors.
func parseFlags(flags *flag.FlagSet, args []string, usage string, stdout io.Writer) error {
	switch err := flags.Parse(args); {
	case err == flag.ErrHelp:
		fmt.Fprint(stdout, usage)
		flags.SetOutput(stdout)
		flags.PrintDefaults()
		return err
	case err != nil:
		return usageError{err}
	case flags.NArg() > 0:
		return usageError{fmt.Errorf("%q is not a flag", flags.Arg(0))}
	}
	return nil
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

// parsePictures parses flags and the pictures that stand among them, one at least.
func parsePictures(flags *flag.FlagSet, args []string, usage string, stdout io.Writer) ([]string, error) {
	files, err := parseMixed(flags, args, usage, stdout)
	if err == nil && len(files) == 0 {
		err = usageError{errors.New("name at least one picture")}
	}
	return files, err
}

// modelFlags are the flags by which commands choose a network.
type modelFlags struct {
	file, imgsz, yaml, scale, task *string
}

func addModelFlags(flags *flag.FlagSet) *modelFlags {
	return &modelFlags{
		file:  flags.String("model", zoo.Default, "model file (.safetensors, a PyTorch checkpoint or ONNX), or a network that comes with Spotter: "+zoo.IDs()),
		imgsz: flags.String("imgsz", "", "input size in pixels, 320 or 320x256 (width x height), multiples of 32; the model's own where left out"),
		yaml:  flags.String("yaml", "", "the network's YAML file, where the model file does not hold it"),
		scale: flags.String("scale", "", "n, s, m, l or x instead of the YAML's multiples"),
		task:  flags.String("task", "", "detect makes a plain detector of a segmentation network"),
	}
}

// load opens the model at the size asked for.
func (f *modelFlags) load() (*load.Model, error) {
	o := load.Options{Scale: *f.scale, Task: *f.task}
	var err error
	if o.Width, o.Height, err = parseSize(*f.imgsz); err != nil {
		return nil, err
	}
	if *f.yaml != "" {
		if o.YAML, err = os.ReadFile(*f.yaml); err != nil {
			return nil, fileError(err)
		}
	}
	if m := zoo.Find(*f.file); m != nil {
		return m.Open(o)
	}
	data, err := os.ReadFile(*f.file)
	if err != nil {
		return nil, fileError(err)
	}
	return load.Open(*f.file, data, o)
}

// parseSize reads 320 or 320x256, zeros for "".
func parseSize(text string) (width, height int, err error) {
	if text == "" {
		return 0, 0, nil
	}
	w, h, both := strings.Cut(text, "x")
	if !both {
		h = w
	}
	width, err = strconv.Atoi(w)
	if err == nil {
		height, err = strconv.Atoi(h)
	}
	if err != nil || width < 1 || height < 1 {
		return 0, 0, usageError{fmt.Errorf("--imgsz %q: want pixels, as 320 or 320x256", text)}
	}
	return width, height, nil
}

// fileError says file and reason without the name of the system call.
func fileError(err error) error {
	var path *os.PathError
	if errors.As(err, &path) {
		return fmt.Errorf("%s: %w", path.Path, path.Err)
	}
	return err
}
