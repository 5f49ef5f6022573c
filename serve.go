package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/skip2/go-qrcode"

	"spotter/models/zoo"
	"spotter/web"
)

// Where serve listens: for this machine alone, or, with TLS, for the whole network.
const (
	plainAddress = "127.0.0.1:8080"
	tlsAddress   = "0.0.0.0:8443"
)

// grace is how long running downloads may go on after a signal to stop.
const grace = 3 * time.Second

const serveAbout = `Usage: spotter serve [flags]

Serves the page. Open the address that it prints. Browsers give a page the camera on
localhost and over HTTPS only: for a phone on the same network use --tls.

`

// serveFlags is what the command line of serve says.
type serveFlags struct {
	addr, dir, model string
	tls              bool
}

func parseServe(args []string, stdout io.Writer) (serveFlags, error) {
	var f serveFlags
	set := newFlags("serve")
	set.StringVar(&f.addr, "addr", "", "address to listen on (default "+plainAddress+", with --tls "+tlsAddress+"; port 0 takes any free one)")
	set.StringVar(&f.dir, "dir", "", "serve the site in this folder (made by spotter site) instead of the built-in one")
	set.StringVar(&f.model, "model", "", "model file, or the name of one network that ships ("+zoo.IDs()+"), instead of all that ship")
	set.BoolVar(&f.tls, "tls", false, "serve HTTPS with a self-signed certificate, for phones on the same network")
	if err := parseFlags(set, args, serveAbout, stdout); err != nil {
		return f, err
	}
	if f.dir != "" && f.model != "" {
		return f, usageError{errors.New("--dir and --model exclude each other: a folder has its models already")}
	}
	if f.addr == "" {
		f.addr = plainAddress
		if f.tls {
			f.addr = tlsAddress
		}
	}
	return f, nil
}

// runServe is the command serve.
func runServe(args []string, stdout, stderr io.Writer) error {
	f, err := parseServe(args, stdout)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	listener, err := listen(f.addr) // before the build, so that a taken port is said at once
	if err != nil {
		return err
	}
	defer listener.Close()
	site, err := serveSite(f, stderr)
	if err != nil {
		return err
	}
	server := web.NewServer(web.NewHandler(site))
	if f.tls {
		listener, err = secure(server, listener)
		if err != nil {
			return err
		}
	}
	announce(stdout, listener.Addr(), f.tls)
	return serveUntil(ctx, server, listener, stderr)
}

// serveSite finds or builds what to serve.
func serveSite(f serveFlags, stderr io.Writer) (web.Site, error) {
	if f.dir != "" {
		site, err := web.Load(os.DirFS(f.dir))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.dir, err)
		}
		return site, nil
	}
	if f.model == "" {
		if site, err := web.Embedded(); site != nil || err != nil {
			return site, err
		}
	}
	return buildSite(f.model, web.Fast, stderr)
}

// listen takes the port, or says in plain words why it can't.
func listen(addr string) (net.Listener, error) {
	listener, err := net.Listen("tcp", addr)
	switch {
	case err == nil:
		return listener, nil
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("%s is taken by another program (perhaps Spotter runs already); end that one, or choose another port with --addr", addr)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("this user may not listen on %s; choose a port above 1023 with --addr", addr)
	}
	return nil, fmt.Errorf("can't listen on %s: %w", addr, err)
}

// secure sets the server up for TLS and HTTP/2.
func secure(server *http.Server, listener net.Listener) (net.Listener, error) {
	addresses, err := web.LocalAddresses()
	if err != nil {
		return nil, err
	}
	file := ""
	if cache, err := os.UserCacheDir(); err == nil {
		file = filepath.Join(cache, "spotter", "certificate.pem")
	}
	certificate, err := web.Certificate(file, addresses)
	if err != nil {
		return nil, err
	}
	server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	return listener, nil
}

// announce prints where to go; for phones also as a QR code.
func announce(w io.Writer, addr net.Addr, secure bool) {
	at, ok := addr.(*net.TCPAddr)
	if !ok {
		panic("BUG: a TCP listener without a TCP address")
	}
	scheme := "http"
	if secure {
		scheme = "https"
	}
	url := func(host string) string {
		return fmt.Sprintf("%s://%s/", scheme, net.JoinHostPort(host, fmt.Sprint(at.Port)))
	}
	if !at.IP.IsUnspecified() && !at.IP.IsLoopback() {
		fmt.Fprintf(w, "Spotter is at %s\n", url(at.IP.String()))
		return
	}
	fmt.Fprintf(w, "Spotter is at %s\n", url("localhost"))
	addresses, err := web.LocalAddresses()
	if !at.IP.IsUnspecified() || err != nil || len(addresses) == 0 {
		return
	}
	for _, ip := range addresses {
		fmt.Fprintf(w, "On this network: %s\n", url(ip.String()))
	}
	if !secure {
		fmt.Fprintln(w, "Over plain HTTP browsers give other devices no camera; --tls does.")
		return
	}
	code, err := qrcode.New(url(addresses[0].String()), qrcode.Low)
	if err != nil {
		return // the address stands above
	}
	fmt.Fprint(w, code.ToSmallString(false))
	fmt.Fprintln(w, "Scan it with the phone. The certificate is this machine's own, so the browser warns once: choose to go on.")
}

// serveUntil serves until the context ends, then lets running answers finish for a moment.
func serveUntil(ctx context.Context, server *http.Server, listener net.Listener, stderr io.Writer) error {
	failed := make(chan error, 1)
	go func() {
		if server.TLSConfig != nil {
			failed <- server.ServeTLS(listener, "", "")
		} else {
			failed <- server.Serve(listener)
		}
	}()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	fmt.Fprintln(stderr, "stopping")
	late, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	if server.Shutdown(late) != nil {
		return server.Close() // what still runs is cut off
	}
	return nil
}
