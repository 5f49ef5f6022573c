package web

import (
	"bytes"
	"slices"
	"strings"
	"testing"
)

// TestPartsTravelWhenWanted: what the page loads at once names every part that it may load
// later, holds none of it, and starts all together.
func TestPartsTravelWhenWanted(t *testing.T) {
	s := testSite(t)
	index := string(s["index.html"].Data)
	var first []byte
	var later []string
	for _, name := range s.Names() {
		if !strings.HasPrefix(name, "assets/") || !strings.HasSuffix(name, ".js") || !s[name].Hashed {
			continue
		}
		if strings.Contains(index, name) {
			first = append(first, s[name].Data...)
		} else {
			later = append(later, strings.Split(strings.TrimPrefix(name, "assets/"), "-")[0])
		}
	}
	for _, part := range []string{"batch", "compare"} {
		file := find(t, s, "assets/"+part+"-")
		if !slices.Contains(later, part) || !bytes.Contains(first, []byte(strings.TrimPrefix(file, "assets/"))) {
			t.Errorf("%s is not loaded by name when it is wanted; later come %v", part, later)
		}
	}
	if magic := []byte("invalid zip data"); bytes.Contains(first, magic) { // of fflate
		t.Error("the page loads the writer of zips at once")
	}
}
