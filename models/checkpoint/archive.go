package checkpoint

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"io"
	"strings"

	"spotter/models/checkpoint/pickle"
	"spotter/models/say"
)

// Limits of an archive: entries, and the bytes that its deflated entries may grow
// to. torch.save stores without compression; a repacked checkpoint shrinks little.
const (
	maxEntries   = 1 << 17
	inflateFloor = 64 << 20
	inflateRatio = 16 // times the file's size, above the floor
)

// archive is a file of torch.save with its pickle decoded: the values, and the
// bytes of the storages that its tensors name.
type archive struct {
	format string // "zip" or "legacy"
	root   any
	size   int // bytes of the file
	order  binary.ByteOrder
	widths map[string]int // bytes of an element, by storage key
	// bytes gives a storage's first n bytes.
	bytes func(key string, n int64) ([]byte, error)
}

// openArchive decodes either format of torch.save.
func openArchive(data []byte) (*archive, error) {
	switch {
	case bytes.HasPrefix(data, []byte("PK\x03\x04")) || bytes.HasPrefix(data, []byte("PK\x05\x06")):
		return openZip(data)
	case len(data) > 1 && data[0] == 0x80 && data[1] <= 5, bytes.HasPrefix(data, []byte("L")):
		return openLegacy(data)
	case len(data) > 262 && string(data[257:262]) == "ustar":
		return nil, say.Errorf("this is a file of PyTorch 0.1, older than the formats that are read: load it in PyTorch and save it again")
	}
	return nil, say.Errorf("this is no file of torch.save: it begins neither as its zip nor as its pickles")
}

// openZip opens the format of PyTorch 1.6 and later: NAME/data.pkl and a file
// NAME/data/KEY for each storage (torch/serialization.py, _save).
func openZip(data []byte) (*archive, error) {
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, say.Errorf("the zip archive is damaged or cut off: %w", err)
	}
	if len(z.File) > maxEntries {
		return nil, say.Errorf("the zip archive has %d entries: no checkpoint has", len(z.File))
	}
	files := map[string]*zip.File{}
	main := ""
	for _, f := range z.File {
		files[f.Name] = f
		if f.Name == "data.pkl" || strings.HasSuffix(f.Name, "/data.pkl") {
			if main == "" || len(f.Name) < len(main) {
				main = f.Name
			}
		}
	}
	if main == "" {
		return nil, say.Errorf("the zip archive holds no data.pkl: it was not made by torch.save")
	}
	prefix := strings.TrimSuffix(main, "data.pkl")
	if files[prefix+"constants.pkl"] != nil {
		return nil, say.Errorf("this is a TorchScript archive: it holds code, not a checkpoint; take the best.pt of the training, or an ONNX export")
	}
	in := inflater{data: data, left: inflateFloor + inflateRatio*int64(len(data))}
	a := &archive{format: "zip", size: len(data), order: binary.LittleEndian, widths: map[string]int{}}
	if f := files[prefix+"byteorder"]; f != nil {
		if b, err := in.read(f, 3); err == nil && string(b) == "big" {
			a.order = binary.BigEndian
		}
	}
	a.bytes = func(key string, n int64) ([]byte, error) {
		f := files[prefix+"data/"+key]
		if f == nil {
			return nil, say.Errorf("the archive has no entry %sdata/%s", prefix, key)
		}
		return in.read(f, n)
	}
	stream, err := in.read(files[main], int64(files[main].UncompressedSize64))
	if err != nil {
		return nil, err
	}
	a.root, _, err = pickle.Load(stream, a.loader(false))
	return a, err
}

// inflater reads zip entries, within a total that a checkpoint needs.
type inflater struct {
	data []byte
	left int64
}

