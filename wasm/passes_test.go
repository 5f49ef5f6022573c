package wasm_test

import (
	"slices"
	"testing"

	"spotter/models"
	"spotter/wasm"
	"spotter/wasm/ir"
	"spotter/wasm/plan"
	"spotter/wasm/run"
)

// prepare lowers a test's graph and applies the passes.
func (n *net) prepare(outputs ...*models.Value) *ir.Program {
	n.t.Helper()
	n.g.Outputs = outputs
	p, err := wasm.Prepare(n.g, n.w, wasm.Options{})
	if err != nil {
		n.t.Fatal(err)
	}
	return p
}

// expect checks the number of steps that run, and the result against the reference.
func (n *net) expect(steps int, outputs ...*models.Value) {
	n.t.Helper()
	if got := n.check(outputs...); got != steps {
		var ops []string
		for _, s := range n.prepare(outputs...).Steps {
			if !s.View {
				ops = append(ops, s.Op.OpName())
			}
		}
		n.t.Errorf("%d steps run, want %d: %v", got, steps, ops)
	}
}

func (n *net) norm(x *models.Value) *models.Value {
	id := x.Name
	return n.add(&models.BatchNorm{Weight: "g" + id, Bias: "b" + id, Mean: "m" + id, Var: "var" + id, Eps: 1e-3}, x)
}

func TestDropDead(t *testing.T) {
	n, x := newNet(t, 8, 8)
	y := n.conv(x, 4, 3, 1)
	n.act(n.conv(y, 4, 1, 1), models.ActReLU) // nothing reads it
	n.expect(1, y)
}

func TestFoldNormalisation(t *testing.T) {
	n, x := newNet(t, 8, 8)
	y := n.add(&models.Scale{Weight: "layer scale"}, n.norm(n.conv(x, 6, 3, 2)))
	z := n.norm(n.norm(n.act(y, models.ActReLU))) // two of them behind something else become one
	z = n.norm(n.add(&models.ConvTranspose{Out: 6, Kernel: [2]int{2, 2}, Stride: [2]int{2, 2}, Weight: "t"}, z))
	n.expect(3, z)
}

func TestNormalisationStaysWhereTheConvolutionIsReadTwice(t *testing.T) {
	n, x := newNet(t, 8, 8)
	y := n.conv(x, 6, 3, 1)
	n.expect(2, y, n.norm(y))
}

func TestFuseActivations(t *testing.T) {
	for _, kind := range []models.ActKind{models.ActReLU, models.ActReLU6, models.ActSiLU, models.ActHardSwish, models.ActGELU} {
		n, x := newNet(t, 8, 8)
		y := n.act(n.conv(x, 6, 3, 1), kind)
		y = n.act(n.add(&models.Conv{Out: 6, Kernel: [2]int{3, 3}, Stride: [2]int{1, 1}, Pad: [4]int{1, 1, 1, 1}, Groups: 6, Weight: "dw"}, y), kind)
		y = n.act(n.conv(y, 6, 1, 1), kind)
		n.expect(3, y)
	}
}

func TestRecogniseActivations(t *testing.T) {
	n, x := newNet(t, 8, 8)
	y := n.conv(x, 6, 3, 1)
	y = n.add(&models.Binary{Kind: models.Mul}, y, n.act(y, models.ActSigmoid))
	z := n.conv(y, 6, 1, 1)
	gate := n.add(&models.Activation{Kind: models.ActHardSigmoid, Lo: 1.0 / 6, Hi: 0.5}, z)
	z = n.add(&models.Binary{Kind: models.Mul}, gate, z)
	w := n.conv(z, 6, 1, 1)
	w = n.add(&models.Binary{Kind: models.Mul}, w, n.act(z, models.ActSigmoid)) // not its own gate
	n.expect(5, w)
}

func TestFuseResiduals(t *testing.T) {
	n, x := newNet(t, 8, 8)
	a := n.conv(x, 6, 3, 1)
	b := n.sum(a, n.act(n.conv(a, 6, 3, 1), models.ActSiLU))
	c := n.sum(n.conv(b, 6, 1, 1), b)
	d := n.sum(c, n.add(&models.Conv{Out: 6, Kernel: [2]int{3, 3}, Stride: [2]int{1, 1}, Pad: [4]int{1, 1, 1, 1}, Groups: 6, Weight: "dw"}, c))
	e := n.sum(n.conv(d, 6, 1, 1), n.conv(d, 6, 3, 1)) // the later one adds
	n.expect(6, e)
}

func TestResidualStaysWhereTheConvolutionIsReadTwice(t *testing.T) {
	n, x := newNet(t, 8, 8)
	a := n.conv(x, 6, 3, 1)
	b := n.conv(a, 6, 1, 1)
	n.expect(3, b, n.sum(a, b))
}

