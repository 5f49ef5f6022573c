package web

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"math/rand/v2"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"spotter/models/config"
	"spotter/models/say"
	"spotter/wasm/browser/session"
)

// english tells three words in a row that are no names.
var english = regexp.MustCompile(`\b[a-z]{2,} [a-z]+ [a-z]{2,}\b`)

// saidIn lists the formats of sentences that a package's sources have, and the errors
// that are none of package say's.
func saidIn(t *testing.T, dir string) (formats, others []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	set := token.NewFileSet()
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		tree, err := parser.ParseFile(set, file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(tree, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			switch name := called(call); {
			case name == "fmt.Errorf" || name == "errors.New":
				others = append(others, set.Position(call.Pos()).String()+" "+literal(call.Args[0]))
			case slices.Contains([]string{"say.Errorf", "say.Sprintf", ".fail", ".errorAt", ".errorf", ".note"}, name):
				for _, arg := range call.Args {
					if text := literal(arg); text != "" {
						formats = append(formats, text)
						break
					}
				}
			}
			return true
		})
	}
	return formats, others
}

// called is the name of the function that is called, package's or receiver's name in front.
func called(call *ast.CallExpr) string {
	switch f := call.Fun.(type) {
	case *ast.Ident:
		return "." + f.Name
	case *ast.SelectorExpr:
		if x, ok := f.X.(*ast.Ident); ok && (x.Name == "say" || x.Name == "fmt" || x.Name == "errors") {
			return x.Name + "." + f.Sel.Name
		}
		return "." + f.Sel.Name
	}
	return "."
}

// literal is the text of a constant expression; "" for any other.
func literal(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		if text, err := strconv.Unquote(e.Value); err == nil && e.Kind == token.STRING {
			return text
		}
	case *ast.BinaryExpr:
		if x, y := literal(e.X), literal(e.Y); x != "" && y != "" {
			return x + y
		}
	}
	return ""
}

var verb = regexp.MustCompile(`%[-+# 0]*[0-9]*(\.[0-9]+)?[a-zA-Z]`)

// TestEverythingThatTheCompilerSaysHasChineseWords looks through the sources of all that
// the page's compiler is made of. A new sentence takes a line in src/i18n/zh-said*.ts.
func TestEverythingThatTheCompilerSaysHasChineseWords(t *testing.T) {
	list, err := goCommand("..", []string{"GOOS=js", "GOARCH=wasm"}, "list", "-deps", "-f", "{{.ImportPath}} {{.Dir}}", "./wasm/browser")
	if err != nil {
		t.Fatal(err)
	}
	p := open(t, view{path: "healthz", expects: "favicon|404"})
	text := eval[string](p, bundled(t, `import {zhSaid} from "./src/i18n/zh-said.ts"; globalThis.said = JSON.stringify(zhSaid)`)+"; said")
	var chinese map[string]string
	if err := json.Unmarshal([]byte(text), &chinese); err != nil {
		t.Fatal(err)
	}
	seen := 0
	for line := range strings.Lines(string(list)) {
		name, dir, _ := strings.Cut(strings.TrimSpace(line), " ")
		if !strings.HasPrefix(name, "spotter/") || strings.HasPrefix(name, "spotter/kernels") || name == "spotter/models/say" {
			continue
		}
		formats, others := saidIn(t, dir)
		for _, other := range others {
			if !strings.Contains(other, "BUG: ") {
				t.Errorf("%s: an error that is not say.Errorf's can't be translated", other)
			}
		}
		for _, format := range formats {
			seen++
			words, ok := chinese[format]
			if !ok && regexp.MustCompile(`[a-z]{2}|%w`).MatchString(verb.ReplaceAllString(format, "")) {
				t.Errorf("%s: %q has no Chinese words", name, format)
			}
			for i := range verb.FindAllString(strings.ReplaceAll(format, "%%", ""), -1) {
				if ok && !strings.Contains(words, fmt.Sprintf("{%d}", i+1)) {
					t.Errorf("%s: %q leaves out {%d} of %q", name, words, i+1, format)
				}
			}
		}
	}
	if seen < 400 {
		t.Errorf("only %d sentences: the patterns no longer fit", seen)
	}
}

