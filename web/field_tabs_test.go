package web

import (
	"testing"

	"github.com/chromedp/chromedp"

	"spotter/models/detect"
)

// second opens the tab's address in another tab of the same profile.
func (p *tab) second() *tab {
	p.t.Helper()
	ctx, cancel := chromedp.NewContext(p.ctx)
	p.t.Cleanup(cancel)
	p.must(chromedp.Do(ctx))
	other := &tab{t: p.t, ctx: ctx}
	other.listen("")
	other.emulate(view{before: record})
	other.do(chromedp.Navigate(eval[string](p, "location.href")))
	other.ready()
	return other
}

// TestTwoTabs: both run the camera at the same time, and what one deletes is gone in the other.
func TestTwoTabs(t *testing.T) {
	p := openReady(t, view{site: newHost(testSite(t))})
	p.wait(keptScript)
	p.bring("best.pt", readFile(t, formatsDir, "best.pt"))
	other := p.second()
	for _, tab := range []*tab{p, other} {
		tab.click("#camera")
		tab.goesOn()
		tab.click("#model-choose")
		tab.wait("document.querySelectorAll('#picker-list li').length === 2")
	}
	p.goesOn()
	p.click("#picker-list li:nth-child(2) > button:last-child")
	other.wait("document.querySelectorAll('#picker-list li').length === 1")
	for _, tab := range []*tab{p, other} {
		tab.click("#picker [data-close]")
	}
	p.click("#forget")
	other.wait("document.querySelector('#offline').hidden")
	other.goesOn()
}

// TestUpdateSparesOtherTabs: a tab that takes a new build leaves the files of the old one to a
// tab that still shows it, though the host no longer has them.
func TestUpdateSparesOtherTabs(t *testing.T) {
	host := newHost(oldBuild(t))
	p := openReady(t, view{site: host})
	p.wait(keptScript)
	p.sample("astronaut") // so that no tab is reloaded by itself
	other := p.second()
	other.sample("astronaut")
	site := testSite(t)
	host.site.Store(&site)
	eval[bool](p, `navigator.serviceWorker.getRegistration().then((r) => r.update()).then(() => true)`)
	p.wait("!document.querySelector('#update').hidden")
	p.click("#update-take")
	p.ready()
	other.inWorker(engineWorker, "setTimeout(close, 300), undefined") // its worker and model are the old build's
	other.wait(saidScript + " === 'The engine stopped and was started anew.'")
	compare(t, "the tab of the old build", other.sample("portrait").Detections, want(t, detect.FromImage(samplePicture(t, "portrait")), 0.25), 0.25)
}
