package onnx

import (
	"math"

	"spotter/models/say"
)

// window is a kernel that moves over a map: of convolutions and pools.
type window struct {
	kernel, stride, dilation [2]int
	pad                      [4]int // top, left, bottom, right
	out                      [2]int // places it takes: the result's height and width
}

// maxWindow is beyond any kernel, stride or padding of a network for pictures.
const maxWindow = 1 << 12

// window reads the attributes of Conv, MaxPool and AveragePool over a map [1, C, H, W].
// Padding that ceil_mode implies comes out as explicit padding.
func (c *call) window(in []int, kernel []int) (window, error) {
	var w window
	if len(in) != 4 {
		return w, say.Errorf("a map of %d dimensions, %v: only pictures, [1, C, H, W], are supported", len(in), in)
	}
	w.stride, w.dilation = [2]int{1, 1}, [2]int{1, 1}
	for _, p := range []struct {
		name string
		list []int
		into *[2]int
	}{{"kernel", kernel, &w.kernel}, {"strides", c.list("strides"), &w.stride}, {"dilations", c.list("dilations"), &w.dilation}} {
		if p.list == nil && p.name != "kernel" {
			continue
		}
		if len(p.list) != 2 {
			return w, say.Errorf("%s %v: two numbers are needed", p.name, p.list)
		}
		for i, v := range p.list {
			if v < 1 || v > maxWindow {
				return w, say.Errorf("%s %v", p.name, p.list)
			}
			p.into[i] = v
		}
	}
	return w, w.place(c, in)
}

// place works out padding and result size.
func (w *window) place(c *call, in []int) error {
	auto := c.text("auto_pad", "NOTSET")
	pads := c.list("pads")
	if auto == "NOTSET" && pads != nil {
		if len(pads) != 4 {
			return say.Errorf("pads %v: four numbers are needed", pads)
		}
		copy(w.pad[:], pads)
	}
	for i := range 2 {
		size, extent := in[2+i], w.dilation[i]*(w.kernel[i]-1)+1
		switch auto {
		case "SAME_UPPER", "SAME_LOWER":
			places := (size + w.stride[i] - 1) / w.stride[i]
			total := max((places-1)*w.stride[i]+extent-size, 0)
			w.pad[i], w.pad[i+2] = total/2, total-total/2
			if auto == "SAME_LOWER" {
				w.pad[i], w.pad[i+2] = w.pad[i+2], w.pad[i]
			}
		case "NOTSET", "VALID":
		default:
			return say.Errorf("auto_pad %.20q", auto)
		}
		if w.pad[i] < 0 || w.pad[i+2] < 0 || w.pad[i] > maxWindow || w.pad[i+2] > maxWindow {
			return say.Errorf("pads %v", w.pad)
		}
		room := size + w.pad[i] + w.pad[i+2] - extent
		if room < 0 {
			return say.Errorf("a window of %v does not fit into %v with padding %v", w.kernel, in, w.pad)
		}
		w.out[i] = room/w.stride[i] + 1
		if c.int("ceil_mode", 0) != 0 && room%w.stride[i] != 0 && w.out[i]*w.stride[i] < size+w.pad[i] {
			w.pad[i+2] += w.stride[i] - room%w.stride[i]
			w.out[i]++
		}
	}
	return nil
}

// convolution checks a Conv's shapes.
func (c *call) convolution() (w window, weight []int, err error) {
	in, err := c.shape(0)
	if err != nil {
		return w, nil, err
	}
	if weight, err = c.shape(1); err != nil {
		return w, nil, err
	}
	if len(weight) != 4 || len(in) != 4 {
		return w, nil, say.Errorf("weights %v over a map %v: only two-dimensional convolutions are supported", weight, in)
	}
	if k := c.list("kernel_shape"); k != nil && (len(k) != 2 || k[0] != weight[2] || k[1] != weight[3]) {
		return w, nil, say.Errorf("kernel_shape %v with weights %v", k, weight)
	}
	groups := c.int("group", 1)
	if groups < 1 || in[1] != weight[1]*groups || weight[0]%groups != 0 {
		return w, nil, say.Errorf("weights %v in %d groups over a map %v", weight, groups, in)
	}
	w, err = c.window(in, weight[2:])
	return w, weight, err
}

// transposed checks a ConvTranspose's shapes; outPad is its output_padding.
func (c *call) transposed() (w window, weight []int, outPad [2]int, err error) {
	in, err := c.shape(0)
	if err != nil {
		return w, nil, outPad, err
	}
	if weight, err = c.shape(1); err != nil {
		return w, nil, outPad, err
	}
	groups := c.int("group", 1)
	if len(weight) != 4 || len(in) != 4 || in[1] != weight[0] || groups < 1 || weight[0]%groups != 0 {
		return w, nil, outPad, say.Errorf("weights %v in %d groups over a map %v", weight, groups, in)
	}
	if c.list("output_shape") != nil || c.text("auto_pad", "NOTSET") != "NOTSET" {
		return w, nil, outPad, say.Errorf("a transposed convolution with output_shape or auto_pad is not supported")
	}
	w.stride, w.dilation, w.kernel = [2]int{1, 1}, [2]int{1, 1}, [2]int{weight[2], weight[3]}
	for i, v := range c.list("strides") {
		w.stride[min(i, 1)] = v
	}
	for _, v := range c.list("dilations") {
		if v != 1 {
			return w, nil, outPad, say.Errorf("a transposed convolution with dilation is not supported")
		}
	}
	for i, v := range c.list("pads") {
		w.pad[min(i, 3)] = v
	}
	for i, v := range c.list("output_padding") {
		outPad[min(i, 1)] = v
	}
	for i := range 2 {
		if w.stride[i] < 1 || w.stride[i] > maxWindow || w.pad[i] < 0 || w.pad[i+2] < 0 || outPad[i] < 0 || outPad[i] > maxWindow {
			return w, nil, outPad, say.Errorf("strides %v, pads %v and output_padding %v", w.stride, w.pad, outPad)
		}
		w.out[i] = (in[2+i]-1)*w.stride[i] - w.pad[i] - w.pad[i+2] + w.kernel[i] + outPad[i]
		if w.out[i] < 1 {
			return w, nil, outPad, say.Errorf("pads %v leave nothing of the result", w.pad)
		}
	}
	return w, weight, outPad, nil
}

