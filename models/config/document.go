package config

import (
	"errors"
	"math"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Limits of a YAML file; real ones are far below.
const (
	maxText   = 1 << 16 // also bounds how deep the parser recurses
	maxValues = 100_000
	maxDepth  = 64
)

// parse reads YAML (or JSON, which is YAML) into a value.
func parse(yamlText []byte) (v value, err error) {
	if len(yamlText) > maxText {
		return v, errorAt(place{}, "the file is longer than %d bytes: no network's YAML", maxText)
	}
	if at, ok := tooDeep(yamlText); ok {
		return v, errorAt(at, "lists are nested more than %d deep", maxDepth)
	}
	// The parser is not ours and its input is anybody's: a panic of it is bad input.
	defer func() {
		if p := recover(); p != nil {
			err = errorAt(place{}, "this is not YAML: %v", p)
		}
	}()
	file, err := parser.ParseBytes(yamlText, 0)
	if err != nil {
		return v, syntaxError(err)
	}
	if len(file.Docs) == 0 || file.Docs[0].Body == nil {
		return v, errorAt(place{1, 1}, "the file is empty")
	}
	r := reader{anchors: map[string]ast.Node{}}
	return r.value(file.Docs[0].Body, 0)
}

// tooDeep looks for nesting that the parser would take quadratic time over: brackets
// outside of quotes and comments, and runs of dashes.
func tooDeep(text []byte) (place, bool) {
	at, depth, dashes := place{1, 0}, 0, 0
	var quote byte
	comment := false
	for _, c := range text {
		at.col++
		switch {
		case c == '\n':
			at, comment, dashes = place{at.line + 1, 0}, false, 0
		case comment:
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '#':
			comment = true
		case c == '\'' || c == '"':
			quote = c
		case c == '[' || c == '{':
			depth++
		case c == ']' || c == '}':
			depth--
		case c == '-':
			dashes++
		case c != ' ':
			dashes = 0
		}
		if depth > maxDepth || dashes > maxDepth {
			return at, true
		}
	}
	return at, false
}

// syntaxError knows the parser's errors by what they can: the package that names their
// type holds an encoder and a decoder too, which the compiler in the page has no use for.
func syntaxError(err error) *Error {
	var syntax interface {
		error
		GetToken() *token.Token
		GetMessage() string
	}
	if errors.As(err, &syntax) && syntax.GetToken() != nil && syntax.GetToken().Position != nil {
		p := syntax.GetToken().Position
		return errorAt(place{p.Line, p.Column}, "this is not YAML: %s", syntax.GetMessage())
	}
	return errorAt(place{}, "this is not YAML: %v", err)
}

// reader turns the syntax tree into values. Aliases are expanded, as PyYAML writes
// them for lists that occur twice, within a limit on the values in all.
type reader struct {
	anchors map[string]ast.Node
	values  int
}

func placeOf(n ast.Node) place {
	if t := n.GetToken(); t != nil && t.Position != nil {
		return place{t.Position.Line, t.Position.Column}
	}
	return place{}
}

func (r *reader) value(n ast.Node, depth int) (value, error) {
	at := placeOf(n)
	r.values++
	if r.values > maxValues {
		return value{}, errorAt(at, "the file holds more than %d values: no network's YAML", maxValues)
	}
	if depth > maxDepth {
		return value{}, errorAt(at, "lists are nested more than %d deep", maxDepth)
	}
	switch n := n.(type) {
	case *ast.AnchorNode:
		return r.anchor(n, depth)
	case *ast.AliasNode:
		return r.alias(n, at, depth)
	case *ast.TagNode:
		return r.value(n.Value, depth+1)
	case *ast.SequenceNode:
		return r.sequence(n, at, depth)
	case *ast.MappingNode:
		return r.mapping(n.Values, at, depth)
	case *ast.MappingValueNode:
		return r.mapping([]*ast.MappingValueNode{n}, at, depth)
	}
	return scalar(n, at)
}

func (r *reader) anchor(n *ast.AnchorNode, depth int) (value, error) {
	v, err := r.value(n.Value, depth+1)
	// Known only from here on: an anchor cannot hold itself.
	r.anchors[n.Name.String()] = n.Value
	return v, err
}

func (r *reader) alias(n *ast.AliasNode, at place, depth int) (value, error) {
	target, ok := r.anchors[n.Value.String()]
	if !ok {
		return value{}, errorAt(at, "alias *%s names no anchor before it", n.Value)
	}
	return r.value(target, depth+1)
}

func (r *reader) sequence(n *ast.SequenceNode, at place, depth int) (value, error) {
	v := value{kind: list, at: at}
	for _, item := range n.Values {
		x, err := r.value(item, depth+1)
		if err != nil {
			return v, err
		}
		v.items = append(v.items, x)
	}
	return v, nil
}

func (r *reader) mapping(pairs []*ast.MappingValueNode, at place, depth int) (value, error) {
	v := value{kind: mapping, at: at}
	seen := map[string]bool{}
	for _, pair := range pairs {
		key, err := r.value(pair.Key, depth+1)
		if err != nil {
			return v, err
		}
		if key.kind != text {
			key.text = key.String()
		}
		if seen[key.text] {
			return v, errorAt(key.at, "key %q occurs twice", key.text)
		}
		seen[key.text] = true
		x, err := r.value(pair.Value, depth+1)
		if err != nil {
			return v, err
		}
		v.keys = append(v.keys, key)
		v.items = append(v.items, x)
	}
	return v, nil
}

func scalar(n ast.Node, at place) (value, error) {
	switch n := n.(type) {
	case *ast.NullNode:
		return value{at: at}, nil
	case *ast.BoolNode:
		return value{kind: boolean, bool: n.Value, at: at}, nil
	case *ast.StringNode:
		return value{kind: text, text: n.Value, at: at}, nil
	case *ast.LiteralNode:
		return value{kind: text, text: n.Value.Value, at: at}, nil
	case *ast.FloatNode:
		return value{kind: float, float: n.Value, at: at}, nil
	case *ast.IntegerNode:
		return wholeNumber(n, at)
	case *ast.InfinityNode:
		return value{kind: float, float: n.Value, at: at}, nil
	case *ast.NanNode:
		return value{kind: float, float: math.NaN(), at: at}, nil
	}
	return value{}, errorAt(at, "YAML of kind %v is not used in a network", n.Type())
}

func wholeNumber(n *ast.IntegerNode, at place) (value, error) {
	var v value
	switch i := n.Value.(type) {
	case int64:
		v = intValue(int(i))
	case uint64:
		if i > math.MaxInt64 {
			return v, errorAt(at, "number %d is too large", i)
		}
		v = intValue(int(i))
	}
	v.at = at
	return v, nil
}
