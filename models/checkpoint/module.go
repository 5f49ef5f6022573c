package checkpoint

import (
	"strconv"

	"spotter/models/checkpoint/pickle"
	"spotter/models/say"
)

// Limits of a tree of modules. YOLOv5x6 has about 2,000 modules, 8 deep.
const (
	maxModules     = 50_000
	maxModuleDepth = 64
	maxParams      = 100_000
)

// readModules walks a pickled module, and keeps its parameters and persistent
// buffers under the names of its state_dict.
func (c *Checkpoint) readModules(root *pickle.Object) error {
	c.Modules = map[string]Module{}
	if err := c.walk(unwrap(root), "", 0); err != nil {
		return err
	}
	c.readModel(c.Modules[""].object)
	return nil
}

// unwrap takes off DataParallel and AutoShape, which hold the model as a child.
func unwrap(o *pickle.Object) *pickle.Object {
	for range 4 {
		child := map[string]string{"DataParallel": "module", "DistributedDataParallel": "module", "AutoShape": "model", "ModelEMA": "ema"}[o.Class.Name]
		inner, ok := module(pickle.Get(o.Attr("_modules"), child))
		if child == "" || !ok {
			return o
		}
		o = inner
	}
	return o
}

func (c *Checkpoint) walk(o *pickle.Object, path string, depth int) error {
	if depth > maxModuleDepth {
		return say.Errorf("%s: modules are nested deeper than %d: one holds itself", path, maxModuleDepth)
	}
	if len(c.Modules) >= maxModules {
		return say.Errorf("the file has more than %d modules", maxModules)
	}
	c.Modules[path] = Module{Class: o.Class.Name, object: o}
	if err := c.moduleTensors(o, path); err != nil {
		return err
	}
	for _, p := range pickle.Pairs(o.Attr("_modules")) {
		name, ok := p.Key.(string)
		child, isModule := module(p.Value)
		switch {
		case !ok:
			return say.Errorf("%s: a module whose name is no text", path)
		case p.Value == nil, name == "features" && aliased(o):
			continue
		case !isModule:
			return say.Errorf("%s: %s where a module is expected", join(path, name), describe(p.Value))
		}
		if err := c.walk(child, join(path, name), depth+1); err != nil {
			return err
		}
	}
	return nil
}

// aliased tells the tutorial's backbone, which lists its stages a second time.
func aliased(o *pickle.Object) bool {
	return pickle.Get(o.Attr("_modules"), "conv0") != nil
}

func (c *Checkpoint) moduleTensors(o *pickle.Object, path string) error {
	volatile := map[string]bool{}
	for _, v := range pickle.Items(o.Attr("_non_persistent_buffers_set")) {
		if s, ok := v.(string); ok {
			volatile[s] = true
		}
	}
	for _, dict := range []string{"_parameters", "_buffers"} {
		for _, p := range pickle.Pairs(o.Attr(dict)) {
			name, ok := p.Key.(string)
			if !ok {
				return say.Errorf("%s: a parameter whose name is no text", path)
			}
			if p.Value == nil || volatile[name] {
				continue
			}
			if err := c.addTensor(join(path, name), p.Value); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *Checkpoint) addTensor(name string, v any) error {
	t, ok := v.(*tensor)
	if !ok {
		return say.Errorf("%s: %s where a tensor is expected", name, describe(v))
	}
	if len(c.order) >= maxParams {
		return say.Errorf("the file has more than %d parameters", maxParams)
	}
	if c.tensors[name] == nil {
		c.order = append(c.order, name)
	}
	c.tensors[name] = t
	return nil
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// readModel takes what YOLOv5 keeps on the model itself and on its head.
func (c *Checkpoint) readModel(root *pickle.Object) {
	if y := root.Attr("yaml"); pickle.IsDict(y) {
		text, err := yamlText(y)
		if err != nil {
			c.note("the checkpoint's yaml is not used: %v", err)
		}
		c.YAML = text
	}
	c.Names = classNames(root.Attr("names"))
	c.readStrides(root.Attr("stride"))
	for _, m := range c.Modules {
		if m.Class != "Detect" && m.Class != "Segment" {
			continue
		}
		if n, ok := pickle.Int(m.object.Attr("nc")); ok && n > 0 {
			c.Classes = n
		}
		if n, ok := pickle.Int(m.object.Attr("nm")); ok && n > 0 && m.Class == "Segment" {
			c.Masks = n
		}
		c.readStrides(m.object.Attr("stride"))
	}
}

// readStrides takes the head's strides, a float tensor outside the state_dict.
func (c *Checkpoint) readStrides(v any) {
	t, ok := v.(*tensor)
	if !ok || len(t.size) != 1 || c.Strides != nil {
		return
	}
	values, err := t.read()
	if err != nil {
		c.note("the strides are not used: %v", err)
		return
	}
	for _, s := range values.Data {
		if s < 1 || s > 1024 || s != float32(int(s)) {
			c.note("the strides are not used: %v is none", s)
			c.Strides = nil
			return
		}
		c.Strides = append(c.Strides, int(s))
	}
}

// classNames reads a list of names, or a dictionary from id to name.
func classNames(v any) []string {
	var names []string
	for _, item := range pickle.Items(v) {
		s, ok := item.(string)
		if !ok {
			return nil
		}
		names = append(names, s)
	}
	pairs := pickle.Pairs(v)
	if len(pairs) > 0 {
		names = make([]string, len(pairs))
	}
	for _, p := range pairs {
		s, ok := p.Value.(string)
		id, idOK := pickle.Int(p.Key)
		if text, isText := p.Key.(string); isText {
			n, err := strconv.Atoi(text)
			id, idOK = n, err == nil
		}
		if !ok || !idOK || id < 0 || id >= len(names) {
			return nil
		}
		names[id] = s
	}
	return names
}

// readRecord takes what the training wrote around the model.
func (c *Checkpoint) readRecord(root any) {
	if n, ok := pickle.Int(pickle.Get(root, "epoch")); ok {
		c.Epoch = n
	}
	if f, ok := pickle.Float(pickle.Get(root, "best_fitness")); ok && f == f {
		c.Fitness = f
	}
	if s, ok := pickle.Get(root, "date").(string); ok {
		c.Date = s
	}
	for _, key := range []string{"opt", "train_args", "args"} {
		opt := pickle.Get(root, key)
		if o, ok := opt.(*pickle.Object); ok {
			opt = &o.Attrs
		}
		if n, ok := pickle.Int(pickle.Get(opt, "imgsz")); ok && n >= 32 && n <= 1<<14 {
			c.Imgsz = n
			return
		}
	}
}

// firstInt reads a whole number, or the first of a list of them.
func firstInt(v any) (int, bool) {
	if list := pickle.Items(v); len(list) > 0 {
		v = list[0]
	}
	return pickle.Int(v)
}