// resizing is what Resize and Upsample do to a map.
type resizing struct {
	scale  [2]float64 // height, width
	out    [2]int
	linear bool
	corner bool // align_corners
}

// resizing reads scales or sizes; channels must stay.
func (c *call) resizing() (resizing, error) {
	var r resizing
	in, err := c.shape(0)
	if err != nil {
		return r, err
	}
	if len(in) != 4 {
		return r, say.Errorf("it resizes %v: only pictures, [1, C, H, W], are supported", in)
	}
	factors, sizes, err := c.factors()
	if err != nil {
		return r, err
	}
	for i := range 2 {
		if sizes != nil {
			r.out[i] = sizes[2+i]
			r.scale[i] = float64(r.out[i]) / float64(in[2+i])
		} else {
			r.scale[i] = factors[2+i]
			r.out[i] = int(math.Floor(r.scale[i] * float64(in[2+i])))
		}
		if !(r.scale[i] > 0 && r.scale[i] <= 64) || r.out[i] < 1 || r.out[i] > 1<<16 {
			return r, say.Errorf("it scales %d to %d", in[2+i], r.out[i])
		}
	}
	if factors != nil && (factors[0] != 1 || factors[1] != 1) || sizes != nil && (sizes[0] != in[0] || sizes[1] != in[1]) {
		return r, say.Errorf("it resizes channels")
	}
	return r, c.resizeMode(&r, in)
}

// factors gives the four scales, or the four sizes.
func (c *call) factors() (scales []float64, sizes []int, err error) {
	at := 2
	if c.op == "Upsample" || c.opset < 11 {
		if a, ok := c.attrs["scales"]; ok && len(a.floats) == 4 {
			for _, f := range a.floats {
				scales = append(scales, float64(f))
			}
			return scales, nil, nil
		}
		at = 1
	}
	if c.has(at) {
		a, err := c.constant(at)
		if err != nil {
			return nil, nil, err
		}
		if len(a.data) == 4 {
			return a.data, nil, nil
		}
	}
	if c.has(at + 1) {
		a, err := c.constant(at + 1)
		if err != nil {
			return nil, nil, err
		}
		if len(a.data) == 4 {
			return nil, a.ints(), nil
		}
	}
	return nil, nil, say.Errorf("its scales or sizes are not four numbers")
}

// resizeMode checks that the way of sampling is one of those that run: nearest as
// floor(place / scale), linear with half-pixel centres or aligned corners.
func (c *call) resizeMode(r *resizing, in []int) error {
	mode, place, round := c.text("mode", "nearest"), c.text("coordinate_transformation_mode", "half_pixel"), c.text("nearest_mode", "round_prefer_floor")
	if c.op == "Upsample" || c.opset < 11 {
		place, round = "asymmetric", "floor"
	}
	switch mode {
	case "nearest":
		for i := range 2 {
			if err := sameNearest(in[2+i], r.out[i], r.scale[i], place, round); err != nil {
				return err
			}
		}
	case "linear":
		r.linear, r.corner = true, place == "align_corners"
		halves := place == "half_pixel" || place == "pytorch_half_pixel" && r.out[0] > 1 && r.out[1] > 1
		if !r.corner && !halves && r.out != [2]int{in[2], in[3]} {
			return say.Errorf("linear resizing with coordinates %.30q is not supported (half_pixel and align_corners are)", place)
		}
	default:
		return say.Errorf("resizing by %.20q is not supported (nearest and linear are)", mode)
	}
	return nil
}

// sameNearest compares the source of every place with floor(place / scale).
func sameNearest(in, out int, scale float64, place, round string) error {
	for i := range out {
		x := float64(i) / scale
		switch place {
		case "half_pixel":
			x = (float64(i)+0.5)/scale - 0.5
		case "pytorch_half_pixel":
			x = (float64(i)+0.5)/scale - 0.5
			if out == 1 {
				x = 0
			}
		case "align_corners":
			x = float64(i) * float64(in-1) / float64(max(out-1, 1))
		case "asymmetric":
		default:
			return say.Errorf("resizing with coordinates %.30q is not supported", place)
		}
		at := math.Ceil(x - 0.5) // round_prefer_floor
		switch round {
		case "floor":
			at = math.Floor(x)
		case "ceil":
			at = math.Ceil(x)
		case "round_prefer_ceil":
			at = math.Floor(x + 0.5)
		}
		want := math.Min(math.Floor(float64(i)/scale), float64(in-1))
		if got := math.Max(0, math.Min(at, float64(in-1))); got != want {
			return say.Errorf("nearest resizing by %v with coordinates %s and %s takes pixel %v for place %d, where %v is supported", scale, place, round, got, i, want)
		}
	}
	return nil
}
