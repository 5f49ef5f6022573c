package web

import (
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// What people ask of such a project again and again, as docs/faq.md answers it.

// TestNoFileNamesAnotherSite looks for addresses in everything that browsers read. Pages
// that asked others would break their policy besides, which every test in a browser sees.
func TestNoFileNamesAnotherSite(t *testing.T) {
	p := testPackage(t)
	text := regexp.MustCompile(`\.(js|css|html|json|svg|webmanifest)$`)
	address := regexp.MustCompile(`(?:https?|wss?):\\?/\\?/[^\s"'<>` + "`" + `)]+`)
	notice := regexp.MustCompile(`(?s)/\*!.*?\*/`) // of a licence
	looked := 0
	for what, s := range map[string]Site{"site": withVariants(t), "package": p} {
		for name, f := range s {
			if !text.MatchString(name) {
				continue
			}
			looked++
			for _, found := range address.FindAllString(notice.ReplaceAllString(string(f.Data), ""), -1) {
				// Names of XML's vocabularies are no addresses.
				if !strings.HasPrefix(found, "http://www.w3.org/") {
					t.Errorf("%s: %s names %s", what, name, found)
				}
			}
		}
	}
	if looked < 15 {
		t.Errorf("only %d files were looked at", looked)
	}
}

// TestWeightsAreDownloadedOnce: several detectors at once, views beside them, and the visit
// after that ask the host for each file of the model once.
func TestWeightsAreDownloadedOnce(t *testing.T) {
	site := withBlank(t)
	for name, f := range withVariants(t) {
		site[name] = f
	}
	host := newHost(site)
	load := `(async () => {
		const {Detector} = await import("/spotter.js");
		const seen = [];
		const all = await Promise.all([1, 2].map(() => Detector.load(null, {onprogress: (p) => seen.push(p)})));
		for (const one of all) one.close();
		return {first: seen[0], last: seen.at(-1), rising: seen.length > 2};
	})()`
	type progress struct{ Loaded, Total, Part float64 }
	type answer struct {
		First, Last progress
		Rising      bool
	}
	p := open(t, view{path: "blank.html", site: host, before: watchView})
	name := find(t, site, "models/yolov5n-mnv4s-seg-")
	const kept = `caches.open("spotter api models").then((c) => c.keys()).then((list) => list.filter((r) => r.url.endsWith(".bin")).map((r) => new URL(r.url).pathname.slice(1)))`
	older := strings.TrimSuffix(name, name[strings.LastIndex(name, "-"):]) + "-0123456789.bin"
	eval[bool](p, fmt.Sprintf(`caches.open("spotter api models").then((c) => c.put(%q, new Response("old"))).then(() => true)`, "/"+older))
	visit := func(page string) {
		p.do(chromedp.Navigate(eval[string](p, "location.origin") + page))
	}
	check := func() {
		t.Helper()
		got := eval[answer](p, load)
		if got.Last.Part != 1 || got.Last.Loaded != got.Last.Total || got.Last.Total < 1e6 || !got.Rising {
			t.Errorf("progress from %+v to %+v", got.First, got.Last)
		}
	}
	check()
	visit("/variants/several.html")
	p.wait("sent.detections.length > 2")
	visit("/blank.html")
	check()
	if names := eval[[]string](p, kept); len(names) != 1 || names[0] == older {
		t.Errorf("kept are %v", names)
	}
	for name := range site {
		if strings.HasPrefix(name, "models/") && strings.HasSuffix(name, ".bin") {
			if n := host.answers(name); n != 1 {
				t.Errorf("%s was downloaded %d times", name, n)
			}
		}
	}
}

// TestMoreThanAHundredDetections: an untrained network finds hundreds of things.
func TestMoreThanAHundredDetections(t *testing.T) {
	site := withBlank(t)
	site.add("best.pt", readFile(t, formatsDir, "best.pt"))
	got := runModule[[]int](t, view{site: NewHandler(site)}, `
		const detector = await Detector.load("/best.pt");
		const blob = await sampleOf("astronaut");
		const count = async (options) => (await detector.detect(blob, {conf: 0.01, ...options})).detections.length;
		return [await count({}), await count({maxDetections: 1000})];`)
	if got[0] != 300 || got[1] <= 300 {
		t.Errorf("%v detections", got)
	}
}

// TestPolicyAgainstTheCamera: a host that forbids the camera is told from a visitor who does.
func TestPolicyAgainstTheCamera(t *testing.T) {
	s := NewHandler(testSite(t))
	p := open(t, view{expects: "olicy", site: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.ServeHTTP(forbidding{w}, r)
	})})
	p.wait("document.querySelector('#stage').dataset.ready")
	p.click("#camera")
	if code := p.notice(); !strings.HasPrefix(code, "camera-") {
		t.Errorf("the notice tells of %s", code)
	}
	t.Log(p.notice(), p.text("#notice"))
}

// forbidding puts a policy without the camera in place of the site's own.
type forbidding struct{ http.ResponseWriter }

func (f forbidding) WriteHeader(code int) {
	f.Header().Set("Permissions-Policy", "camera=()")
	f.ResponseWriter.WriteHeader(code)
}

func (f forbidding) Write(data []byte) (int, error) {
	f.Header().Set("Permissions-Policy", "camera=()")
	return f.ResponseWriter.Write(data)
}

// TestAnswersNameTestsThatThereAre: each answer of docs/faq.md says which test holds it.
func TestAnswersNameTestsThatThereAre(t *testing.T) {
	text, err := os.ReadFile("../docs/faq.md")
	if err != nil {
		t.Fatal(err)
	}
	asks := strings.Split(string(text), "\n## ")[1:]
	tests := testNames(t, "..")
	for _, ask := range asks {
		title, _, _ := strings.Cut(ask, "\n")
		named := regexp.MustCompile(`\bTest[A-Z]\w+`).FindAllString(ask, -1)
		if len(named) == 0 {
			t.Errorf("%s: no test is named", title)
		}
		for _, name := range named {
			if !tests[name] {
				t.Errorf("%s: there is no %s", title, name)
			}
		}
	}
	if len(asks) < 12 {
		t.Errorf("%d asks", len(asks))
	}
}

// testNames are those of all tests in a folder and below.
func testNames(t *testing.T, root string) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	list := string(run(t, root, "git", "ls-files", "-co", "--exclude-standard", "*_test.go"))
	for file := range strings.FieldsSeq(list) {
		data, err := os.ReadFile(root + "/" + file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(?m)^func (Test\w+)\(`).FindAllStringSubmatch(string(data), -1) {
			names[m[1]] = true
		}
	}
	if len(names) < 100 {
		t.Fatal(fmt.Sprint(len(names), " tests are found"))
	}
	return names
}
