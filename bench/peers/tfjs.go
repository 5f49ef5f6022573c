package peers

import (
	"encoding/binary"
	"encoding/json"
	"math"

	"spotter/models"
)

// tfjsStep is a step with the places of its weights: offsets in float32 elements.
type tfjsStep struct {
	step
	Weight []int `json:"weight,omitempty"` // offset, then the shape as tfjs wants it
	Bias   []int `json:"bias,omitempty"`   // offset, length
}

// TFJS returns the network as the benchmark's page builds it with tfjs operations: the
// description as JSON and the weights as little-endian float32 (convolutions [KH,KW,I,O],
// depthwise [KH,KW,C,1]). BatchNorm must be folded.
func TFJS(g *models.Graph, weights models.Weights) (graph, bin []byte, err error) {
	p, err := lower(g, weights)
	if err != nil {
		return nil, nil, err
	}
	steps := make([]tfjsStep, len(p.steps))
	for i, s := range p.steps {
		steps[i].step = s
		if s.weight == nil {
			continue
		}
		order := [4]int{2, 3, 1, 0}
		if s.Op == "depthwise" {
			order = [4]int{2, 3, 0, 1}
		}
		steps[i].Weight = []int{len(bin) / 4, s.weight.Shape[order[0]], s.weight.Shape[order[1]], s.weight.Shape[order[2]], s.weight.Shape[order[3]]}
		bin = floats(bin, repack(s.weight, order))
		steps[i].Bias = []int{len(bin) / 4, len(s.bias.Data)}
		bin = floats(bin, s.bias.Data)
	}
	graph, err = json.Marshal(map[string]any{"shapes": p.shapes, "steps": steps, "outputs": p.outputs})
	return graph, bin, err
}

// floats appends little-endian float32.
func floats(to []byte, data []float32) []byte {
	for _, v := range data {
		to = binary.LittleEndian.AppendUint32(to, math.Float32bits(v))
	}
	return to
}
