package web

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
)

// pageState is a state of the page that everybody must be able to use. A walk enters
// them one after the other in one tab; each leaves as it came.
type pageState struct {
	name  string
	enter func(p *tab)
	leave func(p *tab) // nil where the next state replaces this one
}

// pageStates are all main states; what adds a control to the page adds its state here.
var pageStates = []pageState{
	{"idle", func(p *tab) { p.wait("!document.querySelector('#offline').hidden") }, nil},
	{"picture", func(p *tab) { p.sample("astronaut") }, nil},
	{"results menu", func(p *tab) { p.click("#keep-results summary") }, func(p *tab) { p.click("#keep-results summary") }},
	{"no class of that name", func(p *tab) { p.search("qqq") }, func(p *tab) { p.search("") }},
	{"picker", func(p *tab) {
		p.click("#model-choose")
		p.wait("document.querySelector('#picker .picker-model')")
	}, func(p *tab) { p.closeDialog("picker") }},
	{"layers", func(p *tab) {
		p.click("#model-layers")
		p.click("#layers-profile")
		p.wait("document.querySelector('#layers-rows td.number').textContent")
		p.click("#layers-rows tr:nth-child(2) .layer-name")
		p.wait("!document.querySelector('#layers-maps').hidden")
	}, func(p *tab) { p.closeDialog("layers") }},
	{"save menu", func(p *tab) { p.click("#model-save summary") }, func(p *tab) { p.click("#model-save summary") }},
	{"notice", func(p *tab) {
		drop(p, "notes.txt", "text/plain", []byte("no picture"))
		p.notice()
	}, func(p *tab) { p.click("#notice-close") }},
	{"two side by side", func(p *tab) {
		p.click("#compare")
		p.compared("both")
	}, func(p *tab) { p.click("#compare-close") }},
	{"batch chosen", func(p *tab) {
		dir := filepath.Join(p.t.TempDir(), "Holiday 假期")
		fill(p.t, dir, map[string][]byte{"a/portrait.jpg": sampleFile(p.t, "portrait"), "照片/咖啡.jpg": sampleFile(p.t, "coffee"), "empty.jpg": {}})
		p.dropFiles(dir)
		p.batchAt("ready")
	}, nil},
	{"batch done", func(p *tab) {
		p.click("#batch-start")
		p.batchAt("done")
	}, func(p *tab) { p.click("#batch-close") }},
	{"video", func(p *tab) {
		dropClip(p, "")
		p.wait("document.querySelector('#stage').dataset.state === 'video'")
		p.click("#play")
		p.wait("document.querySelector('#video').paused")
	}, nil},
	{"following", func(p *tab) {
		p.click("#follow")
		p.click("#play")
	}, func(p *tab) { p.click("#follow") }},
	{"camera", func(p *tab) {
		p.click("#stop")
		p.click("#camera")
		p.wait("document.querySelector('#stage').dataset.state === 'camera' && !document.querySelector('#canvas').hidden")
	}, nil},
	{"recording", func(p *tab) {
		p.wait("document.querySelector('#keep-record').checkVisibility()") // it moves what lies below it
		p.click("#keep-record")
		p.wait("document.querySelector('#keep-time').checkVisibility()")
	}, nil},
	{"clip", func(p *tab) {
		p.click("#keep-record")
		p.wait("document.querySelector('#clip').checkVisibility()")
	}, func(p *tab) { p.click("#stop") }},
	{"questions", func(p *tab) {
		p.exchanged(func() { drop(p, "state_dict.pt", "", readFile(p.t, formatsDir, "state_dict.pt")) })
		p.wait("document.querySelector('#ask-classes')?.checkVisibility()")
	}, func(p *tab) { p.closeDialog("questions") }},
	{"a brought model", func(p *tab) {}, nil},
	{"question without which nothing runs", func(p *tab) {
		drop(p, "bare.safetensors", "", bareParameters(p.t))
		p.wait("document.querySelector('#ask-network')?.checkVisibility()")
	}, func(p *tab) { p.closeDialog("questions") }},
	{"update", func(p *tab) { p.show("update", true) }, func(p *tab) { p.show("update", false) }},
	{"install", func(p *tab) { p.show("install", true) }, func(p *tab) { p.show("install", false) }},
}

