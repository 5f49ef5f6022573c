package web

import (
	"archive/zip"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"golang.org/x/image/draw"

	"spotter/models/detect"
	coco "spotter/models/eval"
	"spotter/models/formats"
	"spotter/models/picture"
)

// fill writes files into a folder, by their paths in it.
func fill(t *testing.T, dir string, files map[string][]byte) {
	t.Helper()
	for name, data := range files {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// oddFolder makes a folder as people have them: pictures, among them a turned one, a huge
// one, names in Chinese and the same name twice; files that only look like pictures; others.
func oddFolder(t *testing.T) string {
	t.Helper()
	dir, _ := oddFolderOf(t)
	return dir
}

// oddFolderOf is oddFolder with the files of it that are pictures.
func oddFolderOf(t *testing.T) (dir string, pictures map[string][]byte) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "Holiday 假期")
	pictures = map[string][]byte{
		"cat.jpg":         sampleFile(t, "cat"),
		"a/portrait.jpg":  sampleFile(t, "portrait"),
		"b/portrait.jpg":  sampleFile(t, "astronaut"),
		"照片/咖啡.jpg":       sampleFile(t, "coffee"),
		"turned.JPG":      turned(t, samplePicture(t, "astronaut")),
		"b/deep/huge.jpg": encoded(t, scaled(samplePicture(t, "astronaut"), 7)),
	}
	fill(t, dir, pictures)
	fill(t, dir, map[string][]byte{
		"empty.jpg": {}, "b/text.jpg": []byte("This is no picture."), "broken.png": []byte("\x89PNG\r\n\x1a\nand no more"),
		"new.heic": []byte("\x00\x00\x00\x18ftypheic\x00\x00\x00\x00"), "notes.txt": []byte("notes"), "._cat.jpg": []byte("a system's"),
	})
	return dir, pictures
}

func encoded(t *testing.T, img image.Image) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := jpeg.Encode(&out, img, &jpeg.Options{Quality: 95}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func scaled(img image.Image, times int) image.Image {
	r := img.Bounds()
	out := image.NewRGBA(image.Rect(0, 0, r.Dx()*times, r.Dy()*times))
	draw.ApproxBiLinear.Scale(out, out.Bounds(), img, r, draw.Src, nil)
	return out
}

// quarter turns a picture by a quarter, clockwise or back.
func quarter(img image.Image, clockwise bool) *image.RGBA {
	r := img.Bounds()
	out := image.NewRGBA(image.Rect(0, 0, r.Dy(), r.Dx()))
	for y := range r.Dy() {
		for x := range r.Dx() {
			c := img.At(r.Min.X+x, r.Min.Y+y)
			if clockwise {
				out.Set(r.Dy()-1-y, x, c)
			} else {
				out.Set(y, r.Dx()-1-x, c)
			}
		}
	}
	return out
}

// turned is a picture as phones that are held upright write it: lying, with a note that
// says to turn it clockwise (EXIF's orientation 6).
func turned(t *testing.T, img image.Image) []byte {
	t.Helper()
	data := encoded(t, quarter(img, false))
	note := "Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00\x00\x00\x00\x00"
	head := append([]byte{0xff, 0xd8, 0xff, 0xe1, 0, byte(len(note) + 2)}, note...)
	return append(head, data[2:]...)
}

// upright is a picture as people see it, of the file's own bytes.
func upright(t *testing.T, name string, data []byte) *detect.Picture {
	t.Helper()
	img, err := picture.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if name == "turned.JPG" {
		return detect.FromImage(quarter(img, true))
	}
	return detect.FromImage(img)
}

// dropFiles lets files or folders of the disk fall onto the stage, as a hand would.
func (p *tab) dropFiles(files ...string) {
	p.t.Helper()
	at := eval[[]float64](p, `(() => {
		const stage = document.querySelector("#stage");
		stage.scrollIntoView({block: "center"});
		const r = stage.getBoundingClientRect();
		return [r.x + r.width / 2, r.y + r.height / 2];
	})()`)
	data := &input.DragData{Items: []*input.DragDataItem{}, Files: files, DragOperationsMask: 1}
	for _, kind := range []input.DispatchDragEventType{
		input.DispatchDragEventTypeDragEnter, input.DispatchDragEventTypeDragOver, input.DispatchDragEventTypeDrop,
	} {
		call(p, input.DispatchDragEvent, input.DispatchDragEventParams{Type: kind, X: at[0], Y: at[1], Data: data})
	}
}

// batchAt waits for the batch's card to be at a stage.
func (p *tab) batchAt(stage string) {
	p.t.Helper()
	p.wait(fmt.Sprintf("document.querySelector('#batch')?.dataset.stage === %q", stage))
}

// saved clicks on a link and gives the file that the browser saves.
func (p *tab) saved(selector string) (name string, data []byte) {
	p.t.Helper()
	dir := p.t.TempDir()
	_, err := chromedp.CallBrowser(p.ctx, browser.SetDownloadBehavior, browser.SetDownloadBehaviorParams{
		Behavior: browser.SetDownloadBehaviorBehaviorAllow, DownloadPath: dir,
		BrowserContextID: chromedp.FromContext(p.ctx).BrowserContextID,
	})
	p.must(err)
	p.click(selector)
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(30 * time.Millisecond) {
		entries, err := os.ReadDir(dir)
		p.must(err)
		if len(entries) == 1 && !strings.HasSuffix(entries[0].Name(), ".crdownload") && !strings.HasPrefix(entries[0].Name(), ".") {
			return entries[0].Name(), readFile(p.t, dir, entries[0].Name())
		}
	}
	p.t.Fatalf("nothing was saved by %s", selector)
	return "", nil
}

// unzip gives the files of a zip by their names.
func unzip(t *testing.T, data []byte) map[string][]byte {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if files[f.Name], err = io.ReadAll(r); err != nil {
			t.Fatalf("%s: %v", f.Name, err)
		}
		if f.NonUTF8 {
			t.Errorf("%q is not marked as UTF-8", f.Name)
		}
	}
	return files
}

