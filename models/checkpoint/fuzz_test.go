package checkpoint_test

import (
	"archive/zip"
	"bytes"
	"io"
	"testing"

	"spotter/models/checkpoint"
)

// FuzzOpen feeds whole files of both formats.
func FuzzOpen(f *testing.F) {
	for _, name := range []string{"tensors.pt", "tensors-legacy.pt", "script.pt"} {
		f.Add(file(f, name))
	}
	f.Add(legacyWithKeys("(X\x01\x00\x00\x009e."))
	f.Fuzz(func(t *testing.T, data []byte) { load(data) })
}

// FuzzPickle feeds the pickle of an archive whose storages are there, so that mutations
// do not die at the zip's checksums.
func FuzzPickle(f *testing.F) {
	for _, name := range []string{"tensors.pt", "repeated.pt"} {
		f.Add(streamOf(f, file(f, name)))
	}
	f.Add([]byte(tensorPickle(four, "K\x00", "K\x04\x85", one+"\x85")))
	f.Add([]byte("\x80\x02ctorch.nn\nModule\n)\x81q\x00}(X\x08\x00\x00\x00_modules}X\x01\x00\x00\x00ah\x00sX\x0b\x00\x00\x00_parameters}ub."))
	f.Add([]byte("\x80\x02}X\x05\x00\x00\x00modelcmodels.yolo\nDetectionModel\n)\x81}(X\x08\x00\x00\x00_modules}X\x0b\x00\x00\x00_parameters}X\x04\x00\x00\x00yaml}X\x02\x00\x00\x00ncK\x02sX\x05\x00\x00\x00names]X\x03\x00\x00\x00cataubs."))
	storages := map[string][]byte{}
	for _, key := range []string{"0", "1", "2", "3"} {
		storages[key] = make([]byte, 256)
	}
	f.Fuzz(func(t *testing.T, stream []byte) { load(archive(t, string(stream), storages, zip.Store)) })
}

// load goes as far as the file leads; the weights are looked at even without a network.
func load(data []byte) {
	c, err := checkpoint.Open(data)
	if err != nil {
		return
	}
	c.Weights()
	c.Load(checkpoint.Options{Width: 64, Height: 64})
}

// streamOf is an archive's data.pkl.
func streamOf(t testing.TB, data []byte) []byte {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range z.File {
		if r, err := entry.Open(); err == nil && bytes.HasSuffix([]byte(entry.Name), []byte("/data.pkl")) {
			stream, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			return stream
		}
	}
	t.Fatal("the archive holds no data.pkl")
	return nil
}
