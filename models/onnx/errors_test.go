package onnx_test

import (
	"errors"
	"math"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"spotter/models"
	"spotter/models/golden"
	"spotter/models/onnx"
)

// chain is a classifier whose middle is one node, called odd, from x [1, 8, 4, 4] to y.
func chain(odd message, more ...part) []byte {
	parts := []part{
		input(value("images", 1, 3, 8, 8)), output(value("out", 1, 8)),
		initial(tensor("w", 0.5, 8, 3, 3, 3)), initial(wholes("flat", 1, -1)),
		nodes(node("Conv", "x", "images", "w").ints("strides", 2, 2).ints("pads", 1, 1, 1, 1)), nodes(odd),
		nodes(node("GlobalAveragePool", "pool", "y")), nodes(node("Reshape", "out", "pool", "flat")),
	}
	return model(append(parts, more...)...)
}

// TestErrorsSayWhatCannotRun names operation, node and reason for what cannot run, and
// says in a sentence what is wrong with a file.
func TestErrorsSayWhatCannotRun(t *testing.T) {
	one := func(op string, in ...string) message { return node(op, "y", append([]string{"x"}, in...)...) }
	plain := []part{input(value("images", 1, 3, 8, 8)), output(value("y", 1, 8, 8, 8)), initial(tensor("w", 1, 8, 3, 1, 1)), nodes(node("Conv", "y", "images", "w"))}
	with := func(more ...part) []byte { return model(append(plain, more...)...) }
	for want, data := range map[string][]byte{
		"node y (Mystery): the operation \"Mystery\" is not known":          chain(one("Mystery")),
		"node y (Erf): there is no kernel":                                  chain(one("Erf")),
		"node y (com.example.Relu): the operation \"Relu\" of the domain":   chain(one("Relu").text(7, "com.example")),
		"node y (PRelu): a slope for each channel":                          chain(one("PRelu", "slope"), initial(message(nil).int(1, 8).int(1, 1).int(1, 1).int(2, 1).text(8, "slope").bytes(4, ramp(8)))),
		"node y (Softmax): a softmax over pictures":                         chain(one("Softmax").number("axis", 0)),
		"node y (Transpose): the permutation [1 0 2 3] moves":               chain(one("Transpose").ints("perm", 1, 0, 2, 3)),
		"node y (Transpose): permutation [0 1 2] of 4":                      chain(one("Transpose").ints("perm", 0, 1, 2)),
		"node y (Reshape): it reshapes [1 8 4 4] to [3 5]":                  chain(one("Reshape", "shape"), initial(wholes("shape", 3, 5))),
		"node y (Reshape): its result is [8 1 4 4]":                         chain(one("Reshape", "shape"), initial(wholes("shape", 8, 1, 4, 4))),
		"node y (Conv): weights [8 3 1 1] in 1 groups over a map [1 8 4 4]": chain(one("Conv", "v"), initial(tensor("v", 1, 8, 3, 1, 1))),
		"node y (MaxPool): a window of [9 9] does not fit":                  chain(one("MaxPool").ints("kernel_shape", 9, 9)),
		"node y (MaxPool): strides [0 1]":                                   chain(one("MaxPool").ints("kernel_shape", 2, 2).ints("strides", 0, 1)),
		"node y (Resize): its scales or sizes are not four numbers":         chain(one("Resize")),
		"node y (Split): it splits into [9 -1]":                             chain(one("Split", "sizes"), initial(wholes("sizes", 9, -1))),
		"node y (Concat): its input \"k\" is a constant":                    chain(one("Concat", "k").number("axis", 1), initial(tensor("k", 1, 1, 8, 4, 4))),
		"node y (ReduceMean): a mean over axes [2]":                         chain(one("ReduceMean").ints("axes", 2)),
		"of its weights \"v\" are NaN":                                      chain(one("Conv", "v"), initial(tensor("v", float32(math.NaN()), 8, 8, 1, 1))),
		"the input images is [1 224 224 3], pixels before channels":         model(append([]part{input(value("images", 1, 224, 224, 3))}, plain[1:]...)...),
		"8 pictures at once":                                                model(append([]part{input(value("images", 8, 3, 8, 8))}, plain[1:]...)...),
		"2 inputs (images, other)":                                          with(input(value("other", 1, 3, 8, 8))),
		"0 inputs":                                                          model(plain[1:]...),
		"two nodes make the value \"y\"":                                    with(nodes(node("Relu", "y", "images"))),
		"takes \"nothing\", which nothing makes":                            with(nodes(node("Relu", "z", "nothing"))),
		"the graph has a cycle":                                             with(nodes(node("Add", "a", "b", "y")), nodes(node("Relu", "b", "a"))),
		"external data":                                                     with(initial(message(nil).int(1, 1).int(2, 1).text(8, "far").int(14, 1))),
		"its elements are string":                                           with(initial(message(nil).int(1, 1).int(2, 8).text(8, "s"))),
		"shape [4] needs 4 elements, the file has 1":                        with(initial(message(nil).int(1, 4).int(2, 1).text(8, "s").bytes(9, make([]byte, 4)))),
		"its shape [-4] cannot be":                                          with(initial(message(nil).int(1, -4).int(2, 1).text(8, "s"))),
		"its shape [1099511627776 1099511627776] cannot be":                 with(initial(message(nil).int(1, 1<<40).int(1, 1<<40).int(2, 1).text(8, "s"))),
		"no ONNX file":      []byte("\x08\x08hello"),
		"it holds no graph": nil,
		"operator set 3:":   message(nil).bytes(7, message(nil).bytes(1, node("Relu", "y", "x"))).bytes(8, message(nil).int(2, 3)),
		"the outputs y [1 8 8 8] are those of no head": with(),
	} {
		_, err := onnx.Load(data, onnx.Options{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
}

// ramp is n floats, packed: 0, 1, 2, ...
func ramp(n int) []byte {
	var b []byte
	for i := range n {
		bits := math.Float32bits(float32(i))
		b = append(b, byte(bits), byte(bits>>8), byte(bits>>16), byte(bits>>24))
	}
	return b
}

func TestErrorTypes(t *testing.T) {
	_, err := onnx.Load(chain(node("Mystery", "y", "x")), onnx.Options{})
	var cannot *onnx.Unsupported
	if !errors.As(err, &cannot) || cannot.Op != "Mystery" || cannot.Node != "y" {
		t.Errorf("error %v", err)
	}
	data, _ := os.ReadFile("testdata/yolov5.onnx")
	_, err = onnx.Load(data, onnx.Options{Head: models.HeadYOLOX})
	var unknown *onnx.UnknownHead
	if !errors.As(err, &unknown) || !strings.Contains(err.Error(), "it is no yolox head") {
		t.Errorf("error %v", err)
	}
}

// TestTruncatedFilesAreRefused cuts real files at many lengths: none gives a model.
func TestTruncatedFilesAreRefused(t *testing.T) {
	for _, name := range []string{"testdata/yolov8.onnx", "testdata/classifier.onnx"} {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 60 {
			n := len(data) * i / 60
			// A file may end behind its graph: only the operator set is lost then.
			if m, err := onnx.Load(data[:n], onnx.Options{}); err == nil {
				t.Errorf("%s cut off at %d of %d bytes gives a model: %s", name, n, len(data), m.Took)
			}
		}
	}
}

// TestDamagedFilesDoNotPanic flips bytes all over a file.
func TestDamagedFilesDoNotPanic(t *testing.T) {
	data, err := golden.Format("model-op12.onnx")
	if err != nil {
		t.Fatal(err)
	}
	data = append([]byte{}, data...)
	for i := 0; i < len(data); i += 1 + len(data)/150 {
		old := data[i]
		data[i] ^= 0x2a
		onnx.Load(data, onnx.Options{}) // damage in the weights' bytes cannot be seen
		data[i] = old
	}
}

// TestHostileFilesTakeBoundedTimeAndMemory holds what grows without bound when it is taken
// at its word.
func TestHostileFilesTakeBoundedTimeAndMemory(t *testing.T) {
	many := func(n int, f func(i int) part) (list []part) {
		for i := range n {
			list = append(list, f(i))
		}
		return list
	}
	name := func(i int) string { return "n" + strconv.Itoa(i) }
	detector := []part{
		input(value("images", 1, 3, 64, 64)), output(value("out")),
		initial(tensor("w", 1, 24, 3, 8, 8)), nodes(node("Conv", "n0", "images", "w").ints("strides", 8, 8)),
	}
	for what, data := range map[string][]byte{
		"a constant of 2^40 elements": chain(node("ConstantOfShape", "y", "s"), initial(wholes("s", 1<<20, 1<<20))),
		"an expansion to 2^40":        chain(node("Expand", "y", "x", "s"), initial(wholes("s", 1, 8, 1<<18, 1<<18))),
		"a range of 2^40":             chain(node("Range", "y", "a", "b", "c"), initial(wholes("a", 0)), initial(wholes("b", 1<<40)), initial(wholes("c", 1))),
		"a map of 2^60 pixels":        model(append([]part{input(value("images", 1, 3, 1<<30, 1<<30))}, detector[1:]...)...),
		"padding by 2^40":             chain(node("Pad", "y", "x", "p"), initial(wholes("p", 0, 0, 1<<40, 0, 0, 0, 0, 0))),
		"50,000 nodes more":           model(append(detector, many(60_000, func(i int) part { return nodes(node("Relu", name(i+1), name(i))) })...)...),
		"a long chain of sigmoids": model(append(append(detector, many(40_000, func(i int) part { return nodes(node("Sigmoid", name(i+1), name(i))) })...),
			nodes(node("Identity", "out", name(40_000))))...),
		"doubling by joins": model(append(append(detector, many(40, func(i int) part { return nodes(node("Concat", name(i+1), name(i), name(i)).number("axis", 1)) })...),
			nodes(node("Identity", "out", name(40))))...),
		"many outputs": model(append(detector, many(1000, func(i int) part { return output(value("n0")) })...)...),
	} {
		t.Run(what, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := time.Now()
			if m, err := onnx.Load(data, onnx.Options{}); err == nil {
				t.Errorf("taken for %s", m.Took)
			}
			runtime.ReadMemStats(&after)
			if took, used := time.Since(start), after.TotalAlloc-before.TotalAlloc; took > 10*time.Second || used > 4<<30 {
				t.Errorf("it took %v and %d MB", took, used>>20)
			}
		})
	}
}
