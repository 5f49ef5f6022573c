package config_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"spotter/models"
	"spotter/models/config"
)

// around puts rows in front of a head with one level on the last of them.
func around(rows ...string) string {
	return fmt.Sprintf(`nc: 2
depth_multiple: 1.0
width_multiple: 1.0
anchors: [[10,13, 16,30]]
backbone: [%s]
head: [[[-1], 1, Detect, [nc, anchors]]]
`, strings.Join(rows, ", "))
}

func loadText(text string) (*models.Graph, error) {
	return config.Load([]byte(text), "net.yaml", config.Options{Width: 64, Height: 64})
}

// TestRarerModules compares output shape, parameters, printed arguments and the names of
// all weights (without model.1. and .weight; BatchNorm's stand for themselves).
func TestRarerModules(t *testing.T) {
	bn := func(channels ...int) (n int) { // parameters of convolutions' BatchNorms
		for _, c := range channels {
			n += 2 * c
		}
		return n
	}
	for _, c := range []struct {
		row    string // on a map of 16 channels, 32 x 32
		shape  models.Shape
		params int
		args   string
		convs  string
	}{
		{"[-1, 1, DWConv, [32, 3, 2]]", models.Shape{32, 16, 16}, 32*9 + bn(32), "[16, 32, 3, 2]", "conv"},
		{"[-1, 1, Conv, [8, [1, 3], 1, [0, 1], 2, 1, nn.LeakyReLU(0.1)]]", models.Shape{8, 32, 32}, 8*8*3 + bn(8), "[16, 8, [1, 3], 1, [0, 1], 2, 1, 'nn.LeakyReLU(0.1)']", "conv"},
		{"[-1, 1, Conv, [8, 3, 1, None, 1, 2, False]]", models.Shape{8, 32, 32}, 8*16*9 + bn(8), "[16, 8, 3, 1, None, 1, 2, False]", "conv"},
		{"[-1, 1, Focus, [24, 3]]", models.Shape{24, 16, 16}, 24*64*9 + bn(24), "[16, 24, 3]", "conv.conv"},
		{"[-1, 1, Contract, [2]]", models.Shape{64, 16, 16}, 0, "[2]", ""},
		{"[-1, 1, GhostConv, [32, 1, 1]]", models.Shape{32, 32, 32}, 16*16 + 16*25 + bn(16, 16), "[16, 32, 1, 1]", "cv1.conv cv2.conv"},
		{"[-1, 1, GhostBottleneck, [32, 3, 2]]", models.Shape{32, 16, 16},
			8*16 + 8*25 + 16*9 + 16*16 + 16*25 + 16*9 + 16*32 + bn(8, 8, 16, 16, 16, 16, 32), "[16, 32, 3, 2]",
			"conv.0.cv1.conv conv.0.cv2.conv conv.1.conv conv.2.cv1.conv conv.2.cv2.conv shortcut.0.conv shortcut.1.conv"},
		{"[-1, 1, C3Ghost, [16]]", models.Shape{16, 32, 32},
			2*8*16 + 16*16 + 2*8 + 2*25 + 4*4 + 4*25 + bn(8, 8, 16, 2, 2, 4, 4), "[16, 16, 1]",
			"cv1.conv m.0.conv.0.cv1.conv m.0.conv.0.cv2.conv m.0.conv.2.cv1.conv m.0.conv.2.cv2.conv cv2.conv cv3.conv"},
		{"[-1, 1, SPP, [24, [3, 5]]]", models.Shape{24, 32, 32}, 8*16 + 24*24 + bn(8, 24), "[16, 24, [3, 5]]", "cv1.conv cv2.conv"},
		{"[-1, 1, C3SPP, [16, [3, 5]]]", models.Shape{16, 32, 32}, 2*8*16 + 16*16 + 4*8 + 12*8 + bn(8, 8, 16, 4, 8), "[16, 16, [3, 5]]",
			"cv1.conv m.cv1.conv m.cv2.conv cv2.conv cv3.conv"},
		{"[-1, 2, Bottleneck, [16]]", models.Shape{16, 32, 32}, 2 * (8*16 + 16*8*9 + bn(8, 16)), "[16, 16]",
			"0.cv1.conv 0.cv2.conv 1.cv1.conv 1.cv2.conv"},
		{"[-1, 1, BottleneckCSP, [16]]", models.Shape{16, 32, 32}, 8*16 + 8*8 + 8*8*9 + 8*8 + 8*16 + 16*16 + bn(8, 8, 8, 16, 16), "[16, 16, 1]",
			"cv1.conv m.0.cv1.conv m.0.cv2.conv cv3 cv2 cv4.conv"},
		{"[-1, 1, C3x, [16]]", models.Shape{16, 32, 32}, 2*8*16 + 16*16 + 2*8*8*3 + bn(8, 8, 16, 8, 8), "[16, 16, 1]",
			"cv1.conv m.0.cv1.conv m.0.cv2.conv cv2.conv cv3.conv"},
		{"[-1, 1, CrossConv, [16, 3, 2]]", models.Shape{16, 16, 16}, 2*16*16*3 + bn(16, 16), "[16, 16, 3, 2]", "cv1.conv cv2.conv"},
		{"[-1, 1, nn.ConvTranspose2d, [24, 4, 2, 1]]", models.Shape{24, 64, 64}, 16*24*16 + 24, "[16, 24, 4, 2, 1]", ""},
		{"[-1, 1, DWConvTranspose2d, [16, 2, 2]]", models.Shape{16, 64, 64}, 16*4 + 16, "[16, 16, 2, 2]", ""},
		{"[-1, 1, nn.Upsample, [None, 2, 'bilinear', True]]", models.Shape{16, 64, 64}, 0, "[None, 2, 'bilinear', True]", ""},
		{"[-1, 1, nn.MaxPool2d, [2]]", models.Shape{16, 16, 16}, 0, "[2]", ""},
		{"[-1, 1, nn.BatchNorm2d, []]", models.Shape{16, 32, 32}, 32, "[16]", ""},
		{"[-1, 1, nn.Identity, []]", models.Shape{16, 32, 32}, 0, "[]", ""},
		{"[-1, 1, models.common.Conv, [8]]", models.Shape{8, 32, 32}, 8*16 + bn(8), "[16, 8]", "conv"},
	} {
		g, err := loadText(around("[-1, 1, Conv, [16, 3, 2]]", c.row))
		if err != nil {
			t.Errorf("%s: %v", c.row, err)
			continue
		}
		l := g.Layers[1]
		if !slices.Equal(l.Out[0].Shape, c.shape) || l.Params != c.params || l.Args != c.args || convs(g) != c.convs {
			t.Errorf("%s: %v, %d parameters, arguments %s, convolutions %s\nwant %v, %d, %s, %s",
				c.row, l.Out[0].Shape, l.Params, l.Args, convs(g), c.shape, c.params, c.args, c.convs)
		}
	}
}

