package web

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
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

// worthwhileGzip is that part for large files in gzip: few clients know gzip alone, so
// that a second form of the weights would mostly lie about.
const worthwhileGzip = 0.25

// large is the size in bytes above which compression takes long enough to be told of.
const large = 1 << 20

// compress adds the compressed forms of all files that have none yet.
func (s Site) compress(effort Effort, say func(step string)) {
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
		f := s[name]
		if f.Brotli != nil || f.Gzip != nil {
			continue
		}
		if effort == Best && len(f.Data) > large {
			say(fmt.Sprintf("compressing %s (%.1f MB)", name, float64(len(f.Data))/1e6))
		}
		files <- f
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
	} else if len(f.Data) > large {
		return
	}
	if len(f.Data) > large {
		f.Brotli = f.worth(squeezed(f.Data, effort))
	} else {
		f.Brotli = f.packed(func(w io.Writer) io.WriteCloser { return brotli.NewWriterLevel(w, level) })
	}
	f.Gzip = f.packed(func(w io.Writer) io.WriteCloser {
		z, err := gzip.NewWriterLevel(w, squeeze)
		if err != nil {
			panic("BUG: " + err.Error())
		}
		return z
	})
	if len(f.Data) > large && float64(len(f.Gzip)) > float64(len(f.Data))*(1-worthwhileGzip) {
		f.Gzip = nil
	}
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
	return f.worth(out.Bytes())
}

// worth is the packed form where it saves enough, else nil.
func (f *File) worth(packed []byte) []byte {
	if float64(len(packed)) > float64(len(f.Data))*(1-worthwhile) {
		return nil
	}
	return packed
}

// squeezed compresses data by brotli, or finds it compressed at its best in the cache.
func squeezed(data []byte, effort Effort) []byte {
	kept := ""
	if cache, err := os.UserCacheDir(); err == nil {
		kept = filepath.Join(cache, "spotter", "brotli", digest(data)+".br")
		if packed, err := os.ReadFile(kept); err == nil {
			return packed
		}
	}
	level := 5
	if effort == Best {
		level = brotli.BestCompression
	}
	var out bytes.Buffer
	w := brotli.NewWriterOptions(&out, brotli.WriterOptions{Quality: level, LGWin: 24})
	_, err := w.Write(data)
	if err = errors.Join(err, w.Close()); err != nil {
		panic("BUG: a buffer took no bytes: " + err.Error())
	}
	if effort == Best && kept != "" {
		keep(kept, out.Bytes())
	}
	return out.Bytes()
}

// keep writes a file of the cache, whole or not at all; where it can't, the work is
// done anew next time.
func keep(file string, data []byte) {
	if os.MkdirAll(filepath.Dir(file), 0o755) != nil {
		return
	}
	part, err := os.CreateTemp(filepath.Dir(file), "part")
	if err != nil {
		return
	}
	_, err = part.Write(data)
	if errors.Join(err, part.Close()) != nil || os.Rename(part.Name(), file) != nil {
		_ = os.Remove(part.Name())
	}
}
