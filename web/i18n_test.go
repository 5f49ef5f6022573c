package web

import (
	"encoding/json"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/evanw/esbuild/pkg/api"
)

// bundled is a script of the page's sources, to be run in a browser.
func bundled(t *testing.T, script string) string {
	t.Helper()
	result := api.Build(api.BuildOptions{
		Stdin: &api.StdinOptions{Contents: script}, Bundle: true, Format: api.FormatIIFE, Plugins: []api.Plugin{fromFS(sources)},
	})
	if len(result.Errors) > 0 {
		t.Fatal(result.Errors)
	}
	return string(result.OutputFiles[0].Contents)
}

// words reads the texts of both languages out of the sources: in a browser, as the page does.
func words(t *testing.T) (english, chinese map[string]string) {
	t.Helper()
	script := bundled(t, `import {en} from "./src/i18n/en.ts"; import {zh} from "./src/i18n/zh.ts"; globalThis.words = JSON.stringify([en, zh])`)
	p := open(t, view{path: "healthz", expects: "favicon|404"})
	var both [2]map[string]string
	text := eval[string](p, script+"; words")
	if err := json.Unmarshal([]byte(text), &both); err != nil {
		t.Fatal(err)
	}
	return both[0], both[1]
}

func TestEveryWordIsThereInBothLanguages(t *testing.T) {
	english, chinese := words(t)
	for key, text := range english {
		other, ok := chinese[key]
		if !ok || strings.TrimSpace(other) == "" || strings.TrimSpace(text) == "" {
			t.Errorf("%s: %q in English, %q in Chinese", key, text, other)
		}
		if got, want := places(other), places(text); !slices.Equal(got, want) {
			t.Errorf("%s: places %v in Chinese, %v in English", key, got, want)
		}
		if text != "SIMD" && !strings.HasPrefix(text, "{name}") && !strings.ContainsFunc(other, isHan) {
			t.Errorf("%s: %q is not Chinese", key, other)
		}
	}
	for key := range chinese {
		if _, ok := english[key]; !ok {
			t.Errorf("%s is there in Chinese only", key)
		}
	}
}

// TestEveryWordThatIsUsedExists looks at what the page, the script and the errors ask for.
func TestEveryWordThatIsUsedExists(t *testing.T) {
	english, _ := words(t)
	used := map[string]bool{}
	collect := func(file, pattern, prefix string) {
		text, err := fs.ReadFile(sources, file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(string(text), -1) {
			used[prefix+m[1]] = true
		}
	}
	pages, err := fs.Glob(sources, "page/*.html")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range pages {
		collect(file, `data-i18n(?:-[a-z-]+)?="([^"]+)"`, "")
	}
	collect("src/core/errors.ts", `(?m)^  \| "([a-z-]+)"`, "error.")
	if len(used) < 60 {
		t.Fatalf("only %d words are used: the patterns no longer fit", len(used))
	}
	for key := range used {
		if english[key] == "" {
			t.Errorf("%s is used and has no words", key)
		}
	}
	samples, err := fs.Glob(sources, "samples/*.jpg")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range samples {
		if key := "source." + strings.TrimSuffix(strings.TrimPrefix(file, "samples/"), ".jpg"); english[key] == "" {
			t.Errorf("%s has no name", file)
		}
	}
}

func places(text string) []string {
	found := regexp.MustCompile(`\{\w+\}`).FindAllString(text, -1)
	slices.Sort(found)
	return found
}

func isHan(r rune) bool { return unicode.Is(unicode.Han, r) }
