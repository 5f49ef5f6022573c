package main

import (
	"bytes"
	"crypto/tls"
	"errors"
	"flag"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// siteFolder is a small folder to serve.
func siteFolder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "index.html"), []byte("<!doctype html>hello"), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

// output is a writer that may be read while it is written to.
type output struct {
	lock sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.lock.Lock()
	defer o.lock.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.lock.Lock()
	defer o.lock.Unlock()
	return o.text.String()
}

// startServe runs serve until the test sends a signal; it returns the address printed and the end's error.
func startServe(t *testing.T, args ...string) (url string, out *output, ended <-chan error) {
	t.Helper()
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	out = &output{}
	done := make(chan error, 1)
	go func() { done <- runServe(args, out, io.Discard) }()
	at := regexp.MustCompile(`https?://localhost:\d+/`)
	for range 200 {
		if url = at.FindString(out.String()); url != "" {
			return url, out, done
		}
		select {
		case err := <-done:
			t.Fatalf("serve ended: %v", err)
		case <-time.After(20 * time.Millisecond):
		}
	}
	t.Fatalf("serve printed no address: %s", out)
	return "", nil, nil
}

func stopServe(t *testing.T, ended <-chan error, with syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(os.Getpid(), with); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("after %v serve ends with %v", with, err)
		}
	case <-time.After(10 * time.Second):
		t.Fatalf("serve goes on after %v", with)
	}
}

func TestServeServesAndStops(t *testing.T) {
	for _, with := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		url, _, ended := startServe(t, "--addr", "127.0.0.1:0", "--dir", siteFolder(t))
		r, err := http.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r.Body)
		if err != nil || !strings.Contains(string(text), "hello") || r.Header.Get("Cross-Origin-Opener-Policy") != "same-origin" {
			t.Errorf("%d %q %v", r.StatusCode, text, err)
		}
		stopServe(t, ended, with)
	}
}

func TestServeOverTLS(t *testing.T) {
	url, out, ended := startServe(t, "--tls", "--addr", "0.0.0.0:0", "--dir", siteFolder(t))
	client := &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true,
	}}
	r, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
	if r.StatusCode != 200 || r.ProtoMajor != 2 {
		t.Errorf("%s over HTTP/%d", r.Status, r.ProtoMajor)
	}
	if err := r.TLS.PeerCertificates[0].VerifyHostname("localhost"); err != nil {
		t.Error(err)
	}
	if text := out.String(); strings.Contains(text, "On this network") && !strings.Contains(text, "▄") {
		t.Errorf("no QR code in %q", text)
	}
	client.CloseIdleConnections()
	stopServe(t, ended, syscall.SIGTERM)
}

func TestServeSaysThatThePortIsTaken(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	err = runServe([]string{"--addr", l.Addr().String(), "--dir", siteFolder(t)}, io.Discard, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "is taken by another program") || !strings.Contains(err.Error(), "--addr") {
		t.Errorf("a taken port gives %v", err)
	}
}

func TestServeFlags(t *testing.T) {
	var help bytes.Buffer
	if err := runServe([]string{"--help"}, &help, io.Discard); !errors.Is(err, flag.ErrHelp) {
		t.Errorf("--help gives %v", err)
	}
	for _, word := range []string{"--tls", "-addr", "-dir", "-model"} {
		if !strings.Contains(help.String(), word) {
			t.Errorf("the help says nothing of %s", word)
		}
	}
	for _, args := range [][]string{{"--nonsense"}, {"left over"}, {"--dir", "x", "--model", "y"}} {
		var wrong usageError
		if err := runServe(args, io.Discard, io.Discard); !errors.As(err, &wrong) {
			t.Errorf("%v gives %v", args, err)
		}
	}
	if err := runServe([]string{"--dir", t.TempDir(), "--addr", "127.0.0.1:0"}, io.Discard, io.Discard); err == nil {
		t.Error("an empty folder is served")
	}
}