// convs names the weights of the convolutions in row 1.
func convs(g *models.Graph) string {
	var names []string
	for _, n := range g.Nodes {
		if op, ok := n.Op.(*models.Conv); ok && n.Layer == 1 {
			names = append(names, strings.TrimPrefix(strings.TrimSuffix(op.Weight, ".weight"), "model.1."))
		}
	}
	return strings.Join(names, " ")
}

// TestYOLOv5sOfVersion5 has Focus and SPP; its published total is 7,276,605 parameters.
func TestYOLOv5sOfVersion5(t *testing.T) {
	text := `
nc: 80
depth_multiple: 0.33
width_multiple: 0.50
anchors: [[10,13, 16,30, 33,23], [30,61, 62,45, 59,119], [116,90, 156,198, 373,326]]
backbone:
  - [-1, 1, Focus, [64, 3]]
  - [-1, 1, Conv, [128, 3, 2]]
  - [-1, 3, C3, [128]]
  - [-1, 1, Conv, [256, 3, 2]]
  - [-1, 9, C3, [256]]
  - [-1, 1, Conv, [512, 3, 2]]
  - [-1, 9, C3, [512]]
  - [-1, 1, Conv, [1024, 3, 2]]
  - [-1, 1, SPP, [1024, [5, 9, 13]]]
  - [-1, 3, C3, [1024, False]]
head:
  - [-1, 1, Conv, [512, 1, 1]]
  - [-1, 1, nn.Upsample, [None, 2, 'nearest']]
  - [[-1, 6], 1, Concat, [1]]
  - [-1, 3, C3, [512, False]]
  - [-1, 1, Conv, [256, 1, 1]]
  - [-1, 1, nn.Upsample, [None, 2, 'nearest']]
  - [[-1, 4], 1, Concat, [1]]
  - [-1, 3, C3, [256, False]]
  - [-1, 1, Conv, [256, 3, 2]]
  - [[-1, 14], 1, Concat, [1]]
  - [-1, 3, C3, [512, False]]
  - [-1, 1, Conv, [512, 3, 2]]
  - [[-1, 10], 1, Concat, [1]]
  - [-1, 3, C3, [1024, False]]
  - [[17, 20, 23], 1, Detect, [nc, anchors]]
`
	g, err := loadText(text)
	if err != nil {
		t.Fatal(err)
	}
	total := 0
	for _, l := range g.Layers {
		total += l.Params
	}
	if total != 7276605 {
		t.Errorf("%d parameters, want 7276605", total)
	}
}

