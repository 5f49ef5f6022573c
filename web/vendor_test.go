package web

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"testing"
)

// TestLibrariesAreThePinnedOnes: the copies in vendor, which make the page without npm, are those
// of the versions in package.json.
func TestLibrariesAreThePinnedOnes(t *testing.T) {
	var pinned struct{ DevDependencies map[string]string }
	if err := json.Unmarshal(readFile(t, "package.json"), &pinned); err != nil {
		t.Fatal(err)
	}
	copies := map[string]string{
		"fflate.js": "fflate/esm/browser.js", "fflate.d.ts": "fflate/esm/browser.d.ts", "fflate.LICENSE": "fflate/LICENSE",
	}
	for name, file := range copies {
		want := readFile(t, "node_modules", file)
		got, err := fs.ReadFile(sources, "vendor/"+name)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("vendor/%s is not node_modules/%s: copy it (%v)", name, file, err)
		}
	}
	var installed struct{ Version string }
	if err := json.Unmarshal(readFile(t, "node_modules", "fflate", "package.json"), &installed); err != nil {
		t.Fatal(err)
	}
	if want := pinned.DevDependencies["fflate"]; installed.Version != want {
		t.Errorf("fflate %s is installed, %s pinned", installed.Version, want)
	}
	entries, err := os.ReadDir("vendor")
	if err != nil || len(entries) != len(copies) {
		t.Errorf("vendor holds %d files, of which %d are checked (%v)", len(entries), len(copies), err)
	}
}
