package checkpoint

import (
	"slices"
	"strconv"
	"strings"

	"spotter/models/checkpoint/pickle"
	"spotter/models/say"
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
			return say.Errorf("%s: %s where a tensor is expected", name, describe(p.Value))
		}
	}
	return nil
}

// feature takes the name of a parameter in the tutorial's list of stages apart:
// PREFIXfeatures.N.REST, where REST begins with a block's name.
func feature(name string) (prefix string, stage int, rest string, ok bool) {
	at := strings.LastIndex(name, "features.")
	if at < 0 || at > 0 && name[at-1] != '.' {
		return "", 0, "", false
	}
	number, rest, _ := strings.Cut(name[at+len("features."):], ".")
	stage, err := strconv.Atoi(number)
	if err != nil || stage < 0 || stage >= len(stages) {
		return "", 0, "", false
	}
	for _, block := range []string{"convbn_", "uib_", "fused_ib_", "mhsa_"} {
		if strings.HasPrefix(rest, block) {
			return name[:at], stage, rest, true
		}
	}
	return "", 0, "", false
}

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
	if !slices.ContainsFunc(c.order, func(s string) bool { return !numbered(s) }) {
		c.swapPrefix("", "model.")
	}
	c.rename(func(s string) string {
		prefix, stage, rest, ok := feature(s)
		if !ok {
			return s
		}
		name := prefix + stages[stage] + "." + rest
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

// numbered tells a name in a torch.nn.Sequential: N.REST.
func numbered(name string) bool {
	number, _, ok := strings.Cut(name, ".")
	_, err := strconv.ParseUint(number, 10, 16)
	return ok && err == nil
}

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
