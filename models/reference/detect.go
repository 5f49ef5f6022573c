package reference

import (
	"spotter/models"
	"spotter/models/detect"
)

// Detect looks at a picture with a detector or a segmentation network: the whole
// way from bytes to boxes. Shapes must be inferred.
func Detect(g *models.Graph, w models.Weights, pic *detect.Picture, o detect.NMSOptions) (*detect.Result, error) {
	in, place, err := detect.Input(g.Feed, pic, g.Input.Shape[2], g.Input.Shape[1])
	if err != nil {
		return nil, err
	}
	outputs, err := Run(g, w, in, nil)
	if err != nil {
		return nil, err
	}
	return detect.Detect(&g.Head, detect.Maps(g, outputs), place, o)
}

// Classify looks at a picture with a classifier: the n best classes.
func Classify(g *models.Graph, w models.Weights, pic *detect.Picture, n int) ([]detect.Class, error) {
	in, _, err := detect.Input(g.Feed, pic, g.Input.Shape[2], g.Input.Shape[1])
	if err != nil {
		return nil, err
	}
	outputs, err := Run(g, w, in, nil)
	if err != nil {
		return nil, err
	}
	return detect.Classify(outputs[0], n), nil
}
