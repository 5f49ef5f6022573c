package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

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

// listStart is how the service worker's script starts; the list follows, to the end of the line.
const listStart = "const BUILD="

// setServiceWorker puts a list of the site as it is now before the service worker's
// script; page is the name of the page's own.
func (s Site) setServiceWorker(script []byte, page string) error {
	list, err := json.Marshal(s.kept(page))
	if err != nil {
		return err
	}
	s.add(serviceWorkerFile, fmt.Appendf(nil, "%s%s;\n%s", listStart, list, script))
	return nil
}

// renewServiceWorker makes the list of the service worker anew.
func (s Site) renewServiceWorker() error {
	old, ok := s[serviceWorkerFile]
	if !ok {
		return errors.New("web: the site has no service worker")
	}
	line, script, _ := bytes.Cut(old.Data, []byte("\n"))
	var list kept
	if err := json.Unmarshal(bytes.TrimSuffix(bytes.TrimPrefix(line, []byte(listStart)), []byte(";")), &list); err != nil {
		return fmt.Errorf("web: %s: %w", serviceWorkerFile, err)
	}
	return s.setServiceWorker(script, list.Script)
}

// kept lists what the site consists of.
func (s Site) kept(page string) kept {
	list := kept{Files: []keptFile{}, Later: []keptFile{}, Models: []string{}, Script: page, Headers: headers.Security}
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
	return list
}
