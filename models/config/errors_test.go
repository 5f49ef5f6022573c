package config_test

import (
	"errors"
	"strings"
	"testing"

	"spotter/models/config"
)

// replaced is a built-in network with one piece of its text replaced.
func replaced(t testing.TB, name, old, with string) string {
	t.Helper()
	text, err := config.Builtin(name)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), old) {
		t.Fatalf("%s does not contain %q", name, old)
	}
	return strings.Replace(string(text), old, with, 1)
}

// mistakes in a YAML, with the line, row and words that the error must have.
var mistakes = []struct {
	name      string
	old, with string // in yolov5-mnv4-convsmall
	line      int
	layer     int // -1 outside the rows
	want      string
}{
	{"module misspelt", "SPPF", "SPFF", 15, 1, `unknown module "SPFF"; did you mean "SPPF"?`},
	{"backbone misspelt", "MobileNetV4ConvSmall, [", "MobileNetV4ConSmall, [", 14, 0, `did you mean "MobileNetV4ConvSmall"?`},
	{"module of another project", "SPPF", "Transmogrifier", 15, 1, `unknown module "Transmogrifier"; known are `},
	{"module that is not supported", "SPPF", "C3TR", 15, 1, "not supported: it holds a transformer"},
	{"module that is no name", "SPPF", "7", 15, 1, "the module is a name, not 7"},
	{"reference ahead", "[[-1, 3], 1, Concat", "[[-1, 17], 1, Concat", 21, 4, "from 17 names no layer before this one (index 8)"},
	{"reference to itself", "[[-1, 3], 1, Concat", "[[-1, 8], 1, Concat", 21, 4, "from 8 names no layer before"},
	{"reference far back", "[[-1, 3], 1, Concat", "[[-1, -9], 1, Concat", 21, 4, "from -9 names no layer before"},
	{"reference to the backbone's gap", "[[-1, 3], 1, Concat", "[[-1, 0], 1, Concat", 21, 4, "no feature map"},
	{"reference that is text", "[[-1, 3], 1, Concat", "[[-1, x], 1, Concat", 21, 4, "from is a layer's index"},
	{"no reference", "[[-1, 3], 1, Concat", "[[], 1, Concat", 21, 4, "from names no layer"},
	{"maps of different size", "[[-1, 3], 1, Concat", "[[-1, 1], 1, Concat", 21, 4, "differ beside dimension 0"},
	{"two inputs for one", "-1, 1, Conv, [512, 1, 1]", "[-1, 3], 1, Conv, [512, 1, 1]", 19, 2, "takes one input, has 2"},
	{"other dimension", "[[-1, 3], 1, Concat, [1]]", "[[-1, 3], 1, Concat, [2]]", 21, 4, "joins channels (dimension 1) only"},
	{"repeats of none", "-1, 3, C3, [512, False]", "-1, 0, C3, [512, False]", 22, 5, "number of repeats"},
	{"repeats beyond reason", "-1, 3, C3, [512, False]", "-1, 100000, C3, [512, False]", 22, 5, "number of repeats"},
	{"repeats with changing channels", "-1, 1, Conv, [512, 1, 1]", "-1, 9, Conv, [256, 1, 1]", 19, 2, "repeat 2 takes 512 channels and would get 128"},
	{"a row too short", "-1, 1, Conv, [512, 1, 1]", "-1, 1, Conv", 19, 2, "a row is [from, number, module, args]"},
	{"arguments that are no list", "Conv, [512, 1, 1]", "Conv, 512", 19, 2, "the arguments are a list"},
	{"arguments left out", "Conv, [512, 1, 1]", "Conv, []", 19, 2, "the number of output channels is missing"},
	{"arguments too many", "Conv, [512, 1, 1]", "Conv, [512, 1, 1, 0, 1, 1, True, 5]", 19, 2, "takes 8 arguments at most, has 9"},
	{"negative channels", "Conv, [512, 1, 1]", "Conv, [-512, 1, 1]", 19, 2, "the number of output channels is a whole number from 1"},
	{"channels beyond reason", "Conv, [512, 1, 1]", "Conv, [9999999999, 1, 1]", 19, 2, "the number of output channels"},
	{"channels that are text", "Conv, [512, 1, 1]", "Conv, [many, 1, 1]", 19, 2, "not 'many'"},
	{"kernel of zero", "Conv, [512, 1, 1]", "Conv, [512, 0, 1]", 19, 2, "kernel is a whole number from 1"},
	{"stride of a fraction", "Conv, [512, 1, 1]", "Conv, [512, 1, 1.5]", 19, 2, "stride is a whole number from 1"},
	{"groups that do not divide", "Conv, [512, 1, 1]", "Conv, [512, 1, 1, None, 7]", 19, 2, "do not divide into 7 groups"},
	{"activation unknown", "Conv, [512, 1, 1]", "Conv, [512, 1, 1, None, 1, 1, nn.Magic()]", 19, 2, "is no activation"},
	{"shortcut that is text", "C3, [512, False]", "C3, [512, maybe]", 22, 5, "shortcut is True or False"},
	{"a window that does not fit", "SPPF, [1024, 5]", "nn.MaxPool2d, [99]", 15, 1, "does not fit"},
	{"an even pool", "SPPF, [1024, 5]", "SPPF, [1024, 4]", 15, 1, "differ beside dimension"},
	{"upsampling by nothing", "nn.Upsample, [None, 2, 'nearest']", "nn.Upsample, [None, 0, 'nearest']", 20, 3, "scale_factor is a number above 0"},
	{"upsampling beyond reason", "nn.Upsample, [None, 2, 'nearest']", "nn.Upsample, [[16000, 16000]]", 20, 3, "more than"},
	{"upsampling in an unknown way", "'nearest'", "'bicubic'", 20, 3, "mode is 'nearest' or 'bilinear'"},
	{"backbone with arguments", "MobileNetV4ConvSmall, []", "MobileNetV4ConvSmall, [True]", 14, 0, "takes 0 arguments at most"},
	{"backbone in second place", "[-1, 1, SPPF, [1024, 5]]", "[-1, 1, MobileNetV4ConvSmall, []]", 15, 1, "must be the first row"},
	{"classes of zero", "nc: 80", "nc: 0", 4, -1, "nc is the number of classes"},
	{"classes as text", "nc: 80", "nc: eighty", 4, -1, "nc is the number of classes"},
	{"no nc", "nc: 80", "cn: 80", 4, -1, `key "nc" is missing`},
	{"no head", "head:", "heads:", 4, -1, `key "head" is missing`},
	{"negative width", "width_multiple: 0.50", "width_multiple: -0.5", 6, -1, "width_multiple is a number above 0"},
	{"huge width", "width_multiple: 0.50", "width_multiple: 1e9", 6, -1, "width_multiple is a number above 0"},
	{"width that is no number", "width_multiple: 0.50", "width_multiple: .nan", 6, -1, "width_multiple is a number above 0"},
	{"depth of text", "depth_multiple: 0.33", "depth_multiple: deep", 5, -1, "depth_multiple is a number above 0"},
	{"anchors of an odd number", "[30,61, 62,45, 59,119]", "[30,61, 62,45, 59]", 9, -1, "pairs of width and height"},
	{"anchors of unequal number", "[30,61, 62,45, 59,119]", "[30,61, 62,45]", 9, -1, "all levels need the same number"},
	{"anchors below zero", "[30,61, 62,45, 59,119]", "[30,61, 62,-45, 59,119]", 9, -1, "a width and a height in pixels"},
	{"anchors of fewer levels", "  - [30,61, 62,45, 59,119]  # P4, stride 16\n", "", 36, 16, "2 levels of anchors for 3 inputs"},
	{"a row behind the head", "[[13, 16, 19], 1, Detect, [nc, anchors]],", "[[13, 16, 19], 1, Detect, [nc, anchors]], [-1, 1, Conv, [8]]", 37, 17, "behind the head"},
	{"no detection at the end", "[[13, 16, 19], 1, Detect, [nc, anchors]],", "", 35, -1, "ends without Detect or Segment"},
	{"names of another number", "nc: 80", "names: [a, b]\nnc: 80", 0, -1, "2 class names for 80 classes"},
	{"a key twice", "nc: 80", "nc: 80\nnc: 81", 5, -1, "nc"},
	{"a bracket too few", "[1024, 5]]", "[1024, 5]", 0, -1, "this is not YAML"},
	{"an alias without anchor", "nc: 80", "nc: *n", 4, -1, "alias"},
	{"an activation of the network unknown", "nc: 80", "activation: nn.Nothing()\nnc: 80", 4, -1, "activation: "},
}

