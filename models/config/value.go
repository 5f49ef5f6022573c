package config

import (
	"math"
	"strconv"
	"strings"
)

// place is a position in the YAML text, from 1; zero when unknown.
type place struct{ line, col int }

type kind int

const (
	none kind = iota
	boolean
	integer
	float
	text
	list
	mapping
)

var kindNames = [...]string{"None", "a truth value", "a whole number", "a number", "text", "a list", "a mapping"}

func (k kind) String() string { return kindNames[k] }

// value is a Python value as the YAML gives it, with its place.
type value struct {
	kind  kind
	bool  bool
	int   int
	float float64 // also set for integers
	text  string
	items []value
	keys  []value // mapping: keys[i] belongs to items[i]
	at    place
}

func intValue(i int) value { return value{kind: integer, int: i, float: float64(i)} }

func listValue(items ...value) value { return value{kind: list, items: items} }

// get looks a key of a mapping up.
func (v value) get(key string) (value, bool) {
	if v.kind == mapping {
		for i, k := range v.keys {
			if k.text == key {
				return v.items[i], true
			}
		}
	}
	return value{}, false
}

// evaluated resolves strings as YOLOv5's eval of arguments does: 'None', 'True' and
// names of the document; any other string stays.
func (v value) evaluated(names map[string]value) value {
	if v.kind != text {
		return v
	}
	at := v.at
	switch v.text {
	case "None":
		return value{at: at}
	case "True", "False":
		return value{kind: boolean, bool: v.text == "True", at: at}
	}
	if named, ok := names[v.text]; ok {
		named.at = at
		return named
	}
	if number, ok := numberOf(strings.TrimSpace(v.text)); ok {
		number.at = at
		return number
	}
	return v
}

// numberOf reads a Python number.
func numberOf(s string) (value, bool) {
	if i, err := strconv.Atoi(s); err == nil {
		return intValue(i), true
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsInf(f, 0) || math.IsNaN(f) {
		return value{}, false
	}
	return value{kind: float, float: f}, true
}

// String prints the value as Python's repr does.
func (v value) String() string {
	switch v.kind {
	case none:
		return "None"
	case boolean:
		if v.bool {
			return "True"
		}
		return "False"
	case integer:
		return strconv.Itoa(v.int)
	case float:
		return pythonFloat(v.float)
	case text:
		return "'" + v.text + "'"
	}
	parts := make([]string, len(v.items))
	for i, item := range v.items {
		parts[i] = item.String()
		if v.kind == mapping {
			parts[i] = v.keys[i].String() + ": " + parts[i]
		}
	}
	if v.kind == mapping {
		return "{" + strings.Join(parts, ", ") + "}"
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

// pythonFloat writes a float with a point or an exponent, as repr does.
func pythonFloat(f float64) string {
	s := strconv.FormatFloat(f, 'g', -1, 64)
	if a := math.Abs(f); a >= 1e-4 && a < 1e16 || a == 0 {
		s = strconv.FormatFloat(f, 'f', -1, 64)
	}
	if !strings.ContainsAny(s, ".e") {
		s += ".0"
	}
	return s
}
