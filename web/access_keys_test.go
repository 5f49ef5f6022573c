package web

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// focused is where the focus is among all controls, and what is wrong about it.
type focused struct {
	At    int
	Wrong []string
}

func (p *tab) press(key string) focused {
	p.t.Helper()
	p.do(chromedp.KeyEvent(key))
	return eval[focused](p, "access.focus()")
}

// tabThrough presses Tab from the focused control on: every other one comes in the
// order of the document, in sight and with a ring around it.
func (p *tab) tabThrough(state string) {
	p.t.Helper()
	stops := eval[int](p, "access.stops()")
	at := eval[focused](p, "access.focus()").At
	if stops-at < 2 {
		p.t.Fatalf("%s: %d controls", state, stops)
	}
	for want := at + 1; want < stops; want++ {
		got := p.press(kb.Tab)
		if got.At != want {
			p.t.Fatalf("%s: Tab leads to %s, want %s", state,
				eval[string](p, fmt.Sprintf("access.name(%d)", got.At)), eval[string](p, fmt.Sprintf("access.name(%d)", want)))
		}
		for _, wrong := range got.Wrong {
			p.t.Errorf("%s: %s", state, wrong)
		}
	}
}

// TestEverythingIsReachedByKeyboard walks with the Tab key through the page and its dialogs.
func TestEverythingIsReachedByKeyboard(t *testing.T) {
	p := openReady(t, view{before: string(readFile(t, "testdata/access.js"))})
	p.wait("!document.querySelector('#offline').hidden")
	fromTheTop := func(state string) {
		t.Helper()
		eval[bool](p, "document.querySelector('.skip').focus() ?? true")
		p.tabThrough(state)
	}
	fromTheTop("idle")
	p.sample("portrait")
	fromTheTop("picture")
	p.click("#camera")
	p.wait("document.querySelector('#stage').dataset.state === 'camera' && !document.querySelector('#keep').hidden")
	fromTheTop("camera")
	p.click("#stop")
	dropClip(p, "")
	p.wait("document.querySelector('#stage').dataset.state === 'video' && !document.querySelector('#keep').hidden")
	fromTheTop("video")
	p.click("#play")

	focus := func(id string) { eval[bool](p, fmt.Sprintf("document.getElementById(%q).focus() ?? true", id)) }
	for dialog, opener := range map[string]string{"picker": "model-choose", "layers": "model-layers"} {
		focus(opener)
		p.press(kb.Enter)
		p.wait(fmt.Sprintf("document.getElementById(%q).contains(document.activeElement) && access.stops() > 2", dialog))
		p.tabThrough(dialog)
		p.press(kb.Escape)
		if got := eval[string](p, "document.activeElement.id"); got != opener {
			t.Errorf("after %s the focus is on %q", dialog, got)
		}
	}
	eval[bool](p, "document.querySelector('#model-save summary').focus() ?? true")
	p.press(kb.Enter)
	p.wait("document.querySelector('#model-save').open")
	p.press(kb.Tab)
	if got := eval[string](p, "document.activeElement.id"); got != "save-module" {
		t.Errorf("behind the menu's button comes %q", got)
	}
	p.press(kb.Escape)
	if !eval[bool](p, "!document.querySelector('#model-save').open && document.activeElement.matches('#model-save summary')") {
		t.Error("Escape does not lead back to the menu's button")
	}
	focus("file")
	drop(p, "notes.txt", "text/plain", []byte("no picture"))
	p.notice()
	fromTheTop("notice")
}

// hearing keeps what the live region says, and when.
const hearing = `globalThis.heard = [];
	addEventListener("DOMContentLoaded", () => new MutationObserver(() =>
		heard.push({text: document.querySelector("#live").textContent, at: performance.now()}))
		.observe(document.querySelector("#live"), {childList: true, characterData: true, subtree: true}));`

type utterance struct {
	Text string
	At   float64 // milliseconds
}

// TestLiveRegionSpeaksSeldom: before a camera whose picture changes all the time, each
// thing that is said differs from the one before and comes no sooner than seconds after it.
func TestLiveRegionSpeaksSeldom(t *testing.T) {
	p := openReady(t, view{before: hearing})
	p.set("confidence", "value", 0.1)
	p.click("#camera")
	p.wait("heard.length >= 4")
	p.click("#stop")
	heard := slices.DeleteFunc(eval[[]utterance](p, "heard"), func(u utterance) bool { return u.Text == "" })
	for i, u := range heard {
		if strings.Contains(u.Text, "%") || !strings.HasPrefix(u.Text, "Picture ") {
			t.Errorf("it says %q", u.Text)
		}
		if i > 0 && (u.Text == heard[i-1].Text || u.At-heard[i-1].At < 2900) {
			t.Errorf("%.0f ms after %q it says %q", u.At-heard[i-1].At, heard[i-1].Text, u.Text)
		}
	}
	if frames := eval[int](p, "found.length"); frames < 2*len(heard) {
		t.Errorf("%d frames for %d utterances: the test shows nothing", frames, len(heard))
	}
}

// TestLiveRegionIsQuietWithoutChange: the same findings again are no news.
func TestLiveRegionIsQuietWithoutChange(t *testing.T) {
	p := openReady(t, view{before: hearing})
	p.sample("portrait")
	p.wait("heard.length === 1")
	for range 3 {
		n := eval[int](p, "found.length")
		p.set("iou", "value", 0.5)
		p.next(n)
	}
	p.click("[data-language=zh]") // other words are a change
	p.wait("heard.length > 1")
	heard := eval[[]utterance](p, "heard")
	if len(heard) != 2 || !strings.ContainsFunc(heard[1].Text, isHan) {
		t.Errorf("it says %v", heard)
	}
}
