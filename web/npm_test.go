package web

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// packed makes the npm package, packs it with npm, and gives a project folder with a copy
// of the project in it and the package installed.
func packed(t *testing.T, project string) string {
	t.Helper()
	p := testPackage(t)
	from, dir := filepath.Join(t.TempDir(), "package"), t.TempDir()
	if err := p.Write(from); err != nil {
		t.Fatal(err)
	}
	var told []struct {
		Filename string
		Files    []struct{ Path string }
	}
	if err := json.Unmarshal(run(t, from, "npm", "pack", "--json", "--ignore-scripts"), &told); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range told[0].Files {
		names = append(names, f.Path)
	}
	for _, want := range []string{"package.json", "README.md", "LICENSE", "spotter.js", "spotter-worker.js", compilerWorkerFile, compilerFile, "spotter.d.ts", "models.json"} {
		if !slices.Contains(names, want) {
			t.Errorf("npm pack leaves out %s: %v", want, names)
		}
	}
	for _, name := range names {
		if info, err := os.Stat(filepath.Join(from, name)); err != nil || info.Size() >= 25<<20 {
			t.Errorf("%s: %v, 25 MiB or more", name, err)
		}
	}
	if err := os.CopyFS(dir, os.DirFS(project)); err != nil {
		t.Fatal(err)
	}
	into := filepath.Join(dir, "node_modules", "spotter-view")
	if err := os.MkdirAll(into, 0o755); err != nil {
		t.Fatal(err)
	}
	run(t, into, "tar", "-xzf", filepath.Join(from, told[0].Filename), "--strip-components=1")
	return dir
}

func run(t *testing.T, dir, name string, args ...string) []byte {
	t.Helper()
	command := exec.Command(name, args...)
	command.Dir = dir
	var out, said bytes.Buffer
	command.Stdout, command.Stderr = &out, &said
	if err := command.Run(); err != nil {
		t.Fatalf("%s %s: %v\n%s%s", name, strings.Join(args, " "), err, out.Bytes(), said.Bytes())
	}
	return out.Bytes()
}

func writePicture(t *testing.T, folder string) {
	t.Helper()
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "picture.jpg"), sampleFile(t, "portrait"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "best.pt"), readFile(t, formatsDir, "best.pt"), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestPackageInAPlainProject: the files of the package, a static server, one line of HTML.
func TestPackageInAPlainProject(t *testing.T) {
	dir := packed(t, "testdata/plain")
	writePicture(t, dir)
	p := open(t, view{before: watchView, site: http.FileServer(http.Dir(dir))})
	p.wait("sent.detections.length > 0")
	if label := eval[string](p, "sent.detections[0].detail.detections[0].label"); label != "person" {
		t.Errorf("it finds %s", label)
	}
	p = open(t, view{path: "checkpoint.html", site: http.FileServer(http.Dir(dir))})
	p.wait("document.body.dataset.classes")
	if got := eval[string](p, "document.body.dataset.classes"); got != "gadget" {
		t.Errorf("the first class is %s", got)
	}
	if own := eval[bool](p, "performance.getEntriesByType('resource').every((e) => e.name.startsWith(location.origin))"); !own {
		t.Error("it asks others for files")
	}
}

// TestPackageWithoutItsCompiler: who leaves the compiler out is told which file is missing.
func TestPackageWithoutItsCompiler(t *testing.T) {
	dir := packed(t, "testdata/plain")
	writePicture(t, dir)
	if err := os.Remove(filepath.Join(dir, "node_modules", "spotter-view", compilerWorkerFile)); err != nil {
		t.Fatal(err)
	}
	p := open(t, view{path: "checkpoint.html", site: http.FileServer(http.Dir(dir)), expects: "404"})
	p.wait("document.body.dataset.error")
	if got := eval[string](p, "document.body.dataset.error"); !strings.HasPrefix(got, "no-compiler ") || !strings.Contains(got, compilerWorkerFile) {
		t.Errorf("it says %q", got)
	}
}

// TestPackageInAViteProject: tsc takes the types, vite bundles it, and the result runs.
func TestPackageInAViteProject(t *testing.T) {
	dir := packed(t, "testdata/vite")
	writePicture(t, filepath.Join(dir, "public"))
	if err := os.CopyFS(filepath.Join(dir, "public", "spotter"), os.DirFS(filepath.Join(dir, "node_modules", "spotter-view"))); err != nil {
		t.Fatal(err)
	}
	bin, err := filepath.Abs("node_modules/.bin")
	if err != nil {
		t.Fatal(err)
	}
	run(t, dir, filepath.Join(bin, "tsc"), "--noEmit", "-p", dir)
	run(t, dir, filepath.Join(bin, "vite"), "build", "--target", "es2022", "--logLevel", "warn", dir)
	p := open(t, view{site: http.FileServer(http.Dir(filepath.Join(dir, "dist")))})
	p.wait("document.body.dataset.code")
	got := eval[map[string]string](p, "({...document.body.dataset})")
	if got["label"] != "person" || got["worker"] != "true" || got["points"] == "0" || got["seen"] == "0" || got["code"] == "false" || got["classes"] != "80" {
		t.Errorf("%v", got)
	}
}

func TestLicenceOfThePackage(t *testing.T) {
	own, err := os.ReadFile("npm/LICENSE")
	if err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile("../LICENSE")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(own, whole) {
		t.Error("npm/LICENSE is not the project's")
	}
}
