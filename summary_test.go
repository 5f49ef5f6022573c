package main

import (
	"bytes"
	"strings"
	"testing"
)

// TestSummaryCommand prints networks from a file, by name and from a model.
func TestSummaryCommand(t *testing.T) {
	for _, c := range []struct {
		args string
		code int
		want []string // in the output, or in the error where code is not 0
	}{
		{"models/yaml/yolov5-mnv4-convsmall.yaml --scale l", 0, []string{"3443968  models.common.SPPF", "350 layers, 26179933 parameters, 45.47 GFLOPs", "58.1 GFLOPs"}},
		{"--imgsz 320 --scale n yolov5-mnv4-convsmall-seg", 0, []string{"Segment", "4943229 parameters, 2.37 GFLOPs at 320 x 320"}},
		{"yolov5n --imgsz 320x256 --nodes", 0, []string{"model.0.conv ", "16x128x160", "at 320 x 256"}},
		{"models/golden/testdata/formats/best.pt", 0, []string{"MobileNetV4ConvSmall", "64685 parameters"}},
		{"models/golden/testdata/formats/model-op17.onnx", 0, []string{"node", "MMACs", "parameters"}},
		{"--help", 0, []string{"Usage: spotter summary", "-scale", "yolov5-mnv4-hybridlarge"}},
		{"", 2, []string{"exactly one network"}},
		{"yolov5n yolov5s", 2, []string{"exactly one network"}},
		{"yolov5n --imgsz 0", 2, []string{"--imgsz"}},
		{"yolov5n --imgsz 100", 1, []string{"multiples of 32"}},
		{"yolov5n --scale xl", 1, []string{`scale "xl"`}},
		{"yolov5q", 1, []string{"did you mean"}},
		{"nothing.pt", 1, []string{"no such file"}},
		{"go.mod", 1, []string{"neither"}},
	} {
		var out, errs bytes.Buffer
		code := dispatch(append([]string{"summary"}, strings.Fields(c.args)...), &out, &errs)
		text := out.String()
		if c.code != 0 {
			text = errs.String()
		}
		if code != c.code {
			t.Errorf("summary %s exits with %d, want %d: %s", c.args, code, c.code, errs.String())
		}
		for _, want := range c.want {
			if !strings.Contains(text, want) {
				t.Errorf("summary %s lacks %q:\n%.500s", c.args, want, text)
			}
		}
	}
}
