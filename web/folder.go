package web

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"spotter/web/headers"
)

// Write puts the site into a folder: every file, its compressed forms beside it as
// NAME.br and NAME.gz, _headers for static hosts that read such a file, and .assetsignore for
// Cloudflare, which compresses by itself. Files of an earlier site in the folder are removed.
func (s Site) Write(dir string) error {
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
		if err := errors.Join(put(name, f.Data), put(name+".br", f.Brotli), put(name+".gz", f.Gzip)); err != nil {
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
	if _, err := os.Stat(filepath.Join(dir, "models.json")); err != nil {
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

// Load reads a site from a folder, with the compressed forms that Write left. The
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
	if _, ok := s["index.html"]; !ok {
		return nil, errors.New("the folder has no index.html")
	}
	return s, nil
}
