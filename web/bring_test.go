package web

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// formatsDir holds files of one network as PyTorch and its exporters write them.
const formatsDir = "../models/golden/testdata/formats"

func readFile(t *testing.T, parts ...string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(parts...))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// bring drops a model file onto the page and waits until it runs.
func (p *tab) bring(name string, data []byte) {
	p.t.Helper()
	before := eval[string](p, "document.querySelector('#stage').dataset.ready")
	drop(p, name, "", data)
	p.wait(fmt.Sprintf("document.querySelector('#stage').dataset.ready !== %q || !document.querySelector('#notice').hidden", before))
}

func TestBringACheckpoint(t *testing.T) {
	p := openReady(t, view{})
	p.bring("best.pt", readFile(t, formatsDir, "best.pt"))
	if got := p.text("#model-name"); got != "best" {
		t.Errorf("%q runs", got)
	}
	t.Log(p.text(".model-card"))
	p.screenshot("brought")
}
