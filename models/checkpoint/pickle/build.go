package pickle

import (
	"spotter/models/say"
)

// container makes and fills lists, tuples, sets and dictionaries.
func (m *machine) container() error {
	switch m.op {
	case ')', ']', 0x8f: // EMPTY_TUPLE, EMPTY_LIST, EMPTY_SET
		return m.object(&List{})
	case '}':
		return m.object(&Dict{})
	case 0x85, 0x86, 0x87: // TUPLE1 to TUPLE3
		items, err := m.popn(int(m.op - 0x84))
		if err != nil {
			return err
		}
		return m.object(&List{Items: items})
	case 't', 'l', 0x91: // TUPLE, LIST, FROZENSET
		items, err := m.popMark()
		if err != nil {
			return err
		}
		return m.object(&List{Items: items})
	case 'd':
		items, err := m.popMark()
		if err != nil {
			return err
		}
		d := &Dict{}
		if err := setItems(d, items); err != nil {
			return err
		}
		return m.object(d)
	}
	return m.fill()
}

// fill adds to the container below the items.
func (m *machine) fill() error {
	var items []any
	var err error
	switch m.op {
	case 'a':
		items, err = m.popn(1)
	case 's':
		items, err = m.popn(2)
	case 'e', 'u', 0x90: // APPENDS, SETITEMS, ADDITEMS
		items, err = m.popMark()
	default:
		return say.Errorf("there is no such operation in a checkpoint")
	}
	if err != nil {
		return err
	}
	target, err := m.top()
	if err != nil {
		return err
	}
	if m.op == 's' || m.op == 'u' {
		return setItems(target, items)
	}
	switch l := target.(type) {
	case *List:
		l.Items = append(l.Items, items...)
	case *Object:
		l.List.Items = append(l.List.Items, items...)
	default:
		return say.Errorf("it appends to a %T", target)
	}
	return nil
}

// setItems stores keys and values, which alternate.
func setItems(target any, items []any) error {
	var d *Dict
	switch t := target.(type) {
	case *Dict:
		d = t
	case *Object:
		d = &t.Dict
	default:
		return say.Errorf("it sets an item of a %T", target)
	}
	if len(items)%2 != 0 {
		return say.Errorf("a key without its value")
	}
	for i := 0; i < len(items); i += 2 {
		d.Items = append(d.Items, Pair{items[i], items[i+1]})
	}
	return nil
}

// build makes objects, and completes them.
func (m *machine) build() error {
	switch m.op {
	case 'c': // GLOBAL
		module, name, err := m.twoLines()
		if err != nil {
			return err
		}
		return m.object(m.global(module, name))
	case 0x93: // STACK_GLOBAL
		parts, err := m.popn(2)
		if err != nil {
			return err
		}
		module, ok := parts[0].(string)
		name, okay := parts[1].(string)
		if !ok || !okay {
			return say.Errorf("a class whose name is no text")
		}
		return m.object(m.global(module, name))
	case 'b': // BUILD
		return m.setState()
	case 'Q': // BINPERSID
		id, err := m.pop()
		if err != nil {
			return err
		}
		if m.loader.Persistent == nil {
			return say.Errorf("a value that lies outside of the pickle")
		}
		v, err := m.loader.Persistent(id)
		if err != nil {
			return err
		}
		return m.object(v)
	}
	return m.construct()
}

// construct calls a class or function with arguments: INST, OBJ, REDUCE, NEWOBJ, NEWOBJ_EX.
func (m *machine) construct() error {
	var class any
	var args []any
	var err error
	switch m.op {
	case 'i':
		var module, name string
		if module, name, err = m.twoLines(); err == nil {
			class = m.global(module, name)
			args, err = m.popMark()
		}
	case 'o':
		if args, err = m.popMark(); err == nil && len(args) == 0 {
			err = say.Errorf("an object without its class")
		}
		if err == nil {
			class, args = args[0], args[1:]
		}
	default:
		n := 2
		if m.op == 0x92 {
			n = 3 // the last are arguments by name, which no class here takes
		}
		var parts []any
		if parts, err = m.popn(n); err == nil {
			class, args = parts[0], Items(parts[1])
			if !IsList(parts[1]) {
				err = say.Errorf("arguments that are no tuple")
			}
		}
	}
	if err != nil {
		return err
	}
	for _, a := range args { // functions may copy them
		if s, ok := a.(string); ok {
			err = m.charge(len(s))
		}
	}
	if err != nil {
		return err
	}
	v, err := call(class, args)
	if err != nil {
		return err
	}
	return m.object(v)
}

// call makes a value without running anything of the file's: an unknown class or function
// gives an Object, and so does what such an Object would make.
func call(class any, args []any) (any, error) {
	switch c := class.(type) {
	case Func:
		return c(args...)
	case *Class:
		return &Object{Class: c, Args: args}, nil
	case *Object:
		return &Object{Class: c.Class, Args: args}, nil
	}
	return nil, say.Errorf("it calls a %T", class)
}

func (m *machine) setState() error {
	state, err := m.pop()
	if err != nil {
		return err
	}
	target, err := m.top()
	if err != nil {
		return err
	}
	switch t := target.(type) {
	case Stateful:
		return t.SetState(state)
	case *Dict, *List: // attributes of a container, as of a state_dict's versions
		return nil
	}
	return say.Errorf("it sets the state of a %T", target)
}

func (m *machine) twoLines() (a, b string, err error) {
	if a, err = m.line(); err == nil {
		b, err = m.line()
	}
	return a, b, err
}

func (m *machine) global(module, name string) any {
	if m.loader.Class != nil {
		if v, ok := m.loader.Class(module, name); ok {
			return v
		}
	}
	return class(module, name)
}
