package web

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/storage"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"

	"spotter/models/detect"
)

// behind opens another tab in the same window, which hides this one; the function returned
// brings one of the two to the front.
func (p *tab) behind() (front func(self bool)) {
	p.t.Helper()
	newWindow := false
	other, err := chromedp.CallBrowser(p.ctx, target.CreateTarget, target.CreateTargetParams{
		URL: "about:blank", BrowserContextID: chromedp.FromContext(p.ctx).BrowserContextID, NewWindow: &newWindow,
	})
	p.must(err)
	p.wait("document.hidden")
	return func(self bool) {
		p.t.Helper()
		id := other.TargetID
		if self {
			id = p.target()
		}
		_, err := chromedp.CallBrowser(p.ctx, target.ActivateTarget, target.ActivateTargetParams{TargetID: id})
		p.must(err)
		p.wait(fmt.Sprintf("document.hidden === %v", !self))
	}
}

func (p *tab) lifecycle(state page.SetWebLifecycleStateState) {
	p.t.Helper()
	call(p, page.SetWebLifecycleState, page.SetWebLifecycleStateParams{State: state})
}

// TestHiddenTabRests: no frames while nobody sees them; when the tab is back they go on, also
// where the browser had frozen the page and stopped its video. What a person paused stays so.
func TestHiddenTabRests(t *testing.T) {
	p := openReady(t, view{})
	p.click("#camera")
	p.next(0)
	front := p.behind()
	p.wait("document.querySelector('#video').paused")
	front(true)
	p.goesOn()
	p.lifecycle(page.SetWebLifecycleStateStateFrozen)
	p.lifecycle(page.SetWebLifecycleStateStateActive)
	front(false)
	front(true)
	p.goesOn()
	eval[bool](p, "document.querySelector('#video').pause() ?? true") // as a call on a phone does
	p.goesOn()
}

// setCamera changes the permission of the tab's camera.
func (p *tab) setCamera(setting browser.PermissionSetting) {
	p.t.Helper()
	_, err := chromedp.CallBrowser(p.ctx, browser.SetPermission, browser.SetPermissionParams{
		Permission: &browser.PermissionDescriptor{Name: "camera"}, Setting: setting,
		BrowserContextID: chromedp.FromContext(p.ctx).BrowserContextID,
	})
	p.must(err)
}

// TestPermissionWithdrawnAndGivenBack: the page says what has happened, and goes on by itself
// when it may.
func TestPermissionWithdrawnAndGivenBack(t *testing.T) {
	p := openReady(t, view{})
	p.click("#camera")
	p.next(0)
	p.setCamera(browser.PermissionSettingDenied)
	if code := p.notice(); code != "camera-denied" {
		t.Errorf("the notice tells of %s", code)
	}
	if live := eval[bool](p, "!!document.querySelector('#video').srcObject"); live {
		t.Error("the camera runs on without permission")
	}
	p.setCamera(browser.PermissionSettingGranted)
	p.wait("document.querySelector('#stage').dataset.state === 'camera' && document.querySelector('#notice').hidden")
	p.goesOn()
}

// TestCameraFallsSilent: a camera whose pictures stop without an event is told of, until they come again.
func TestCameraFallsSilent(t *testing.T) {
	p := openReady(t, view{before: `
		globalThis.hold = false;
		const ask = HTMLVideoElement.prototype.requestVideoFrameCallback;
		HTMLVideoElement.prototype.requestVideoFrameCallback = function (take) {
			const wait = (...given) => hold ? setTimeout(wait, 50, ...given) : take(...given);
			return ask.call(this, wait);
		};`})
	p.click("#camera")
	p.next(0)
	eval[bool](p, "hold = true")
	p.wait(saidScript + ".startsWith('The camera sends no pictures')")
	p.screenshot("camera-silent")
	eval[bool](p, "!(hold = false)")
	p.wait(saidScript + " === ''")
	p.goesOn()
}

