package web

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"text/template"

	"github.com/evanw/esbuild/pkg/api"

	"spotter/web/headers"
)

// Names of the files that make the page one that is installed and works offline.
// Browsers know both by their addresses, so these hold no hash.
const (
	serviceWorkerFile = "sw.js"
	manifestFile      = "manifest.webmanifest"
)

// keptAtOnce is the size in bytes up to which the service worker keeps a file from
// the first visit on; larger ones are kept when they are first used.
const keptAtOnce = 1 << 20

// addManifest adds the manifest with its icons, and gives the name of the icon for
// Apple's home screens.
func (s Site) addManifest() (apple string, err error) {
	text, err := fs.ReadFile(sources, "page/"+manifestFile)
	if err != nil {
		return "", err
	}
	manifest, err := template.New(manifestFile).Parse(string(text))
	if err != nil {
		return "", fmt.Errorf("web: %w", err)
	}
	names := map[string]string{}
	for key, file := range map[string]string{
		"Icon": "icon.svg", "Icon192": "icons/icon-192.png", "Icon512": "icons/icon-512.png",
		"Maskable": "icons/maskable-512.png", "Apple": "icons/apple-180.png",
	} {
		data, err := fs.ReadFile(sources, "page/"+file)
		if err != nil {
			return "", err
		}
		names[key] = s.addHashed("assets/"+path.Base(file), data)
	}
	var out bytes.Buffer
	if err := manifest.Execute(&out, names); err != nil {
		return "", fmt.Errorf("web: %w", err)
	}
	s.add(manifestFile, out.Bytes())
	return names["Apple"], nil
}

// kept is the service worker's list of what the site consists of; src/offline/sw.ts mirrors it.
type kept struct {
	Version string      `json:"version"`
	Files   []keptFile  `json:"files"`
	Later   []keptFile  `json:"later"`
	Models  []string    `json:"models"`
	Script  string      `json:"script"`
	Headers [][2]string `json:"headers"`
}

type keptFile struct {
	URL    string `json:"url"`
	Type   string `json:"type"`
	Digest string `json:"digest"`
}

// addServiceWorker adds the service worker; the site must hold all else by then.
func (s Site) addServiceWorker(b bundle) error {
	list := kept{Files: []keptFile{}, Later: []keptFile{}, Models: []string{}, Script: path.Base(b.app), Headers: headers.Security}
	var tags strings.Builder
	for _, name := range s.Names() {
		f := s[name]
		entry := keptFile{URL: name, Type: f.Type, Digest: f.Tag}
		switch dir, _, _ := strings.Cut(name, "/"); {
		case dir == "models":
			list.Models = append(list.Models, name)
			continue
		case name == "index.html":
			entry.Digest = "" // hosts add their own to pages
		case dir != "assets" && dir != "samples" && name != manifestFile && name != "models.json":
			continue
		}
		fmt.Fprintln(&tags, name, f.Tag)
		if len(f.Data) > keptAtOnce {
			list.Later = append(list.Later, entry)
		} else {
			list.Files = append(list.Files, entry)
		}
	}
	list.Version = digest([]byte(tags.String()))[:hashLength]
	define, err := json.Marshal(list)
	if err != nil {
		return err
	}
	script, err := build("src/offline/sw.ts", api.FormatIIFE, map[string]string{"BUILD": string(define)})
	if err != nil {
		return err
	}
	s.add(serviceWorkerFile, script)
	return nil
}
