package say

import (
	"errors"
	"fmt"
	"io"
	"testing"
)

type typed struct{ text Text }

func (e *typed) Error() string { return e.text.String() }
func (e *typed) Say() Text     { return e.text }

func TestErrorsReadAsThoseOfFmt(t *testing.T) {
	err := Errorf("entry %.4q of %d: %w", "abcdef", 7, io.ErrUnexpectedEOF)
	want := fmt.Errorf("entry %.4q of %d: %w", "abcdef", 7, io.ErrUnexpectedEOF)
	if err.Error() != want.Error() || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("%v, want %v", err, want)
	}
}

// TestApart follows a chain of errors down to values and to an error of another package.
func TestApart(t *testing.T) {
	list := Join([]Text{Sprintf("%s is missing", "w"), Sprintf("%s %v is missing", "b", []int{1, 2})})
	err := Errorf("%s: %w", "a.pt", &typed{Sprintf("100%% of %d: %s (%w)", 3, list, io.EOF)})
	n := Apart(err)
	if n.Text != "a.pt: 100% of 3: w is missing; b [1 2] is missing (EOF)" || n.Format != "%s: %w" || n.Args[0].Text != "a.pt" {
		t.Errorf("%+v", n)
	}
	inner := n.Args[1]
	if inner.Format != "100%% of %d: %s (%w)" || len(inner.Args) != 3 || inner.Args[0].Text != "3" || inner.Args[2].Text != "EOF" || inner.Args[2].Format != "" {
		t.Errorf("%+v", inner)
	}
	if l := inner.Args[1]; l.Format != "%s; %s" || l.Args[1].Format != "%s %v is missing" || l.Args[1].Args[1].Text != "[1 2]" {
		t.Errorf("%+v", l)
	}
}

func TestJoin(t *testing.T) {
	var list []Text
	for i := range 20 {
		list = append(list, Sprintf("%d", i))
	}
	if got := Join(list).String(); got != "0; 1; 2; 3; 4; 5; 6; 7; and 12 more" {
		t.Error(got)
	}
	if !Join(nil).Empty() || Join(nil).String() != "" {
		t.Error("an empty list says something")
	}
}