func entriesIn(t *testing.T, files map[string][]byte) []formats.Entry {
	t.Helper()
	var entries []formats.Entry
	if err := json.Unmarshal(files["results.json"], &entries); err != nil {
		t.Fatal(err)
	}
	return entries
}

// TestFolderInABatch drops a folder of the disk, runs it to the end, and holds what the
// download says against the reference, picture by picture.
func TestFolderInABatch(t *testing.T) {
	const confidence = 0.05
	dir, pictures := oddFolderOf(t)
	p := openReady(t, view{})
	p.set("confidence", "value", confidence)
	p.dropFiles(dir)
	p.batchAt("ready")
	if title, lead := p.text("#batch-title"), p.text("#batch-lead"); title != "Pictures in Holiday 假期" || !strings.HasPrefix(lead, "10 pictures; 2 other files") {
		t.Errorf("the card says %q, %q", title, lead)
	}
	p.click("#batch-start")
	p.batchAt("done")
	p.screenshot("batch")
	if figures := p.text("#batch-figures"); !strings.HasPrefix(figures, "All 10 pictures are done.") {
		t.Errorf("the figures say %q", figures)
	}
	if thumbs := eval[int](p, "document.querySelectorAll('#batch-thumbs button').length"); thumbs != len(pictures) {
		t.Errorf("%d thumbnails", thumbs)
	}
	unread := map[string]string{
		"empty.jpg": "The file is empty.", "b/text.jpg": "This is not a picture.", "new.heic": "This browser can't read pictures of this kind.",
		"broken.png": "The picture is damaged, or too large for this browser.",
	}
	rows := eval[[]string](p, "[...document.querySelectorAll('#batch-unread-list li')].map((e) => e.textContent)")
	name, data := p.saved("#batch-download")
	files := unzip(t, data)
	for file, reason := range unread {
		if !slices.Contains(rows, file+" "+reason) || !strings.Contains(string(files["unreadable.txt"]), file+"\t"+reason+"\n") {
			t.Errorf("%s is not told of: %q, %q", file, rows, files["unreadable.txt"])
		}
	}
	if len(rows) != len(unread) || name != "Holiday_假期-spotter.zip" {
		t.Errorf("%d rows, a file %q", len(rows), name)
	}
	checkEntries(t, entriesIn(t, files), pictures, confidence)
	checkForms(t, files)
	checkCopies(t, files, pictures)
}

// checkEntries holds entries against what the reference finds in the pictures.
func checkEntries(t *testing.T, entries []formats.Entry, pictures map[string][]byte, confidence float32) {
	t.Helper()
	if len(entries) != len(pictures) {
		t.Fatalf("%d entries of %d pictures", len(entries), len(pictures))
	}
	for _, e := range entries {
		data, ok := pictures[e.File]
		if !ok {
			t.Errorf("%s is none of the pictures", e.File)
			continue
		}
		pic := upright(t, e.File, data)
		if e.Width != pic.W || e.Height != pic.H {
			t.Errorf("%s: %dx%d, not %dx%d", e.File, e.Width, e.Height, pic.W, pic.H)
		}
		ref, result := wantMasks(t, pic, confidence)
		got := make([]pageDetection, len(e.Detections))
		for i, d := range e.Detections {
			got[i] = pageDetection{ClassID: d.ClassID, Label: d.Class, Score: float32(d.Score)}
			for k, v := range d.Box {
				got[i].Box[k] = float32(v)
			}
			mask, err := d.Mask.Decode()
			if err != nil {
				t.Fatalf("%s: %v", e.File, err)
			}
			for k, o := range ref {
				if !matched(got[i], []pageDetection{o}) {
					continue
				}
				if iou := overlap(mask, result.Mask(k, pic.W, pic.H).Full()); iou < minIOU {
					t.Errorf("%s: the mask of %s %.2f at %v overlaps the reference's by %.4f", e.File, d.Class, d.Score, d.Box, iou)
				}
			}
		}
		if len(ref) == 0 {
			t.Errorf("%s: the reference finds nothing: the test shows nothing", e.File)
		}
		compare(t, e.File, got, ref, confidence)
	}
}

