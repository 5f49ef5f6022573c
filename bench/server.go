package bench

import (
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/evanw/esbuild/pkg/api"

	"spotter/models/golden"
)

// server gives the page its scripts, the peers' files, the networks and the frames,
// cross-origin isolated so that threads are allowed.
type server struct {
	url   string
	http  *http.Server
	mu    sync.Mutex
	files map[string][]byte // by path
	dir   string            // of installed packages
	seen  map[string]int    // paths asked for since record
}

const html = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Spotter bench</title><link rel="icon" href="data:,"><script src="/main.js"></script></html>`

func startServer(dir string, engines []engine) (*server, error) {
	s := &server{files: map[string][]byte{"/": []byte(html)}, dir: filepath.Join(dir, "node_modules"), seen: map[string]int{}}
	if err := s.bundle(dir, engines); err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/peers/", http.StripPrefix("/peers/", http.FileServer(http.Dir(s.dir))))
	mux.HandleFunc("/frames/{size}/{seed}", frame)
	mux.HandleFunc("/", s.file)
	s.http = &http.Server{Handler: s.isolated(mux)}
	s.url = "http://" + listener.Addr().String()
	go s.http.Serve(listener)
	return s, nil
}

func (s *server) close() { s.http.Close() }

// isolated adds the headers that SharedArrayBuffer and fine timers need, and allows what a
// second visit keeps.
func (s *server) isolated(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.seen[r.URL.Path]++
		s.mu.Unlock()
		h := w.Header()
		h.Set("Cache-Control", "max-age=3600")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Embedder-Policy", "require-corp")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		next.ServeHTTP(w, r)
	})
}

// bundle builds the page and the engines' workers from their TypeScript.
func (s *server) bundle(dir string, engines []engine) error {
	build := func(name, source string, format api.Format) error {
		result := api.Build(api.BuildOptions{
			EntryPoints: []string{filepath.Join(dir, "page", source)}, Bundle: true, Write: false, Format: format,
			Target: api.ES2022, Platform: api.PlatformBrowser, MinifySyntax: true, MinifyWhitespace: true,
			Conditions: []string{"onnxruntime-web-use-extern-wasm"}, LogLevel: api.LogLevelSilent,
		})
		if len(result.Errors) > 0 {
			text := api.FormatMessages(result.Errors, api.FormatMessagesOptions{Kind: api.ErrorMessage})
			return fmt.Errorf("bundling %s: %s", source, strings.Join(text, "\n"))
		}
		s.files["/"+name+".js"] = result.OutputFiles[0].Contents
		return nil
	}
	for name, source := range map[string]string{"main": "main.ts", "start": "start.ts", "spotter-thread": "engines/spotter-thread.ts"} {
		if err := build(name, source, api.FormatIIFE); err != nil {
			return err
		}
	}
	for _, e := range engines {
		format := api.FormatIIFE
		if e.module {
			format = api.FormatESModule
		}
		if err := build(e.script, "engines/"+e.script+".ts", format); err != nil {
			return err
		}
	}
	return nil
}

// add makes a network's files and serves them under /models/ID/.
func (s *server) add(m Model) error {
	g, weights, err := m.Build()
	if err != nil {
		return err
	}
	files, err := peerFiles(g, weights)
	if err != nil {
		return err
	}
	own, err := ownFiles(g, weights)
	if err != nil {
		return err
	}
	maps.Copy(files, own)
	s.put(m, files)
	return nil
}

// put serves files under /models/ID/.
func (s *server) put(m Model, files map[string][]byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, data := range files {
		s.files["/models/"+m.id()+"/"+name] = data
	}
}

// drop forgets a network's files.
func (s *server) drop(m Model) {
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.files, func(path string, _ []byte) bool { return strings.HasPrefix(path, "/models/"+m.id()+"/") })
}

// set serves one file.
func (s *server) set(path string, data []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.files[path] = data
}

// record starts to note the paths that are asked for; recorded returns them.
func (s *server) record() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen = map[string]int{}
}

func (s *server) recorded() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.seen)
}

// content is what a path is answered with.
func (s *server) content(path string) ([]byte, error) {
	s.mu.Lock()
	data, ok := s.files[path]
	s.mu.Unlock()
	if name, peer := strings.CutPrefix(path, "/peers/"); !ok && peer {
		return os.ReadFile(filepath.Join(s.dir, filepath.FromSlash(name)))
	}
	if !ok {
		return nil, fmt.Errorf("there is no %s", path)
	}
	return data, nil
}

// model gives one of the files that add made.
func (s *server) model(m Model, name string) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.files["/models/"+m.id()+"/"+name]
}

func (s *server) file(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	data, ok := s.files[r.URL.Path]
	s.mu.Unlock()
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", contentType(r.URL.Path))
	w.Write(data)
}

func contentType(path string) string {
	switch filepath.Ext(path) {
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".json":
		return "application/json"
	case ".wasm":
		return "application/wasm"
	case "":
		return "text/html; charset=utf-8"
	}
	return "application/octet-stream"
}

// frame answers with golden's deterministic picture: RGB bytes, row by row.
func frame(w http.ResponseWriter, r *http.Request) {
	width, height, ok := strings.Cut(r.PathValue("size"), "x")
	x, errX := strconv.Atoi(width)
	y, errY := strconv.Atoi(height)
	seed, errSeed := strconv.ParseUint(r.PathValue("seed"), 10, 32)
	if !ok || errX != nil || errY != nil || errSeed != nil || x < 1 || y < 1 || x > 4096 || y > 4096 {
		http.Error(w, "frames are at /frames/WIDTHxHEIGHT/SEED", http.StatusBadRequest)
		return
	}
	w.Write(golden.Image(x, y, seed))
}
