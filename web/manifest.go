//go:build !embed

package web

import (
	"bytes"
	"fmt"
	"io/fs"
	"path"
	"text/template"

	"github.com/evanw/esbuild/pkg/api"
)

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

// addServiceWorker adds the service worker; the site must hold all else by then.
func (s Site) addServiceWorker(b bundle) error {
	script, err := build("src/offline/sw.ts", api.FormatIIFE, nil)
	if err != nil {
		return err
	}
	return s.setServiceWorker(script, path.Base(b.app))
}
