package load

import (
	"fmt"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"spotter/models/config"
	"spotter/models/say"
)

// Changes to a network's YAML, so that a model that was loaded otherwise than its
// file says can be saved. The texts are ones that config.Load accepted.

// detectorYAML replaces the last row, Segment, by Detect with its first two arguments.
func detectorYAML(text []byte) ([]byte, error) {
	return edit(text, func(doc *ast.MappingNode) error {
		if head := valueOf(doc, "head"); head != nil {
			rows, _ := head.Value.(*ast.SequenceNode)
			if rows != nil && len(rows.Values) > 0 && withoutCoefficients(rows.Values[len(rows.Values)-1]) {
				return nil
			}
		}
		return say.Errorf("it does not end with a row of Segment")
	})
}

// withoutCoefficients makes [from, number, Segment, [nc, anchors, masks, prototypes]]
// a row of Detect; false when it is none.
func withoutCoefficients(row ast.Node) bool {
	list, _ := row.(*ast.SequenceNode)
	if list == nil || len(list.Values) < 4 {
		return false
	}
	module, _ := list.Values[2].(*ast.StringNode)
	args, _ := list.Values[3].(*ast.SequenceNode)
	if module == nil || module.Value != "Segment" || args == nil {
		return false
	}
	module.Value, module.Token.Value = "Detect", "Detect"
	args.Values = args.Values[:min(len(args.Values), 2)]
	return true
}

// sizedYAML sets the multiples of a size n, s, m, l or x.
func sizedYAML(text []byte, size string) ([]byte, error) {
	depth, width, ok := config.Multiples(size)
	if !ok {
		return nil, say.Errorf("there is no size %.40q", size)
	}
	line := fmt.Sprintf("depth_multiple: %v\nwidth_multiple: %v\n", depth, width)
	return edit(text, func(doc *ast.MappingNode) error {
		multiples, err := mapping([]byte(line))
		if err != nil {
			return err
		}
		for _, set := range multiples.Values {
			if old := valueOf(doc, set.Key.String()); old != nil {
				old.Value = set.Value
			} else {
				doc.Values = append(doc.Values, set)
			}
		}
		return nil
	})
}

func valueOf(doc *ast.MappingNode, key string) *ast.MappingValueNode {
	for _, v := range doc.Values {
		if v.Key.GetToken().Value == key {
			return v
		}
	}
	return nil
}

func mapping(text []byte) (*ast.MappingNode, error) {
	file, err := parser.ParseBytes(text, 0)
	if err != nil {
		return nil, err
	}
	if len(file.Docs) == 1 {
		if doc, ok := file.Docs[0].Body.(*ast.MappingNode); ok {
			return doc, nil
		}
	}
	return nil, say.Errorf("it is not one list of keys and values")
}

func edit(text []byte, change func(*ast.MappingNode) error) ([]byte, error) {
	doc, err := mapping(text)
	if err == nil {
		err = change(doc)
	}
	if err != nil {
		return nil, say.Errorf("the network's YAML cannot be changed: %w", err)
	}
	return []byte(doc.String() + "\n"), nil
}
