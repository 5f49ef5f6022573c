package web

import (
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
)

// testHost serves a site as hosts in the world do: it can go down, get a new build,
// send no headers of the site's, and hold the site under a path.
type testHost struct {
	prefix string // e.g. "/spotter"
	bare   bool   // sends no headers but type and ten minutes of caching, like GitHub Pages
	down   atomic.Bool
	site   atomic.Pointer[Site]

	lock  sync.Mutex
	count map[string]int // answers by path
}

func newHost(s Site) *testHost {
	h := &testHost{count: map[string]int{}}
	h.site.Store(&s)
	return h
}

func (h *testHost) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h.down.Load() {
		panic(http.ErrAbortHandler) // the connection breaks
	}
	name, ok := strings.CutPrefix(r.URL.Path, h.prefix+"/")
	if !ok {
		http.NotFound(w, r)
		return
	}
	h.lock.Lock()
	h.count[name]++
	h.lock.Unlock()
	site := *h.site.Load()
	if !h.bare {
		http.StripPrefix(h.prefix, NewHandler(site)).ServeHTTP(w, r)
		return
	}
	if name == "" {
		name = "index.html"
	}
	f, ok := site[name]
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", f.Type)
	w.Header().Set("Cache-Control", "max-age=600")
	_, _ = w.Write(f.Data)
}

// answers is how often files whose names start so were asked for.
func (h *testHost) answers(prefix string) int {
	h.lock.Lock()
	defer h.lock.Unlock()
	n := 0
	for name, count := range h.count {
		if strings.HasPrefix(name, prefix) {
			n += count
		}
	}
	return n
}