func (p *tab) search(text string) { p.set("classes-search", "value", fmt.Sprintf("%q", text)) }

func (p *tab) closeDialog(id string) { p.click("#" + id + " [data-close]") }

// show shows or hides what the browser alone decides on.
func (p *tab) show(id string, on bool) {
	eval[bool](p, fmt.Sprintf("(document.getElementById(%q).hidden = %t, true)", id, !on))
}

// walk enters every state and calls check there.
func (p *tab) walk(check func(state string)) {
	p.t.Helper()
	for _, s := range pageStates {
		s.enter(p)
		check(s.name)
		if s.leave != nil {
			s.leave(p)
		}
	}
}

// axeScript is axe-core; it comes into the page through DevTools, so that the page's
// policy stays as it is.
func axeScript(t *testing.T) string {
	t.Helper()
	return string(readFile(t, "node_modules/axe-core/axe.min.js")) + ";"
}

// finding is one rule of axe-core that a page breaks.
type finding struct {
	ID, Impact, Help string
	Nodes            []struct {
		HTML           string
		FailureSummary string
	}
}

// axe reports everything that axe-core finds in the page as it is, by all rules or those of the tags.
func (p *tab) axe(state string, tags ...string) {
	p.t.Helper()
	only := ""
	if tags != nil {
		only = fmt.Sprintf(`runOnly: ["%s"],`, strings.Join(tags, `", "`))
	}
	// Colours that the system forces are not in the styles that axe-core computes with.
	found := eval[[]finding](p, `axe.run(document, {resultTypes: ["violations"],`+only+`
		rules: {"color-contrast": {enabled: !matchMedia("(forced-colors: active)").matches}}}).then(({violations}) => violations.map(
		({id, impact, help, nodes}) => ({id, impact, help, nodes: nodes.map(({html, failureSummary}) => ({html, failureSummary}))})))`)
	for _, f := range found {
		for _, n := range f.Nodes {
			p.t.Errorf("%s: %s (%s): %s\n%.200s\n%s", state, f.ID, f.Impact, f.Help, n.HTML, strings.TrimSpace(n.FailureSummary))
		}
	}
}

// media emulates what a person has set in the system, over what the tab was opened with.
func (p *tab) media(features ...string) {
	p.t.Helper()
	var list []*emulation.MediaFeature
	for i := 0; i < len(features); i += 2 {
		list = append(list, &emulation.MediaFeature{Name: features[i], Value: features[i+1]})
	}
	call(p, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: list})
}

// look is how a person has set browser and system.
type look struct {
	view  view
	media []string // name and value by turns
	text  string   // size of the root's letters
}

var looks = map[string]look{
	"wide":          {},
	"narrow":        {view: view{width: 320, height: 568, language: "zh-CN"}}, // a small phone, or 400% zoom
	"dark zoomed":   {view: view{width: 640, height: 430, scale: 2}, media: []string{"prefers-color-scheme", "dark", "prefers-reduced-motion", "reduce"}},
	"high contrast": {view: view{width: 800}, text: "200%", media: []string{"forced-colors", "active"}},
}

