package web

import "testing"

func testSite(t *testing.T) Site {
	s, err := Build(Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}
