package formats

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// Names are the formats that Write knows.
var Names = []string{"json", "csv", "coco", "coco-dataset"}

// Write writes a file of that format; classes are the model's, in the order of their ids.
func Write(w io.Writer, format string, entries []Entry, classes []string) error {
	switch format {
	case "json":
		return writeJSON(w, entries)
	case "csv":
		return writeCSV(w, entries)
	case "coco":
		return writeJSON(w, annotations(entries, classes))
	case "coco-dataset":
		set, err := newDataset(entries, classes)
		if err != nil {
			return err
		}
		return writeJSON(w, set)
	}
	return fmt.Errorf("no format %q; there are %s", format, strings.Join(Names, ", "))
}

func writeJSON(w io.Writer, v any) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", " ")
	encoder.SetEscapeHTML(false) // run lengths hold <, > and &
	return encoder.Encode(v)
}

// inLine is JSON without line breaks.
func inLine(v any) (string, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(v)
	return strings.TrimSpace(b.String()), err
}
