package pickle

import (
	"fmt"
	"math"
	"strings"
	"testing"
)

// show writes a value as Python would, tuples and sets as lists.
func show(v any) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case *List:
		var parts []string
		for _, item := range v.Items {
			parts = append(parts, show(item))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case *Dict:
		var parts []string
		for _, p := range v.Items {
			parts = append(parts, show(p.Key)+": "+show(p.Value))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case *Object:
		return v.Class.Module + "." + v.Class.Name + show(&List{v.Args}) + show(&v.Attrs)
	case *Class:
		return "class " + v.Module + "." + v.Name
	case *array:
		return "array " + show(v.only)
	}
	return fmt.Sprintf("%T %v", v, v)
}

// TestEveryOpcode decodes what Python's pickle and pickletools make of the values on the
// right, in the protocols that have the opcode.
func TestEveryOpcode(t *testing.T) {
	for stream, want := range map[string]string{
		"N.":                         "None",
		"I01\n.":                     "bool true",
		"I-12\n.":                    "int -12",
		"L123L\n.":                   "int 123",
		"F1.5\n.":                    "float64 1.5",
		"S'a b'\n.":                  "string a b",
		"Vtext\n.":                   "string text",
		"U\x03abc.":                  "string abc",
		"T\x03\x00\x00\x00abc.":      "string abc",
		"\x80\x02\x88.":              "bool true",
		"\x80\x02\x89.":              "bool false",
		"\x80\x02K\xff.":             "int 255",
		"\x80\x02M\x00\x01.":         "int 256",
		"\x80\x02J\xfe\xff\xff\xff.": "int -2",
		"\x80\x02\x8a\x00.":          "int 0",
		"\x80\x02\x8a\x02\x00\xff.":  "int -256",
		"\x80\x02\x8b\x05\x00\x00\x00\x00\x00\x00\x00\x01.":      "int 4294967296",
		"\x80\x02\x8a\x09\x01\x00\x00\x00\x00\x00\x00\x00\x01.":  "pickle.Long [1 0 0 0 0 0 0 0 1]",
		"\x80\x02G\x40\x09\x21\xfb\x54\x44\x2d\x18.":             fmt.Sprint("float64 ", math.Pi),
		"\x80\x03C\x02\x01\xff.":                                 "[]uint8 [1 255]",
		"\x80\x03B\x01\x00\x00\x00\x07.":                         "[]uint8 [7]",
		"\x80\x04\x8e\x01\x00\x00\x00\x00\x00\x00\x00\x07.":      "[]uint8 [7]",
		"\x80\x05\x96\x01\x00\x00\x00\x00\x00\x00\x00\x07.":      "[]uint8 [7]",
		"\x80\x04\x8d\x01\x00\x00\x00\x00\x00\x00\x00x.":         "string x",
		"\x80\x04\x95\x04\x00\x00\x00\x00\x00\x00\x00\x8c\x01x.": "string x",
		"(K\x01K\x02l.":                                 "[int 1, int 2]",
		"(K\x01K\x02t.":                                 "[int 1, int 2]",
		"(K\x01K\x02d.":                                 "{int 1: int 2}",
		"]K\x01a(K\x02K\x03e.":                          "[int 1, int 2, int 3]",
		"}K\x01K\x02s(K\x03Nu.":                         "{int 1: int 2, int 3: None}",
		"\x80\x02)K\x01\x85K\x01K\x02\x86\x87.":         "[[], [int 1], [int 1, int 2]]",
		"\x80\x04\x8f(K\x01\x90.":                       "[int 1]",
		"\x80\x04(K\x01\x91.":                           "[int 1]",
		"K\x012\x86.":                                   "[int 1, int 1]",
		"K\x01K\x020.":                                  "int 1",
		"K\x01(0.":                                      "int 1",
		"K\x01(K\x02K\x031.":                            "int 1",
		"K\x07p3\n0g3\n.":                               "int 7",
		"K\x07q\x030h\x03.":                             "int 7",
		"K\x07r\x03\x01\x00\x000j\x03\x01\x00\x00.":     "int 7",
		"\x80\x04K\x07\x94K\x08\x940h\x00\x86.":         "[int 7, int 7]",
		"cmod\nname\n.":                                 "class mod.name",
		"\x80\x04\x8c\x03mod\x8c\x04name\x93.":          "class mod.name",
		"(imod\nname\n.":                                "mod.name[]{}",
		"(cmod\nname\nK\x01o.":                          "mod.name[int 1]{}",
		"cmod\nname\nK\x01\x85R.":                       "mod.name[int 1]{}",
		"\x80\x02cmod\nname\n)\x81}U\x01aK\x01sb.":      "mod.name[]{string a: int 1}",
		"\x80\x04cmod\nname\n)}\x92.":                   "mod.name[]{}",
		"\x80\x02cmod\nname\n)\x81N}U\x01sK\x02s\x86b.": "mod.name[]{string s: int 2}",
		"ccopy_reg\n_reconstructor\n(cmod\nname\nc__builtin__\nobject\nNtR.":                                             "mod.name[]{}",
		"ccollections\nOrderedDict\n)RU\x01aK\x01s.":                                                                     "{string a: int 1}",
		"c__builtin__\nset\n](K\x01K\x02e\x85R.":                                                                         "[int 1, int 2]",
		"ctorch\nSize\nK\x01K\x02\x86\x85R.":                                                                             "[int 1, int 2]",
		"cpathlib\nPosixPath\nU\x01/U\x01aU\x01b\x87R.":                                                                  "string /a/b",
		"c_codecs\nencode\nX\x02\x00\x00\x00\xc3\xbfU\x06latin1\x86R.":                                                   "[]uint8 [255]",
		"cnumpy.core.multiarray\nscalar\ncnumpy\ndtype\nU\x02f4\x85RC\x04\x00\x00\xc0\x3f\x86R.":                         "float64 1.5",
		"cnumpy._core.multiarray\nscalar\ncnumpy\ndtype\nU\x02i8\x85RC\x08\xff\xff\xff\xff\xff\xff\xff\xff\x86R.":        "int -1",
		"cnumpy.core.multiarray\n_reconstruct\n)R(K\x01K\x01\x85cnumpy\ndtype\nU\x02f4\x85R\x89C\x04\x00\x00\xc0\x3ftb.": "array float64 1.5",
	} {
		v, n, err := Load([]byte(stream+"rest"), Loader{})
		if err != nil || show(v) != want || n != len(stream) {
			t.Errorf("%q: %s after %d bytes, error %v; want %s", stream, show(v), n, err, want)
		}
	}
}

func TestLoaderResolves(t *testing.T) {
	l := Loader{
		Class: func(module, name string) (any, bool) {
			return Func(func(a ...any) (any, error) { return len(a), nil }), name == "f"
		},
		Persistent: func(id any) (any, error) { return show(id), nil },
	}
	v, _, err := Load([]byte("\x80\x02K\x05QcM\nf\nNN\x86R\x86."), l)
	if err != nil || show(v) != "[string int 5, int 2]" {
		t.Errorf("%s, error %v", show(v), err)
	}
	if _, _, err := Load([]byte("\x80\x02K\x05Q."), Loader{}); err == nil {
		t.Error("a persistent id without a resolver is no error")
	}
}

func TestDictionaryLookups(t *testing.T) {
	d := &Dict{Items: []Pair{{"a", 1}, {2, 3}, {"a", 4}, {[]byte("a"), 5}}}
	if v := Get(d, "a"); v != 4 {
		t.Errorf("the last of two equal keys does not count: %v", v)
	}
	if v := Get(d, "b"); v != nil || Get(nil, "a") != nil {
		t.Errorf("%v", v)
	}
}
