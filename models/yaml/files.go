// Package yaml holds the YAML files of the networks that come with Spotter: the
// MobileNetV4 tutorial's and YOLOv5's own. Package config reads them.
package yaml

import "embed"

// FS holds the files, NAME.yaml.
//
//go:embed *.yaml
var FS embed.FS
