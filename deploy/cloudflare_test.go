//go:build unix

// Package deploy has no code of its own: its folders hold what hosts want, and its
// tests run them.
package deploy

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"spotter/models/load"
	"spotter/models/zoo"
	"spotter/web"
)

const folder = "cloudflare"

// site is the page with the default model.
func site(t *testing.T) web.Site {
	t.Helper()
	read, err := zoo.Find(zoo.Default).Open(load.Options{})
	if err != nil {
		t.Fatal(err)
	}
	model, err := web.Compile(zoo.Default, read)
	if err != nil {
		t.Fatal(err)
	}
	s, err := web.Build(web.Options{Models: []web.Model{model}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// install fetches Cloudflare's pinned tool once for each lock file.
func install(t *testing.T) {
	t.Helper()
	for _, name := range []string{"main.go", "serve.go", "go.mod", "wrangler.jsonc", "build.sh"} {
		if _, err := os.ReadFile(filepath.Join(folder, name)); err != nil { // so that go test knows what the result depends on
			t.Fatal(err)
		}
	}
	run(t, folder, "go", "mod", "download") // else wrangler's time runs while modules come
	lock, err := os.ReadFile(filepath.Join(folder, "package-lock.json"))
	if err != nil {
		t.Fatal(err)
	}
	stamp := filepath.Join(folder, "node_modules", ".installed-lock.json")
	if done, err := os.ReadFile(stamp); err == nil && bytes.Equal(done, lock) {
		return
	}
	run(t, folder, "npm", "ci", "--no-audit", "--no-fund", "--silent")
	if err := os.WriteFile(stamp, lock, 0o644); err != nil {
		t.Fatal(err)
	}
}

func run(t *testing.T, dir, name string, args ...string) {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(append([]string{name}, args...), " "), err, out)
	}
}

// startWorker runs the worker in workerd with the site in dir as its assets, and returns its address.
func startWorker(t *testing.T, dir string) string {
	t.Helper()
	port := freePort(t)
	cmd := exec.Command("node_modules/.bin/wrangler", "dev", "--local", "--ip", "127.0.0.1", "--port", fmt.Sprint(port),
		"--inspector-port", "0", "--assets", dir, "--show-interactive-dev-session=false", "--persist-to", t.TempDir())
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), "CI=1", "WRANGLER_SEND_METRICS=false", "WRANGLER_HIDE_BANNER=true", "CLOUDFLARE_CF_FETCH_ENABLED=false")
	address := fmt.Sprintf("http://127.0.0.1:%d", port)
	serve(t, cmd, address+"/healthz")
	return address
}

// freePort is one that nobody listens on.
func freePort(t *testing.T) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port
}

// serve starts a server, which ends with the test, and waits until it answers.
func serve(t *testing.T, cmd *exec.Cmd, address string) {
	t.Helper()
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // so that its children end with it
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(10 * time.Second):
			_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		}
	})
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		select {
		case err := <-ended:
			t.Fatalf("%s ended: %v\n%s", cmd.Path, err, said.Bytes())
		default:
		}
		if r, err := http.Get(address); err == nil {
			r.Body.Close()
			if r.StatusCode == 200 {
				return
			}
		}
	}
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM)
	<-ended
	t.Fatalf("%s does not answer\n%s", cmd.Path, said.Bytes())
}

// TestCloudflareWorker builds the worker, runs it in workerd and compares each file
// and its headers with what Spotter's own server sends.
func TestCloudflareWorker(t *testing.T) {
	install(t)
	s := site(t)
	dir := filepath.Join(t.TempDir(), "site")
	if err := s.Write(dir); err != nil {
		t.Fatal(err)
	}
	address := startWorker(t, dir)
	answersAlike(t, address, s, append(s.Names(), "", "healthz", "nothing", "assets/nothing"))
	checkRules(t, address)
}

// answersAlike fetches files and compares them and their headers with Spotter's own server.
func answersAlike(t *testing.T, address string, s web.Site, names []string) {
	t.Helper()
	own := web.NewHandler(s)
	for _, name := range names {
		want := httptest.NewRecorder()
		own.ServeHTTP(want, httptest.NewRequest("GET", "/"+name, nil))
		got, data := fetch(t, "GET", address+"/"+name)
		if got.StatusCode != want.Code {
			t.Errorf("/%s: %d, want %d", name, got.StatusCode, want.Code)
			continue
		}
		if want.Code == 200 && !bytes.Equal(data, want.Body.Bytes()) {
			t.Errorf("/%s: %d other bytes, want %d", name, len(data), want.Body.Len())
		}
		for key := range want.Header() {
			switch key {
			case "Etag", "Accept-Ranges", "Content-Length", "Vary": // are the host's affair
			case "Content-Type":
				if a, b := kind(got.Header.Get(key)), kind(want.Header().Get(key)); a != b && want.Code == 200 {
					t.Errorf("/%s: %s %q, want %q", name, key, a, b)
				}
			default:
				if a, b := got.Header.Get(key), want.Header().Get(key); spaceless(a) != spaceless(b) && want.Code == 200 {
					t.Errorf("/%s: %s %q, want %q", name, key, a, b)
				}
			}
		}
	}
}

// checkRules tries what is more than fetching files.
func checkRules(t *testing.T, address string) {
	t.Helper()
	checkCaching(t, address)
	for _, method := range []string{"POST", "PUT", "DELETE"} {
		if r, _ := fetch(t, method, address+"/"); r.StatusCode != http.StatusMethodNotAllowed || r.Header.Get("Allow") != "GET, HEAD" {
			t.Errorf("%s: %d, Allow %q", method, r.StatusCode, r.Header.Get("Allow"))
		}
	}
	checkHidden(t, address)
}

// checkHidden asks for files that are the host's affair, and for others than the site's.
func checkHidden(t *testing.T, address string) {
	t.Helper()
	for _, path := range []string{"/_headers", "/.assetsignore", "/%2e%2e/go.mod"} {
		if r, _ := fetch(t, "GET", address+path); r.StatusCode/100 != 4 {
			t.Errorf("%s: %d", path, r.StatusCode)
		}
	}
}

// checkCaching asks for the page again, and for its headers alone.
func checkCaching(t *testing.T, address string) {
	t.Helper()
	page, _ := fetch(t, "GET", address+"/")
	tag := page.Header.Get("ETag")
	if again, _ := fetch(t, "GET", address+"/", "If-None-Match", tag); tag == "" || again.StatusCode != http.StatusNotModified {
		t.Errorf("the unchanged page (ETag %s): %d", tag, again.StatusCode)
	}
	head, data := fetch(t, "HEAD", address+"/")
	if head.StatusCode != 200 || len(data) != 0 || head.Header.Get("Cross-Origin-Embedder-Policy") != "require-corp" {
		t.Errorf("HEAD: %d, %d bytes, %v", head.StatusCode, len(data), head.Header)
	}
}

func fetch(t *testing.T, method, url string, header ...string) (*http.Response, []byte) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	got, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	data, err := io.ReadAll(got.Body)
	if err != nil {
		t.Fatal(err)
	}
	return got, data
}

// kind is a media type without its charset.
func kind(contentType string) string {
	kind, _, _ := strings.Cut(contentType, ";")
	return strings.Replace(strings.TrimSpace(kind), "application/javascript", "text/javascript", 1)
}

func spaceless(s string) string { return strings.ReplaceAll(s, " ", "") }
