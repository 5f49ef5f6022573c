package config

import (
	"slices"

	"spotter/models"
)

// stageNames in order; a table must have exactly these.
var stageNames = []string{"conv0", "layer1", "layer2", "layer3", "layer4", "layer5"}

// ParseBackbone reads a table of blocks, YAML or JSON, as the tutorial's Python has it:
// a mapping from conv0, layer1 ... layer5 to {block_name, num_blocks, block_specs}, or
// shorter to [block_name, block_specs]. Rows of block_specs are
//
//	convbn    in, out, kernel, stride
//	uib       in, out, start kernel, middle kernel, stride on the middle one, stride, expansion
//	fused_ib  in, out, stride, expansion, activation behind the projection
//
// The activation is ReLU6 and UIBs add no input of their own accord, as in the tutorial.
func ParseBackbone(table []byte, file string) (*BackboneSpec, error) {
	spec, err := parseBackbone(table)
	if err == nil {
		return spec, nil
	}
	if wrong, ok := err.(*Error); ok {
		wrong.File = file
	}
	return nil, err
}

func parseBackbone(table []byte) (*BackboneSpec, error) {
	v, err := parse(table)
	if err != nil {
		return nil, err
	}
	if v.kind != mapping {
		return nil, errorAt(v.at, "a backbone's table is a mapping from conv0, layer1 ... layer5, not %v", v.kind)
	}
	for _, key := range v.keys {
		if !slices.Contains(stageNames, key.text) {
			return nil, errorAt(key.at, "%q is no stage of a MobileNetV4; they are conv0 and layer1 to layer5", key.text)
		}
	}
	spec := &BackboneSpec{Act: models.ActReLU6}
	channels := 3
	for _, name := range stageNames {
		entry, err := required(v, name)
		if err != nil {
			return nil, err
		}
		s, err := parseStage(name, entry, &channels)
		if err != nil {
			return nil, err
		}
		spec.Stages = append(spec.Stages, s)
	}
	return spec, nil
}

// parseStage reads one stage; channels are those that come in, and then those that go out.
func parseStage(name string, v value, channels *int) (Stage, error) {
	kind, rows, err := stageParts(v)
	if err != nil {
		return Stage{}, err
	}
	read := map[string]func(*arguments) Block{"convbn": readConvBN, "uib": readUIB, "fused_ib": readFusedIB}[kind.text]
	if read == nil {
		return Stage{}, errorAt(kind.at, "%s: block %v is none of convbn, uib and fused_ib", name, kind)
	}
	if len(rows.items) > maxRepeat {
		return Stage{}, errorAt(rows.at, "%s: %d blocks; at most %d are possible", name, len(rows.items), maxRepeat)
	}
	var blocks []Block
	for i, row := range rows.items {
		args := arguments{list: row.items}
		if row.kind != list {
			args.fail("a block is a list of numbers, not %v", row)
		}
		b := read(&args)
		if b.In != *channels {
			args.fail("takes %d channels and would get %d", b.In, *channels)
		}
		if args.err != nil {
			return Stage{}, errorAt(row.at, "%s, block %d (%s): %w", name, i, kind.text, args.err)
		}
		*channels = b.Out
		blocks = append(blocks, b)
	}
	return stage(name, blocks...), nil
}

// stageParts gives the kind of block and the rows, of either way of writing.
func stageParts(v value) (kind, rows value, err error) {
	if v.kind == list && len(v.items) == 2 {
		kind, rows = v.items[0], v.items[1]
	} else if kind, err = required(v, "block_name"); err == nil {
		rows, err = required(v, "block_specs")
	}
	if err == nil && (rows.kind != list || len(rows.items) == 0) {
		err = errorAt(rows.at, "a stage's blocks are a list of lists, not %v", rows)
	}
	if n, ok := v.get("num_blocks"); ok && err == nil && (n.kind != integer || n.int != len(rows.items)) {
		err = errorAt(n.at, "num_blocks is %v, but there are %d blocks", n, len(rows.items))
	}
	return kind, rows, err
}

func readConvBN(a *arguments) Block {
	a.exactly(4)
	return convBN(a.channels(0, "in"), a.channels(1, "out"), a.odd(2, "kernel", 1), a.must(3, "stride", 1, 2))
}

func readUIB(a *arguments) Block {
	a.exactly(7)
	start, middle := a.odd(2, "start kernel", 0), a.odd(3, "middle kernel", 0)
	in, out, stride := a.channels(0, "in"), a.channels(1, "out"), a.must(5, "stride", 1, 2)
	b := uib(in, out, start, middle, stride, a.ratio(6, "expansion", 1))
	if !a.truth(4, "stride on the middle kernel", true) && start > 0 {
		b.StartStride, b.MiddleStride = stride, 1
	}
	return b
}

func readFusedIB(a *arguments) Block {
	a.exactly(5)
	return fusedIB(a.channels(0, "in"), a.channels(1, "out"), a.must(2, "stride", 1, 2),
		a.ratio(3, "expansion", 1), a.truth(4, "activation", false))
}

func (a *arguments) exactly(n int) {
	if len(a.list) != n {
		a.fail("takes %d numbers, has %d", n, len(a.list))
	}
}

// odd reads a kernel; with lo 0 there may be none.
func (a *arguments) odd(i int, name string, lo int) int {
	k := a.must(i, name, lo, 99)
	if k%2 == 0 && k != 0 {
		a.fail("%s is an odd number, not %d", name, k)
	}
	return k
}