// TestTurnedDeviceAndResizedStream: the picture fits the stage after a turn of the device, and
// boxes lie right when the camera's frames change their size in mid-run.
func TestTurnedDeviceAndResizedStream(t *testing.T) {
	p := openReady(t, view{width: 390, height: 844, scale: 1, before: watchCanvas})
	fits := func() {
		t.Helper()
		p.goesOn()
		got := eval[map[string]float64](p, `(() => {
			const [stage, canvas] = [document.querySelector("#stage"), document.querySelector("#canvas")];
			const scale = Math.min(stage.clientWidth / found.at(-1).width, stage.clientHeight / found.at(-1).height);
			return {width: canvas.width, want: found.at(-1).width * scale, page: document.documentElement.scrollWidth, window: innerWidth};
		})()`)
		if d := got["width"] - got["want"]; d > 1 || d < -1 || got["page"] > got["window"] {
			t.Errorf("turned: %v", got)
		}
	}
	p.set("follow", "checked", true)
	p.click("#camera")
	fits()
	call(p, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
		Width: 844, Height: 390, DeviceScaleFactor: 1, Mobile: true,
		ScreenOrientation: &emulation.ScreenOrientation{Type: emulation.ScreenOrientationTypeLandscapePrimary, Angle: 90},
	})
	p.wait("screen.orientation.type === 'landscape-primary' && innerWidth === 844")
	fits()
	p.screenshot("turned")
	p.set("follow", "checked", false)
	const confidence = 0.15
	p.set("confidence", "value", confidence)
	eval[bool](p, `document.querySelector("#video").srcObject.getVideoTracks()[0]
		.applyConstraints({width: {exact: 320}, height: {exact: 240}}).then(() => true)`)
	p.wait("frames.at(-1).width === 320 && frames.at(-1).height === 240")
	n := eval[int](p, "frames.length")
	p.wait(fmt.Sprintf("new Set(frames.slice(%d).map(f => f.scene)).size === 2", n))
	for _, f := range eval[[]liveFrame](p, fmt.Sprintf("frames.slice(%d)", n)) {
		best := want(t, detect.FromImage(scenes[f.Scene].paint(t)), confidence)[0]
		for i := range best.Box {
			best.Box[i] /= 2
		}
		if own := nearest(best, f.Detections); own < 0.8 { // the camera scales frames in its own way
			t.Errorf("a frame of half the size shows %s; its boxes overlap that scene's by %.3f: %v", scenes[f.Scene].sample, own, f.Detections)
		}
	}
	fits()
}

// TestGPUProcessCrashes: browsers take the pixels of canvases back then. Live frames are drawn
// anew as they come, and a picture when its canvas is given back, with its masks.
func TestGPUProcessCrashes(t *testing.T) {
	p := openReady(t, view{before: `globalThis.restored = 0;
		addEventListener("contextrestored", () => restored++, true);`})
	crash := func() {
		t.Helper()
		_, err := chromedp.CallBrowser(p.ctx, browser.CrashGPUProcess, cdp.Empty{})
		p.must(err)
	}
	image := func() string { return eval[string](p, "document.querySelector('#canvas').toDataURL()") }
	p.sample("astronaut")
	before := image()
	crash()
	p.wait("restored > 0")
	if after := image(); after != before {
		t.Errorf("the picture has not come back: %d bytes, %d before", len(after), len(before))
	}
	p.screenshot("gpu-crash")
	p.click("#camera")
	p.goesOn()
	crash()
	p.goesOn()
}

// offline cuts a page off from the network, or lets it back.
func (p *tab) offline(off bool) {
	p.t.Helper()
	call(p, network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{
		MatchedNetworkConditions: []*network.Conditions{{Offline: off, DownloadThroughput: -1, UploadThroughput: -1}},
	})
	call(p, network.OverrideNetworkState, network.OverrideNetworkStateParams{Offline: off, DownloadThroughput: -1, UploadThroughput: -1})
}

// TestOfflineInMidDownload: the page says so, and goes on by itself when the network is back.
func TestOfflineInMidDownload(t *testing.T) {
	var first atomic.Bool
	lost := make(chan struct{})
	p := open(t, view{before: record, expects: "ERR_INTERNET_DISCONNECTED|ERR_INCOMPLETE_CHUNKED|download broke off",
		site: weightsBy(t, func(w http.ResponseWriter, r *http.Request, data []byte) {
			if !first.CompareAndSwap(false, true) {
				_, _ = w.Write(data)
				return
			}
			_, _ = w.Write(data[:len(data)/2])
			w.(http.Flusher).Flush()
			select {
			case <-r.Context().Done():
			case <-lost:
			}
			panic(http.ErrAbortHandler)
		})})
	p.wait("/5\\.\\d MB of 10/.test(document.querySelector('#loading-text').textContent)")
	p.offline(true)
	close(lost)
	if code := p.notice(); code != "network" {
		t.Errorf("the notice tells of %s", code)
	}
	p.click("#notice-action") // too early
	p.wait("document.querySelector('#notice').hidden === false")
	p.screenshot("offline-download")
	p.offline(false)
	p.wait("document.querySelector('#stage').dataset.ready && document.querySelector('#notice').hidden")
	p.sample("astronaut")
}

// TestFullDisk: a model that can't be kept runs, and the page says that it is not kept; there is
// room for it as soon as what was compiled before is dropped.
func TestFullDisk(t *testing.T) {
	p := openReady(t, view{site: newHost(testSite(t)), expects: "the browser's storage|no use without a network|[Qq]uota"})
	p.wait(keptScript)
	origin := eval[string](p, "location.origin")
	quota := func(free float64) {
		t.Helper()
		used := eval[float64](p, "navigator.storage.estimate().then((e) => e.usage)")
		quota := used + free
		call(p, storage.OverrideQuotaForOrigin, storage.OverrideQuotaForOriginParams{Origin: origin, QuotaSize: &quota})
	}
	quota(100e3)
	p.bring("best.pt", readFile(t, formatsDir, "best.pt"))
	p.wait(saidScript + ".startsWith('This device has no room')")
	p.screenshot("no-room")
	p.sample("astronaut")
	if text := p.text("#model-name"); !strings.Contains(text, "best") {
		t.Errorf("%s runs", text)
	}
}
