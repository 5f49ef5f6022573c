package load

import (
	"errors"
	"fmt"

	"github.com/goccy/go-yaml"

	"spotter/models/config"
)

// Changes to a network's YAML, so that a model that was loaded otherwise than its
// file says can be saved. The texts are ones that config.Load accepted.

// detectorYAML replaces the last row, Segment, by Detect with its first two arguments.
func detectorYAML(text []byte) ([]byte, error) {
	return edit(text, func(doc yaml.MapSlice) (yaml.MapSlice, error) {
		for _, item := range doc {
			rows, _ := item.Value.([]any)
			if item.Key != "head" || len(rows) == 0 {
				continue
			}
			row, _ := rows[len(rows)-1].([]any)
			if len(row) < 4 || row[2] != "Segment" {
				continue
			}
			args, _ := row[3].([]any)
			row[2], row[3] = "Detect", args[:min(len(args), 2)]
			return doc, nil
		}
		return nil, errors.New("it does not end with a row of Segment")
	})
}

// sizedYAML sets the multiples of a size n, s, m, l or x.
func sizedYAML(text []byte, size string) ([]byte, error) {
	depth, width, ok := config.Multiples(size)
	if !ok {
		return nil, fmt.Errorf("there is no size %.40q", size)
	}
	return edit(text, func(doc yaml.MapSlice) (yaml.MapSlice, error) {
		for _, set := range []yaml.MapItem{{Key: "depth_multiple", Value: depth}, {Key: "width_multiple", Value: width}} {
			found := false
			for i := range doc {
				if doc[i].Key == set.Key {
					doc[i].Value, found = set.Value, true
				}
			}
			if !found {
				doc = append(doc, set)
			}
		}
		return doc, nil
	})
}

func edit(text []byte, change func(yaml.MapSlice) (yaml.MapSlice, error)) ([]byte, error) {
	var doc yaml.MapSlice
	err := yaml.Unmarshal(text, &doc)
	if err == nil {
		doc, err = change(doc)
	}
	if err != nil {
		return nil, fmt.Errorf("the network's YAML cannot be changed: %w", err)
	}
	return yaml.Marshal(doc)
}
