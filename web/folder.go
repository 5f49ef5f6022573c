package web

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/andybalholm/brotli"

	"spotter/web/headers"
)

// Write puts the site into a folder: every file, its compressed forms beside it as
// NAME.br and NAME.gz, _headers for static hosts that read such a file, and .assetsignore for
// Cloudflare, which compresses by itself. Files of an earlier site in the folder are removed.
func (s Site) Write(dir string) error { return s.write(dir, true) }

// WriteLean is Write for a folder that only Load reads: of a file that has a brotli form it
// writes only that.
func (s Site) WriteLean(dir string) error { return s.write(dir, false) }

func (s Site) write(dir string, plain bool) error {
	if err := clear(dir); err != nil {
		return err
	}
	put := func(name string, data []byte) error {
		if data == nil {
			return nil
		}
		to := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		return os.WriteFile(to, data, 0o644)
	}
	for _, name := range s.Names() {
		f := s[name]
		data := f.Data
		if !plain && f.Brotli != nil {
			data = nil
		}
		if err := errors.Join(put(name, data), put(name+".br", f.Brotli), put(name+".gz", f.Gzip)); err != nil {
			return fmt.Errorf("web: write %s: %w", name, err)
		}
	}
	return errors.Join(put("_headers", headersFile()), put(".assetsignore", []byte("*.br\n*.gz\n")))
}

// clear empties a folder that holds a site, and refuses one that holds anything else.
func clear(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) || (err == nil && len(entries) == 0) {
		return nil
	}
	if err != nil {
		return err
	}
	list := func(e fs.DirEntry) bool { return e.Name() == "models.json" || e.Name() == "models.json.br" }
	if !slices.ContainsFunc(entries, list) {
		return fmt.Errorf("%s is not empty and holds no site; name another folder", dir)
	}
	for _, e := range entries {
		if err := os.RemoveAll(filepath.Join(dir, e.Name())); err != nil {
			return err
		}
	}
	return nil
}

// headersFile gives the headers in the form that Cloudflare and Netlify read: one rule
// for each path, since of two rules for the same one Cloudflare takes the last.
func headersFile() []byte {
	var b strings.Builder
	b.WriteString("/*\n")
	for _, h := range headers.Security {
		fmt.Fprintf(&b, "  %s: %s\n", h[0], h[1])
	}
	for _, dir := range []string{"assets", "models", "samples"} {
		fmt.Fprintf(&b, "/%s/*\n  Cache-Control: %s\n", dir, headers.Immutable)
		if headers.Public(dir + "/") {
			b.WriteString("  Access-Control-Allow-Origin: *\n")
		}
	}
	for _, name := range headers.PublicFiles {
		fmt.Fprintf(&b, "/%s\n  Access-Control-Allow-Origin: *\n", name)
		if strings.HasSuffix(name, ".ts") { // which hosts take for a video
			fmt.Fprintf(&b, "  Content-Type: %s\n", typeOf(name))
		}
	}
	return []byte(b.String())
}

// Load reads a site from a folder, with the compressed forms that Write or WriteLean left. The
// folder is read once: what changes in it later is not seen.
func Load(fsys fs.FS) (Site, error) {
	s := Site{}
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if name == "_headers" || strings.HasPrefix(d.Name(), ".") {
			return nil
		}
		data, err := fs.ReadFile(fsys, name)
		if err != nil {
			return err
		}
		s.add(name, data)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if err := s.joinForms(); err != nil {
		return nil, err
	}
	if _, ok := s["index.html"]; !ok {
		return nil, errors.New("the folder has no index.html")
	}
	return s, nil
}

// joinForms makes compressed files the forms of those that they are compressed from.
func (s Site) joinForms() error {
	for _, name := range s.Names() {
		plain, packed := strings.CutSuffix(name, ".br")
		if !packed || s[plain] != nil {
			continue
		}
		data, err := io.ReadAll(brotli.NewReader(bytes.NewReader(s[name].Data)))
		if err != nil {
			return fmt.Errorf("web: %s: %w", name, err)
		}
		s.add(plain, data)
	}
	for name, f := range s {
		for _, form := range []struct {
			ext string
			to  *[]byte
		}{{".br", &f.Brotli}, {".gz", &f.Gzip}} {
			if packed, ok := s[name+form.ext]; ok {
				*form.to = packed.Data
				delete(s, name+form.ext)
			}
		}
	}
	return nil
}
