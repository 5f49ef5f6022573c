// Package say makes sentences for people that programs can still take apart: a format
// of package fmt with what stands in its places. In English they are the format filled
// in; whoever speaks another language looks the format up (the page does, in
// web/src/i18n/zh-said.ts) and fills the same places.
package say

import (
	"errors"
	"fmt"
	"strings"
)

// Text is a sentence or a part of one. The zero value says nothing.
type Text struct {
	format string
	args   []any // other Texts and errors among them
}

// Sprintf makes a Text; the format takes the verbs of package fmt.
func Sprintf(format string, args ...any) Text { return Text{format, args} }

// String is the text in English.
func (t Text) String() string { return fmt.Errorf(t.format, t.args...).Error() }

// Empty says that there is nothing to say.
func (t Text) Empty() bool { return t.format == "" }

func (t Text) say() Text { return t }

// Errorf makes an error of a Text; %w wraps as in fmt.Errorf.
func Errorf(format string, args ...any) error {
	return &said{Text{format, args}, fmt.Errorf(format, args...)}
}

type said struct {
	text Text
	err  error
}

func (s *said) Error() string { return s.err.Error() }
func (s *said) Unwrap() error { return errors.Unwrap(s.err) }
func (s *said) say() Text     { return s.text }

// Sayer is an error of another type that a Text tells of.
type Sayer interface {
	error
	Say() Text
}

// Join lists texts with a mark behind each but the last: of more than a few, the first
// ones, and how many follow.
func Join(list []Text) Text {
	const few = 8
	if len(list) == 0 {
		return Text{}
	}
	out := list[0]
	for _, t := range list[1:min(few, len(list))] {
		out = Sprintf("%s; %s", out, t)
	}
	if more := len(list) - few; more > 0 {
		out = Sprintf("%s; and %d more", out, more)
	}
	return out
}

// Strings are texts in English.
func Strings(list []Text) []string {
	out := make([]string, len(list))
	for i, t := range list {
		out[i] = t.String()
	}
	return out
}

// Node is a text taken apart. Text is all of it in English; Format is "" where that is no
// sentence but a name or a number.
type Node struct {
	Text   string `js:"text" json:"text"`
	Format string `js:"format" json:"format"`
	Args   []Node `js:"args" json:"args"`
}

// Apart takes a Text or an error apart. Errors that are none of this package's stay whole.
func Apart(v any) Node {
	if s, ok := v.(Sayer); ok {
		return Apart(s.Say())
	}
	s, ok := v.(interface{ say() Text })
	if !ok {
		return Node{Text: fmt.Sprint(v), Args: []Node{}}
	}
	t := s.say()
	n := Node{Text: t.String(), Format: t.format, Args: []Node{}}
	for i, verb := range verbs(t.format) {
		if i < len(t.args) {
			n.Args = append(n.Args, arg(verb, t.args[i]))
		}
	}
	return n
}

// verbs lists a format's verbs. (Package regexp would weigh more than all that is said.)
func verbs(format string) (list []string) {
	for {
		_, rest, found := strings.Cut(format, "%")
		if !found || rest == "" {
			return list
		}
		n := strings.IndexFunc(rest, func(r rune) bool { return !strings.ContainsRune("-+# 0123456789.", r) }) + 1
		if verb := rest[:n]; verb != "%" {
			list = append(list, "%"+verb)
		}
		format = rest[n:]
	}
}

// arg is what stands in one place: a text of its own, or the value by its verb.
func arg(verb string, v any) Node {
	switch v.(type) {
	case interface{ say() Text }, Sayer:
		return Apart(v)
	}
	if verb == "%w" {
		verb = "%v"
	}
	return Node{Text: fmt.Sprintf(verb, v), Args: []Node{}}
}
