package config

import (
	"fmt"
	"strings"

	"spotter/models/say"
)

// Error is a mistake in a YAML file: where it stands and what is wrong.
type Error struct {
	File      string
	Line, Col int    // from 1; 0 when the place is unknown
	Layer     int    // row of backbone + head, from 0; -1 outside the rows
	Module    string // of that row, "" when unknown
	Err       error
}

// Error gives file, line, layer and reason in one line.
func (e *Error) Error() string { return e.Say().String() }

// Say is Error for other languages.
func (e *Error) Say() say.Text {
	where, why := e.File, say.Sprintf("%s", e.Err)
	if e.Line > 0 {
		where = fmt.Sprintf("%s:%d:%d", e.File, e.Line, e.Col)
	}
	switch {
	case e.Layer >= 0 && e.Module != "":
		why = say.Sprintf("layer %d (%s): %w", e.Layer, e.Module, e.Err)
	case e.Layer >= 0:
		why = say.Sprintf("layer %d: %w", e.Layer, e.Err)
	}
	return say.Sprintf("%s: %s", where, why)
}

// Unwrap gives the reason.
func (e *Error) Unwrap() error { return e.Err }

// errorAt makes an Error outside the rows; the file name comes in later.
func errorAt(at place, format string, args ...any) *Error {
	return &Error{Line: at.line, Col: at.col, Layer: -1, Err: say.Errorf(format, args...)}
}

// nearest gives the known name with the fewest edits from name, "" when none is near.
func nearest(name string, known []string) string {
	best, distance := "", len(name)/2+1
	for _, k := range known {
		if strings.EqualFold(k, name) {
			return k
		}
		if d := edits(name, k); d < distance {
			best, distance = k, d
		}
	}
	return best
}

// edits is the Levenshtein distance in bytes.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			next := min(row[j]+1, row[j+1]+1, diagonal+cost)
			diagonal, row[j+1] = row[j+1], next
		}
	}
	return row[len(b)]
}
