package checkpoint_test

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"io"
	"math"
	"runtime"
	"strings"
	"testing"
	"time"

	"spotter/models/checkpoint"
)

func float32Bytes(v float32) []byte {
	return binary.LittleEndian.AppendUint32(nil, math.Float32bits(v))
}

func lastIndex(data, what []byte) int { return bytes.LastIndex(data, what) }

// archive packs a pickle and storages as torch.save does.
func archive(t testing.TB, stream string, storages map[string][]byte, method uint16) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	add := func(name string, data []byte) {
		w, err := z.CreateHeader(&zip.FileHeader{Name: "x/" + name, Method: method})
		if err == nil {
			_, err = w.Write(data)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	add("data.pkl", []byte(stream))
	for key, data := range storages {
		add("data/"+key, data)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// tensorPickle is {"w": a float tensor of storage "0"} with the parts given as opcodes.
func tensorPickle(count, offset, size, stride string) string {
	return "\x80\x02}X\x01\x00\x00\x00wctorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpu" +
		count + "tQ" + offset + size + stride + "\x89}tRs."
}

const (
	one  = "K\x01"
	four = "K\x04"
	huge = "\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f" // 2^63 - 1
	less = "J\xff\xff\xff\xff"                        // -1
)

// TestHostileFilesAreRefused gives one sentence each, in bounded time and memory.
func TestHostileFilesAreRefused(t *testing.T) {
	storage := map[string][]byte{"0": make([]byte, 16)}
	nested := strings.Repeat("]", 1)
	for i := 0; i < 40; i++ { // [x, x] of [x, x] of ...: 2^40 leaves in 200 bytes
		nested = nested + "q" + string(rune(i)) + "0](h" + string(rune(i)) + "h" + string(rune(i)) + "e"
	}
	cyclic := "\x80\x02ctorch.nn\nModule\n)\x81q\x00}(X\x08\x00\x00\x00_modules}X\x01\x00\x00\x00ah\x00sX\x0b\x00\x00\x00_parameters}ub."
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"empty":                  {nil, "no file of torch.save"},
		"text":                   {[]byte("hello"), "no file of torch.save"},
		"other zip":              {zipOf(t, "a.txt", "hello"), "no data.pkl"},
		"torchscript":            {file(t, "script.pt"), "TorchScript"},
		"repeated storage":       {file(t, "repeated.pt"), "has more elements than its storage"},
		"plain pickle":           {[]byte("\x80\x02K\x01."), "not one of torch.save"},
		"no dictionary":          {archive(t, "\x80\x02K\x01.", nil, zip.Store), "neither a checkpoint nor a state_dict"},
		"empty dictionary":       {archive(t, "\x80\x02}.", nil, zip.Store), "without a model"},
		"missing storage":        {archive(t, tensorPickle(four, "K\x00", "K\x04\x85", one+"\x85"), nil, zip.Store), "no entry x/data/0"},
		"short storage":          {archive(t, tensorPickle("K\x05", "K\x00", "K\x05\x85", one+"\x85"), storage, zip.Store), "has 16 bytes where 20 are needed"},
		"huge storage":           {archive(t, tensorPickle(huge, "K\x00", "K\x04\x85", one+"\x85"), storage, zip.Store), "elements"},
		"huge dimension":         {archive(t, tensorPickle(four, "K\x00", huge+"\x85", one+"\x85"), storage, zip.Store), "size"},
		"huge product":           {archive(t, tensorPickle(four, "K\x00", "J\x00\x00\x00\x40J\x00\x00\x00\x40\x86", one+one+"\x86"), storage, zip.Store), "more elements than its storage"},
		"huge offset":            {archive(t, tensorPickle(four, huge, "K\x04\x85", one+"\x85"), storage, zip.Store), "a tensor at"},
		"huge stride":            {archive(t, tensorPickle(four, "K\x00", "K\x04\x85", huge+"\x85"), storage, zip.Store), "stride"},
		"negative size":          {archive(t, tensorPickle(four, "K\x00", less+"\x85", one+"\x85"), storage, zip.Store), "size -1"},
		"negative count":         {archive(t, tensorPickle(less, "K\x00", "K\x04\x85", one+"\x85"), storage, zip.Store), "-1 elements"},
		"stride 0":               {archive(t, tensorPickle(four, "K\x00", "K\x04\x85", "K\x00\x85"), storage, zip.Store), "repeats elements"},
		"zip bomb":               {archive(t, tensorPickle("J\x00\x00\x00\x04", "K\x00", "J\x00\x00\x00\x04\x85", one+"\x85"), map[string][]byte{"0": make([]byte, 1<<28)}, zip.Deflate), "several times the file's size"},
		"zip bomb of a pickle":   {archive(t, strings.Repeat("N", 80<<20), nil, zip.Deflate), "no checkpoint compresses so far"},
		"doubling lists":         {archive(t, "\x80\x02}X\x05\x00\x00\x00model"+nested+"s.", nil, zip.Store), "without a model"},
		"module in itself":       {archive(t, cyclic, nil, zip.Store), "one holds itself"},
		"unset memo":             {archive(t, "\x80\x02h\x05.", nil, zip.Store), "read before it is stored"},
		"unknown opcode":         {archive(t, "\x80\x02\xff.", nil, zip.Store), "no such operation"},
		"text beyond the end":    {archive(t, "\x80\x02X\xff\xff\xff\x7fa.", nil, zip.Store), "a text of 2147483647 bytes"},
		"frame beyond the end":   {archive(t, "\x80\x04\x95\xff\xff\xff\xff\xff\xff\xff\x7f.", nil, zip.Store), "a frame of"},
		"deep marks":             {archive(t, "\x80\x02"+strings.Repeat("(", 2000)+".", nil, zip.Store), "nesting deeper"},
		"many objects":           {archive(t, "\x80\x02"+strings.Repeat("}0", 4<<20)+"}.", nil, zip.Deflate), "would take more than"},
		"close without mark":     {archive(t, "\x80\x02t.", nil, zip.Store), "never set"},
		"odd items":              {archive(t, "\x80\x02}(K\x01u.", nil, zip.Store), "a key without its value"},
		"list as a key":          {archive(t, "\x80\x02ccollections\nOrderedDict\n)R(C\x01aK\x01u.", nil, zip.Store), "without a model"},
		"long integer":           {archive(t, "\x80\x02\x8b\xff\xff\x00\x00"+strings.Repeat("a", 65535)+".", nil, zip.Store), "an integer of 65535 bytes"},
		"no stop":                {archive(t, "\x80\x02}", nil, zip.Store), "cut off"},
		"code is never run":      {archive(t, "\x80\x02cposix\nsystem\nX\x02\x00\x00\x00ls\x85R.", nil, zip.Store), "an object of class posix.system"},
		"state with a function":  {archive(t, "\x80\x02}X\x01\x00\x00\x00acos\nsystem\n)Rs.", nil, zip.Store), "without a model"},
		"one tensor":             {archive(t, tensorPickle(four, "K\x00", "K\x04\x85", one+"\x85")[:2]+tensorPickle(four, "K\x00", "K\x04\x85", one+"\x85")[9:len(tensorPickle(four, "K\x00", "K\x04\x85", one+"\x85"))-2]+".", storage, zip.Store), "one tensor"},
		"unknown storage":        {archive(t, strings.Replace(tensorPickle(four, "K\x00", "K\x04\x85", one+"\x85"), "FloatStorage", "EvilStorage_", 1), storage, zip.Store), "a storage of type"},
		"complex":                {archive(t, strings.Replace(tensorPickle(four, "K\x00", "K\x02\x85", one+"\x85"), "FloatStorage", "ComplexFloatStorage", 1), storage, zip.Store), "complex64"},
		"legacy with lost keys":  {legacyWithKeys("(X\x01\x00\x00\x009e."), "nothing in it uses"},
		"legacy of another kind": {[]byte("\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xea\x03."), "protocol 1002"},
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := time.Now()
			opened, err := checkpoint.Open(c.data)
			if err == nil {
				_, err = opened.Weights()
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v; want one with %q", err, c.want)
			}
			runtime.ReadMemStats(&after)
			if took := time.Since(start); took > 5*time.Second {
				t.Errorf("it took %v", took)
			}
			if used := after.TotalAlloc - before.TotalAlloc; used > 1<<30 {
				t.Errorf("it took %d MB", used>>20)
			}
		})
	}
}

