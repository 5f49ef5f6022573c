package web

import (
	"bytes"
	"compress/gzip"
	"io"
	"runtime"
	"strings"
	"sync"

	"github.com/andybalholm/brotli"
)

// Effort says how much time compression may take.
type Effort int

// Efforts: Fast takes a fraction of a second and leaves weights as they are; Best
// takes half a minute for a model of 10 MB.
const (
	Fast Effort = iota
	Best
)

// worthwhile is the part of its size that a file must lose to be kept compressed.
const worthwhile = 0.03

// compress adds the compressed forms of all files that have none yet.
func (s Site) compress(effort Effort) {
	files := make(chan *File)
	var done sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		done.Go(func() {
			for f := range files {
				f.compress(effort)
			}
		})
	}
	for _, name := range s.Names() {
		if f := s[name]; f.Brotli == nil && f.Gzip == nil {
			files <- f
		}
	}
	close(files)
	done.Wait()
}

func (f *File) compress(effort Effort) {
	if strings.HasPrefix(f.Type, "image/") && f.Type != "image/svg+xml" {
		return
	}
	level, squeeze := 5, gzip.DefaultCompression
	if effort == Best {
		level, squeeze = brotli.BestCompression, gzip.BestCompression
	} else if len(f.Data) > 1<<20 {
		return
	}
	f.Brotli = f.packed(func(w io.Writer) io.WriteCloser { return brotli.NewWriterLevel(w, level) })
	f.Gzip = f.packed(func(w io.Writer) io.WriteCloser {
		z, err := gzip.NewWriterLevel(w, squeeze)
		if err != nil {
			panic("BUG: " + err.Error())
		}
		return z
	})
}

// packed is the compressed content, nil where it would save too little.
func (f *File) packed(with func(io.Writer) io.WriteCloser) []byte {
	var out bytes.Buffer
	w := with(&out)
	if _, err := w.Write(f.Data); err != nil {
		panic("BUG: a buffer took no bytes: " + err.Error())
	}
	if err := w.Close(); err != nil {
		panic("BUG: a buffer took no bytes: " + err.Error())
	}
	if float64(out.Len()) > float64(len(f.Data))*(1-worthwhile) {
		return nil
	}
	return out.Bytes()
}
