package web

import (
	"bytes"
	"fmt"
	"image/color"
	"image/png"
	"io/fs"
	"math"
	"regexp"
	"slices"
	"strconv"
	"testing"

	"github.com/chromedp/cdproto/page"
)

// linear is a colour in linear sRGB, 0..1.
type linear [3]float64

// vision is what an eye makes of a colour.
type vision struct {
	name   string
	matrix [3]linear // over linear sRGB
}

// visions are full sight and full dichromacy of each kind: Machado, Oliveira and
// Fernandes, "A Physiologically-based Model for Simulation of Color Vision Deficiency"
// (2009), matrices for severity 1.0.
var visions = []vision{
	{"full colour vision", [3]linear{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}},
	{"protanopia", [3]linear{{0.152286, 1.052583, -0.204868}, {0.114503, 0.786281, 0.099216}, {-0.003882, -0.048116, 1.051998}}},
	{"deuteranopia", [3]linear{{0.367322, 0.860646, -0.227968}, {0.280085, 0.672501, 0.047413}, {-0.011820, 0.042940, 0.968881}}},
	{"tritanopia", [3]linear{{1.255528, -0.076749, -0.178779}, {-0.078411, 0.930809, 0.147602}, {0.004733, 0.691367, 0.303900}}},
}

func (v vision) see(c linear) (out linear) {
	for i, row := range v.matrix {
		for k, w := range row {
			out[i] += w * c[k]
		}
		out[i] = min(max(out[i], 0), 1)
	}
	return out
}

func linearOf(c color.RGBA) (out linear) {
	for i, v := range []uint8{c.R, c.G, c.B} {
		s := float64(v) / 255
		if out[i] = s / 12.92; s > 0.04045 {
			out[i] = math.Pow((s+0.055)/1.055, 2.4)
		}
	}
	return out
}

// luminance is WCAG's relative luminance.
func (c linear) luminance() float64 { return 0.2126*c[0] + 0.7152*c[1] + 0.0722*c[2] }

// shades are how often each luminance shows in a picture.
type shades map[float64]float64

// shades looks at an element on the screen.
func (p *tab) shades(selector string) shades {
	p.t.Helper()
	box := eval[[]float64](p, fmt.Sprintf(`(() => {
		const e = document.querySelector(%q);
		e.scrollIntoView({block: "center"});
		const r = e.getBoundingClientRect();
		return [r.x + scrollX - 3, r.y + scrollY - 3, r.width + 6, r.height + 6];
	})()`, selector))
	shot := call(p, page.CaptureScreenshot, page.CaptureScreenshotParams{
		Format: page.CaptureScreenshotFormatPng, Clip: &page.Viewport{X: box[0], Y: box[1], Width: box[2], Height: box[3], Scale: 1},
	})
	picture, err := png.Decode(bytes.NewReader(shot.Data))
	p.must(err)
	out, b := shades{}, picture.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			out[linearOf(color.RGBAModel.Convert(picture.At(x, y)).(color.RGBA)).luminance()] += 1 / float64(b.Dx()*b.Dy())
		}
	}
	return out
}

// contrast is WCAG's, of the lightest and the darkest shade that more than a hundredth of the picture has.
func (s shades) contrast() float64 {
	light, dark := 0.0, 1.0
	for l, part := range s {
		if part > 0.01 {
			light, dark = max(light, l), min(dark, l)
		}
	}
	return (light + 0.05) / (dark + 0.05)
}

// apart is the part of the picture whose shades another one does not have.
func (s shades) apart(other shades) float64 {
	sum := 0.0
	for l, part := range s {
		sum += max(0, part-other[l])
	}
	return sum
}

// lab is CIE L*a*b* under D65.
type lab struct{ l, a, b float64 }

func (c linear) lab() lab {
	f := func(x, y, z, white float64) float64 {
		t := (x*c[0] + y*c[1] + z*c[2]) / white
		if t > 216.0/24389 {
			return math.Cbrt(t)
		}
		return (24389.0/27*t + 16) / 116
	}
	x := f(0.4124564, 0.3575761, 0.1804375, 0.95047)
	y := f(0.2126729, 0.7151522, 0.0721750, 1)
	z := f(0.0193339, 0.1191920, 0.9503041, 1.08883)
	return lab{116*y - 16, 500 * (x - y), 200 * (y - z)}
}

