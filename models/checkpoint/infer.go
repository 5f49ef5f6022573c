package checkpoint

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"spotter/models"
	"spotter/models/config"
	"spotter/models/say"
)

// sizes that a network comes in.
var sizes = []string{"n", "s", "m", "l", "x"}

// complete fills what a plan lacks: the YAML of a file that has none, the scale
// of a YAML that the user gave, the blocks of a backbone that was changed.
func (c *Checkpoint) complete(p *plan, o Options) error {
	c.readHead()
	backbone, err := c.backbone()
	if err != nil {
		return err
	}
	if p.yaml == nil {
		return c.inferYAML(p, o, backbone)
	}
	if o.YAML == nil {
		p.yaml = c.knownBackbone(p.yaml, backbone)
	}
	p.backbone = backbone.unless(p.yaml)
	if o.YAML != nil && o.Scale == "" && c.match(p, o) < 1 {
		for _, s := range sizes {
			try := plan{yaml: p.yaml, scale: s, backbone: p.backbone}
			if c.match(&try, o) == 1 {
				c.note("the parameters are those of size %s of the YAML", s)
				*p = try
				break
			}
		}
	}
	return nil
}

// readHead takes the numbers of classes and masks from the head's shapes, which
// hold whatever the rest of the file says.
func (c *Checkpoint) readHead() {
	for _, name := range c.order {
		// The first of the last convolutions, 1x1 with a bias.
		path, ok := strings.CutSuffix(name, ".m.0.weight")
		shape := c.Shape(name)
		if !ok || len(shape) != 4 || shape[2] != 1 || c.Shape(path+".m.0.bias") == nil {
			continue
		}
		anchors := 3
		if len(c.Anchors) > 0 && len(c.Anchors[0]) > 0 {
			anchors = len(c.Anchors[0])
		}
		masks := 0
		if proto := c.Shape(path + ".proto.cv3.conv.weight"); len(proto) == 4 {
			masks = proto[0]
		}
		classes := shape[0]/anchors - 5 - masks
		if shape[0]%anchors != 0 || classes < 1 {
			continue
		}
		if c.Classes != 0 && c.Classes != classes {
			c.note("the checkpoint says %d classes and its head has %d: the head counts", c.Classes, classes)
		}
		c.Classes, c.Masks, c.head = classes, masks, path
	}
}

// match is the share of a plan's parameters that the file has, in the same shape; 1
// is a match: all are there and none of the file's is left over.
func (c *Checkpoint) match(p *plan, o Options) float64 {
	quiet := *c
	quiet.Notes = nil
	o.Width, o.Height = 64, 64
	g, err := quiet.graph(p, o)
	if err != nil {
		return 0
	}
	params := g.Params()
	found := 0
	for _, q := range params {
		if shape := c.Shape(q.Name); shape != nil && (q.Shape == nil || slices.Equal(shape, q.Shape)) {
			found++
		}
	}
	return float64(found) / float64(max(len(params), len(c.order)))
}

// inferYAML finds the built-in network that the parameters are of; or, for the
// tutorial's layout, one of other widths, depths or backbone blocks.
func (c *Checkpoint) inferYAML(p *plan, o Options, b *backbone) error {
	best, guess := 0.0, NeedYAML{Reason: say.Sprintf("no built-in network has these parameters")}
	try := func(name, scale string, candidate plan) bool {
		score := c.match(&candidate, o)
		if score > best {
			best, guess.Guess, guess.Scale = score, name, scale
		}
		if score == 1 {
			*p = candidate
		}
		return score == 1
	}
	if c.head == "" {
		return &guess // no network of this kind has no head
	}
	names := slices.DeleteFunc(b.candidates(), func(name string) bool { return !c.sameHead(name) })
	for _, name := range names {
		text, err := config.Builtin(name)
		if err != nil || b.unless(text) != nil {
			continue
		}
		for _, s := range sizes {
			depth, width, _ := config.Multiples(s)
			if try(name, s, plan{yaml: c.resized(text, depth, width)}) {
				c.note("the file does not hold its YAML: names and shapes of its parameters are those of %s, size %s", name, s)
				return nil
			}
		}
	}
	depth, width, ok := c.multiples()
	for _, name := range names {
		text, err := config.Builtin(name)
		if ok && err == nil && b != nil && try(name, "", plan{yaml: c.resized(text, depth, width), backbone: b.unless(text)}) {
			c.note("the file does not hold its YAML: names and shapes of its parameters are those of %s with width_multiple %v, depth_multiple %v and other blocks", name, width, depth)
			return nil
		}
	}
	if best < 0.5 {
		guess.Guess, guess.Scale = "", ""
	}
	return &guess
}

// sameHead tells whether a built-in network's head stands at the same place.
func (c *Checkpoint) sameHead(name string) bool {
	text, err := config.Builtin(name)
	if err != nil {
		return false
	}
	g, err := config.Load(text, name, config.Options{Width: 64, Height: 64})
	return err == nil && slices.ContainsFunc(g.Params(), func(p models.Param) bool { return p.Name == c.head+".m.0.bias" }) &&
		(g.Head.Masks > 0) == (c.Masks > 0)
}