func zipOf(t *testing.T, name, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.Create(name)
	if err == nil {
		_, err = io.WriteString(w, text)
	}
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// legacyWithKeys is a legacy file of an empty dictionary with a list of storages' keys.
func legacyWithKeys(keys string) []byte {
	return []byte("\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80\x02}.\x80\x02}.\x80\x02]" + keys)
}

// TestTruncatedFilesAreRefused cuts real files at every length class: within the
// magic, the pickle, the storages, the directory.
func TestTruncatedFilesAreRefused(t *testing.T) {
	for _, name := range []string{"best.pt", "legacy-ema.pt", "tensors.pt", "tensors-legacy.pt"} {
		data := file(t, name)
		cuts := []int{0, 1, 2, 3, 4, 10, 30, 100, len(data) - 1, len(data) - 2, len(data) - 8, len(data) - 21, len(data) - 22, len(data) - 23, len(data) - 100}
		for i := 1; i < 40; i++ {
			cuts = append(cuts, len(data)*i/40)
		}
		for _, n := range cuts {
			c, err := checkpoint.Open(data[:n])
			if err == nil {
				_, err = c.Weights()
			}
			if err == nil {
				t.Errorf("%s cut off at %d of %d bytes gives no error", name, n, len(data))
			}
		}
	}
}

// TestDamagedFilesDoNotPanic flips bytes all over real files.
func TestDamagedFilesDoNotPanic(t *testing.T) {
	for _, name := range []string{"best.pt", "legacy-ema.pt", "tensors.pt", "tensors-legacy.pt"} {
		data := bytes.Clone(file(t, name))
		step := max(len(data)/120, 1)
		for i := 0; i < len(data); i += step {
			old := data[i]
			data[i] ^= 0x55
			if c, err := checkpoint.Open(data); err == nil {
				c.Weights() // damage in the weights' bytes cannot be seen
			}
			data[i] = old
		}
	}
}