// deltaE is CIEDE2000 (Sharma, Wu and Dalal 2005): 1 is just noticeable side by side.
func deltaE(p, q lab) float64 {
	rad := math.Pi / 180
	seventh := func(c float64) float64 { return math.Sqrt(math.Pow(c, 7) / (math.Pow(c, 7) + math.Pow(25, 7))) }
	g := 1.5 - 0.5*seventh((math.Hypot(p.a, p.b)+math.Hypot(q.a, q.b))/2)
	c1, c2 := math.Hypot(g*p.a, p.b), math.Hypot(g*q.a, q.b)
	h1, h2 := math.Atan2(p.b, g*p.a)/rad, math.Atan2(q.b, g*q.a)/rad
	turn := math.Mod(h2-h1+540, 360) - 180
	if c1*c2 == 0 {
		turn = 0
	}
	l, c, h := (p.l+q.l)/2, (c1+c2)/2, h1+turn/2
	dl, dc, dh := q.l-p.l, c2-c1, 2*math.Sqrt(c1*c2)*math.Sin(turn/2*rad)
	t := 1 - 0.17*math.Cos((h-30)*rad) + 0.24*math.Cos(2*h*rad) + 0.32*math.Cos((3*h+6)*rad) - 0.20*math.Cos((4*h-63)*rad)
	sl := 1 + 0.015*(l-50)*(l-50)/math.Sqrt(20+(l-50)*(l-50))
	sc, sh := 1+0.045*c, 1+0.015*c*t
	away := (math.Mod(h+360, 360) - 275) / 25
	rotate := -2 * seventh(c) * math.Sin(60*rad*math.Exp(-away*away))
	return math.Sqrt(sq(dl/sl) + sq(dc/sc) + sq(dh/sh) + rotate*dc/sc*dh/sh)
}

func sq(x float64) float64 { return x * x }

func palette(t *testing.T) (colours []color.RGBA) {
	t.Helper()
	text, err := fs.ReadFile(sources, "src/core/palette.ts")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`"#([0-9a-f]{6})"`).FindAllSubmatch(text, -1) {
		n, _ := strconv.ParseUint(string(m[1]), 16, 32)
		colours = append(colours, color.RGBA{uint8(n >> 16), uint8(n >> 8), uint8(n), 255})
	}
	if len(colours) < 8 {
		t.Fatalf("%d colours: the pattern no longer fits", len(colours))
	}
	return colours
}

// TestColoursDifferForEveryEye holds any two colours apart, those of neighbouring classes
// far apart, and the first ones, which the most common classes have.
func TestColoursDifferForEveryEye(t *testing.T) {
	colours := palette(t)
	n := len(colours)
	for _, v := range visions {
		for i := range n {
			for k := range i {
				least := 13.5
				if i < 6 {
					least = 17.5
				}
				if i-k == 1 || i-k == n-1 {
					least = 22
				}
				if d := deltaE(v.see(linearOf(colours[i])).lab(), v.see(linearOf(colours[k])).lab()); d < least {
					t.Errorf("%s: colours %d and %d differ by %.1f, want %.0f", v.name, k, i, d, least)
				}
			}
		}
	}
}

// TestClassesOfOneColourDifferInTheLine paints the same box for classes that share a
// colour: with their names hidden, no two look alike.
func TestClassesOfOneColourDifferInTheLine(t *testing.T) {
	n := len(palette(t))
	p := open(t, view{path: "healthz", expects: "favicon|404"})
	alike := eval[[]int](p, bundled(t, `import {Overlay} from "./src/core/overlay.ts"; globalThis.Overlay = Overlay`)+fmt.Sprintf(`;[0, 1, 2, 3].map((turn) => {
		const canvas = new OffscreenCanvas(200, 200);
		const result = {width: 200, height: 200, masks: null, detections: [{classId: turn * %d + 1, label: "", score: 1, box: [20, 20, 180, 180]}]};
		new Overlay().paint(canvas.getContext("2d"), new OffscreenCanvas(1, 1), result,
			{boxes: true, labels: false, masks: false, mirror: false, pixelRatio: 1, name: () => ""});
		return canvas.getContext("2d").getImageData(0, 0, 200, 200).data.reduce((sum, v, i) => (sum * 31 + v * i) | 0, 7);
	})`, n))
	slices.Sort(alike)
	if len(slices.Compact(alike)) != 4 {
		t.Errorf("of four classes of one colour some look alike: %v", alike)
	}
}

// TestDeltaE holds the formula against pairs of the paper's table 1.
func TestDeltaE(t *testing.T) {
	for _, c := range []struct {
		p, q lab
		want float64
	}{
		{lab{50, 2.6772, -79.7751}, lab{50, 0, -82.7485}, 2.0425},
		{lab{50, 0, 0}, lab{50, -1, 2}, 2.3669},
		{lab{50, 2.5, 0}, lab{73, 25, -18}, 27.1492},
		{lab{50, 2.5, 0}, lab{50, 3.2592, 0.3350}, 1.0000},
		{lab{60.2574, -34.0099, 36.2677}, lab{60.4626, -34.1751, 39.4387}, 1.2644},
		{lab{2.0776, 0.0795, -1.1350}, lab{0.9033, -0.0636, -0.5514}, 0.9082},
	} {
		if got := deltaE(c.p, c.q); math.Abs(got-c.want) > 1e-4 {
			t.Errorf("%v and %v differ by %.4f, want %.4f", c.p, c.q, got, c.want)
		}
	}
}
