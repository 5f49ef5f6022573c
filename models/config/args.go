package config

import (
	"math"

	"spotter/models"
	"spotter/models/say"
)

// arguments of a module: values by position, read with checks. The first
// mistake is kept in err and later reads give their default.
type arguments struct {
	list []value
	err  error
}

func (a *arguments) fail(format string, args ...any) {
	if a.err == nil {
		a.err = say.Errorf(format, args...)
	}
}

// at gives argument i, false when it is left out.
func (a *arguments) at(i int) (value, bool) {
	if i >= len(a.list) {
		return value{}, false
	}
	return a.list[i], true
}

// atMost complains about arguments that the module does not take.
func (a *arguments) atMost(n int) {
	if len(a.list) > n {
		a.fail("takes %d arguments at most, has %d: %v", n, len(a.list), listValue(a.list...))
	}
}

// number reads a whole number from lo to hi.
func (a *arguments) number(i int, name string, byDefault, lo, hi int) int {
	v, ok := a.at(i)
	if !ok {
		return byDefault
	}
	if v.kind != integer || v.int < lo || v.int > hi {
		a.fail("%s is a whole number from %d to %d, not %v", name, lo, hi, v)
		return byDefault
	}
	return v.int
}

// must reads a whole number that has no default.
func (a *arguments) must(i int, name string, lo, hi int) int {
	if _, ok := a.at(i); !ok {
		a.fail("%s is missing", name)
		return lo
	}
	return a.number(i, name, lo, lo, hi)
}

func (a *arguments) channels(i int, name string) int { return a.must(i, name, 1, maxChannels) }

func (a *arguments) truth(i int, name string, byDefault bool) bool {
	v, ok := a.at(i)
	switch {
	case !ok:
		return byDefault
	case v.kind == boolean:
		return v.bool
	case v.kind == integer && (v.int == 0 || v.int == 1):
		return v.int == 1
	}
	a.fail("%s is True or False, not %v", name, v)
	return byDefault
}

// pair reads one whole number for height and width, or a list of the two.
func (a *arguments) pair(i int, name string, byDefault [2]int, lo, hi int) [2]int {
	v, ok := a.at(i)
	if !ok {
		return byDefault
	}
	if v.kind == list && len(v.items) == 2 {
		both := arguments{list: v.items}
		p := [2]int{both.number(0, name, lo, lo, hi), both.number(1, name, lo, lo, hi)}
		if both.err != nil {
			a.fail("%w", both.err)
			return byDefault
		}
		return p
	}
	n := a.number(i, name, lo, lo, hi)
	return [2]int{n, n}
}

// padding reads None or nothing as automatic (nil), else as pair.
func (a *arguments) padding(i int, name string) *[2]int {
	if v, ok := a.at(i); !ok || v.kind == none {
		return nil
	}
	p := a.pair(i, name, [2]int{}, 0, 256)
	return &p
}

// ratio reads a number above 0, for example a C3's expansion.
func (a *arguments) ratio(i int, name string, byDefault float64) float64 {
	v, ok := a.at(i)
	if !ok {
		return byDefault
	}
	if v.kind != integer && v.kind != float || !(v.float > 0 && v.float <= maxMultiple) {
		a.fail("%s is a number above 0 and at most %v, not %v", name, maxMultiple, v)
		return byDefault
	}
	return v.float
}

// kernels reads a list of odd pool sizes.
func (a *arguments) kernels(i int, name string, byDefault ...int) []int {
	v, ok := a.at(i)
	if !ok {
		return byDefault
	}
	if v.kind != list || len(v.items) == 0 || len(v.items) > 16 {
		a.fail("%s is a list of window sizes, not %v", name, v)
		return byDefault
	}
	items := arguments{list: v.items}
	var sizes []int
	for j := range v.items {
		k := items.number(j, name, 1, 1, 99)
		if k%2 == 0 {
			items.fail("%s are odd window sizes, not %v", name, v)
		}
		sizes = append(sizes, k)
	}
	if items.err != nil {
		a.fail("%w", items.err)
		return byDefault
	}
	return sizes
}

// activation reads True (the network's own), False (none) or a torch module.
func (a *arguments) activation(i int, own models.Activation) activation {
	v, ok := a.at(i)
	if !ok || v.kind == boolean && v.bool {
		return activation{Activation: own, shared: true}
	}
	if v.kind == boolean || v.kind == none {
		return activation{}
	}
	act, err := parseActivation(v)
	if err != nil {
		a.fail("%w", err)
	}
	return activation{Activation: act}
}

// activation of a convolution; shared is the instance that all of a network's
// convolutions use, which counts as one module.
type activation struct {
	models.Activation
	shared bool
}

// roundHalfEven is Python's round of a product.
func roundHalfEven(x float64) int { return int(math.RoundToEven(x)) }

// divisible rounds up to a multiple of 8, as YOLOv5 does with channels.
func divisible(x float64) int { return int(math.Ceil(x/8)) * 8 }
