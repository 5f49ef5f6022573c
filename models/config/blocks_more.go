package config

import (
	"spotter/models"
)

// The rarer blocks of models/common.py.

func buildGhostConv(l *layer, name string, x *models.Value) *models.Value {
	// in, out, kernel, stride, groups, activation
	l.args.atMost(6)
	s := convSpec{
		out:    l.args.channels(1, "c2"),
		kernel: l.args.pair(2, "kernel", [2]int{1, 1}, 1, 255),
		stride: l.args.pair(3, "stride", [2]int{1, 1}, 1, 64),
		groups: l.args.number(4, "groups", 1, 1, maxChannels),
	}
	return l.ghostConv(name, x, s, l.args.activation(5, l.act))
}

// ghostConv computes half of the channels and derives the other half from it by a
// cheap depthwise 5x5.
func (b *builder) ghostConv(name string, x *models.Value, s convSpec, a activation) *models.Value {
	b.count(1)
	s.out = b.hidden(s.out, 0.5)
	y := b.conv(name+".cv1", x, s, a)
	z := b.conv(name+".cv2", y, square(s.out, 5, 1).in(s.out), a)
	return b.concat(name+".concat", y, z)
}

func buildGhostBottleneck(l *layer, name string, x *models.Value) *models.Value {
	// in, out, kernel, stride
	l.args.atMost(4)
	return l.ghostBottleneck(name, x, l.args.channels(1, "c2"),
		l.args.number(2, "kernel", 3, 1, 255), l.args.number(3, "stride", 1, 1, 64))
}

func (b *builder) ghostBottleneck(name string, x *models.Value, out, kernel, stride int) *models.Value {
	b.count(2) // the block and its Sequential
	hidden := b.hidden(out, 0.5)
	y := b.ghostConv(name+".conv.0", x, square(hidden, 1, 1), b.own())
	if stride == 2 {
		y = b.conv(name+".conv.1", y, square(hidden, kernel, stride).in(hidden), activation{})
	} else {
		b.count(1) // Identity
	}
	y = b.ghostConv(name+".conv.2", y, square(out, 1, 1), activation{})
	b.count(1) // the shortcut: Identity or Sequential
	if stride == 2 {
		x = b.conv(name+".shortcut.0", x, square(x.Shape[0], kernel, stride).in(x.Shape[0]), activation{})
		x = b.conv(name+".shortcut.1", x, square(out, 1, 1), activation{})
	}
	return b.add(name+".add", y, x)
}

// crossConv is a row of pixels, then a column.
type crossConv struct {
	out, kernel, stride, groups int
	expansion                   float64
	shortcut                    bool
}

func buildCrossConv(l *layer, name string, x *models.Value) *models.Value {
	// in, out, kernel, stride, groups, expansion, shortcut
	l.args.atMost(7)
	return l.cross(name, x, crossConv{
		out:       l.args.channels(1, "c2"),
		kernel:    l.args.number(2, "kernel", 3, 1, 255),
		stride:    l.args.number(3, "stride", 1, 1, 64),
		groups:    l.args.number(4, "groups", 1, 1, maxChannels),
		expansion: l.args.ratio(5, "expansion", 1),
		shortcut:  l.args.truth(6, "shortcut", false),
	})
}

func (b *builder) cross(name string, x *models.Value, s crossConv) *models.Value {
	b.count(1)
	hidden := b.hidden(s.out, s.expansion)
	row := convSpec{out: hidden, kernel: [2]int{1, s.kernel}, stride: [2]int{1, s.stride}}
	column := convSpec{out: s.out, kernel: [2]int{s.kernel, 1}, stride: [2]int{s.stride, 1}, groups: s.groups}
	y := b.plain(name+".cv2", b.plain(name+".cv1", x, row), column)
	if s.shortcut && x.Shape[0] == s.out {
		y = b.add(name+".add", x, y)
	}
	return y
}