func TestHoistPointwise(t *testing.T) {
	n, x := newNet(t, 8, 8)
	y := n.conv(x, 6, 3, 1)
	up := n.add(&models.Resize{Scale: [2]float32{2, 2}, Mode: "nearest"}, y)
	out := n.act(n.conv(up, 5, 1, 1), models.ActSiLU)
	p := n.prepare(out)
	if shape := p.Steps[1].Out.Shape; !slices.Equal(shape, models.Shape{5, 8, 8}) {
		t.Errorf("the pointwise convolution computes %v, want it before the upsampling", shape)
	}
	n.expect(3, out)
}

// TestSplitJoins has the head's way up: an upsampled map joined with a larger one in
// front of a C3 block. The upsampling is never computed.
func TestSplitJoins(t *testing.T) {
	for order := range 2 {
		n, x := newNet(t, 16, 16)
		large := n.conv(x, 6, 3, 1)
		small := n.conv(large, 4, 3, 2)
		in := []*models.Value{n.add(&models.Resize{Scale: [2]float32{2, 2}, Mode: "nearest"}, small), large}
		if order == 1 {
			slices.Reverse(in)
		}
		join := n.concat(in...)
		a, b := n.act(n.conv(join, 4, 1, 1), models.ActSiLU), n.act(n.conv(join, 4, 1, 1), models.ActSiLU)
		m := n.conv(n.conv(a, 4, 1, 1), 4, 3, 1)
		n.expect(7, n.conv(n.concat(m, b), 8, 1, 1), small)

		n, x = newNet(t, 16, 16) // three parts: two stay joined
		large = n.conv(x, 6, 3, 1)
		small = n.conv(large, 4, 3, 2)
		up := n.add(&models.Resize{Scale: [2]float32{2, 2}, Mode: "nearest"}, small)
		n.expect(5, n.act(n.conv(n.concat(large, up, n.conv(x, 5, 3, 1)), 8, 1, 1), models.ActReLU))
	}
}

func TestJoinThatIsReadTwiceStays(t *testing.T) {
	n, x := newNet(t, 16, 16)
	large := n.conv(x, 6, 3, 1)
	up := n.add(&models.Resize{Scale: [2]float32{2, 2}, Mode: "nearest"}, n.conv(large, 4, 3, 2))
	join := n.concat(up, large)
	n.expect(5, n.conv(join, 4, 1, 1), n.conv(join, 4, 3, 1))
}

// TestLateActivations has ResNet's block: the activation follows the sum.
func TestLateActivations(t *testing.T) {
	n, x := newNet(t, 16, 16)
	a := n.conv(x, 6, 3, 1)
	b := n.act(n.sum(n.conv(n.conv(a, 7, 3, 1), 6, 1, 1), a), models.ActReLU)
	thin := &models.Conv{Out: 9, Kernel: [2]int{1, 1}, Stride: [2]int{2, 2}, Groups: 1, Weight: "thin"}
	c := n.act(n.sum(n.conv(n.conv(b, 4, 3, 2), 9, 1, 1), n.add(thin, b)), models.ActReLU)
	n.expect(6, c)
}

// TestMergeSiblings has a C3 block: the product of both first convolutions lies over
// the concatenation, so nothing else of that size is stored.
func TestMergeSiblings(t *testing.T) {
	for _, shortcut := range []bool{false, true} {
		n, x := newNet(t, 8, 8)
		x = n.conv(x, 8, 3, 1)
		a, b := n.act(n.conv(x, 4, 1, 1), models.ActSiLU), n.act(n.conv(x, 4, 1, 1), models.ActSiLU)
		m := n.act(n.conv(n.act(n.conv(a, 4, 1, 1), models.ActSiLU), 4, 3, 1), models.ActSiLU)
		if shortcut {
			m = n.sum(a, m)
		}
		out := n.conv(n.concat(m, b), 8, 1, 1)
		p := n.prepare(out)
		roots := map[*ir.Value]bool{}
		for _, s := range p.Steps {
			roots[s.Out.Root()] = true
		}
		if len(roots) != 4 {
			t.Errorf("shortcut=%t: %d storages, want 4: the input, the concatenation, the hidden map, the output", shortcut, len(roots))
		}
		n.expect(5, out)
	}
}

// TestSiblingThatIsStillRead has a first half that is read behind the step that would
// write over it.
func TestSiblingThatIsStillRead(t *testing.T) {
	n, x := newNet(t, 8, 8)
	a, b := n.conv(x, 4, 1, 1), n.conv(x, 4, 1, 1)
	m := n.conv(a, 4, 3, 1)
	n.check(n.conv(n.concat(m, b), 8, 1, 1), n.conv(a, 4, 3, 1))
}

func TestMergeSiblingsOfAttention(t *testing.T) {
	n, x := newNet(t, 8, 8)
	q, k, v := n.conv(x, 16, 1, 1), n.conv(x, 8, 1, 1), n.conv(x, 8, 1, 1)
	n.expect(2, n.add(&models.MQA{Heads: 2, Dim: 8, Scale: 0.5}, q, k, v))
}

