package web

import (
	"strings"
	"testing"
)

// Each state that keeps a visitor from seeing something says what to do about it.

func TestDeniedCamera(t *testing.T) {
	p := open(t, view{camera: deniedCamera})
	p.click("#camera")
	if code := p.notice(); code != "camera-denied" {
		t.Fatalf("the notice tells of %s", code)
	}
	if text := p.text("#notice"); !strings.Contains(text, "Allow the camera") {
		t.Errorf("it says %q", text)
	}
	p.screenshot("camera-denied")
	p.click("#notice-close")
	p.wait("document.querySelector('#notice').hidden")
	if focus := eval[string](p, "document.activeElement.id"); focus != "stage" {
		t.Errorf("the focus is on %q after closing", focus)
	}
}

func TestNoCamera(t *testing.T) {
	p := open(t, view{camera: noCamera})
	p.click("#camera")
	if code := p.notice(); code != "camera-missing" {
		t.Errorf("the notice tells of %s", code)
	}
}

func TestInsecurePage(t *testing.T) {
	p := open(t, view{insecure: true, expects: "origin was untrustworthy"})
	if eval[bool](p, "isSecureContext") {
		t.Fatal("the test's page is secure")
	}
	p.click("#camera")
	if code := p.notice(); code != "camera-insecure" {
		t.Errorf("the notice tells of %s", code)
	}
	if text := p.text("#notice"); !strings.Contains(text, "HTTPS") {
		t.Errorf("it says %q", text)
	}
}

func TestUnsupportedBrowser(t *testing.T) {
	p := open(t, view{before: "WebAssembly.validate = () => false;"})
	if code := p.notice(); code != "unsupported" {
		t.Errorf("the notice tells of %s", code)
	}
	if text := p.text("#notice"); !strings.Contains(text, "Update it") {
		t.Errorf("it says %q", text)
	}
	if eval[bool](p, "performance.getEntriesByType('resource').some(e => e.name.includes('/models/'))") {
		t.Error("the model was downloaded though it can't run")
	}
}

func TestBadFile(t *testing.T) {
	p := open(t, view{expects: "not a video that the browser can play"})
	drop(p, "notes.txt", "text/plain", []byte("no picture"))
	if code := p.notice(); code != "bad-picture" {
		t.Errorf("the notice tells of %s", code)
	}
	drop(p, "film.mp4", "video/mp4", []byte("no video"))
	p.wait("document.querySelector('#notice').dataset.code === 'bad-video'")
}