// damaged are files as people bring them by mistake: cut off, with bytes that changed,
// empty, of another kind.
func damaged(t *testing.T) map[string][]byte {
	t.Helper()
	out := map[string][]byte{"empty.pt": {}, "text.onnx": []byte("hello"), "zeros.safetensors": make([]byte, 4096), "page.pt": []byte("<!doctype html>")}
	random := rand.New(rand.NewPCG(1, 2))
	for _, pattern := range []string{formatsDir + "/*.*", "../models/onnx/testdata/*.onnx", "../models/classifier/testdata/*.pt"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatal(pattern, err)
		}
		for _, file := range files {
			data, name := readFile(t, file), filepath.Base(file)
			if len(data) > 4<<20 || strings.HasPrefix(name, "expected.") {
				continue
			}
			for i := range 6 {
				out[fmt.Sprintf("cut %d %s", i, name)] = data[:len(data)*i/6]
				flipped := slices.Clone(data)
				for range 8 { // near the start, where the structure is
					flipped[random.IntN(min(len(data), 4000))] ^= byte(1 + random.IntN(255))
				}
				out[fmt.Sprintf("flipped %d %s", i, name)] = flipped
			}
		}
	}
	return out
}

// mistaken are YAMLs with a line left out, doubled or changed.
func mistaken(t *testing.T) []string {
	t.Helper()
	text, err := config.Builtin("yolov5-mnv4-convsmall")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(text), "\n")
	out := []string{"", "[", "nc: x", "- 1", "a: &a [*b]", "nc: 80\nnc: 80", strings.Repeat("[", 200)}
	for i := range lines {
		for _, line := range []string{"", lines[i] + "\n" + lines[i], strings.ReplaceAll(lines[i], "[", "[9, "), strings.ReplaceAll(lines[i], "Conv", "Cnov"), strings.ReplaceAll(lines[i], ":", "")} {
			changed := slices.Clone(lines)
			changed[i] = line
			out = append(out, strings.Join(changed, "\n"))
		}
	}
	return out
}

// TestBadFilesAreToldOfInChinese opens damaged files and mistaken YAMLs: none leaves an
// English sentence in what the page would say in Chinese.
func TestBadFilesAreToldOfInChinese(t *testing.T) {
	said := map[string]say.Node{}
	keep := func(name string, d *session.Description, err error) {
		switch {
		case err != nil:
			said[name] = say.Apart(err)
		default:
			said[name+", taken"] = d.Took
			for i, n := range d.Notes {
				said[fmt.Sprint(name, ", note ", i)] = n
			}
			for _, q := range d.Questions {
				said[name+", "+q.Kind] = q.Reason
			}
		}
	}
	for name, data := range damaged(t) {
		var s session.Session
		d, err := s.Open(name, data, session.Options{})
		keep(name, d, err)
	}
	state := readFile(t, formatsDir, "state_dict.pt")
	for i, text := range mistaken(t) {
		var s session.Session
		d, err := s.Open("state_dict.pt", state, session.Options{YAML: text})
		keep(fmt.Sprint("YAML ", i), d, err)
	}
	given, err := json.Marshal(said)
	if err != nil {
		t.Fatal(err)
	}
	p := open(t, view{path: "healthz", expects: "favicon|404"})
	script := bundled(t, `import {told} from "./src/bring/said.ts"; globalThis.told = told`) + fmt.Sprintf(
		";Object.fromEntries(Object.entries(%s).map(([name, node]) => [name, told(node)]))", given)
	told := eval[map[string]struct{ EN, ZH string }](p, script)
	failed := 0
	for name, words := range told {
		if words.EN != strings.ToValidUTF8(said[name].Text, "\uFFFD") {
			t.Errorf("%s: %q in English, want %q", name, words.EN, said[name].Text)
		}
		if words.EN == "" {
			continue
		}
		failed++
		if left := english.FindString(words.ZH); left != "" || !strings.ContainsFunc(words.ZH, isHan) {
			t.Errorf("%s: %q is left of %q in %q", name, left, words.EN, words.ZH)
		}
	}
	if failed < 200 {
		t.Errorf("only %d sentences: the files are not bad enough", failed)
	}
}

// TestChinesePageTellsOfABadModelInChinese drops one onto the page, and switches the language.
func TestChinesePageTellsOfABadModelInChinese(t *testing.T) {
	p := openReady(t, view{language: "zh-CN", expects: "The network in this file can't run"})
	best := readFile(t, formatsDir, "best.pt")
	drop(p, "cut-off.pt", "", best[:len(best)/2])
	p.notice()
	if got := p.text("#notice"); english.MatchString(got) || !strings.Contains(got, "zip 压缩包已损坏") {
		t.Errorf("the notice says %q", got)
	}
	p.click("[data-language=en]")
	if got := p.text("#notice-detail"); !strings.Contains(got, "the zip archive is damaged") {
		t.Errorf("in English it says %q", got)
	}
	p.click("[data-language=zh]")
	p.click("#notice-close")
	p.bring("model-op17.onnx", readFile(t, formatsDir, "model-op17.onnx"))
	if got := p.text(".model-card"); english.MatchString(got) || !strings.Contains(got, "锚框") {
		t.Errorf("the model's card says %q", got)
	}
}
