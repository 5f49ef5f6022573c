package web

import (
	"sync"
	"testing"
)

var compiledModel = sync.OnceValues(func() (Model, error) {
	m, err := referenceModel()
	if err != nil {
		return Model{}, err
	}
	return Compile("yolov5n-mnv4s-seg", m)
})

// testSite is the site with the model that the page starts with.
func testSite(t *testing.T) Site {
	t.Helper()
	m, err := compiledModel()
	if err != nil {
		t.Fatal(err)
	}
	s, err := Build(Options{Models: []Model{m}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}
