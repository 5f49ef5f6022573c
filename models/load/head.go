package load

import (
	"slices"
	"strings"

	"spotter/models"
	"spotter/models/config"
	"spotter/models/say"
)

// headName is the path of the head's module, model.16 for the tutorial's network:
// its convolutions are model.16.m.0, .1 and .2.
func headName(g *models.Graph) string {
	if g.Head.Kind != models.HeadYOLOv5 || len(g.Head.Levels) == 0 {
		return ""
	}
	from := g.Outputs[g.Head.Levels[0].Box.Map].From
	if from == nil {
		return ""
	}
	return strings.TrimSuffix(from.Name, ".m.0")
}

func (m *Model) anchorsName() string { return headName(m.Graph) + ".anchors" }

// takeAnchors takes the anchors that the weights hold, in strides, where they are
// others than the YAML's: training may have fitted them to its data. Half floats
// round by up to a two-thousandth, which is no difference.
func (m *Model) takeAnchors() error {
	t := m.Weights[m.anchorsName()]
	if t == nil {
		return nil
	}
	levels := m.Graph.Head.Levels
	want := []int{len(levels), len(levels[0].Anchors), 2}
	if !slices.Equal(t.Shape, want) {
		return say.Errorf("%s is %v, the network needs %v", m.anchorsName(), t.Shape, want)
	}
	changed := false
	for i := range levels {
		l := &levels[i]
		l.Anchors = slices.Clone(l.Anchors)
		for a := range l.Anchors {
			for k := range 2 {
				stored := t.Data[(i*want[1]+a)*2+k] * float32(l.Stride)
				if !(stored > 0) {
					return say.Errorf("%s holds %g: an anchor has a size", m.anchorsName(), stored)
				}
				if was := l.Anchors[a][k]; stored < was*0.999 || stored > was*1.001 {
					l.Anchors[a][k], changed = stored, true
				}
			}
		}
	}
	if changed {
		m.Notes = append(m.Notes, say.Sprintf("the anchors are the weights': training changed those of the YAML"))
	}
	return nil
}

// anchorsTensor is the head's anchors as a state_dict holds them, in strides; nil
// for heads without.
func (m *Model) anchorsTensor() *models.Tensor {
	levels := m.Graph.Head.Levels
	if headName(m.Graph) == "" {
		return nil
	}
	t := &models.Tensor{Shape: []int{len(levels), len(levels[0].Anchors), 2}}
	for _, l := range levels {
		for _, a := range l.Anchors {
			t.Data = append(t.Data, a[0]/float32(l.Stride), a[1]/float32(l.Stride))
		}
	}
	return t
}

// withoutMasks builds the detector that a segmentation network holds.
func (m *Model) withoutMasks(opts config.Options) (*models.Graph, error) {
	text, err := detectorYAML(m.YAML)
	if err != nil {
		return nil, err
	}
	m.YAML = text
	return config.Load(text, m.Name+".yaml", opts)
}

// cutRows keeps, of each anchor's rows in the head's convolutions, those in front of
// the mask coefficients, and drops the parameters that only the whole network has.
func (m *Model) cutRows(whole, detector *models.Graph) {
	used := map[string]bool{}
	for _, p := range detector.Params() {
		used[p.Name] = true
	}
	for _, p := range whole.Params() {
		if !used[p.Name] {
			delete(m.Weights, p.Name)
		}
	}
	for i, l := range whole.Head.Levels {
		keep := detector.Head.Levels[i].AnchorStep
		for _, p := range whole.Outputs[l.Box.Map].From.Params() {
			t := m.Weights[p.Name]
			if t == nil || !slices.Equal(t.Shape, p.Shape) || len(t.Data) == 0 {
				continue // fitWeights will say so
			}
			m.Weights[p.Name] = keepRows(t, l.AnchorStep, keep)
		}
	}
}

// keepRows keeps the first rows of every step.
func keepRows(t *models.Tensor, step, keep int) *models.Tensor {
	size := len(t.Data) / t.Shape[0]
	out := &models.Tensor{Shape: slices.Clone(t.Shape), Half: t.Half}
	out.Shape[0] = t.Shape[0] / step * keep
	for row := 0; row < t.Shape[0]; row += step {
		out.Data = append(out.Data, t.Data[row*size:(row+keep)*size]...)
	}
	return out
}
