package main

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"spotter/models/zoo"
	"spotter/web"
)

// embeddedBinary builds the binary with a site in it, as build.sh does, without
// touching web/dist: an overlay shows the compiler a folder in its place.
func embeddedBinary(t *testing.T) string {
	t.Helper()
	models, err := compileModels(zoo.Default, func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	site, err := web.Build(web.Options{Models: models})
	if err != nil {
		t.Fatal(err)
	}
	site.Without(models[0].Source.Data)
	temp := t.TempDir()
	dist := filepath.Join(temp, "dist")
	if err := site.WriteLean(dist); err != nil {
		t.Fatal(err)
	}
	root, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	overlay := struct{ Replace map[string]string }{map[string]string{}}
	err = filepath.WalkDir(filepath.Join(root, "web", "dist"), func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			overlay.Replace[path] = "" // an own build is hidden
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir(dist, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			overlay.Replace[filepath.Join(root, "web", strings.TrimPrefix(path, temp))] = path
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(overlay)
	if err != nil {
		t.Fatal(err)
	}
	file, binary := filepath.Join(temp, "overlay.json"), filepath.Join(temp, "spotter.exe") // a name that every system runs
	if err := os.WriteFile(file, data, 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("go", "build", "-tags", "embed", "-overlay", file, "-ldflags=-s -w", "-o", binary, ".").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return binary
}

// serveFrom starts the binary in an empty folder and returns the address that it prints.
func serveFrom(t *testing.T, binary string, args ...string) string {
	t.Helper()
	cmd := exec.Command(binary, append([]string{"serve", "--addr", "127.0.0.1:0"}, args...)...)
	cmd.Dir = t.TempDir()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	at, found := strings.CutPrefix(strings.TrimSpace(line), "Spotter is at ")
	if err != nil || !found {
		t.Fatalf("it said %q, %v", line, err)
	}
	return at
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	client := http.Client{Timeout: 10 * time.Second}
	r, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, string(body)
}

// TestEmbeddedBinaryServesByItself: one file, started anywhere, without the sources.
func TestEmbeddedBinaryServesByItself(t *testing.T) {
	binary := embeddedBinary(t)
	at := serveFrom(t, binary)
	if code, page := get(t, at); code != 200 || !strings.Contains(page, "<title") {
		t.Errorf("the page: %d, %.100q", code, page)
	}
	_, list := get(t, at+"models.json")
	var models struct {
		Default string
		Models  []struct{ Source struct{ URL string } }
	}
	if err := json.Unmarshal([]byte(list), &models); err != nil || models.Default != zoo.Default || len(models.Models) != 1 {
		t.Fatalf("the models: %v, %.200q", err, list)
	}
	if code, _ := get(t, at+models.Models[0].Source.URL); code != 200 {
		t.Errorf("the network's own file, which the binary holds once: %d", code)
	}
	other := serveFrom(t, binary, "--model", "yolox-nano-416")
	if _, list := get(t, other+"models.json"); !strings.Contains(list, `"default":"yolox-nano-416"`) {
		t.Errorf("another model is asked for, the list is %.200q", list)
	}
	if _, script := get(t, other+"sw.js"); !strings.Contains(script, "models/yolox-nano-416") {
		t.Errorf("the service worker keeps %.500q", script)
	}
	out, err := exec.Command(binary, "bench").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "no command") {
		t.Errorf("bench is in the binary: %s", out)
	}
}

// TestEmbeddedBinaryLeavesToolsOut: what builds and measures takes the sources, so it
// would only weigh.
func TestEmbeddedBinaryLeavesToolsOut(t *testing.T) {
	out, err := exec.Command("go", "list", "-e", "-deps", "-tags", "embed", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	for name := range strings.Lines(string(out)) {
		for _, tool := range []string{"github.com/evanw/esbuild", "github.com/chromedp", "spotter/bench"} {
			if strings.HasPrefix(name, tool) {
				t.Errorf("the binary holds %s", strings.TrimSpace(name))
			}
		}
	}
}
