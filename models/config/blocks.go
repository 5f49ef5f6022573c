package config

import (
	"math"

	"spotter/models"
)

// Blocks of YOLOv5's models/common.py, by their layer names.

func buildConv(l *layer, name string, x *models.Value) *models.Value {
	// in, out, kernel, stride, padding, groups, dilation, activation
	l.args.atMost(8)
	s := convSpec{
		out:      l.args.channels(1, "c2"),
		kernel:   l.args.pair(2, "kernel", [2]int{1, 1}, 1, 255),
		stride:   l.args.pair(3, "stride", [2]int{1, 1}, 1, 64),
		pad:      l.args.padding(4, "padding"),
		groups:   l.args.number(5, "groups", 1, 1, maxChannels),
		dilation: l.args.number(6, "dilation", 1, 1, 64),
	}
	return l.conv(name, x, s, l.args.activation(7, l.act))
}

func buildDWConv(l *layer, name string, x *models.Value) *models.Value {
	// in, out, kernel, stride, dilation, activation
	l.args.atMost(6)
	out := l.args.channels(1, "c2")
	s := convSpec{
		out:      out,
		kernel:   l.args.pair(2, "kernel", [2]int{1, 1}, 1, 255),
		stride:   l.args.pair(3, "stride", [2]int{1, 1}, 1, 64),
		groups:   gcd(x.Shape[0], out),
		dilation: l.args.number(4, "dilation", 1, 1, 64),
	}
	return l.conv(name, x, s, l.args.activation(5, l.act))
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// buildFocus takes every second pixel in both directions: four pictures of half the size.
func buildFocus(l *layer, name string, x *models.Value) *models.Value {
	// in, out, kernel, stride, padding, groups, activation
	l.args.atMost(7)
	s := convSpec{
		out:    l.args.channels(1, "c2"),
		kernel: l.args.pair(2, "kernel", [2]int{1, 1}, 1, 255),
		stride: l.args.pair(3, "stride", [2]int{1, 1}, 1, 64),
		pad:    l.args.padding(4, "padding"),
		groups: l.args.number(5, "groups", 1, 1, maxChannels),
	}
	l.count(1)
	act := l.args.activation(6, l.act)
	var parts []*models.Value
	for i, at := range [4][2]int{{0, 0}, {1, 0}, {0, 1}, {1, 1}} {
		parts = append(parts, l.every(name+".slice"+intValue(i).String(), x, at, 2))
	}
	return l.conv(name+".conv", l.concat(name+".concat", parts...), s, act)
}

// every takes each step-th row and column from a start on.
func (b *builder) every(name string, x *models.Value, start [2]int, step int) *models.Value {
	for i, axis := range []string{".rows", ".columns"} {
		x = b.node(name+axis, &models.Slice{Axis: i + 1, Start: start[i], End: math.MaxInt32, Step: step}, x)
	}
	return x
}

// buildContract folds squares of pixels into channels.
func buildContract(l *layer, name string, x *models.Value) *models.Value {
	l.args.atMost(1)
	gain := l.args.number(0, "gain", 2, 1, 16)
	l.count(1)
	if x.Shape[1]%gain != 0 || x.Shape[2]%gain != 0 {
		return l.fail("a map of %v does not divide into squares of %d", []int(x.Shape), gain)
	}
	var parts []*models.Value
	for i := range gain * gain {
		at := [2]int{i / gain, i % gain}
		parts = append(parts, l.every(name+".slice"+intValue(i).String(), x, at, gain))
	}
	return l.concat(name+".concat", parts...)
}

// bottleneck is 1x1 then 3x3, with the input added where asked and possible.
type bottleneck struct {
	out       int
	shortcut  bool
	groups    int
	expansion float64
}

func (b *builder) bottleneck(name string, x *models.Value, s bottleneck) *models.Value {
	b.count(1)
	hidden := b.hidden(s.out, s.expansion)
	y := b.plain(name+".cv1", x, square(hidden, 1, 1))
	y = b.plain(name+".cv2", y, square(s.out, 3, 1).in(s.groups))
	if s.shortcut && x.Shape[0] == s.out {
		y = b.add(name+".add", x, y)
	}
	return y
}

// hidden is the number of channels inside a block.
func (b *builder) hidden(out int, expansion float64) int {
	h := int(float64(out) * expansion)
	if h < 1 || h > maxChannels {
		b.fail("%d output channels with expansion %v leave %d channels inside", out, expansion, h)
		return 1
	}
	return h
}

func buildBottleneck(l *layer, name string, x *models.Value) *models.Value {
	// in, out, shortcut, groups, expansion
	l.args.atMost(5)
	return l.bottleneck(name, x, bottleneck{
		out:       l.args.channels(1, "c2"),
		shortcut:  l.args.truth(2, "shortcut", true),
		groups:    l.args.number(3, "groups", 1, 1, maxChannels),
		expansion: l.args.ratio(4, "expansion", 0.5),
	})
}

// csp holds the arguments that the CSP blocks share: in, out, number, shortcut, groups, expansion.
type csp struct {
	out, number int
	inner       bottleneck
}

func (l *layer) csp() csp {
	l.args.atMost(6)
	c := csp{out: l.args.channels(1, "c2"), number: l.args.number(2, "number", 1, 1, maxRepeat)}
	shortcut := l.args.truth(3, "shortcut", true)
	groups := l.args.number(4, "groups", 1, 1, maxChannels)
	hidden := l.hidden(c.out, l.args.ratio(5, "expansion", 0.5))
	c.inner = bottleneck{out: hidden, shortcut: shortcut, groups: groups, expansion: 1}
	return c
}

// c3 runs a chain in one of two branches and joins both: cv3(chain(cv1(x)), cv2(x)).
func (l *layer) c3(name string, x *models.Value, c csp, block func(name string, x *models.Value) *models.Value) *models.Value {
	l.count(2) // C3 and the chain's Sequential
	y := l.plain(name+".cv1", x, square(c.inner.out, 1, 1))
	for i := range c.number {
		y = block(name+".m."+intValue(i).String(), y)
	}
	z := l.plain(name+".cv2", x, square(c.inner.out, 1, 1))
	return l.plain(name+".cv3", l.concat(name+".concat", y, z), square(c.out, 1, 1))
}

func buildC3(l *layer, name string, x *models.Value) *models.Value {
	c := l.csp()
	return l.c3(name, x, c, func(name string, x *models.Value) *models.Value {
		return l.bottleneck(name, x, c.inner)
	})
}

func buildC3x(l *layer, name string, x *models.Value) *models.Value {
	c := l.csp()
	return l.c3(name, x, c, func(name string, x *models.Value) *models.Value {
		return l.cross(name, x, crossConv{out: c.inner.out, kernel: 3, stride: 1, groups: c.inner.groups, expansion: 1, shortcut: c.inner.shortcut})
	})
}

func buildC3Ghost(l *layer, name string, x *models.Value) *models.Value {
	c := l.csp()
	return l.c3(name, x, c, func(name string, x *models.Value) *models.Value {
		return l.ghostBottleneck(name, x, c.inner.out, 3, 1)
	})
}

// buildC3SPP has its pool sizes where C3 has its number; the chain is one SPP.
func buildC3SPP(l *layer, name string, x *models.Value) *models.Value {
	sizes := l.args.kernels(2, "kernels", 5, 9, 13)
	rest := *l
	rest.args.list = append([]value(nil), l.args.list...)
	if len(rest.args.list) > 2 {
		rest.args.list = append(rest.args.list[:2], rest.args.list[3:]...)
	}
	c := rest.csp()
	if rest.args.err != nil {
		l.args.fail("%w", rest.args.err)
	}
	c.number = 1
	l.count(-1) // the SPP is the chain, there is no Sequential
	return l.c3(name, x, c, func(_ string, x *models.Value) *models.Value {
		return l.spp(name+".m", x, c.inner.out, sizes)
	})
}

// buildSPP pools with several windows side by side.
func buildSPP(l *layer, name string, x *models.Value) *models.Value {
	l.args.atMost(3)
	return l.spp(name, x, l.args.channels(1, "c2"), l.args.kernels(2, "kernels", 5, 9, 13))
}

func (l *layer) spp(name string, x *models.Value, out int, sizes []int) *models.Value {
	l.count(2 + len(sizes)) // SPP, ModuleList, pools
	x = l.plain(name+".cv1", x, square(max(x.Shape[0]/2, 1), 1, 1))
	parts := []*models.Value{x}
	for i, k := range sizes {
		parts = append(parts, l.maxPool(name+".m."+intValue(i).String(), x, k, 1, k/2))
	}
	return l.plain(name+".cv2", l.concat(name+".concat", parts...), square(out, 1, 1))
}

// buildSPPF chains one pool three times, which covers the windows of SPP.
func buildSPPF(l *layer, name string, x *models.Value) *models.Value {
	l.args.atMost(3)
	out := l.args.channels(1, "c2")
	k := l.args.number(2, "kernel", 5, 1, 99)
	l.count(2) // SPPF and its pool
	x = l.plain(name+".cv1", x, square(max(x.Shape[0]/2, 1), 1, 1))
	parts := []*models.Value{x}
	for i := range 3 {
		parts = append(parts, l.maxPool(name+".m."+intValue(i).String(), parts[i], k, 1, k/2))
	}
	return l.plain(name+".cv2", l.concat(name+".concat", parts...), square(out, 1, 1))
}
