package web

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// snippets are the code blocks of a document in one language, but those that stand in an
// earlier one of the documents too.
func snippets(t *testing.T, file, language string) []string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var earlier strings.Builder
	for _, other := range documents[:max(slices.Index(documents, file), 0)] {
		data, err := os.ReadFile(other)
		if err != nil {
			t.Fatal(err)
		}
		earlier.Write(data)
	}
	var list []string
	found := regexp.MustCompile("(?s)```"+language+"\n(.*?)```").FindAllStringSubmatch(string(text), -1)
	for _, m := range found {
		if !strings.Contains(earlier.String(), m[0]) {
			list = append(list, m[1])
		}
	}
	if len(found) == 0 {
		t.Fatalf("%s has no %s in it", file, language)
	}
	return list
}

// documented is a site as the documents assume it: Spotter's files in /spotter/.
func documented(t *testing.T) Site {
	t.Helper()
	site := Site{}
	for name, f := range withVariants(t) {
		site["spotter/"+name] = f
		if strings.HasPrefix(name, "variants/") && strings.HasSuffix(name, ".jpg") {
			site[strings.TrimPrefix(name, "variants/")] = f
		}
	}
	return site
}

const documentHead = `<!doctype html><html lang="en"><meta charset="utf-8"><link rel="icon" href="data:,">`

// quietConsole keeps what a snippet prints: the console is for mistakes.
const quietConsole = `globalThis.printed = []; console.log = (...words) => printed.push(words.join(" "));`

var documents = []string{"../docs/api.md", "../docs/embed.md", "npm/README.md", "../README.md", "../README.zh-CN.md"}

// TestScriptsInTheDocuments runs each script on a page with a picture and a view.
func TestScriptsInTheDocuments(t *testing.T) {
	for _, file := range documents {
		for i, script := range snippets(t, file, "js") {
			t.Run(fmt.Sprintf("%s-%d", strings.TrimPrefix(file, "../"), i+1), func(t *testing.T) {
				site := documented(t)
				site.add("best.pt", readFile(t, formatsDir, "best.pt"))
				script = strings.ReplaceAll(script, `"spotter-view"`+";", `"/spotter/spotter.js";`)
				site.add("try.js", []byte(script))
				site.add("try.html", []byte(documentHead+`<script type="module" src="/spotter/spotter.js"></script>
					<img src="picture.jpg" alt=""><spotter-view tracking lines="0.5,0 0.5,1" zones="0,0 1,0 1,1"></spotter-view></html>`))
				p := open(t, view{path: "try.html", site: NewHandler(site), before: watchView + quietConsole, expects: "404"})
				p.wait("customElements.get('spotter-view') && document.images[0].complete")
				shows := `(document.querySelector("spotter-view").src = "camera", true)`
				if strings.Contains(script, "snapshot") {
					eval[bool](p, shows)
					p.wait("sent.detections.length > 0")
				}
				eval[bool](p, `import("/try.js").then(() => true)`)
				if strings.Contains(script, "addEventListener") {
					eval[bool](p, shows)
				}
				if strings.Contains(script, "console.log") {
					p.wait("printed.length > 0")
				}
			})
		}
	}
}

// TestMarkupInTheDocuments opens each piece of HTML as a page and waits for what it finds.
func TestMarkupInTheDocuments(t *testing.T) {
	for _, file := range documents[1:] { // api.md has none
		for i, markup := range snippets(t, file, "html") {
			t.Run(fmt.Sprintf("%s-%d", strings.TrimPrefix(file, "../"), i+1), func(t *testing.T) {
				site := documented(t)
				if !strings.Contains(markup, "<script") {
					markup = `<script type="module" src="/spotter/spotter.js"></script>` + markup
				}
				site.add("try.html", []byte(documentHead+markup+"</html>"))
				p := open(t, view{path: "try.html", site: NewHandler(site), before: watchView})
				p.wait("sent.detections.length > 0")
			})
		}
	}
}

// TestStylesInTheDocuments: what the document's style says reaches the view.
func TestStylesInTheDocuments(t *testing.T) {
	for _, style := range snippets(t, "../docs/embed.md", "css") {
		site := documented(t)
		site.add("try.css", []byte(style))
		site.add("try.html", []byte(documentHead+`<link rel="stylesheet" href="try.css"><script type="module" src="/spotter/spotter.js"></script>
			<spotter-view src="picture.jpg" controls></spotter-view></html>`))
		p := open(t, view{path: "try.html", site: NewHandler(site), before: watchView})
		p.wait("sent.detections.length > 0")
		for _, name := range regexp.MustCompile(`--spotter-[a-z-]+`).FindAllString(style, -1) {
			if value := eval[string](p, fmt.Sprintf(`getComputedStyle(document.querySelector("spotter-view")).getPropertyValue(%q)`, name)); value == "" {
				t.Errorf("%s does not arrive", name)
			}
		}
		if radius := eval[string](p, `getComputedStyle(document.querySelector("spotter-view").shadowRoot.querySelector("button")).borderRadius`); radius != "4px" {
			t.Errorf("::part(button) gives a radius of %s", radius)
		}
	}
}

// TestDocumentsNameEverything: each code, attribute, CSS property and part of the sources is documented.
func TestDocumentsNameEverything(t *testing.T) {
	read := func(file string) string {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	api, embed := read("../docs/api.md"), read("../docs/embed.md")
	for _, c := range []struct{ source, pattern, where, in string }{
		{"src/core/errors.ts", `(?m)^  \| "([a-z-]+)"`, "api.md", api},
		{"src/element/attributes.ts", `(?m)^  ([a-z]+): "`, "embed.md", embed},
		{"src/element/look.ts", `"([a-z-]+)"(?:,|\] as const)`, "embed.md", embed},
	} {
		found := regexp.MustCompile(c.pattern).FindAllStringSubmatch(read(c.source), -1)
		if len(found) < 4 {
			t.Errorf("%s: the pattern finds %d", c.source, len(found))
		}
		for _, m := range found {
			name := m[1]
			if strings.HasPrefix(name, "camera-") {
				name = "camera-…"
			}
			if !strings.Contains(c.in, name) {
				t.Errorf("%s of %s is not in %s", m[1], c.source, c.where)
			}
		}
	}
}
