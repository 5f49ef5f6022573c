//go:build embed

package web

import (
	"embed"
	"io/fs"
)

// dist is what `spotter site -o web/dist` wrote before this binary was built.
//
//go:embed all:dist
var dist embed.FS

// Embedded is the site that this binary carries, which was built where the sources are.
func Embedded() (Site, error) {
	sub, err := fs.Sub(dist, "dist")
	if err != nil {
		return nil, err
	}
	return Load(sub)
}