// read gives an entry's first n bytes: of a stored one without a copy.
func (in *inflater) read(f *zip.File, n int64) ([]byte, error) {
	if size := f.UncompressedSize64; n < 0 || uint64(n) > size {
		return nil, say.Errorf("the archive's entry %s has %d bytes where %d are needed", f.Name, size, n)
	}
	if f.Method == zip.Store {
		off, err := f.DataOffset()
		if err != nil || off < 0 || off > int64(len(in.data)) || n > int64(len(in.data))-off {
			return nil, say.Errorf("the archive's entry %s reaches beyond the end of the file: it is cut off", f.Name)
		}
		return in.data[off : off+n], nil
	}
	if in.left -= n; in.left < 0 {
		return nil, say.Errorf("the archive would grow from %d bytes to more than %d: no checkpoint compresses so far",
			len(in.data), inflateFloor+inflateRatio*int64(len(in.data)))
	}
	r, err := f.Open()
	if err != nil {
		return nil, say.Errorf("the archive's entry %s: %w", f.Name, err)
	}
	defer r.Close()
	b := make([]byte, n)
	if _, err := io.ReadFull(r, b); err != nil {
		return nil, say.Errorf("the archive's entry %s: %w", f.Name, err)
	}
	return b, nil
}

// legacyMagic is 0x1950a86a20f9469cfc6c as a pickle's integer has it.
const legacyMagic = "\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19"

// openLegacy opens the format before PyTorch 1.6: pickles of a magic number, a
// protocol, the system and the object, then one of the storages' keys, then for each
// storage its element count (8 bytes) and its elements.
func openLegacy(data []byte) (*archive, error) {
	a := &archive{format: "legacy", size: len(data), order: binary.LittleEndian, widths: map[string]int{}}
	rest := data
	next := func(l pickle.Loader) (any, error) {
		v, n, err := pickle.Load(rest, l)
		if err == nil {
			rest = rest[n:]
		}
		return v, err
	}
	magic, err := next(pickle.Loader{})
	if n, ok := magic.(pickle.Long); err != nil || !ok || string(n) != legacyMagic {
		return nil, say.Errorf("this is a pickle, but not one of torch.save (its first value is no magic number)")
	}
	if v, err := next(pickle.Loader{}); err != nil || v != 1001 {
		return nil, say.Errorf("torch.save's protocol %v where 1001 is known", v)
	}
	sys, err := next(pickle.Loader{})
	if err != nil {
		return nil, err
	}
	if pickle.Get(sys, "little_endian") == false {
		a.order = binary.BigEndian
	}
	if a.root, err = next(a.loader(true)); err != nil {
		return nil, err
	}
	keys, err := next(pickle.Loader{})
	if err != nil {
		return nil, err
	}
	return a, a.legacyStorages(pickle.Items(keys), rest)
}

// legacyStorages notes where each storage's count stands. The size of an element is
// the reader's to know: each storage gives it when it asks, in the file's order.
func (a *archive) legacyStorages(keys []any, rest []byte) error {
	at := map[string][]byte{}
	for _, k := range keys {
		key, ok := k.(string)
		width := a.widths[key]
		if !ok || width == 0 {
			return say.Errorf("the file lists a storage %v that nothing in it uses", k)
		}
		if len(rest) < 8 {
			return say.Errorf("the file ends before storage %s: it is cut off", key)
		}
		count := a.order.Uint64(rest)
		rest = rest[8:]
		if count > uint64(len(rest)/width) {
			return say.Errorf("storage %s has %d elements of %d bytes where %d bytes are left: the file is cut off", key, count, width, len(rest))
		}
		n := int(count) * width
		at[key], rest = rest[:n], rest[n:]
	}
	a.bytes = func(key string, n int64) ([]byte, error) {
		b, ok := at[key]
		if !ok {
			return nil, say.Errorf("the file lacks storage %s", key)
		}
		if n > int64(len(b)) {
			return nil, say.Errorf("storage %s has %d bytes where %d are needed", key, len(b), n)
		}
		return b[:n], nil
	}
	return nil
}
