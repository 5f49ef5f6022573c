package load

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"spotter/models"
	"spotter/models/detect"
	"spotter/models/export"
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

// FuzzDescription changes what an ONNX file says of its own head: whatever it is, the head
// that comes out decodes the network's outputs.
func FuzzDescription(f *testing.F) {
	raw, err := os.ReadFile("../onnx/testdata/yolov5-seg.onnx")
	if err != nil {
		f.Fatal(err)
	}
	m, err := Open("seg.onnx", raw, Options{})
	if err != nil {
		f.Fatal(err)
	}
	var file bytes.Buffer
	if err := export.ONNX(&file, m.Graph, m.Weights, nil); err != nil {
		f.Fatal(err)
	}
	good, err := json.Marshal(models.Described{Head: &m.Graph.Head, Feed: &m.Graph.Feed})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(good), true)
	f.Add(strings.ReplaceAll(string(good), `"anchorStep":12`, `"anchorStep":5`), true)
	f.Add(strings.ReplaceAll(string(good), `"map":1`, `"map":0`), true)
	f.Add(strings.ReplaceAll(string(good), `"yolov5"`, `"yolox"`), false)
	f.Fuzz(func(t *testing.T, text string, plain bool) {
		o := Options{}
		if plain {
			o.Task = Detect
		}
		property := protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), models.MetadataKey)
		property = protowire.AppendString(protowire.AppendTag(property, 2, protowire.BytesType), text)
		data := protowire.AppendBytes(protowire.AppendTag(bytes.Clone(file.Bytes()), 14, protowire.BytesType), property)
		m, err := Open("fuzz.onnx", data, o)
		if err != nil {
			return
		}
		maps := make([][]float32, len(m.Graph.Outputs))
		for i, v := range m.Graph.Outputs {
			maps[i] = make([]float32, v.Shape.Elements())
		}
		if _, err := detect.Decode(&m.Graph.Head, detect.Maps(m.Graph, maps)); err != nil {
			t.Fatalf("a head that was read does not decode: %v", err)
		}
	})
}
