package web

import (
	"bytes"
	"fmt"
	"testing"

	"spotter/models"
	"spotter/models/export"
	"spotter/models/load"
)

// TestExportedFilesRunInThePage drops what `spotter export` makes of the site's own model,
// with raw outputs and with boxes: the page finds the same as before.
func TestExportedFilesRunInThePage(t *testing.T) {
	m, err := load.Open(modelFile, readFile(t, modelFile), load.Options{})
	if err != nil {
		t.Fatal(err)
	}
	decoded, weights, err := export.Decoded(m.Graph, m.Weights)
	if err != nil {
		t.Fatal(err)
	}
	p := openReady(t, view{})
	want := p.sample("portrait")
	for name, g := range map[string]*models.Graph{"raw": m.Graph, "boxes": decoded} {
		var file bytes.Buffer
		p.must(export.ONNX(&file, g, weights, m.Meta))
		p.bring(name+".onnx", file.Bytes())
		// The new model looks at the picture that is shown, too: sizes tell whose result it is.
		p.click("[data-name=cat]")
		p.wait("found.at(-1).width === 451")
		p.click("[data-name=portrait]")
		p.wait("found.at(-1).width === 512")
		got := eval[pageResult](p, "found.at(-1)")
		if len(got.Detections) != len(want.Detections) || len(want.Detections) == 0 || eval[string](p, "spotter.manifest().task") != "segment" {
			t.Fatalf("%s: %+v, want %+v", name, got, want)
		}
		for i, w := range want.Detections {
			if g := got.Detections[i]; g.Label != w.Label || abs(g.Score-w.Score) > 1e-3 {
				t.Errorf("%s: detection %d is %+v, want %+v", name, i, g, w)
			}
		}
		if !eval[bool](p, "document.querySelector('#notice').hidden") {
			t.Error(fmt.Sprint(name, ": ", p.text("#notice")))
		}
	}
}
