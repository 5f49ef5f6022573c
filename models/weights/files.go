// Package weights holds the files of the networks that come with Spotter; package
// zoo says what they are.
package weights

import "embed"

// FS holds the files.
//
//go:embed *.safetensors *.onnx
var FS embed.FS
