package web

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
)

// weightsBy serves the tests' site, but for the weights, which the function answers.
func weightsBy(t *testing.T, answer func(w http.ResponseWriter, r *http.Request, data []byte)) http.Handler {
	t.Helper()
	site := testSite(t)
	rest := NewHandler(site)
	name := find(t, site, "models/yolov5n-mnv4s-seg-")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/"+name {
			rest.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Cross-Origin-Resource-Policy", "same-origin")
		w.Header().Set("Content-Type", "application/octet-stream")
		answer(w, r, site[name].Data)
	})
}

func TestLoadingShowsBytesAndPercent(t *testing.T) {
	release := make(chan struct{})
	p := open(t, view{before: record, site: weightsBy(t, func(w http.ResponseWriter, r *http.Request, data []byte) {
		_, _ = w.Write(data[:len(data)/2])
		w.(http.Flusher).Flush()
		select {
		case <-release:
		case <-r.Context().Done():
		}
		_, _ = w.Write(data[len(data)/2:])
	})})
	p.wait("/5\\.\\d MB of 10\\.\\d MB \\(5\\d%\\)/.test(document.querySelector('#loading-text').textContent)")
	if value := eval[float64](p, "document.querySelector('#loading-bar').value"); value < 0.5 || value > 0.6 {
		t.Errorf("the bar stands at %v", value)
	}
	p.screenshot("loading")
	p.click("[data-name=portrait]") // a picture opened meanwhile waits for the model
	p.wait("!document.querySelector('#canvas').hidden")
	close(release)
	if found := p.next(0); len(found.Detections) == 0 {
		t.Error("nothing is found in the picture that waited")
	}
	if !eval[bool](p, "document.querySelector('#loading').hidden") {
		t.Error("the bar is still there")
	}
}

func TestBadDownloads(t *testing.T) {
	for code, answer := range map[string]func(w http.ResponseWriter, r *http.Request, data []byte){
		"bad-weights": func(w http.ResponseWriter, r *http.Request, data []byte) { _, _ = w.Write(data[:len(data)-100]) },
		"mismatch": func(w http.ResponseWriter, r *http.Request, data []byte) {
			other := bytes.Clone(data)
			other[len(other)/2] ^= 1
			_, _ = w.Write(other)
		},
		"html-instead": func(w http.ResponseWriter, r *http.Request, _ []byte) {
			w.Header().Set("Content-Type", "text/html")
			_, _ = w.Write([]byte("<!doctype html>Not here"))
		},
		"not-found": func(w http.ResponseWriter, r *http.Request, _ []byte) { w.WriteHeader(http.StatusNotFound) },
		"network": func(w http.ResponseWriter, r *http.Request, data []byte) {
			_, _ = w.Write(data[:1000])
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		},
	} {
		t.Run(code, func(t *testing.T) {
			p := open(t, view{site: weightsBy(t, answer), expects: "^(warning|error)"})
			if got := p.notice(); got != code {
				t.Errorf("the notice tells of %s", got)
			}
			if button := p.text("#notice-action"); !strings.Contains("Try again Load the page anew", button) || button == "" {
				t.Errorf("the way on is %q", button)
			}
		})
	}
}
