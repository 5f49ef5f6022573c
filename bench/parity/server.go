// Package parity serves a page that runs one network on one picture with this project's
// engine and with onnxruntime-web, and shows how far they are apart: the raw maps, the
// boxes that follow from them, and the times. For development: it needs the project's
// sources and the packages of the folder above (see bench.Install).
package parity

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/evanw/esbuild/pkg/api"
)

//go:embed page
var sources embed.FS

// Options say what the page offers besides the files that are chosen in it.
type Options struct {
	Dir      string   // the bench's folder in the sources, where its packages are installed
	Model    string   // model file; "" for none
	Pictures []string // picture files
	// Confidence is the least of boxes that are shown, 0 to 1; the page can change it.
	Confidence float64
}

// maxUpload bounds what the page may send.
const maxUpload = 1 << 30

// server answers the page. It keeps the network that was prepared last.
type server struct {
	scripts  map[string][]byte
	model    string
	pictures []string
	least    float64 // confidence
	mu       sync.Mutex
	count    int
	files    map[string][]byte
}

// Handler bundles the page and serves it, cross-origin isolated for fine timers.
func Handler(o Options) (http.Handler, error) {
	s := &server{scripts: map[string][]byte{}, model: o.Model, pictures: o.Pictures, least: o.Confidence}
	for _, path := range append([]string{o.Model}, o.Pictures...) {
		if path == "" {
			continue
		}
		if info, err := os.Stat(path); err != nil {
			return nil, err
		} else if info.IsDir() {
			return nil, fmt.Errorf("%s is a folder, not a file", path)
		}
	}
	for _, name := range []string{"page", "worker"} {
		if err := s.bundle(o.Dir, name); err != nil {
			return nil, err
		}
	}
	page, err := fs.Sub(sources, "page")
	if err != nil {
		return nil, err
	}
	peers := http.FileServer(http.Dir(filepath.Join(o.Dir, "node_modules")))
	mux := http.NewServeMux()
	mux.Handle("GET /peers/", http.StripPrefix("/peers/", peers))
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { http.ServeFileFS(w, r, page, "page.html") })
	mux.HandleFunc("GET /page.css", func(w http.ResponseWriter, r *http.Request) { http.ServeFileFS(w, r, page, "page.css") })
	mux.HandleFunc("GET /{script}", s.script)
	mux.HandleFunc("GET /given", s.given)
	mux.HandleFunc("GET /pictures/{index}", s.picture)
	mux.HandleFunc("POST /model", s.prepare)
	mux.HandleFunc("GET /network/{count}/{file}", s.file)
	return isolated(http.NewCrossOriginProtection().Handler(mux)), nil
}

func isolated(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Embedder-Policy", "require-corp")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		next.ServeHTTP(w, r)
	})
}

// bundle builds one of the page's scripts.
func (s *server) bundle(dir, name string) error {
	result := api.Build(api.BuildOptions{
		EntryPoints: []string{filepath.Join(dir, "parity", "page", name+".ts")}, Bundle: true, Write: false,
		Format: api.FormatESModule, Target: api.ES2022, Platform: api.PlatformBrowser,
		Conditions: []string{"onnxruntime-web-use-extern-wasm"}, LogLevel: api.LogLevelSilent,
	})
	if len(result.Errors) > 0 {
		text := api.FormatMessages(result.Errors, api.FormatMessagesOptions{Kind: api.ErrorMessage})
		return fmt.Errorf("bundling %s.ts: %s", name, strings.Join(text, "\n"))
	}
	s.scripts[name+".js"] = result.OutputFiles[0].Contents
	return nil
}

func (s *server) script(w http.ResponseWriter, r *http.Request) {
	data, ok := s.scripts[r.PathValue("script")]
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
	w.Write(data)
}

// given names the files of the command line.
func (s *server) given(w http.ResponseWriter, _ *http.Request) {
	names := make([]string, len(s.pictures))
	for i, path := range s.pictures {
		names[i] = filepath.Base(path)
	}
	model := ""
	if s.model != "" {
		model = filepath.Base(s.model)
	}
	reply(w, map[string]any{"model": model, "pictures": names, "confidence": s.least})
}

func (s *server) picture(w http.ResponseWriter, r *http.Request) {
	var index int
	if _, err := fmt.Sscan(r.PathValue("index"), &index); err != nil || index < 0 || index >= len(s.pictures) {
		http.NotFound(w, r)
		return
	}
	http.ServeFile(w, r, s.pictures[index])
}

// prepare makes the network of the files in the form ready: "model", with "yaml" where
// the parameters alone don't tell the network; without "model" the one of the command line.
func (s *server) prepare(w http.ResponseWriter, r *http.Request) {
	n, err := s.network(w, r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusUnprocessableEntity)
		return
	}
	s.mu.Lock()
	s.count++
	at := fmt.Sprintf("/network/%d/", s.count)
	s.files = map[string][]byte{
		at + "simd.wasm": n.simd, at + "relaxed.wasm": n.relaxed, at + "weights.bin": n.weights, at + "model.onnx": n.onnx,
	}
	s.mu.Unlock()
	reply(w, map[string]any{"name": n.name, "folder": at, "outputs": n.outputs, "source": n.source, "notes": n.notes})
}

func (s *server) network(w http.ResponseWriter, r *http.Request) (*network, error) {
	r.Body = http.MaxBytesReader(w, r.Body, maxUpload)
	name, data, err := upload(r, "model")
	if err == nil && data == nil {
		if s.model == "" {
			return nil, errors.New("there is no model: choose a file")
		}
		name = filepath.Base(s.model)
		data, err = os.ReadFile(s.model)
	}
	if err != nil {
		return nil, err
	}
	_, yaml, err := upload(r, "yaml")
	if err != nil {
		return nil, err
	}
	return prepare(name, data, yaml)
}

// upload reads a file of the form; nil when there is none of that name.
func upload(r *http.Request, field string) (string, []byte, error) {
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != "multipart/form-data" {
		return "", nil, nil
	}
	f, header, err := r.FormFile(field)
	if errors.Is(err, http.ErrMissingFile) {
		return "", nil, nil
	}
	if err != nil {
		return "", nil, fmt.Errorf("receiving the file: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(f)
	if data == nil {
		data = []byte{}
	}
	return header.Filename, data, err
}

func (s *server) file(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	data, ok := s.files[r.URL.Path]
	s.mu.Unlock()
	if !ok {
		http.NotFound(w, r)
		return
	}
	kind := "application/octet-stream"
	if strings.HasSuffix(r.URL.Path, ".wasm") {
		kind = "application/wasm"
	}
	w.Header().Set("Content-Type", kind)
	w.Write(data)
}

func reply(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(value)
}
