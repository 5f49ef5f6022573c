package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"spotter/models/load"
)

const checkpointFile = "models/golden/testdata/formats/best.pt"

func TestSummaryProfile(t *testing.T) {
	var out, said bytes.Buffer
	if code := dispatch([]string{"summary", "--profile", "--imgsz", "96", checkpointFile}, &out, &said); code != 0 {
		t.Fatalf("exit code %d: %s", code, &said)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) < 40 {
		t.Fatalf("%d lines:\n%s", len(lines), &out)
	}
	if first := strings.Fields(lines[1]); len(first) != 8 || first[1] != "conv3x3s2+relu6" || first[2] != "48x48x8" || first[4] != "497664" {
		t.Errorf("the first layer is %q", lines[1])
	}
	if total := strings.Fields(lines[len(lines)-1]); total[0] != "total" || total[1] != "64685" {
		t.Errorf("the total is %q", lines[len(lines)-1])
	}
}

// TestCompileSavesSafetensors reads the file back that compile writes beside the module.
func TestCompileSavesSafetensors(t *testing.T) {
	dir := t.TempDir()
	var out, said bytes.Buffer
	args := []string{"compile", "--model", checkpointFile, "-o", dir, "--imgsz", "96", "--safetensors"}
	if code := dispatch(args, &out, &said); code != 0 {
		t.Fatalf("exit code %d: %s", code, &said)
	}
	data, err := os.ReadFile(filepath.Join(dir, "best.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	m, err := load.Open("best.safetensors", data, load.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if m.Format != "safetensors" || m.Task != load.Detect || len(m.Graph.Classes) != 80 || m.Graph.Input.Shape[1] != 96 {
		t.Errorf("%s, %s, %d classes, input %v", m.Format, m.Task, len(m.Graph.Classes), m.Graph.Input.Shape)
	}
}