// buildBottleneckCSP is C3's forerunner: bare convolutions around the chain, one
// BatchNorm behind the join.
func buildBottleneckCSP(l *layer, name string, x *models.Value) *models.Value {
	c := l.csp()
	l.count(2) // the block and the chain's Sequential
	y := l.plain(name+".cv1", x, square(c.inner.out, 1, 1))
	for i := range c.number {
		y = l.bottleneck(name+".m."+intValue(i).String(), y, c.inner)
	}
	y = l.conv2d(name+".cv3", y, square(c.inner.out, 1, 1))
	z := l.conv2d(name+".cv2", x, square(c.inner.out, 1, 1))
	y = l.batchNorm(name+".bn", l.concat(name+".concat", y, z))
	y = l.activate(name+".act", activation{Activation: models.Activation{Kind: models.ActSiLU}}, y)
	return l.plain(name+".cv4", y, square(c.out, 1, 1))
}

func buildConvTranspose(l *layer, name string, x *models.Value) *models.Value {
	// in, out, kernel, stride, padding, output padding, groups, bias
	l.args.atMost(8)
	return l.convTranspose(name, x, l.args.number(6, "groups", 1, 1, maxChannels), l.args.truth(7, "bias", true))
}

func buildDWConvTranspose(l *layer, name string, x *models.Value) *models.Value {
	// in, out, kernel, stride, padding, output padding
	l.args.atMost(6)
	return l.convTranspose(name, x, gcd(x.Shape[0], l.args.channels(1, "c2")), true)
}

func (l *layer) convTranspose(name string, x *models.Value, groups int, bias bool) *models.Value {
	l.count(1)
	pad := l.args.pair(4, "padding", [2]int{}, 0, 256)
	op := &models.ConvTranspose{
		Out:    l.args.channels(1, "c2"),
		Kernel: l.args.pair(2, "kernel", [2]int{1, 1}, 1, 255),
		Stride: l.args.pair(3, "stride", [2]int{1, 1}, 1, 64),
		Pad:    [4]int{pad[0], pad[1], pad[0], pad[1]},
		OutPad: l.args.pair(5, "output padding", [2]int{}, 0, 63),
		Groups: groups, Weight: name + ".weight",
	}
	if bias {
		op.Bias = name + ".bias"
	}
	return l.node(name, op, x)
}

// buildUpsample takes a size or a scale factor, and nearest or bilinear.
func buildUpsample(l *layer, name string, x *models.Value) *models.Value {
	// size, scale_factor, mode, align_corners
	l.args.atMost(4)
	l.count(1)
	op := &models.Resize{Mode: "nearest"}
	if mode, ok := l.args.at(2); ok {
		switch mode.text {
		case "nearest":
		case "bilinear":
			op.Mode = "linear"
		default:
			l.args.fail("mode is 'nearest' or 'bilinear', not %v", mode)
		}
	}
	if corner, ok := l.args.at(3); ok && corner.kind != none {
		op.Corner = l.args.truth(3, "align_corners", false)
	}
	if size, ok := l.args.at(0); ok && size.kind != none {
		op.Size = l.args.pair(0, "size", [2]int{1, 1}, 1, maxInput)
		return l.node(name, op, x)
	}
	factor := float32(l.args.ratio(1, "scale_factor", 0))
	if factor == 0 {
		l.args.fail("needs a size or a scale_factor")
		factor = 1
	}
	op.Scale = [2]float32{factor, factor}
	return l.node(name, op, x)
}

func buildBatchNorm(l *layer, name string, x *models.Value) *models.Value {
	l.args.list = []value{intValue(x.Shape[0])}
	return l.batchNorm(name, x)
}

func buildIdentity(l *layer, _ string, x *models.Value) *models.Value {
	l.count(1)
	return x
}

func buildMaxPool(l *layer, name string, x *models.Value) *models.Value {
	// kernel, stride, padding
	l.args.atMost(3)
	l.count(1)
	kernel := l.args.pair(0, "kernel", [2]int{1, 1}, 1, 255)
	stride := l.args.pair(1, "stride", kernel, 1, 64)
	pad := l.args.pair(2, "padding", [2]int{}, 0, 127)
	return l.node(name, &models.MaxPool{Kernel: kernel, Stride: stride, Pad: [4]int{pad[0], pad[1], pad[0], pad[1]}}, x)
}

func listConcat(l *layer) []*models.Value {
	// dimension, of batch, channels, height and width
	l.args.atMost(1)
	if d := l.args.number(0, "dimension", 1, -3, 3); d != 1 && d != -3 {
		return []*models.Value{l.fail("joins channels (dimension 1) only, not dimension %d", d)}
	}
	l.count(1)
	return []*models.Value{l.concat(l.name, l.in...)}
}
