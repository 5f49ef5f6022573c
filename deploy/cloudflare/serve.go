//go:build js && wasm

// Command cloudflare is a Cloudflare worker that serves a site from the worker's
// static assets, with the headers that Spotter's own server sends. It is a module of
// its own, so that the project itself needs nothing of Cloudflare's.
package main

import (
	"fmt"
	"io"
	"net/http"
	"strings"

	"spotter/web/headers"
)

// assets fetches a file of the site by its path.
type assets func(path string, header http.Header) (*http.Response, error)

// forwarded are the headers of a request that matter to assets.
var forwarded = []string{"If-None-Match", "Range", "If-Range"}

// newHandler answers as web.NewHandler does: GET and HEAD of the site's files, and
// /healthz. Assets know types, ETags and ranges; the other headers are the site's.
func newHandler(fetch assets) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		name := strings.TrimPrefix(r.URL.Path, "/")
		headers.Set(header, name)
		switch {
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			header.Set("Allow", "GET, HEAD")
			header.Set("Cache-Control", "no-store")
			http.Error(w, "405: only GET and HEAD", http.StatusMethodNotAllowed)
			return
		case name == "healthz":
			header.Set("Cache-Control", "no-store")
			header.Set("Content-Type", "text/plain; charset=utf-8")
			fmt.Fprintln(w, "ok")
			return
		case name == "index.html":
			name = "" // which assets redirect to
		}
		send(w, r, fetch, name)
	})
}

func send(w http.ResponseWriter, r *http.Request, fetch assets, name string) {
	header := w.Header()
	asked := http.Header{}
	for _, key := range forwarded {
		if value := r.Header.Get(key); value != "" {
			asked.Set(key, value)
		}
	}
	file, err := fetch("/"+name, asked)
	if err != nil {
		header.Set("Cache-Control", "no-store")
		http.Error(w, "502: the assets don't answer", http.StatusBadGateway)
		return
	}
	defer file.Body.Close()
	switch file.StatusCode {
	case http.StatusOK, http.StatusPartialContent, http.StatusNotModified, http.StatusRequestedRangeNotSatisfiable:
	default:
		header.Set("Cache-Control", "no-cache")
		http.Error(w, "404: no such file", http.StatusNotFound)
		return
	}
	for _, key := range []string{"Content-Type", "Content-Length", "Content-Range", "Accept-Ranges", "ETag"} {
		if values := file.Header.Values(key); len(values) > 0 {
			header.Set(key, strings.Join(values, ","))
		}
	}
	if strings.HasSuffix(name, ".ts") { // which assets take for a video
		header.Set("Content-Type", "text/plain; charset=utf-8")
	}
	w.WriteHeader(file.StatusCode)
	if r.Method == http.MethodGet {
		_, _ = io.Copy(w, file.Body) // hands the stream on: it does not pass through Go
	}
}