// TestMistakesAreNamed looks for file, line, row and reason.
func TestMistakesAreNamed(t *testing.T) {
	for _, c := range mistakes {
		t.Run(c.name, func(t *testing.T) {
			_, err := config.Load([]byte(replaced(t, "yolov5-mnv4-convsmall", c.old, c.with)), "best.yaml", config.Options{})
			var wrong *config.Error
			if !errors.As(err, &wrong) {
				t.Fatalf("%v is no *config.Error", err)
			}
			if wrong.File != "best.yaml" || c.line > 0 && wrong.Line != c.line || wrong.Layer != c.layer {
				t.Errorf("line %d, layer %d, want %d, %d: %v", wrong.Line, wrong.Layer, c.line, c.layer, err)
			}
			if !strings.HasPrefix(err.Error(), "best.yaml:") || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("error %q, want it to say %q in one line", err, c.want)
			}
		})
	}
}

// TestTextsThatAreNoNetwork has inputs of other kinds and sizes.
func TestTextsThatAreNoNetwork(t *testing.T) {
	for name, text := range map[string]string{
		"nothing":            "",
		"a comment":          "# nothing",
		"a number":           "7",
		"a list":             "[1, 2]",
		"too long":           strings.Repeat("#", 1<<16+1),
		"nested too deep":    strings.Repeat("[", 30000) + strings.Repeat("]", 30000),
		"dashes too deep":    strings.Repeat("- ", 30000),
		"lines too deep":     "a: [\n" + strings.Repeat("- ", 30) + strings.Repeat("[\n", 100),
		"aliases that swell": "a: &a [1,1,1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\n",
		"binary":             "PK\x03\x04\x00\x00\xff\xfe",
	} {
		var wrong *config.Error
		if g, err := config.Load([]byte(text), "x.yaml", config.Options{}); !errors.As(err, &wrong) {
			t.Errorf("%s gives %v, %v; want a *config.Error", name, g, err)
		} else if len(err.Error()) > 300 || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: an error of %d bytes: %.400q", name, len(err.Error()), err)
		}
	}
}

