package load

import (
	"testing"

	"spotter/models/safetensors"
)

// FuzzOpen changes the metadata and the names in a good file: whatever they say,
// the answer is a model that can be saved and read back, or an error.
func FuzzOpen(f *testing.F) {
	good, err := safetensors.Parse(small(f, func(*safetensors.File) {}))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good.Metadata[keyYAML], good.Metadata[keyNames], "64", "true", "model.0.conv.weight", "n", false)
	f.Add(good.Metadata[keyYAML], `["a","b"]`, "", "", "model.2.anchors", "", true)
	f.Add("nc: &a [*a]\nhead: *a\n", `{"0":"x"}`, "96", "false", "x", "", true)
	f.Add("head: [[-1, 1, Segment, [nc, anchors, 32, 256]]]\nbackbone: []\n", "{}", "32", "", "", "x", true)
	f.Fuzz(func(t *testing.T, yaml, names, size, residual, rename, scale string, detect bool) {
		data := small(t, func(file *safetensors.File) {
			file.Metadata = map[string]string{keyYAML: yaml, keyNames: names, keySize: size, keyResidual: residual}
			if w := file.Weights["model.0.conv.weight"]; rename != "__metadata__" {
				delete(file.Weights, "model.0.conv.weight")
				file.Weights[rename] = w
			}
		})
		o := Options{Scale: scale}
		if detect {
			o.Task = Detect
		}
		m, err := Open("fuzz", data, o)
		if err != nil {
			return
		}
		saved, err := m.Safetensors(safetensors.F32)
		if err != nil {
			t.Fatalf("a model that was read cannot be saved: %v", err)
		}
		if _, err := Open("again", saved, Options{}); err != nil {
			t.Fatalf("a model that was saved cannot be read: %v\n%s", err, m.YAML)
		}
	})
}
