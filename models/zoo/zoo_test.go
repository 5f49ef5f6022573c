package zoo

import (
	"io/fs"
	"slices"
	"testing"

	"spotter/models"
	"spotter/models/load"
	"spotter/models/weights"
)

// TestEveryModelIsWhatTheListSays opens all files that ship.
func TestEveryModelIsWhatTheListSays(t *testing.T) {
	if m := Models()[0]; m.ID != Default {
		t.Errorf("the first model is %s, the default %s", m.ID, Default)
	}
	var files []string
	for _, m := range Models() {
		files = append(files, m.File)
		data, err := m.Data()
		if err != nil {
			t.Fatal(err)
		}
		plain, err := load.Open(m.File, data, load.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if plain.Graph.Feed != m.Feed {
			t.Errorf("%s: the reader feeds it by %+v, the list says %+v", m.ID, plain.Graph.Feed, m.Feed)
		}
		read, err := m.Open(load.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if want := (models.Shape{3, m.Input, m.Input}); read.Task != m.Task || !slices.Equal(read.Graph.Input.Shape, want) {
			t.Errorf("%s: task %s, input %v; the list says %s, %v", m.ID, read.Task, read.Graph.Input.Shape, m.Task, want)
		}
		if len(read.Graph.Classes) != 80 || read.Graph.Classes[79] != "toothbrush" {
			t.Errorf("%s: %d classes, not COCO's 80: %q", m.ID, len(read.Graph.Classes), read.Graph.Classes)
		}
		if found := Find(m.ID); found == nil || found.File != m.File {
			t.Errorf("%s is not found by its ID", m.ID)
		}
	}
	have, err := fs.ReadDir(weights.FS, ".")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range have {
		if !slices.Contains(files, f.Name()) {
			t.Errorf("%s is embedded and in no model", f.Name())
		}
	}
	if Find("nothing") != nil {
		t.Error("a model that there is not")
	}
}