// multiples reads depth and width off the tutorial's head: SPPF has 1024 channels
// and C3 three repeats before scaling.
func (c *Checkpoint) multiples() (depth, width float64, ok bool) {
	sppf := c.Shape("model.1.cv2.conv.weight")
	if len(sppf) != 4 {
		return 0, 0, false
	}
	repeats := 0
	for c.Shape(fmt.Sprintf("model.5.m.%d.cv1.conv.weight", repeats)) != nil {
		repeats++
	}
	depth = float64(repeats) / 3
	for _, s := range sizes {
		if d, _, _ := config.Multiples(s); int(3*d+0.5) == repeats {
			depth = d
		}
	}
	return depth, float64(sppf[0]) / 1024, repeats > 0
}

// resized is a built-in YAML with other multiples and the head's classes. Each of these
// keys begins a line there.
func (c *Checkpoint) resized(text []byte, depth, width float64) []byte {
	lines := strings.Split(string(text), "\n")
	for i, line := range lines {
		key, _, _ := strings.Cut(line, ":")
		switch {
		case key == "depth_multiple":
			lines[i] = key + ": " + strconv.FormatFloat(depth, 'f', -1, 64)
		case key == "width_multiple":
			lines[i] = key + ": " + strconv.FormatFloat(width, 'f', -1, 64)
		case key == "nc" && c.Classes > 0:
			lines[i] = key + ": " + strconv.Itoa(c.Classes)
		}
	}
	return []byte(strings.Join(lines, "\n"))
}

// knownBackbone gives a MobileNetV4 that the training registered under a name of its own
// the name of the one that it resembles. The text is yamlText's.
func (c *Checkpoint) knownBackbone(yaml []byte, b *backbone) []byte {
	head, rest, ok := strings.Cut(string(yaml), "backbone:\n  - [-1, 1, \"")
	own, rest, closed := strings.Cut(rest, "\"")
	if b == nil || !ok || !closed || backboneName(yaml) != "" {
		return yaml
	}
	for _, candidate := range b.candidates() {
		text, err := config.Builtin(candidate)
		if name := backboneName(text); err == nil && name != "" {
			c.note("the backbone %.40s is built as %s: its blocks are those of the parameters", own, name)
			return []byte(head + "backbone:\n  - [-1, 1, \"" + name + "\"" + rest)
		}
	}
	return yaml
}

// backboneName finds the MobileNetV4 that a YAML names, "" when it names none that is known.
func backboneName(yaml []byte) string {
	parts := strings.Split(string(yaml), "MobileNetV4")
	for _, rest := range parts[1:] {
		end := strings.IndexFunc(rest, func(r rune) bool { return !unicode.IsLetter(r) })
		if end < 0 {
			end = len(rest)
		}
		if name := "MobileNetV4" + rest[:end]; config.Backbone(name) != nil {
			return name
		}
	}
	return ""
}

// Backbone reads the blocks of a MobileNetV4 off the shapes of parameters, where they are
// others than those of the backbone that the YAML names; nil where they are the same, or
// where the YAML names none.
func Backbone(w models.Weights, yaml []byte) (*config.BackboneSpec, error) {
	if backboneName(yaml) == "" {
		return nil, nil
	}
	c, err := FromWeights(w, nil)
	if err != nil {
		return nil, err
	}
	b, err := c.backbone()
	return b.unless(yaml), err
}

// backbone is a MobileNetV4 as the parameters' shapes give it.
type backbone struct{ spec *config.BackboneSpec }

// candidates are the built-in networks with that kind of backbone, those with the most
// blocks in common first.
func (b *backbone) candidates() []string {
	common := map[string]int{}
	var names []string
	for _, name := range config.BuiltinNames() {
		text, err := config.Builtin(name)
		own := backboneName(text)
		if err != nil || (own != "") != (b != nil) {
			continue
		}
		names = append(names, name)
		if b != nil {
			common[name] = b.common(config.Backbone(own))
		}
	}
	slices.SortStableFunc(names, func(a, b string) int { return common[b] - common[a] })
	return names
}

// common counts the blocks of the same kind at the same place, less those that only
// one of the two has.
func (b *backbone) common(other *config.BackboneSpec) int {
	if other == nil {
		return 0
	}
	n := 0
	for i, s := range b.spec.Stages[:min(len(b.spec.Stages), len(other.Stages))] {
		t := other.Stages[i]
		n -= max(len(s.Blocks), len(t.Blocks))
		for j := range s.Blocks[:min(len(s.Blocks), len(t.Blocks))] {
			if s.Blocks[j].Kind == t.Blocks[j].Kind {
				n++
			}
		}
	}
	return n
}

// unless gives the blocks where they are others than those of the YAML's backbone.
func (b *backbone) unless(yaml []byte) *config.BackboneSpec {
	name := backboneName(yaml)
	if b == nil || name == "" {
		return nil
	}
	own := config.Backbone(name)
	if own == nil || sameBlocks(own, b.spec) {
		return nil
	}
	changed := *b.spec
	if changed.Act == models.ActNone {
		changed.Act = own.Act
	}
	changed.Residual = changed.Residual || own.Residual
	return &changed
}

func sameBlocks(a, b *config.BackboneSpec) bool {
	return slices.EqualFunc(a.Stages, b.Stages, func(s, t config.Stage) bool {
		return s.Name == t.Name && slices.Equal(s.Blocks, t.Blocks)
	})
}
