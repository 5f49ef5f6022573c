//go:build unix

package deploy

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// snippet is the block of that language in docs/deploy.md, for a site in that folder.
func snippet(t *testing.T, language, site string) string {
	t.Helper()
	text, err := os.ReadFile("../docs/deploy.md")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile("(?s)```"+language+"\n(.*?)```").FindAllStringSubmatch(string(text), -1)
	if len(found) != 1 || !strings.Contains(found[0][1], "/srv/spotter") {
		t.Fatalf("docs/deploy.md has %d blocks of %s", len(found), language)
	}
	return strings.ReplaceAll(found[0][1], "/srv/spotter", site)
}

// program finds a server; ./build.sh test brings it where there are Debian's packages.
func program(t *testing.T, name string) string {
	t.Helper()
	unpacked, err := filepath.Abs("../build/servers/usr")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{name, filepath.Join(unpacked, "sbin", name), filepath.Join(unpacked, "bin", name)} {
		if found, err := exec.LookPath(path); err == nil {
			return found
		}
	}
	t.Fatalf("%s is missing: install it, or run ./build.sh test", name)
	return ""
}

// nginx runs the documented lines within what a distribution's nginx.conf has around them.
func nginx(t *testing.T, site string, port int) *exec.Cmd {
	lines := snippet(t, "nginx", site)
	listen := fmt.Sprintf("listen 127.0.0.1:%d;", port)
	if !strings.Contains(lines, "listen 80;") {
		t.Fatal("the lines for nginx listen elsewhere")
	}
	own := t.TempDir()
	config := fmt.Sprintf("daemon off; master_process off; pid %[1]s/pid; events {}\nhttp {\naccess_log off;\n", own)
	for _, kind := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		config += fmt.Sprintf("%s_temp_path %s/%s;\n", kind, own, kind)
	}
	config += strings.ReplaceAll(lines, "listen 80;", listen) + "}\n"
	file := filepath.Join(own, "nginx.conf")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	return exec.Command(program(t, "nginx"), "-e", "stderr", "-p", own, "-c", file)
}

// caddy runs the documented lines, over HTTP and without its own administration.
func caddy(t *testing.T, site string, port int) *exec.Cmd {
	lines := snippet(t, "caddy", site)
	if !strings.Contains(lines, "spotter.example") {
		t.Fatal("the lines for Caddy are for another host")
	}
	own := t.TempDir()
	config := "{\n\tadmin off\n}\n" + strings.ReplaceAll(lines, "spotter.example", fmt.Sprintf("http://127.0.0.1:%d", port))
	file := filepath.Join(own, "Caddyfile")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program(t, "caddy"), "run", "--adapter", "caddyfile", "--config", file)
	cmd.Env = append(os.Environ(), "HOME="+own, "XDG_DATA_HOME="+own, "XDG_CONFIG_HOME="+own)
	return cmd
}

// TestDocumentedServers runs the lines of docs/deploy.md in real servers: every file comes
// with the same bytes, type and headers as from Spotter's own server, compressed where the
// client takes that.
func TestDocumentedServers(t *testing.T) {
	s := site(t)
	dir := filepath.Join(t.TempDir(), "site")
	if err := s.Write(dir); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		server    func(t *testing.T, site string, port int) *exec.Cmd
		encodings []string
	}{"nginx": {nginx, []string{"gzip"}}, "caddy": {caddy, []string{"br", "gzip"}}} {
		t.Run(name, func(t *testing.T) {
			port := freePort(t)
			address := fmt.Sprintf("http://127.0.0.1:%d", port)
			serve(t, c.server(t, dir, port), address+"/")
			answersAlike(t, address, s, append(s.Names(), "", "nothing", "assets/nothing"))
			checkCaching(t, address)
			checkHidden(t, address)
			for file, f := range s {
				for encoding, data := range map[string][]byte{"gzip": f.Gzip, "br": f.Brotli} {
					if data == nil || !strings.Contains(strings.Join(c.encodings, " "), encoding) {
						continue
					}
					r, got := fetch(t, "GET", address+"/"+file, "Accept-Encoding", encoding)
					if r.Header.Get("Content-Encoding") != encoding || string(got) != string(data) {
						t.Errorf("/%s in %s: %d bytes in %q, want %d", file, encoding, len(got), r.Header.Get("Content-Encoding"), len(data))
					}
				}
			}
		})
	}
}
