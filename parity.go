//go:build !embed

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"syscall"

	"spotter/bench"
	"spotter/bench/parity"
)

const parityAddress = "127.0.0.1:8081"

const parityUsage = `Usage: spotter parity [flags] [picture...]

Serves a page that runs one network on one picture with this project's engine and with
onnxruntime-web, and shows the largest difference of their maps, which boxes match and
both times. Models and pictures are chosen in the page, or named here. Runs from the
project's sources and needs npm.

Flags:
`

// runParity is the parity command.
func runParity(args []string, stdout, stderr io.Writer) error {
	flags := newFlags("parity")
	addr := flags.String("addr", parityAddress, "address to listen on (port 0 takes any free one)")
	o := parity.Options{Dir: "bench"}
	flags.StringVar(&o.Model, "model", "", "model file: .onnx, .pt or .safetensors")
	flags.Float64Var(&o.Confidence, "conf", 0.25, "least confidence of the boxes compared, 0 to 1")
	switch err := flags.Parse(args); {
	case err == flag.ErrHelp:
		fmt.Fprint(stdout, parityUsage)
		flags.SetOutput(stdout)
		flags.PrintDefaults()
		return err
	case err != nil:
		return usageError{err}
	case !(o.Confidence >= 0 && o.Confidence <= 1):
		return usageError{errors.New("--conf is 0 to 1")}
	}
	o.Pictures = flags.Args()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	listener, err := listen(*addr)
	if err != nil {
		return err
	}
	defer listener.Close()
	if err := bench.Install(ctx, o.Dir, stderr); err != nil {
		return err
	}
	handler, err := parity.Handler(o)
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "The parity page is at http://%s/\n", listener.Addr())
	return serveUntil(ctx, &http.Server{Handler: handler}, listener, stderr)
}
