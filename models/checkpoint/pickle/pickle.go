// Package pickle reads Python pickles as data. Nothing of a pickle is ever run:
// a class that it names becomes an Object that holds the class's name, the
// arguments of its construction and its attributes; a few containers of the
// standard library, numpy scalars and paths become their values.
//
// The stream is decoded by github.com/nlpodyssey/gopickle, after guard has read
// through it: gopickle allocates whatever a length says and looks memo entries
// up unchecked.
package pickle

import (
	"bytes"
	"fmt"

	"github.com/nlpodyssey/gopickle/pickle"
	"github.com/nlpodyssey/gopickle/types"
)

// Loader says what the reader of a file adds to the plain pickle.
type Loader struct {
	// Class gives the value of a global (a class or function), a Callable of
	// gopickle's types for one that makes values; false leaves it to this package.
	Class func(module, name string) (any, bool)
	// Persistent resolves a persistent id; nil refuses them.
	Persistent func(id any) (any, error)
}

// Load decodes the pickle at the start of data and gives its value and its
// length. Values are nil, bool, int, *big.Int, float64, string, []byte, Dict, List and
// Tuple of gopickle's types, its sets, and *Object. Containers may contain themselves.
func Load(data []byte, l Loader) (value any, length int, err error) {
	length, err = check(data)
	if err != nil {
		return nil, 0, err
	}
	defer func() {
		// gopickle indexes and hashes what it is given: an odd number of dictionary
		// items or an unhashable key panics there.
		if r := recover(); r != nil {
			value, err = nil, fmt.Errorf("pickle: it does not build a value: %v", r)
		}
	}()
	u := pickle.NewUnpickler(bytes.NewReader(data[:length]))
	u.FindClass = func(module, name string) (any, error) {
		if l.Class != nil {
			if v, ok := l.Class(module, name); ok {
				return v, nil
			}
		}
		return class(module, name), nil
	}
	u.PersistentLoad = l.Persistent
	value, err = u.Load()
	if err != nil {
		return nil, 0, fmt.Errorf("pickle: %w", err)
	}
	return value, length, nil
}

// Class is a class or function that the pickle names and that stays a name.
type Class struct{ Module, Name string }

// PyNew makes an object without running anything.
func (c *Class) PyNew(args ...any) (any, error) {
	return &Object{Class: c, Args: args}, nil
}

// Call makes an object without running anything.
func (c *Class) Call(args ...any) (any, error) { return c.PyNew(args...) }

// Object is an instance of a Class: what the pickle says of it, uninterpreted.
type Object struct {
	Class *Class
	Args  []any       // of its construction
	State any         // as the pickle sets it, when that is no dictionary
	Attrs *types.Dict // attributes, in order; nil when none were set
	Items types.Dict  // of a class that is a dictionary
	List  types.List  // of a class that is a list
}

// PySetState takes attributes: a dictionary, or a pair of dictionaries (the
// second for slots).
func (o *Object) PySetState(state any) error {
	switch s := state.(type) {
	case *types.Dict:
		o.Attrs = s
	case *types.Tuple:
		if o.Attrs = new(types.Dict); s.Len() == 2 {
			for _, part := range *s {
				if d, ok := part.(*types.Dict); ok {
					*o.Attrs = append(*o.Attrs, *d...)
				}
			}
		}
	}
	o.State = state
	return nil
}

// PyNew and Call let the pickle use an unknown object as a class or function;
// the result is unknown too.
func (o *Object) PyNew(args ...any) (any, error) { return o.Class.PyNew(args...) }

// Call is PyNew.
func (o *Object) Call(args ...any) (any, error) { return o.Class.PyNew(args...) }

// Set stores an item of a class that is a dictionary.
func (o *Object) Set(key, value any) { o.Items.Set(key, value) }

// Append stores an item of a class that is a list.
func (o *Object) Append(v any) { o.List.Append(v) }

// Add stores an item of a class that is a set.
func (o *Object) Add(v any) { o.List.Append(v) }

// PyDictSet stores an attribute.
func (o *Object) PyDictSet(key, value any) error {
	if o.Attrs == nil {
		o.Attrs = new(types.Dict)
	}
	o.Attrs.Set(key, value)
	return nil
}

// Attr gives an attribute of the object, nil when it has none of that name.
func (o *Object) Attr(name string) any {
	if o.Attrs == nil {
		return nil
	}
	return Get(o.Attrs, name)
}
