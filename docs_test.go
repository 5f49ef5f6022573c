package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// documents are all that people read.
func documents(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	return append(files, "README.md", "README.zh-CN.md", "web/npm/README.md")
}

// blocks are a document's pieces of code, by language.
func blocks(t *testing.T, file string) map[string][]string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	list := map[string][]string{}
	for _, m := range regexp.MustCompile("(?ms)^```([a-z]*)\n(.*?)^```$").FindAllStringSubmatch(string(text), -1) {
		list[m[1]] = append(list[m[1]], m[2])
	}
	return list
}

// TestEveryPieceOfCodeIsTested: who adds code in another language, or to another document,
// adds what tests it.
func TestEveryPieceOfCodeIsTested(t *testing.T) {
	web, err := os.ReadFile("web/docs_test.go")
	if err != nil {
		t.Fatal(err)
	}
	inBrowser := regexp.MustCompile(`"\.\./([^"]+\.md)"|"(npm/README\.md)"`)
	var browser []string
	for _, m := range inBrowser.FindAllStringSubmatch(string(web), -1) {
		browser = append(browser, m[1]+strings.TrimSuffix("web/"+m[2], "web/"))
	}
	for _, file := range documents(t) {
		for language := range blocks(t, file) {
			tested := false
			switch language {
			case "sh": // TestCommandsInTheDocuments
				tested = true
			case "js", "html", "css": // web/docs_test.go
				tested = slices.Contains(browser, file)
			case "nginx", "caddy", "http": // deploy/servers_test.go; the headers are the policy's beginning
				tested = file == "docs/deploy.md"
			case "python": // reads with pycocotools what web/results_test.go holds against Go
				tested = file == "docs/results.md"
			case "": // drawings
				tested = file == "docs/architecture.md"
			}
			if !tested {
				t.Errorf("%s: nothing tests the code in %q", file, language)
			}
		}
	}
}

// elsewhere are commands of other programs, which tests of their own run.
var elsewhere = []string{
	"cd deploy/cloudflare", "npm ci", "npx wrangler dev", "npx wrangler deploy", // go test ./deploy
	"npm install ./spotter", // web/npm_test.go
}

// long are commands that take a server's or minutes' time: their flags are looked up.
var long = []string{"serve", "site", "package", "bench", "parity"}

// TestCommandsInTheDocuments runs every command line: in a folder with the files that
// it names.
func TestCommandsInTheDocuments(t *testing.T) {
	var lines []string
	for _, file := range documents(t) {
		for _, block := range blocks(t, file)["sh"] {
			for line := range strings.Lines(block) {
				line, _, _ = strings.Cut(line, " #")
				if line = strings.Join(strings.Fields(line), " "); line != "" && !slices.Contains(lines, line) {
					lines = append(lines, line)
				}
			}
		}
	}
	script, err := os.ReadFile("build.sh")
	if err != nil {
		t.Fatal(err)
	}
	documentFiles(t)
	ran := 0
	for _, line := range lines {
		command, isGo := strings.CutPrefix(line, "go run . ")
		if build, ok := strings.CutPrefix(line, "./build.sh "); ok {
			name, flags, _ := strings.Cut(build, " ")
			if !strings.Contains(string(script), "\n  "+name+" ") {
				t.Errorf("%s: build.sh has no such command", line)
			}
			if flags != "" {
				knownFlags(t, strings.Fields(build))
			}
			continue
		}
		if binary, ok := strings.CutPrefix(line, "./spotter "); ok {
			command, isGo = binary, true
		}
		args := strings.Fields(command)
		switch {
		case slices.Contains(elsewhere, line):
		case !isGo:
			t.Errorf("%s: no test runs this", line)
		case slices.Contains(long, args[0]):
			knownFlags(t, args)
		default:
			ran++
			var out, errs bytes.Buffer
			if code := dispatch(args, &out, &errs); code != 0 || out.Len() == 0 {
				t.Errorf("%s: exit code %d, %d bytes\n%s", line, code, out.Len(), errs.String())
			}
		}
	}
	if ran < 8 {
		t.Errorf("%d commands ran", ran)
	}
}

// knownFlags looks up a command's flags in its help.
func knownFlags(t *testing.T, args []string) {
	t.Helper()
	var help, errs bytes.Buffer
	if code := dispatch([]string{args[0], "--help"}, &help, &errs); code != 0 {
		t.Errorf("%s: %s", args[0], errs.String())
	}
	for _, arg := range args[1:] {
		if name := strings.TrimLeft(arg, "-"); name != arg && !strings.Contains(help.String(), "\n  -"+name) {
			t.Errorf("%s has no flag %s", args[0], arg)
		}
	}
}

// documentFiles goes to a folder with the files that the documents' commands name.
func documentFiles(t *testing.T) {
	t.Helper()
	from, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, file := range map[string]string{
		"picture.jpg":                        "web/samples/portrait.jpg",
		"best.pt":                            "models/golden/testdata/formats/best.pt",
		"M.safetensors":                      trainedFile,
		"M":                                  trainedFile,
		"val2017":                            "web/samples",
		"instances_val2017.json":             evalAnnotations,
		"mobilenetv4_conv_small.safetensors": "models/classifier/testdata/tiny.pt",
	} {
		if err := os.Symlink(filepath.Join(from, file), filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	yaml := filepath.Join(dir, "models", "yaml")
	if err := os.MkdirAll(yaml, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(yaml, os.DirFS("models/yaml")); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
}

// TestModelsInTheDocuments: docs/models.md names every operation and module that runs, and
// quotes errors as they are.
func TestModelsInTheDocuments(t *testing.T) {
	read := func(file string) string {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	document := read("docs/models.md")
	for file, pattern := range map[string]string{
		"models/onnx/convert.go": `"([A-Z][A-Za-z]+)": +(?:convert|models\.)`,
		"models/config/table.go": `(?m)^\t"([A-Za-z0-9.]+)": +\{torch`,
	} {
		found := regexp.MustCompile(pattern).FindAllStringSubmatch(read(file), -1)
		if len(found) < 20 {
			t.Errorf("%s: the pattern finds %d", file, len(found))
		}
		for _, m := range found {
			if !strings.Contains(document, "`"+m[1]+"`") {
				t.Errorf("%s runs %s, which docs/models.md does not name", file, m[1])
			}
		}
	}
	var sources strings.Builder
	for _, folder := range []string{"load", "checkpoint", "onnx", "config"} {
		files, err := filepath.Glob("models/" + folder + "/*.go")
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			sources.WriteString(read(file))
		}
	}
	_, table, _ := strings.Cut(document, "| how it reads |\n|---|---|\n")
	table, _, _ = strings.Cut(table, "\n\n")
	rows := strings.Split(table, "\n")
	if len(rows) < 8 {
		t.Errorf("%d refusals are quoted", len(rows))
	}
	for _, row := range rows {
		quote := strings.TrimSpace(strings.Split(row, "|")[2])
		if !strings.Contains(sources.String(), quote) {
			t.Errorf("no error reads %q", quote)
		}
	}
}
