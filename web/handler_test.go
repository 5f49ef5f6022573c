package web

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"

	"spotter/web/headers"
)

// small is a site of a few files, with the compressed forms that Build gives.
func small() Site {
	s := Site{}
	s.add("index.html", []byte("<!doctype html>"+strings.Repeat("<p>page</p>", 200)))
	s.add("models.json", []byte("{}"))
	s.addHashed("assets/app.js", []byte(strings.Repeat("let a = 1;\n", 300)))
	s.addHashed("models/m.wasm", bytes.Repeat([]byte("\x00asm"), 100))
	s.add("samples/a.jpg", bytes.Repeat([]byte{1, 2, 3, 4, 5}, 1000))
	s.compress(Fast, func(string) {})
	return s
}

// find gives the whole name of the file that starts so.
func find(t *testing.T, s Site, prefix string) string {
	t.Helper()
	for _, name := range s.Names() {
		if strings.HasPrefix(name, prefix) {
			return name
		}
	}
	t.Fatalf("no file %s… in %v", prefix, s.Names())
	return ""
}

// ask sends a request to a handler; headers come as pairs.
func ask(h http.Handler, method, path string, headers ...string) *http.Response {
	r := httptest.NewRequest(method, "http://localhost"+path, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func body(t *testing.T, r *http.Response) []byte {
	t.Helper()
	data, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestEveryAnswerIsIsolatedAndLocked(t *testing.T) {
	h := NewHandler(small())
	for _, path := range []string{"/", "/models.json", "/healthz", "/nothing"} {
		got := ask(h, "GET", path).Header
		for _, want := range headers.Security {
			if got.Get(want[0]) != want[1] {
				t.Errorf("%s: %s is %q, want %q", path, want[0], got.Get(want[0]), want[1])
			}
		}
	}
	for _, banned := range []string{"unsafe-inline", "'unsafe-eval'", "http:", "https:", "*"} {
		if strings.Contains(headers.Policy, banned) {
			t.Errorf("the policy allows %s: %s", banned, headers.Policy)
		}
	}
}

func TestTypesAndCacheRules(t *testing.T) {
	s := small()
	h := NewHandler(s)
	for _, c := range []struct{ path, kind, cache string }{
		{"/", "text/html; charset=utf-8", "no-cache"},
		{"/index.html", "text/html; charset=utf-8", "no-cache"},
		{"/models.json", "application/json", "no-cache"},
		{"/" + find(t, s, "assets/app-"), "text/javascript; charset=utf-8", headers.Immutable},
		{"/" + find(t, s, "models/m-"), "application/wasm", headers.Immutable},
		{"/samples/a.jpg", "image/jpeg", "no-cache"},
	} {
		r := ask(h, "GET", c.path)
		if r.StatusCode != 200 || r.Header.Get("Content-Type") != c.kind || r.Header.Get("Cache-Control") != c.cache {
			t.Errorf("%s: %d, %q, %q; want 200, %q, %q",
				c.path, r.StatusCode, r.Header.Get("Content-Type"), r.Header.Get("Cache-Control"), c.kind, c.cache)
		}
	}
}

func TestEncodings(t *testing.T) {
	s := small()
	h := NewHandler(s)
	plain := s["index.html"].Data
	for _, c := range []struct{ accept, want string }{
		{"", ""},
		{"identity", ""},
		{"gzip, deflate, br, zstd", "br"},
		{"gzip", "gzip"},
		{"br;q=0, gzip;q=0.5", "gzip"},
		{"BR", "br"},
		{"*", "br"},
		{"*;q=0", ""},
		{"br;q=0,*", "gzip"},
		{"deflate", ""},
	} {
		r := ask(h, "GET", "/", "Accept-Encoding", c.accept)
		data := body(t, r)
		if got := r.Header.Get("Content-Encoding"); got != c.want {
			t.Errorf("Accept-Encoding %q: encoding %q, want %q", c.accept, got, c.want)
			continue
		}
		if r.Header.Get("Content-Length") != fmt.Sprint(len(data)) || r.Header.Get("Vary") != "Accept-Encoding" {
			t.Errorf("Accept-Encoding %q: length %s of %d, vary %q",
				c.accept, r.Header.Get("Content-Length"), len(data), r.Header.Get("Vary"))
		}
		if got := unpack(t, c.want, data); !bytes.Equal(got, plain) {
			t.Errorf("Accept-Encoding %q: %d bytes that unpack to others", c.accept, len(data))
		}
	}
	if r := ask(h, "GET", "/samples/a.jpg", "Accept-Encoding", "br"); r.Header.Get("Content-Encoding") != "" {
		t.Error("a JPEG is compressed once more")
	}
}

func unpack(t *testing.T, encoding string, data []byte) []byte {
	t.Helper()
	var from io.Reader = bytes.NewReader(data)
	switch encoding {
	case "br":
		from = brotli.NewReader(from)
	case "gzip":
		z, err := gzip.NewReader(from)
		if err != nil {
			t.Fatal(err)
		}
		from = z
	}
	out, err := io.ReadAll(from)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestUnchangedFilesAreNotSentAgain(t *testing.T) {
	h := NewHandler(small())
	tags := map[string]string{}
	for _, encoding := range []string{"", "br", "gzip"} {
		first := ask(h, "GET", "/", "Accept-Encoding", encoding)
		tag := first.Header.Get("ETag")
		if other, taken := tags[tag]; taken || tag == "" {
			t.Errorf("encoding %q has the ETag %q of encoding %q", encoding, tag, other)
		}
		tags[tag] = encoding
		for _, asked := range []string{tag, "W/" + tag, `"other", ` + tag, "*"} {
			again := ask(h, "GET", "/", "Accept-Encoding", encoding, "If-None-Match", asked)
			if again.StatusCode != http.StatusNotModified || len(body(t, again)) != 0 {
				t.Errorf("encoding %q, If-None-Match %s: %d", encoding, asked, again.StatusCode)
			}
		}
		if r := ask(h, "GET", "/", "Accept-Encoding", encoding, "If-None-Match", `"other"`); r.StatusCode != 200 {
			t.Errorf("encoding %q, If-None-Match of another file: %d", encoding, r.StatusCode)
		}
	}
}

func TestHeadSendsNoBody(t *testing.T) {
	h := NewHandler(small())
	for _, encoding := range []string{"", "br"} {
		get, head := ask(h, "GET", "/", "Accept-Encoding", encoding), ask(h, "HEAD", "/", "Accept-Encoding", encoding)
		if head.StatusCode != 200 || len(body(t, head)) != 0 {
			t.Errorf("encoding %q: HEAD gives %d", encoding, head.StatusCode)
		}
		for _, name := range []string{"Content-Length", "Content-Type", "ETag", "Content-Encoding"} {
			if get.Header.Get(name) != head.Header.Get(name) {
				t.Errorf("encoding %q: %s is %q for GET and %q for HEAD", encoding, name, get.Header.Get(name), head.Header.Get(name))
			}
		}
	}
}

func TestRanges(t *testing.T) {
	s := small()
	h := NewHandler(s)
	data := s["samples/a.jpg"].Data
	r := ask(h, "GET", "/samples/a.jpg", "Range", "bytes=10-19", "Accept-Encoding", "br")
	if r.StatusCode != http.StatusPartialContent || !bytes.Equal(body(t, r), data[10:20]) {
		t.Errorf("bytes 10-19: %d", r.StatusCode)
	}
	r = ask(h, "GET", "/index.html", "Range", "bytes=-5", "Accept-Encoding", "br")
	if r.StatusCode != http.StatusPartialContent || r.Header.Get("Content-Encoding") != "" || string(body(t, r)) != "e</p>" {
		t.Errorf("the last 5 bytes: %d, encoding %q", r.StatusCode, r.Header.Get("Content-Encoding"))
	}
	if r := ask(h, "GET", "/samples/a.jpg", "Range", "bytes=9999999-"); r.StatusCode != http.StatusRequestedRangeNotSatisfiable {
		t.Errorf("a range behind the end: %d", r.StatusCode)
	}
}

func TestWhatIsNotServed(t *testing.T) {
	h := NewHandler(small())
	for _, path := range []string{
		"/nothing", "/index.html/", "/assets/", "/assets", "/../go.mod", "/..%2fgo.mod", "/assets/../../go.mod",
		"/%2e%2e/go.mod", "//index.html", "/index.html%00", `/..\go.mod`,
	} {
		if r := ask(h, "GET", path); r.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d", path, r.StatusCode)
		}
	}
	for _, method := range []string{"POST", "PUT", "DELETE", "OPTIONS", "TRACE"} {
		r := ask(h, method, "/")
		if r.StatusCode != http.StatusMethodNotAllowed || r.Header.Get("Allow") != "GET, HEAD" {
			t.Errorf("%s: %d, Allow %q", method, r.StatusCode, r.Header.Get("Allow"))
		}
	}
	if r := ask(h, "GET", "/healthz"); r.StatusCode != 200 || string(body(t, r)) != "ok\n" {
		t.Errorf("/healthz: %d", r.StatusCode)
	}
}

func TestServerHasTimeouts(t *testing.T) {
	s := NewServer(NewHandler(small()))
	if s.ReadHeaderTimeout == 0 || s.ReadTimeout == 0 || s.WriteTimeout == 0 || s.IdleTimeout == 0 || s.MaxHeaderBytes == 0 {
		t.Errorf("a limit is missing: %+v", s)
	}
}
