// Package pickle reads Python pickles, protocols 0 to 5, as data. Nothing of a pickle is
// ever run: a class that it names becomes an Object that holds the class's name, the
// arguments of its construction and its attributes; a few containers of the standard
// library, numpy scalars and paths become their values.
//
// Why not a library: github.com/nlpodyssey/gopickle allocates whatever a length in the
// file says, panics on keys that do not hash, and brings 60 KB of math/big and reflection
// into the compiler that pages load.
package pickle

// Loader says what the reader of a file adds to the plain pickle.
type Loader struct {
	// Class gives the value of a global (a class or function), a Func for one that makes
	// values; false leaves it to this package.
	Class func(module, name string) (any, bool)
	// Persistent resolves a persistent id; nil refuses them.
	Persistent func(id any) (any, error)
}

// Load decodes the pickle at the start of data and gives its value and its length. Values
// are nil, bool, int, Long, float64, string, []byte, *List, *Dict, *Object and what the
// loader and this package's functions make. Containers may contain themselves.
func Load(data []byte, l Loader) (value any, length int, err error) {
	m := &machine{data: data, loader: l, memo: map[int]any{}}
	value, err = m.run()
	return value, m.pos, err
}

// List is a list, a tuple or a set.
type List struct{ Items []any }

// Dict is a dictionary of whatever class, in order. A key may occur twice: the last counts.
type Dict struct{ Items []Pair }

// Pair is an entry of a dictionary.
type Pair struct{ Key, Value any }

// Long is an integer beyond 64 bits: little-endian bytes in two's complement.
type Long []byte

// Func is a function of the reader's that stands for one of Python's functions or classes.
type Func func(args ...any) (any, error)

// Stateful is a value that takes the state with which a pickle completes it.
type Stateful interface{ SetState(state any) error }

// Class is a class or function that the pickle names and that stays a name.
type Class struct{ Module, Name string }

// Object is an instance of a Class: what the pickle says of it, uninterpreted.
type Object struct {
	Class *Class
	Args  []any // of its construction
	Attrs Dict  // attributes, in order
	Dict  Dict  // items of a class that is a dictionary
	List  List  // items of a class that is a list or a set
}

// SetState takes attributes: a dictionary, or a pair of dictionaries (the second for slots).
func (o *Object) SetState(state any) error {
	switch s := state.(type) {
	case *Dict:
		o.Attrs.Items = append(o.Attrs.Items, s.Items...)
	case *List:
		for _, part := range s.Items {
			if d, ok := part.(*Dict); ok && len(s.Items) == 2 {
				o.Attrs.Items = append(o.Attrs.Items, d.Items...)
			}
		}
	}
	return nil
}

// Attr gives an attribute of the object, nil when it has none of that name.
func (o *Object) Attr(name string) any { return Get(&o.Attrs, name) }