// TestConcat joins values that are read elsewhere too, joined twice, joined in a chain,
// sliced, or the picture itself.
func TestConcat(t *testing.T) {
	n, x := newNet(t, 8, 8)
	a, b := n.conv(x, 5, 3, 1), n.conv(x, 3, 3, 1)
	inner := n.concat(a, b)
	outer := n.concat(inner, n.conv(a, 4, 3, 1)) // chain, and a read by another
	n.expect(4, n.conv(outer, 6, 1, 1))

	n, x = newNet(t, 8, 8)
	a = n.conv(x, 5, 3, 1)
	first, second := n.concat(a, n.conv(a, 3, 3, 1)), n.concat(n.conv(a, 4, 3, 1), a)
	n.expect(6, n.conv(first, 4, 1, 1), n.conv(second, 4, 1, 1)) // one copy of a

	n, x = newNet(t, 8, 8)
	a = n.conv(x, 6, 3, 1)
	half := n.add(&models.Slice{Axis: 0, Start: 2, End: 5, Step: 1}, a)
	n.expect(4, n.concat(half, x, n.conv(half, 4, 3, 1))) // copies of the slice and the picture

	n, x = newNet(t, 8, 8)
	a = n.conv(x, 4, 1, 1)
	n.expect(2, n.concat(a, a))
}

func TestPoolsOfSPPF(t *testing.T) {
	n, x := newNet(t, 8, 8)
	a := n.conv(x, 6, 1, 1)
	parts := []*models.Value{a}
	for range 3 {
		pool := &models.MaxPool{Kernel: [2]int{5, 5}, Stride: [2]int{1, 1}, Pad: [4]int{2, 2, 2, 2}}
		parts = append(parts, n.add(pool, parts[len(parts)-1]))
	}
	n.expect(5, n.conv(n.concat(parts...), 6, 1, 1))
}

// TestInPlace counts storages: elementwise steps and residuals write over what is read
// for the last time, and never over what is still needed.
func TestInPlace(t *testing.T) {
	n, x := newNet(t, 8, 8)
	a := n.conv(x, 6, 3, 1)
	b := n.sum(n.conv(n.conv(a, 7, 1, 1), 6, 1, 1), a) // over a
	c := n.act(n.norm(n.act(b, models.ActSiLU)), models.ActSiLU)
	d := n.sum(n.act(c, models.ActTanh), c) // one storage more: c is read again
	p := n.prepare(d)
	roots := map[*ir.Value]bool{}
	for _, s := range p.Steps {
		roots[s.Out.Root()] = true
	}
	if len(roots) != 3 {
		t.Errorf("%d storages, want 3", len(roots))
	}
	n.check(d)
}

// TestInPlaceKeepsOutputs has a value that is an output and summed up.
func TestInPlaceKeepsOutputs(t *testing.T) {
	n, x := newNet(t, 8, 8)
	a := n.conv(x, 6, 3, 1)
	b := n.sum(a, n.conv(a, 6, 1, 1))
	n.check(a, b, n.act(b, models.ActSiLU))
}

// TestSpreadPixels: of 512 channels a depthwise window's pixels would alias in the cache,
// of 508 they don't; outputs stay where they are, packed.
func TestSpreadPixels(t *testing.T) {
	for channels, gap := range map[int]int{512: 64, 508: 0} {
		n, x := newNet(t, 8, 8)
		a := n.conv(x, channels, 1, 1)
		b := n.add(&models.Conv{Out: channels, Kernel: [2]int{3, 3}, Stride: [2]int{1, 1}, Pad: [4]int{1, 1, 1, 1},
			Groups: channels, Weight: n.param("dw", channels, 1, 3, 3)}, a)
		n.check(b)
		for _, s := range n.prepare(b).Steps {
			got := plan.View(s.Out).PixelStride - 4*channels
			if want := map[bool]int{true: gap}[s.Out.Source == a]; got != want {
				t.Errorf("%d channels: %s leaves %d bytes between pixels, want %d", channels, s.Out.Name, got, want)
			}
		}
	}
}

// TestArenaIsShared: a long chain of equal maps needs two of them at a time.
func TestArenaIsShared(t *testing.T) {
	n, x := newNet(t, 32, 32)
	for range 12 {
		x = n.conv(x, 8, 3, 1)
	}
	n.g.Outputs = []*models.Value{x}
	out := compile(t, n.g, n.w, wasm.Options{})
	if most := 2 * (32*32*8*4 + 64); out.ArenaBytes > most {
		t.Errorf("the arena has %d bytes, want at most %d (%d without sharing)", out.ArenaBytes, most, out.PlainBytes)
	}
	compareNetwork(t, n.g, n.w, wasm.Options{}, run.Options{})
}
