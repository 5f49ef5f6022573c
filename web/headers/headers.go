// Package headers says which HTTP headers the files of a site come with. The server,
// the file _headers for static hosts, and the Cloudflare worker all ask it, so that a
// page behaves alike wherever it is served.
package headers

import (
	"net/http"
	"path"
	"slices"
	"strings"
)

// Immutable is the cache rule for files whose names change with their content.
const Immutable = "public, max-age=31536000, immutable"

// Policy is the Content-Security-Policy: own files only, no inline script or style;
// WebAssembly may be compiled; pictures and videos that a visitor opens are blobs.
const Policy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' blob: data:; " +
	"media-src 'self' blob:; connect-src 'self'; worker-src 'self'; manifest-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'self'"

// Security headers go with every answer. The first three isolate the page from other
// origins, which is what gives it shared memory and so threads.
var Security = [][2]string{
	{"Cross-Origin-Opener-Policy", "same-origin"},
	{"Cross-Origin-Embedder-Policy", "require-corp"},
	{"Cross-Origin-Resource-Policy", "same-origin"},
	{"Content-Security-Policy", Policy},
	{"X-Content-Type-Options", "nosniff"},
	{"Referrer-Policy", "no-referrer"},
	{"Permissions-Policy", "camera=(self), display-capture=(self), microphone=(), geolocation=()"},
}

// HashLength is the number of hexadecimal digits of a content hash in a file's name.
const HashLength = 10

// Hashed says whether a file's name holds its content's hash, as in assets/app-1a2b3c4d5e.js.
func Hashed(name string) bool {
	base := strings.TrimSuffix(path.Base(name), path.Ext(name))
	i := strings.LastIndexByte(base, '-')
	if i < 0 || len(base)-i-1 != HashLength {
		return false
	}
	return strings.Trim(base[i+1:], "0123456789abcdef") == ""
}

// PublicFiles are what other sites may load, with all in models/.
var PublicFiles = []string{"spotter.js", "spotter-worker.js", "spotter.d.ts", "models.json"}

// Public says whether other sites may load a file.
func Public(name string) bool {
	return slices.Contains(PublicFiles, name) || strings.HasPrefix(name, "models/")
}

// Set sets the headers of the file of that name ("" is the page): all but its type.
func Set(h http.Header, name string) {
	for _, s := range Security {
		h.Set(s[0], s[1])
	}
	h.Set("Cache-Control", "no-cache")
	if Hashed(name) {
		h.Set("Cache-Control", Immutable)
	}
	if Public(name) {
		h.Set("Access-Control-Allow-Origin", "*")
	}
}
