package web

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
)

var compiledModel = sync.OnceValues(func() (Model, error) {
	m, err := referenceModel()
	if err != nil {
		return Model{}, err
	}
	data, err := os.ReadFile(modelFile)
	if err != nil {
		return Model{}, err
	}
	out, err := Compile("yolov5n-mnv4s-seg", m)
	out.Source = SourceOf(filepath.Base(modelFile), data, m)
	return out, err
})

var builtCompiler = sync.OnceValues(func() (*Compiler, error) { return BuildCompiler(".", Fast) })

// modelAndCompiler are what the tests' sites and packages are made of.
func modelAndCompiler(t *testing.T) (Model, *Compiler) {
	t.Helper()
	m, err := compiledModel()
	if err != nil {
		t.Fatal(err)
	}
	c, err := builtCompiler()
	if err != nil {
		t.Fatal(err)
	}
	return m, c
}

// testPackage is the npm package with that model.
func testPackage(t *testing.T) Site {
	t.Helper()
	m, c := modelAndCompiler(t)
	p, err := Package([]Model{m}, c)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// testSite is the site with the model that the page starts with.
func testSite(t *testing.T) Site {
	t.Helper()
	m, c := modelAndCompiler(t)
	s, err := Build(Options{Models: []Model{m}, Compiler: c})
	if err != nil {
		t.Fatal(err)
	}
	return s
}