// checkForms reads the other forms of the results: they say what the JSON says.
func checkForms(t *testing.T, files map[string][]byte) {
	t.Helper()
	entries := entriesIn(t, files)
	objects := 0
	for _, e := range entries {
		objects += len(e.Detections)
	}
	rows, err := csv.NewReader(bytes.NewReader(files["results.csv"])).ReadAll()
	if err != nil || len(rows) != objects+1 {
		t.Errorf("the table has %d rows for %d objects: %v", len(rows), objects, err)
	}
	truths, err := coco.ParseDataset(files["results.instances.json"])
	if err != nil {
		t.Fatal(err)
	}
	var found []coco.Found
	if err := json.Unmarshal(files["results.coco.json"], &found); err != nil || len(found) != objects {
		t.Fatalf("%d results for COCO, not %d: %v", len(found), objects, err)
	}
	if s, err := coco.Evaluate(truths, found, true); err != nil || s.AP < 1-1e-9 {
		t.Errorf("both forms for COCO differ: %+v, %v", s, err)
	}
}

// checkCopies looks at the pictures with findings: each there, of its size, and not what it was.
func checkCopies(t *testing.T, files, pictures map[string][]byte) {
	t.Helper()
	const most = 16_000_000
	for name, data := range pictures {
		pic := upright(t, name, data)
		img, err := jpeg.Decode(bytes.NewReader(files["pictures/"+name]))
		if err != nil {
			t.Errorf("the copy of %s: %v", name, err)
			continue
		}
		if r := img.Bounds(); pic.W*pic.H <= most && (r.Dx() != pic.W || r.Dy() != pic.H) {
			t.Errorf("the copy of %s is %v, not %dx%d", name, r, pic.W, pic.H)
		}
	}
	if len(files) != len(pictures)+5 {
		t.Errorf("the download holds %d files", len(files))
	}
}

// TestBatchIsCalledOff: what was found until then stays, and another batch can follow.
func TestBatchIsCalledOff(t *testing.T) {
	dir := t.TempDir()
	files := map[string][]byte{}
	for i := range 400 {
		files[fmt.Sprintf("%03d.jpg", i)] = sampleFile(t, sampleNames[i%len(sampleNames)])
	}
	fill(t, dir, files)
	p := openReady(t, view{})
	p.dropFiles(dir)
	p.batchAt("ready")
	p.click("#batch-start")
	p.wait("document.querySelectorAll('#batch-thumbs button').length > 4")
	p.screenshot("batch-running")
	p.click("#batch-cancel")
	p.batchAt("done")
	_, data := p.saved("#batch-download")
	entries := entriesIn(t, unzip(t, data))
	if len(entries) < 5 || len(entries) == len(files) {
		t.Errorf("%d entries after calling off", len(entries))
	}
	if figures, want := p.text("#batch-figures"), fmt.Sprintf("Called off after %d of 400 pictures.", len(entries)); !strings.HasPrefix(figures, want) {
		t.Errorf("the figures say %q, not %q", figures, want)
	}
	for i, e := range entries {
		if want := fmt.Sprintf("%03d.jpg", i); e.File != want {
			t.Errorf("entry %d is %s, not %s", i, e.File, want)
		}
	}
	p.click("#batch-close")
	p.wait("!document.querySelector('#batch')")
	p.dropFiles(filepath.Join(dir, "000.jpg"), filepath.Join(dir, "001.jpg"), filepath.Join(dir, "002.jpg"))
	p.batchAt("ready")
	p.click("#batch-annotate")
	p.click("#batch-masks")
	p.click("#batch-start")
	p.batchAt("done")
	_, data = p.saved("#batch-download")
	again := unzip(t, data)
	if entries := entriesIn(t, again); len(entries) != 3 || entries[0].Detections[0].Mask != nil || len(again) != 4 {
		t.Errorf("the second batch: %d entries, %d files", len(entries), len(again))
	}
}
