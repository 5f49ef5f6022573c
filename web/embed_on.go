//go:build embed

package web

import (
	"bytes"
	"embed"
	"io/fs"
	"path"

	"spotter/models/zoo"
)

// dist is what `spotter site --for-binary -o web/dist` wrote before this binary was built.
//
//go:embed all:dist
var dist embed.FS

// Embedded is the site that this binary carries, which was built where the sources are.
// Files of networks that ship are in the binary already, and join the site here.
func Embedded() (Site, error) {
	sub, err := fs.Sub(dist, "dist")
	if err != nil {
		return nil, err
	}
	s, err := Load(sub)
	if err != nil {
		return nil, err
	}
	for _, m := range zoo.Models() {
		data, err := m.Data()
		if err != nil {
			return nil, err
		}
		name := s.addHashed("models/"+m.ID+path.Ext(m.File), data)
		if !bytes.Contains(s["models.json"].Data, []byte(name)) {
			delete(s, name)
		}
	}
	return s, nil
}