// TestFocusOrder checks which pixels become which channels: rows alternate fastest.
func TestFocusOrder(t *testing.T) {
	g, err := loadText(around("[-1, 1, Focus, [16]]"))
	if err != nil {
		t.Fatal(err)
	}
	var order [][2]int
	for _, v := range g.Nodes[8].In {
		columns := v.From
		rows := columns.In[0].From
		order = append(order, [2]int{rows.Op.(*models.Slice).Start, columns.Op.(*models.Slice).Start})
	}
	if want := [][2]int{{0, 0}, {1, 0}, {0, 1}, {1, 1}}; !slices.Equal(order, want) {
		t.Errorf("row and column starts %v, want %v", order, want)
	}
}

// TestActivationOfTheNetwork replaces the SiLU of all convolutions.
func TestActivationOfTheNetwork(t *testing.T) {
	for text, want := range map[string]models.Activation{
		"nn.ReLU()":             {Kind: models.ActReLU},
		"nn.ReLU(inplace=True)": {Kind: models.ActReLU},
		"nn.LeakyReLU(0.1)":     {Kind: models.ActLeakyReLU, Lo: 0.1},
		"nn.Hardswish()":        {Kind: models.ActHardSwish},
		"torch.nn.ReLU6()":      {Kind: models.ActReLU6},
	} {
		g, err := loadText("activation: " + text + "\n" + around("[-1, 1, C3, [16]]"))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		for _, n := range g.Nodes {
			if a, ok := n.Op.(*models.Activation); ok && *a != want {
				t.Errorf("%s: %s is %+v, want %+v", text, n.Name, *a, want)
			}
		}
	}
}

// TestWaysToWrite covers class names, anchors as a number, aliases and JSON.
func TestWaysToWrite(t *testing.T) {
	text := around("[-1, 1, Conv, [16, 3, 2]]")
	named, err := loadText(text + "names: {0: cat, 1: dog}\n")
	if err != nil || !slices.Equal(named.Classes, []string{"cat", "dog"}) {
		t.Errorf("names as a mapping: %v, %v", named, err)
	}
	counted, err := loadText(strings.Replace(text, "[[10,13, 16,30]]", "4", 1))
	if err != nil || len(counted.Head.Levels[0].Anchors) != 4 || counted.Outputs[0].Shape[0] != 4*7 {
		t.Errorf("anchors as a number: %v", err)
	}
	alias, err := loadText(strings.Replace(text, "[[-1, 1, Conv, [16, 3, 2]]]", "[[-1, 1, Conv, &a [16, 3, 2]], [-1, 1, Conv, *a]]", 1))
	if err != nil || len(alias.Layers) != 3 || alias.Layers[1].Args != "[16, 16, 3, 2]" {
		t.Errorf("an alias: %v", err)
	}
	json := `{"nc": 1, "depth_multiple": 1, "width_multiple": 1, "anchors": [[1, 2]],
	  "backbone": [[-1, 1, "Conv", [8, 1]]], "head": [[[-1], 1, "Detect", ["nc", "anchors"]]]}`
	if _, err := loadText(json); err != nil {
		t.Errorf("JSON: %v", err)
	}
}
