package pickle

// Pairs lists a dictionary of whatever class, in order; nil for anything else.
func Pairs(v any) []Pair {
	switch d := v.(type) {
	case *Dict:
		return d.Items
	case *Object:
		return d.Dict.Items
	}
	return nil
}

// IsDict tells whether a value is a dictionary.
func IsDict(v any) bool {
	switch d := v.(type) {
	case *Dict:
		return true
	case *Object:
		return len(d.Dict.Items) > 0
	}
	return false
}

// Get gives the value of a text key, nil when the dictionary has no such key.
func Get(dict any, key string) any {
	items := Pairs(dict)
	for i := len(items) - 1; i >= 0; i-- {
		if s, ok := items[i].Key.(string); ok && s == key {
			return items[i].Value
		}
	}
	return nil
}

// Items lists a list, tuple or set of whatever class; nil for anything else.
func Items(v any) []any {
	switch l := v.(type) {
	case *List:
		return l.Items
	case *Object:
		return l.List.Items
	}
	return nil
}

// IsList tells whether a value is a list, tuple or set.
func IsList(v any) bool {
	switch l := v.(type) {
	case *List:
		return true
	case *Object:
		return len(l.List.Items) > 0
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
