package web

import (
	"bytes"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"spotter/web/headers"
)

// NewHandler serves a site: GET and HEAD of its files ("/" is index.html), in the
// best encoding that the client takes, with ETags and ranges; /healthz says "ok".
// Files are looked up by whole path in a map, so no path leads out of it.
func NewHandler(site Site) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		name := strings.TrimPrefix(r.URL.Path, "/")
		headers.Set(header, name)
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			header.Set("Allow", "GET, HEAD")
			header.Set("Cache-Control", "no-store")
			http.Error(w, "405: only GET and HEAD", http.StatusMethodNotAllowed)
			return
		}
		if name == "healthz" {
			header.Set("Cache-Control", "no-store")
			fmt.Fprintln(w, "ok")
			return
		}
		if name == "" {
			name = "index.html"
		}
		f, ok := site[name]
		if !ok {
			header.Set("Cache-Control", "no-cache")
			http.Error(w, "404: no such file", http.StatusNotFound)
			return
		}
		f.serve(w, r)
	})
}

func (f *File) serve(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Content-Type", f.Type)
	if f.Brotli != nil || f.Gzip != nil {
		header.Set("Vary", "Accept-Encoding")
	}
	data, encoding := f.form(r)
	if encoding == "" {
		header.Set("ETag", `"`+f.Tag+`"`)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
		return
	}
	tag := `"` + f.Tag + "-" + encoding + `"`
	header.Set("ETag", tag)
	header.Set("Content-Encoding", encoding)
	if matches(r.Header.Get("If-None-Match"), tag) {
		header.Del("Content-Type")
		header.Del("Content-Encoding")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	header.Set("Content-Length", strconv.Itoa(len(data)))
	if r.Method == http.MethodGet {
		_, _ = w.Write(data) // a client that went away is no error of ours
	}
}

// form chooses the encoding; ranges are of the plain file.
func (f *File) form(r *http.Request) (data []byte, encoding string) {
	accepted := r.Header.Get("Accept-Encoding")
	switch {
	case r.Header.Get("Range") != "":
	case f.Brotli != nil && accepts(accepted, "br"):
		return f.Brotli, "br"
	case f.Gzip != nil && accepts(accepted, "gzip"):
		return f.Gzip, "gzip"
	}
	return f.Data, ""
}

// accepts reads an Accept-Encoding header (RFC 9110, section 12.5.3): a coding is
// taken where it, or else *, is named with a quality above 0.
func accepts(header, coding string) bool {
	other := false
	for part := range strings.SplitSeq(header, ",") {
		name, params, _ := strings.Cut(strings.TrimSpace(part), ";")
		quality := 1.0
		if q, ok := strings.CutPrefix(strings.TrimSpace(params), "q="); ok {
			quality, _ = strconv.ParseFloat(q, 64)
		}
		switch strings.ToLower(strings.TrimSpace(name)) {
		case coding:
			return quality > 0
		case "*":
			other = quality > 0
		}
	}
	return other
}

// matches reads an If-None-Match header; the comparison is the weak one.
func matches(header, tag string) bool {
	for part := range strings.SplitSeq(header, ",") {
		part = strings.TrimPrefix(strings.TrimSpace(part), "W/")
		if part == tag || part == "*" {
			return true
		}
	}
	return false
}

// NewServer wraps a handler with limits that keep slow or hostile clients from
// holding on to it: a request must arrive within seconds; an answer, of at most some
// 20 MB, within minutes.
func NewServer(h http.Handler) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      10 * time.Minute,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
	}
}
