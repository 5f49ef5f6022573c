package checkpoint

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"spotter/models/checkpoint/pickle"
)

// readStateDict takes the tensors of a dictionary from name to tensor.
func (c *Checkpoint) readStateDict(v any) error {
	for _, p := range pickle.Pairs(v) {
		name, ok := p.Key.(string)
		if !ok {
			continue
		}
		switch p.Value.(type) {
		case *tensor:
			if err := c.addTensor(name, p.Value); err != nil {
				return err
			}
		case *pickle.Object:
			return fmt.Errorf("%s: %s where a tensor is expected", name, describe(p.Value))
		}
	}
	return nil
}

// feature is a stage of the tutorial's backbone under its second name.
var feature = regexp.MustCompile(`^(|.*\.)features\.(\d)\.((?:convbn|uib|fused_ib|mhsa)_.*)$`)

// stages of the tutorial's backbone in the order of its list features.
var stages = []string{"conv0", "layer1", "layer2", "layer3", "layer4", "layer5"}

// normaliseNames gives the parameters the names of YOLOv5's state_dict: wrappers
// come off the front, the backbone's second names go, as do batch counters and
// what older versions of YOLOv5 saved of their grids.
func (c *Checkpoint) normaliseNames() {
	for _, prefix := range []string{"module.", "_orig_mod.", "ema."} {
		c.swapPrefix(prefix, "")
	}
	c.swapPrefix("model.model.", "model.")
	if !slices.ContainsFunc(c.order, func(s string) bool { return !numbered.MatchString(s) }) {
		c.swapPrefix("", "model.")
	}
	c.rename(func(s string) string {
		m := feature.FindStringSubmatch(s)
		if m == nil || int(m[2][0]-'0') >= len(stages) {
			return s
		}
		name := m[1] + stages[m[2][0]-'0'] + "." + m[3]
		if c.tensors[name] != nil {
			return ""
		}
		return name
	})
	c.rename(func(s string) string {
		if strings.HasSuffix(s, ".num_batches_tracked") || strings.HasSuffix(s, ".anchor_grid") {
			return ""
		}
		return s
	})
}

// numbered is a name in a torch.nn.Sequential.
var numbered = regexp.MustCompile(`^\d+\.`)

// swapPrefix changes the front of all names, of parameters and modules, when
// every parameter has it.
func (c *Checkpoint) swapPrefix(old, put string) {
	if slices.ContainsFunc(c.order, func(s string) bool { return !strings.HasPrefix(s, old) }) {
		return
	}
	c.rename(func(s string) string { return put + s[len(old):] })
	modules := map[string]Module{}
	for path, m := range c.Modules {
		if strings.HasPrefix(path, old) {
			path = put + path[len(old):]
		}
		modules[path] = m
	}
	if c.Modules != nil {
		c.Modules = modules
	}
}

// rename gives every tensor the name that f says; "" drops it.
func (c *Checkpoint) rename(f func(string) string) {
	tensors := make(map[string]*tensor, len(c.tensors))
	var order []string
	for _, old := range c.order {
		if name := f(old); name != "" && tensors[name] == nil {
			tensors[name] = c.tensors[old]
			order = append(order, name)
		}
	}
	c.tensors, c.order = tensors, order
}

// readAnchors takes the head's anchors, a buffer [levels, anchors, 2] in strides,
// out of the parameters.
func (c *Checkpoint) readAnchors() {
	for _, name := range c.order {
		t := c.tensors[name]
		if !strings.HasSuffix(name, ".anchors") || len(t.size) != 3 || t.size[2] != 2 {
			continue
		}
		values, err := t.read()
		if err != nil || t.size[0] > 8 || t.size[1] > 64 {
			c.note("the anchors %s are not used: %v", name, err)
			continue
		}
		c.Anchors = make([][][2]float32, t.size[0])
		for i := 0; i+1 < len(values.Data); i += 2 {
			level := i / 2 / t.size[1]
			c.Anchors[level] = append(c.Anchors[level], [2]float32{values.Data[i], values.Data[i+1]})
		}
	}
	c.rename(func(s string) string {
		if strings.HasSuffix(s, ".anchors") {
			return ""
		}
		return s
	})
}
