package checkpoint

import (
	"bytes"
	"fmt"
	"math"
	"strconv"

	"spotter/models/checkpoint/pickle"
	"spotter/models/say"
)

// Limits of a pickled YAML: depth of its lists, values in all.
const (
	maxYAMLDepth  = 16
	maxYAMLValues = 100_000
)

// yamlText writes a pickled dictionary as YAML: a line for each key, lists in
// brackets, the rows of backbone and head on lines of their own.
func yamlText(dict any) ([]byte, error) {
	var w yamlWriter
	for _, p := range pickle.Pairs(dict) {
		key, ok := p.Key.(string)
		if !ok {
			return nil, say.Errorf("a key of it is %s", describe(p.Key))
		}
		fmt.Fprintf(&w.Buffer, "%s:", plainOrQuoted(key))
		rows := pickle.Items(p.Value)
		if key != "backbone" && key != "head" || len(rows) == 0 {
			w.WriteByte(' ')
			if err := w.value(p.Value, 0); err != nil {
				return nil, say.Errorf("%s: %w", key, err)
			}
			w.WriteByte('\n')
			continue
		}
		w.WriteByte('\n')
		for _, row := range rows {
			w.WriteString("  - ")
			if err := w.value(row, 0); err != nil {
				return nil, say.Errorf("%s: %w", key, err)
			}
			w.WriteByte('\n')
		}
	}
	return w.Bytes(), nil
}

type yamlWriter struct {
	bytes.Buffer
	values int
}

func (w *yamlWriter) value(v any, depth int) error {
	if w.values++; w.values > maxYAMLValues || depth > maxYAMLDepth {
		return say.Errorf("it is nested deeper than %d or holds more than %d values", maxYAMLDepth, maxYAMLValues)
	}
	if pickle.IsList(v) {
		return w.sequence(v, depth)
	}
	if pickle.IsDict(v) {
		return w.mapping(v, depth)
	}
	switch v := v.(type) {
	case nil:
		w.WriteString("null")
	case bool, int:
		fmt.Fprint(&w.Buffer, v)
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return say.Errorf("it holds the number %v", v)
		}
		s := strconv.FormatFloat(v, 'f', -1, 64)
		if v == math.Trunc(v) {
			s += ".0"
		}
		w.WriteString(s)
	case string:
		w.WriteString(strconv.QuoteToASCII(v))
	default:
		return say.Errorf("it holds %s", describe(v))
	}
	return nil
}

func (w *yamlWriter) sequence(v any, depth int) error {
	w.WriteByte('[')
	for i, item := range pickle.Items(v) {
		if i > 0 {
			w.WriteString(", ")
		}
		if err := w.value(item, depth+1); err != nil {
			return err
		}
	}
	w.WriteByte(']')
	return nil
}

func (w *yamlWriter) mapping(v any, depth int) error {
	w.WriteByte('{')
	for i, p := range pickle.Pairs(v) {
		if i > 0 {
			w.WriteString(", ")
		}
		if err := w.value(p.Key, depth+1); err != nil {
			return err
		}
		w.WriteString(": ")
		if err := w.value(p.Value, depth+1); err != nil {
			return err
		}
	}
	w.WriteByte('}')
	return nil
}

// plainOrQuoted writes a key as YAML does, in quotes only where it must be.
func plainOrQuoted(s string) string {
	for _, r := range s {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && r != '_' {
			return strconv.QuoteToASCII(s)
		}
	}
	return s
}
