package web

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"spotter/models/detect"
)

// downloads lets the tab save files; the function that it returns waits for the next one.
func (p *tab) downloads() func() (name string, data []byte) {
	p.t.Helper()
	dir := p.t.TempDir()
	_, err := chromedp.CallBrowser(p.ctx, browser.SetDownloadBehavior, browser.SetDownloadBehaviorParams{
		Behavior: browser.SetDownloadBehaviorBehaviorAllow, DownloadPath: dir,
		BrowserContextID: chromedp.FromContext(p.ctx).BrowserContextID,
	})
	p.must(err)
	return func() (string, []byte) {
		p.t.Helper()
		for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(30 * time.Millisecond) {
			files, err := os.ReadDir(dir)
			p.must(err)
			for _, f := range files {
				at := filepath.Join(dir, f.Name())
				if data, err := os.ReadFile(at); err == nil && len(data) > 0 && filepath.Ext(at) != ".crdownload" && f.Name()[0] != '.' {
					p.must(os.Remove(at))
					return f.Name(), data
				}
			}
		}
		p.t.Fatalf("nothing was saved; the page says %q", p.text("#keep-said"))
		return "", nil
	}
}

// clipboard lets the tab read and write the clipboard.
func (p *tab) clipboard() {
	p.t.Helper()
	for _, name := range []string{"clipboard-read", "clipboard-write"} {
		_, err := chromedp.CallBrowser(p.ctx, browser.SetPermission, browser.SetPermissionParams{
			Permission: &browser.PermissionDescriptor{Name: name}, Setting: browser.PermissionSettingGranted,
			BrowserContextID: chromedp.FromContext(p.ctx).BrowserContextID,
		})
		p.must(err)
	}
}

