//go:build !embed

package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"time"

	"spotter/bench"
)

const soakUsage = `Usage: spotter soak [flags] [minutes]

Runs the page's camera in headless Chromium for minutes (default 10) on a moving clip,
with masks and following on, and says whether memory or the time of a frame grows.
Runs from the project's sources and needs a browser (or CHROME=path).

Flags:
`

// runSoak is the soak command.
func runSoak(args []string, stdout, stderr io.Writer) error {
	flags := newFlags("soak")
	asJSON := flags.Bool("json", false, "print one JSON object instead of the verdict")
	every := flags.Duration("every", 0, "time between two samples (default a thirtieth of the whole)")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return parseFlags(flags, []string{"--help"}, soakUsage, stdout)
	case err != nil:
		return usageError{err}
	}
	minutes := 10.0
	if flags.NArg() > 0 {
		var err error
		if minutes, err = strconv.ParseFloat(flags.Arg(0), 64); err != nil || minutes <= 0 || flags.NArg() > 1 {
			return usageError{fmt.Errorf("%q is no number of minutes", flags.Arg(0))}
		}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	bench.PrintHead(stderr)
	soak, err := bench.RunSoak(ctx, bench.SoakOptions{Dir: "bench", Length: time.Duration(minutes * float64(time.Minute)), Every: *every, Log: stderr})
	if err != nil {
		return err
	}
	if *asJSON {
		return json.NewEncoder(stdout).Encode(soak)
	}
	soak.Print(stdout)
	if !soak.Flat() {
		return errors.New("something grows, or went wrong")
	}
	return nil
}