// TestOptionsThatAreWrong are named too.
func TestOptionsThatAreWrong(t *testing.T) {
	for _, c := range []struct {
		o    config.Options
		want string
	}{
		{config.Options{Scale: "xl"}, `scale "xl" is none of n, s, m, l, x`},
		{config.Options{Width: 100, Height: 96}, "must be multiples of 32"},
		{config.Options{Width: 96}, "must be multiples of 32"},
		{config.Options{Width: -64, Height: 64}, "must be multiples of 32"},
		{config.Options{Width: 1 << 20, Height: 64}, "must be multiples of 32"},
		{config.Options{NC: -1}, "-1 classes"},
		{config.Options{NC: 2, Classes: []string{"a"}}, "1 class names for 2 classes"},
		{config.Options{Backbone: &config.BackboneSpec{}}, "no map at stride 4"},
	} {
		_, err := config.Load([]byte(replaced(t, "yolov5-mnv4-convsmall", "nc", "nc")), "best.yaml", c.o)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v gives %v, want %q", c.o, err, c.want)
		}
	}
	if _, err := config.Builtin("yolov5-mnv4-convsmal"); err == nil || !strings.Contains(err.Error(), `did you mean "yolov5-mnv4-convsmall"?`) {
		t.Errorf("a misspelt built-in gives %v", err)
	}
}

// TestBlockTablesThatAreWrong are named with stage and block.
func TestBlockTablesThatAreWrong(t *testing.T) {
	const table = `conv0: [convbn, [[3, 8, 3, 2]]]
layer1: [convbn, [[8, 8, 3, 2]]]
layer2: [convbn, [[8, 8, 3, 2]]]
layer3: [uib, [[8, 16, 5, 5, True, 2, 3]]]
layer4: [uib, [[16, 16, 3, 3, True, 2, 6]]]
layer5: [convbn, [[16, 32, 1, 1]]]
`
	if _, err := config.ParseBackbone([]byte(table), "t.yaml"); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ old, with, want string }{
		{"[8, 16, 5", "[9, 16, 5", "t.yaml:4:16: layer3, block 0 (uib): takes 9 channels and would get 8"},
		{"5, True", "4, True", "middle kernel is an odd number, not 4"},
		{"[8, 16, 5, 5, True, 2, 3]", "[8, 16]", "takes 7 numbers, has 2"},
		{"[8, 16, 5, 5, True, 2, 3]", "x", "a block is a list of numbers"},
		{"uib, [[8", "uibs, [[8", "block 'uibs' is none of convbn, uib and fused_ib"},
		{"layer5", "layer6", `"layer6" is no stage`},
		{"layer5: [convbn, [[16, 32, 1, 1]]]", "", `key "layer5" is missing`},
		{"[convbn, [[16, 32, 1, 1]]]", "{block_name: convbn, num_blocks: 2, block_specs: [[16, 32, 1, 1]]}", "num_blocks is 2, but there are 1"},
		{"[[16, 32, 1, 1]]", "[]", "blocks are a list of lists"},
	} {
		_, err := config.ParseBackbone([]byte(strings.Replace(table, c.old, c.with, 1)), "t.yaml")
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s for %s gives %v, want %q", c.with, c.old, err, c.want)
		}
	}
}

// FuzzLoad looks for panics and for graphs whose shapes contradict themselves.
func FuzzLoad(f *testing.F) {
	for _, name := range config.BuiltinNames() {
		text, err := config.Builtin(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	for _, c := range mistakes {
		f.Add(replaced(f, "yolov5-mnv4-convsmall", c.old, c.with))
	}
	for _, row := range []string{"Focus, [16, 3]", "GhostConv, [16]", "C3Ghost, [16]", "SPP, [16]", "C3SPP, [16]", "CrossConv, [16]", "BottleneckCSP, [16]",
		"nn.ConvTranspose2d, [16, 2, 2]", "DWConvTranspose2d, [16, 2, 2]", "Contract, [2]", "nn.BatchNorm2d, []", "nn.MaxPool2d, [2, 2]", "nn.Identity, []"} {
		f.Add(around("[-1, 2, " + row + "]"))
	}
	f.Fuzz(func(t *testing.T, text string) {
		g, err := config.Load([]byte(text), "fuzz.yaml", config.Options{Width: 64, Height: 64})
		var wrong *config.Error
		switch {
		case err == nil && (len(g.Outputs) == 0 || len(g.Layers) == 0):
			t.Error("a network without outputs or layers")
		case err != nil && !errors.As(err, &wrong):
			t.Errorf("%v is no *config.Error", err)
		}
	})
}
