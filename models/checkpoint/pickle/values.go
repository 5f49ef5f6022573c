package pickle

import (
	"github.com/nlpodyssey/gopickle/types"
)

// Pair is an entry of a dictionary.
type Pair struct{ Key, Value any }

// Pairs lists a dictionary of whatever class, in order; nil for anything else.
func Pairs(v any) []Pair {
	var list []Pair
	switch d := v.(type) {
	case *types.Dict:
		for _, e := range *d {
			list = append(list, Pair{e.Key, e.Value})
		}
	case *types.OrderedDict:
		for e := d.List.Front(); e != nil; e = e.Next() {
			entry := e.Value.(*types.OrderedDictEntry)
			list = append(list, Pair{entry.Key, entry.Value})
		}
	case *Object:
		for _, e := range d.Items {
			list = append(list, Pair{e.Key, e.Value})
		}
	}
	return list
}

// IsDict tells whether a value is a dictionary.
func IsDict(v any) bool {
	switch d := v.(type) {
	case *types.Dict, *types.OrderedDict:
		return true
	case *Object:
		return len(d.Items) > 0
	}
	return false
}

// Get gives the value of a text key, nil when the dictionary has no such key.
// Where a key was stored twice the last one wins, as in Python.
func Get(dict any, key string) any {
	switch d := dict.(type) {
	case *types.Dict:
		for i := len(*d) - 1; i >= 0; i-- {
			if (*d)[i].Key == any(key) {
				return (*d)[i].Value
			}
		}
	case *types.OrderedDict:
		v, _ := d.Get(key)
		return v
	case *Object:
		return Get(&d.Items, key)
	}
	return nil
}

// Items lists a list or tuple of whatever class; nil for anything else.
func Items(v any) []any {
	switch l := v.(type) {
	case *types.List:
		return *l
	case *types.Tuple:
		return *l
	case *Object:
		return l.List
	}
	return nil
}

// IsList tells whether a value is a list or tuple.
func IsList(v any) bool {
	switch l := v.(type) {
	case *types.List, *types.Tuple:
		return true
	case *Object:
		return len(l.List) > 0
	}
	return false
}

// Int gives a whole number: an int, or a float without a fraction.
func Int(v any) (int, bool) {
	switch n := v.(type) {
	case int:
		return n, true
	case float64:
		if n == float64(int(n)) {
			return int(n), true
		}
	}
	return 0, false
}

// Float gives a number, also that of an array with one element.
func Float(v any) (float64, bool) {
	switch n := v.(type) {
	case int:
		return float64(n), true
	case float64:
		return n, true
	case *array:
		return Float(n.only)
	}
	return 0, false
}
