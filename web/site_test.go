package web

import (
	"bytes"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"spotter/models/zoo"
	"spotter/web/headers"
)

func TestFolderGivesTheSiteBack(t *testing.T) {
	s := small()
	for name, write := range map[string]func(string) error{"whole": s.Write, "lean": s.WriteLean} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "site")
			for range 2 { // the second replaces the first
				if err := write(dir); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := os.Stat(filepath.Join(dir, "index.html")); (err == nil) != (name == "whole") {
				t.Errorf("index.html beside its compressed form: %v", err)
			}
			comesBack(t, s, dir)
		})
	}
}

// comesBack checks that a folder holds that site.
func comesBack(t *testing.T, s Site, dir string) {
	t.Helper()
	got, err := Load(os.DirFS(dir))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Join(got.Names(), " ") != strings.Join(s.Names(), " ") {
		t.Fatalf("names %v, want %v", got.Names(), s.Names())
	}
	for name, want := range s {
		f := got[name]
		if !bytes.Equal(f.Data, want.Data) || !bytes.Equal(f.Brotli, want.Brotli) || !bytes.Equal(f.Gzip, want.Gzip) ||
			f.Type != want.Type || f.Tag != want.Tag || f.Hashed != want.Hashed {
			t.Errorf("%s came back otherwise", name)
		}
	}
	headers, err := os.ReadFile(filepath.Join(dir, "_headers"))
	if err != nil || !strings.Contains(string(headers), "Cross-Origin-Embedder-Policy: require-corp") {
		t.Errorf("_headers: %v, %s", err, headers)
	}
}

func TestWriteReplacesASiteAndNothingElse(t *testing.T) {
	dir := t.TempDir()
	s := small()
	if err := s.Write(dir); err != nil {
		t.Fatal(err)
	}
	old := find(t, s, "assets/app-")
	delete(s, old)
	if err := s.Write(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, old)); !os.IsNotExist(err) {
		t.Errorf("%s is still there: %v", old, err)
	}
	other := t.TempDir()
	keep := filepath.Join(other, "thesis.txt")
	if err := os.WriteFile(keep, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.Write(other); err == nil {
		t.Error("wrote into a folder that held something else")
	}
	if _, err := os.Stat(keep); err != nil {
		t.Error(err)
	}
}

func TestLoadWantsAPage(t *testing.T) {
	if _, err := Load(os.DirFS(t.TempDir())); err == nil {
		t.Error("an empty folder counts as a site")
	}
}

func TestFilesOverTheLimitAreNamed(t *testing.T) {
	s := small()
	s.add("models/large.bin", make([]byte, FileLimit+1))
	s.add("models/fits.bin", make([]byte, FileLimit))
	if got := s.Over(FileLimit); len(got) != 1 || got[0] != "models/large.bin" {
		t.Errorf("over the limit: %v", got)
	}
}

func TestShippedFilesAreUnderTheLimit(t *testing.T) {
	if over := testSite(t).Over(FileLimit); len(over) > 0 {
		t.Errorf("over the limit: %v", over)
	}
	for _, m := range zoo.Models() {
		data, err := m.Data()
		if err != nil || len(data) > FileLimit {
			t.Errorf("%s: %d bytes, %v", m.ID, len(data), err)
		}
	}
}

func TestHashedNames(t *testing.T) {
	for name, want := range map[string]bool{
		"assets/app-0123456789.js": true,
		"assets/app.js":            false,
		"assets/app-0123456.js":    false,
		"assets/app-012345678g.js": false,
		"a-0123456789/app.js":      false,
	} {
		if headers.Hashed(name) != want {
			t.Errorf("%s: %v", name, !want)
		}
	}
}

func TestCertificateIsKeptWhileItCovers(t *testing.T) {
	file := filepath.Join(t.TempDir(), "spotter", "certificate.pem")
	home, office := net.IPv4(192, 168, 1, 20), net.IPv4(10, 0, 0, 9)
	first, err := Certificate(file, []net.IP{home})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"localhost", "127.0.0.1", "::1", home.String()} {
		if err := first.Leaf.VerifyHostname(name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	again, err := Certificate(file, []net.IP{home})
	if err != nil || !bytes.Equal(again.Certificate[0], first.Certificate[0]) {
		t.Errorf("a new certificate though the kept one covers all: %v", err)
	}
	moved, err := Certificate(file, []net.IP{office})
	if err != nil || bytes.Equal(moved.Certificate[0], first.Certificate[0]) || moved.Leaf.VerifyHostname(office.String()) != nil {
		t.Errorf("no new certificate for a new address: %v", err)
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key's file is readable by others: %v %v", info.Mode(), err)
	}
}