// TestEveryStateIsAccessible looks at every state of the page in several looks: with
// axe-core, for anything that is cut off, hidden or too small for a finger, and for
// movement where a person wants none.
func TestEveryStateIsAccessible(t *testing.T) {
	for name, l := range looks {
		t.Run(name, func(t *testing.T) {
			v := l.view
			v.before = axeScript(t) + string(readFile(t, "testdata/access.js"))
			v.expects = "not a picture|not a video"
			p := openReady(t, v)
			p.media(l.media...)
			if l.text != "" {
				eval[string](p, fmt.Sprintf("document.documentElement.style.fontSize = %q", l.text))
			}
			p.walk(func(state string) {
				p.screenshot(strings.ReplaceAll("access "+name+" "+state, " ", "-"))
				p.axe(state)
				p.none(state, "access.layout()")
				if slices.Contains(l.media, "reduce") {
					p.none(state, "access.moving()")
				}
			})
		})
	}
}

// none reports each sentence that a script finds.
func (p *tab) none(state, script string) {
	p.t.Helper()
	for _, problem := range eval[[]string](p, script) {
		p.t.Errorf("%s: %s", state, problem)
	}
}

// TestMovementCanBeSwitchedOff holds the page against one that moves: what the walk
// above finds still under "less movement" does move without.
func TestMovementCanBeSwitchedOff(t *testing.T) {
	p := openReady(t, view{before: string(readFile(t, "testdata/access.js"))})
	if moving := eval[[]string](p, "access.moving()"); len(moving) == 0 {
		t.Error("nothing moves: the test shows nothing")
	}
	p.media("prefers-reduced-motion", "reduce")
	p.none("after the system's switch", "access.moving()")
	p.click("#show-boxes")
	p.none("after a click", "access.moving()")
}

// TestControlsShowInForcedColours: on and off, and where a slider stands, show in the
// system's colours alone.
func TestControlsShowInForcedColours(t *testing.T) {
	p := openReady(t, view{})
	p.media("forced-colors", "active")
	p.sample("astronaut")
	for what, selectors := range map[string][2]string{
		"a switch":   {"#show-boxes", "#follow"},
		"a language": {"[data-language=en]", "[data-language=zh]"},
		"a sample":   {"[data-name=astronaut]", "[data-name=cat]"},
	} {
		on, off := p.shades(selectors[0]), p.shades(selectors[1])
		if on.contrast() < 3 || off.contrast() < 3 {
			t.Errorf("%s shows with a contrast of %.1f on and %.1f off, want 3", what, on.contrast(), off.contrast())
		}
		if d := on.apart(off); d < 0.2 {
			t.Errorf("%s looks alike on and off (%.2f)", what, d)
		}
	}
	if c := p.shades("#confidence").contrast(); c < 3 {
		t.Errorf("a slider shows with a contrast of %.1f", c)
	}
}

// TestWaysToEmbedAreAccessible looks with axe-core at the element in each page of
// variants/; what the pages lack around it (headings, landmarks) is theirs.
func TestWaysToEmbedAreAccessible(t *testing.T) {
	site := withVariants(t)
	site.add("variants/react.js", bundleReact(t))
	handler := NewHandler(site)
	framed := bare(handler)
	for page, ready := range map[string]string{
		"plain": sentScript, "camera": sentScript, "several": sentScript, "styled": sentScript, "csp": sentScript,
		"react": "Number(document.querySelector('#people')?.textContent) > 0", "api": "document.querySelector('li')", "shadow": "document.querySelector('my-door').dataset.people",
		"iframe": "frames[0].sent?.detections.length > 3",
	} {
		t.Run(page, func(t *testing.T) {
			served := handler
			if page == "iframe" { // our own policy lets nothing be framed
				served = framed
			}
			p := openVariant(t, page+".html", view{before: axeScript(t), site: served})
			p.wait(ready)
			p.axe(page, "wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")
		})
	}
	t.Run("error", func(t *testing.T) {
		p := openVariant(t, "plain.html", view{before: axeScript(t), site: handler, expects: "."})
		p.wait(sentScript)
		eval[string](p, "document.querySelector('spotter-view').src = 'nothing.jpg'")
		p.wait("!document.querySelector('spotter-view').shadowRoot.querySelector('.error').hidden")
		p.axe("error", "wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")
	})
}

const sentScript = "sent.detections.length > 0"
