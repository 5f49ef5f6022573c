package onnx

import (
	"spotter/models/say"
)

// parseModel decodes ModelProto.
func parseModel(data []byte) (*modelProto, error) {
	m := &modelProto{opset: map[string]int64{}, metadata: map[string]string{}}
	err := fields(data, func(x field) (err error) {
		switch x.number {
		case 2:
			m.producer = string(x.bytes)
		case 7:
			m.graph, err = parseGraph(x)
		case 8:
			domain, version := "", int64(0)
			err = x.message(func(x field) error {
				switch x.number {
				case 1:
					domain = string(x.bytes)
				case 2:
					version = int64(x.bits)
				}
				return nil
			})
			m.opset[domain] = version
		case 14:
			var key, value string
			key, value, err = parsePair(x)
			m.metadata[key] = value
		}
		return err
	})
	if err != nil {
		return nil, say.Errorf("this is no ONNX file, or one that is cut off: %w", err)
	}
	if m.graph == nil || len(m.graph.nodes) == 0 {
		return nil, say.Errorf("this is no ONNX file, or an empty one: it holds no graph")
	}
	return m, nil
}

func parsePair(x field) (key, value string, err error) {
	err = x.message(func(x field) error {
		switch x.number {
		case 1:
			key = string(x.bytes)
		case 2:
			value = string(x.bytes)
		}
		return nil
	})
	return key, value, err
}

func parseGraph(x field) (*graphProto, error) {
	g := &graphProto{}
	err := x.message(func(x field) (err error) {
		switch x.number {
		case 1:
			var n *nodeProto
			n, err = parseNode(x)
			g.nodes = append(g.nodes, n)
		case 2:
			g.name = string(x.bytes)
		case 5:
			var t *tensorProto
			t, err = parseTensor(x)
			g.initializers = append(g.initializers, t)
		case 11:
			var v valueProto
			v, err = parseValue(x)
			g.inputs = append(g.inputs, v)
		case 12:
			var v valueProto
			v, err = parseValue(x)
			g.outputs = append(g.outputs, v)
		case 15:
			err = say.Errorf("it holds sparse initializers, which are not read")
		}
		return err
	})
	return g, err
}

func parseNode(x field) (*nodeProto, error) {
	n := &nodeProto{attrs: map[string]attrProto{}}
	err := x.message(func(x field) error {
		switch x.number {
		case 1:
			n.in = append(n.in, string(x.bytes))
		case 2:
			n.out = append(n.out, string(x.bytes))
		case 3:
			n.name = string(x.bytes)
		case 4:
			n.op = string(x.bytes)
		case 5:
			return n.parseAttr(x)
		case 7:
			n.domain = string(x.bytes)
		}
		return nil
	})
	if n.domain == "ai.onnx" {
		n.domain = ""
	}
	return n, err
}

func (n *nodeProto) parseAttr(x field) error {
	name, a := "", attrProto{}
	err := x.message(func(x field) (err error) {
		switch x.number {
		case 1:
			name = string(x.bytes)
		case 2:
			var list []float32
			list, err = x.float32s(nil)
			if len(list) == 1 {
				a.f = list[0]
			}
		case 3:
			a.i = int64(x.bits)
		case 4:
			a.s = string(x.bytes)
		case 5:
			a.t, err = parseTensor(x)
		case 6, 11:
			a.isGraph = true
		case 7:
			a.floats, err = x.float32s(a.floats)
		case 8:
			a.ints, err = x.varints(a.ints)
		}
		return err
	})
	n.attrs[name] = a
	return err
}

func parseTensor(x field) (*tensorProto, error) {
	t := &tensorProto{}
	err := x.message(func(x field) (err error) {
		switch x.number {
		case 1:
			t.dims, err = x.varints(t.dims)
		case 2:
			t.dtype = int64(x.bits)
		case 3:
			err = say.Errorf("a tensor is cut into segments, which is not read")
		case 4:
			t.floats, err = x.float32s(t.floats)
		case 5, 7, 11:
			t.ints, err = x.varints(t.ints)
		case 8:
			t.name = string(x.bytes)
		case 9:
			t.raw = x.bytes
		case 10:
			t.doubles, err = x.float64s(t.doubles)
		case 13:
			t.external = true
		case 14:
			t.external = t.external || x.bits == 1
		}
		return err
	})
	return t, err
}

// parseValue reads ValueInfoProto > TypeProto > Tensor > TensorShapeProto.
func parseValue(x field) (v valueProto, err error) {
	dimension := func(x field) error {
		d := -1
		err := x.message(func(x field) error {
			if x.number == 1 && x.bits < 1<<31 {
				d = int(x.bits)
			}
			return nil
		})
		v.dims = append(v.dims, d)
		return err
	}
	nested := func(number int, f func(field) error) func(field) error {
		return func(x field) error {
			if int(x.number) != number {
				return nil
			}
			return x.message(f)
		}
	}
	shape := func(x field) error {
		if x.number == 1 {
			return dimension(x)
		}
		return nil
	}
	err = x.message(func(x field) error {
		switch x.number {
		case 1:
			v.name = string(x.bytes)
		case 2:
			return x.message(nested(1, nested(2, shape)))
		}
		return nil
	})
	return v, err
}