func decoded(t *testing.T, data []byte) image.Image {
	t.Helper()
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// near counts pixels within a rectangle whose channels are all within a distance of a colour.
func near(img image.Image, in image.Rectangle, want color.RGBA, distance int) int {
	count := 0
	in = in.Intersect(img.Bounds())
	for y := in.Min.Y; y < in.Max.Y; y++ {
		for x := in.Min.X; x < in.Max.X; x++ {
			c := color.RGBAModel.Convert(img.At(x, y)).(color.RGBA)
			far := 0
			for _, d := range []int{int(c.R) - int(want.R), int(c.G) - int(want.G), int(c.B) - int(want.B)} {
				far = max(far, d, -d)
			}
			if far <= distance {
				count++
			}
		}
	}
	return count
}

// personColour is that of class 0.
var personColour = color.RGBA{0x56, 0xb4, 0xe9, 255}

// checkBoxDrawn looks for the box's left edge: most of its height has the colour of its class.
func checkBoxDrawn(t *testing.T, img image.Image, d pageDetection) {
	t.Helper()
	x, top, bottom := int(d.Box[0]), int(d.Box[1]), int(d.Box[3])
	edge := image.Rect(x-3, top, x+4, bottom)
	if n := near(img, edge, personColour, 12); n < (bottom-top)/2 {
		t.Errorf("%d pixels of the colour along the left edge of %v", n, d)
	}
}

// TestSavesThePicture: as on the screen, at the source's size; without boxes, labels and masks it is the source.
func TestSavesThePicture(t *testing.T) {
	p := openReady(t, view{width: 390, height: 844, scale: 1.5})
	next := p.downloads()
	found := p.sample("astronaut")
	p.click("#keep-picture")
	name, data := next()
	if name != "astronaut-spotter.png" {
		t.Errorf("it is called %q", name)
	}
	p.wait("document.querySelector('#keep-said').textContent === 'Saved as astronaut-spotter.png.'")
	img := decoded(t, data)
	if img.Bounds() != image.Rect(0, 0, found.Width, found.Height) {
		t.Fatalf("%v for a picture of %dx%d", img.Bounds(), found.Width, found.Height)
	}
	checkBoxDrawn(t, img, found.Detections[0])
	for _, id := range []string{"show-boxes", "show-labels", "show-masks"} {
		p.set(id, "checked", false)
	}
	p.wait("last.masks === null")
	p.click("#keep-picture")
	_, data = next()
	plain, source := decoded(t, data), p.pixelsOf(`fetch(document.querySelector("[data-name=astronaut]").dataset.sample).then((r) => r.blob()).then(createImageBitmap)`)
	for i := 0; i < len(source.Pix); i += 4 {
		x, y := i/4%source.W, i/4/source.W
		if c := color.RGBAModel.Convert(plain.At(x, y)).(color.RGBA); c.R != source.Pix[i] || c.G != source.Pix[i+1] || c.B != source.Pix[i+2] {
			t.Fatalf("without anything drawn pixel %d, %d is %v, not %v", x, y, c, source.Pix[i:i+3])
		}
	}
}

// TestSavesTheFrame: of the camera, at its size however small the window is.
func TestSavesTheFrame(t *testing.T) {
	p := openReady(t, view{width: 320, height: 640})
	next := p.downloads()
	p.set("confidence", "value", 0.15)
	p.click("#camera")
	p.next(2)
	p.click("#keep-picture")
	name, data := next()
	if !strings.HasPrefix(name, "camera 20") || !strings.HasSuffix(name, ".png") {
		t.Errorf("it is called %q", name)
	}
	img := decoded(t, data)
	if img.Bounds() != image.Rect(0, 0, videoWidth, videoHeight) {
		t.Fatalf("a frame of %v", img.Bounds())
	}
	if n := near(img, img.Bounds(), personColour, 12); n < 500 {
		t.Errorf("%d pixels of the colour of boxes", n)
	}
	if p.click("#stop"); !eval[bool](p, "document.querySelector('#keep').hidden") {
		t.Error("there is a toolbar for nothing")
	}
}

// TestCopiesThePicture: the clipboard holds what saving gives.
func TestCopiesThePicture(t *testing.T) {
	p := openReady(t, view{})
	p.clipboard()
	next := p.downloads()
	p.sample("portrait")
	p.click("#keep-copy")
	p.wait("document.querySelector('#keep-said').textContent === 'The picture is on the clipboard.'")
	copied := p.pixelsOf(`navigator.clipboard.read().then(([item]) => item.getType("image/png")).then(createImageBitmap)`)
	p.click("#keep-picture")
	_, data := next()
	if saved := detect.FromImage(decoded(t, data)); saved.W != copied.W || !bytes.Equal(saved.Pix, copied.Pix) {
		t.Errorf("copied %dx%d, saved %dx%d, or other pixels", copied.W, copied.H, saved.W, saved.H)
	}
}

// TestSharesThePicture with what systems with other apps offer: this one has none.
func TestSharesThePicture(t *testing.T) {
	p := openReady(t, view{before: `
		globalThis.shared = [];
		navigator.canShare = ({files}) => files.every((f) => f.type === "image/png");
		navigator.share = async ({files}) => {
			if (shared.length) throw new DOMException("", "NotAllowedError");
			shared = await Promise.all(files.map(async (f) => ({name: f.name, width: (await createImageBitmap(f)).width})));
		};`})
	p.sample("cat")
	p.click("#keep-share")
	p.wait("shared.length === 1 && shared[0].name === 'cat-spotter.png' && shared[0].width === 451")
	p.click("#keep-share")
	p.wait("document.querySelector('#keep-said').textContent.includes('did not allow')")
}

// TestKeepingByKeyboard: every button is reached in order; Escape closes the menu and gives the focus back.
func TestKeepingByKeyboard(t *testing.T) {
	p := openReady(t, view{})
	p.clipboard()
	p.sample("coffee")
	focus := func() string {
		return eval[string](p, "document.activeElement.id || document.activeElement.localName")
	}
	press := func(key, want string) {
		t.Helper()
		if p.do(chromedp.KeyEvent(key)); focus() != want {
			t.Errorf("the focus is on %q, not %q", focus(), want)
		}
	}
	eval[bool](p, "(document.querySelector('#keep-picture').focus(), true)")
	for _, id := range []string{"keep-copy", "summary"} {
		press(kb.Tab, id)
	}
	press(kb.Enter, "summary")
	press(kb.Tab, "keep-format")
	press(kb.End, "keep-format")
	if format := eval[string](p, "document.activeElement.value"); format != "coco-dataset" {
		t.Errorf("the format is %s", format)
	}
	press(kb.Tab, "results-copy")
	press(kb.Enter, "results-copy")
	p.wait("document.querySelector('#keep-said[role=status]').textContent.includes('COCO data set')")
	press(kb.Escape, "summary")
	if eval[bool](p, "document.querySelector('#keep-results').open") {
		t.Error("Escape leaves the menu open")
	}
}
