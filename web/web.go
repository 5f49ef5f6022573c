// Package web is what people see: the page's sources (src, page, samples), the
// build that bundles them with compiled models into a Site, and the HTTP handler
// that serves a Site.
//
// A Site comes from one of two places. Build makes it in memory from the sources
// in this package and from models; a plain `go run . serve` does so at start, and
// needs nothing but Go. Site.Write puts it into a folder, which any static host
// serves as it is, and Load reads such a folder back; `build.sh build` writes
// web/dist that way and embeds it in the binary (build tag "embed", see Embedded).
package web

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"mime"
	"path"
	"slices"
	"strings"

	"spotter/web/headers"
)

// File is one file of a site with its precompressed forms (nil where they would
// save nothing) and what HTTP needs to know about it.
type File struct {
	Data, Brotli, Gzip []byte
	Type               string // media type
	Tag                string // of the content; ETags are made from it
	Hashed             bool   // the name holds a hash of the content: the file never changes
}

// Site is a set of files by slash-separated path, e.g. "assets/app-1a2b3c4d.js".
type Site map[string]*File

// hashLength is the number of hexadecimal digits of a content hash in a file's name.
const hashLength = headers.HashLength

// newFile wraps content; the type follows from the name.
func newFile(name string, data []byte) *File {
	return &File{Data: data, Type: typeOf(name), Tag: digest(data), Hashed: headers.Hashed(name)}
}

// add puts a file under its name.
func (s Site) add(name string, data []byte) { s[name] = newFile(name, data) }

// addHashed puts a file under a name with its content's hash in it, dir/base-HASH.ext,
// and returns that name.
func (s Site) addHashed(name string, data []byte) string {
	ext := path.Ext(name)
	hashed := fmt.Sprintf("%s-%s%s", strings.TrimSuffix(name, ext), digest(data)[:hashLength], ext)
	s.add(hashed, data)
	return hashed
}

// Names lists the site's files in order.
func (s Site) Names() []string {
	names := make([]string, 0, len(s))
	for name := range s {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// FileLimit is the size in bytes above which Cloudflare refuses a file.
const FileLimit = 25 << 20

// Over lists the files that are larger than a limit.
func (s Site) Over(limit int) []string {
	var names []string
	for _, name := range s.Names() {
		if len(s[name].Data) > limit {
			names = append(names, name)
		}
	}
	return names
}

// Without takes files of that content out of the site.
func (s Site) Without(data []byte) {
	tag := digest(data)
	for name, f := range s {
		if f.Tag == tag {
			delete(s, name)
		}
	}
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])[:32]
}

// types are the media types that a site uses; the system's tables vary too much.
var types = map[string]string{
	".html": "text/html; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".json": "application/json",
	".svg":  "image/svg+xml",
	".jpg":  "image/jpeg",
	".png":  "image/png",
	".wasm": "application/wasm",
	".bin":  "application/octet-stream",
	".txt":  "text/plain; charset=utf-8",
	".map":  "application/json",
	".ts":   "text/plain; charset=utf-8",
	".md":   "text/plain; charset=utf-8",

	".webmanifest": "application/manifest+json",
}

func typeOf(name string) string {
	ext := strings.ToLower(path.Ext(name))
	if t, ok := types[ext]; ok {
		return t
	}
	if t := mime.TypeByExtension(ext); t != "" {
		return t
	}
	return "application/octet-stream"
}
