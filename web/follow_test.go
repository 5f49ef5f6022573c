package web

import (
	"strings"
	"testing"
)

// TestPageFollows: with the switch on, labels carry ids, results carry tracks, and a tally
// counts who has been there; with it off again, all of this is gone.
func TestPageFollows(t *testing.T) {
	p := openReady(t, view{})
	p.set("confidence", "value", 0.15)
	p.click("#camera")
	p.wait("found.length > 3")
	if eval[bool](p, "!!last.tracks") || !eval[bool](p, "document.querySelector('#tally').hidden") {
		t.Error("it follows without being asked")
	}
	p.click("label:has(#follow)")
	p.wait("last.tracks?.length > 0 && last.tracks[0].trail.length > 1")
	if eval[bool](p, "last.detections.some((d) => d.score < 0.15 && !d.id)") {
		t.Error("doubtful detections without a track are shown")
	}
	p.wait("!document.querySelector('#tally').hidden")
	if text := p.text("#tally"); !strings.HasPrefix(text, "So far: person × ") {
		t.Errorf("the tally says %q", text)
	}
	p.screenshot("following")
	p.set("confidence", "value", 0.1) // ids outlast another threshold
	n := eval[int](p, "found.length")
	p.next(n + 1)
	if !eval[bool](p, "last.tracks.every((t) => t.id > 0)") {
		t.Error("no ids after another threshold")
	}
	p.click("label:has(#follow)")
	p.wait("!last.tracks && document.querySelector('#tally').hidden")
}
