package models

import (
	"strings"
	"testing"
)

func segmenter() *Head {
	return &Head{Kind: HeadYOLOv5, Classes: 2, Masks: 4, Proto: 1, Levels: []Level{{
		Stride: 8, Anchors: [][2]float32{{10, 20}, {30, 40}}, AnchorStep: 11,
		Obj: Part{Channel: 4}, Cls: Part{Channel: 5}, Coef: Part{Channel: 7},
	}}}
}

func TestHeadsThatDoNotFitTheOutputs(t *testing.T) {
	outputs := []Shape{{22, 4, 4}, {4, 8, 8}, {22, 4, 5}, {3}}
	if err := segmenter().Check(outputs); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(h *Head, l *Level){
		"no boxes":                      func(h *Head, _ *Level) { h.Kind = HeadClassify },
		"0 classes":                     func(h *Head, _ *Level) { h.Classes = 0 },
		"-1 mask":                       func(h *Head, _ *Level) { h.Masks = -1 },
		"on 0 levels":                   func(h *Head, _ *Level) { h.Levels = nil },
		"as many prototypes":            func(h *Head, _ *Level) { h.Proto = 4 },
		"stride 0":                      func(_ *Head, l *Level) { l.Stride = 0 },
		"0 anchors":                     func(_ *Head, l *Level) { l.Anchors = nil },
		"an anchor of 0x20":             func(_ *Head, l *Level) { l.Anchors[0][0] = 0 },
		"11 channels apart, at":         func(_ *Head, l *Level) { l.Anchors = make([][2]float32, 65) },
		"box part lies in output -1":    func(_ *Head, l *Level) { l.Box.Map = -1 },
		"class part needs 23 channels":  func(_ *Head, l *Level) { l.Cls.Channel = 10 },
		"class part needs 18":           func(_ *Head, l *Level) { l.Cls.Map = 2 },
		"mask part lies in an output":   func(_ *Head, l *Level) { l.Coef.Map = 3 },
		"objectness part needs 1677722": func(_ *Head, l *Level) { l.Obj.Channel = 1<<24 + 1 },
	} {
		h := segmenter()
		change(h, &h.Levels[0])
		if err := h.Check(outputs); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q in it", err, want)
		}
	}
}

func TestDescriptionsThatAreNone(t *testing.T) {
	for want, text := range map[string]string{
		"invalid character": "head",
		"no way to fit":     `{"feed":{"fit":"somehow","std":[1,1,1]}}`,
		"no inverse":        `{"feed":{"fit":"squash","std":[1,0,1]}}`,
	} {
		if _, err := Describe(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q in it", text, err, want)
		}
	}
}
