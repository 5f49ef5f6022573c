// Package pack lays out a network's parameters: as float32 in the order in which
// the kernels read them, and as the weights file that a module unpacks into that.
//
// The file holds the parameters in the same order. With float16, a run of
// convolution weights is carried as the checkpoint holds them, block by block:
// one float32 scale and bias for each output channel of the block, then the
// weights as binary16. Unpacking multiplies by the scale, so that a half-precision
// checkpoint loses nothing to the folding of its normalisation. With
// float32 the file is the packed parameters themselves.
package pack

import (
	"encoding/binary"
	"math"

	"spotter/kernels/emit"
	"spotter/models"
	"spotter/wasm/ir"
)

// Encoding of the weights file.
type Encoding string

// Encodings: F16 carries convolution weights as float16, F32 everything as float32.
const (
	F16 Encoding = "f16"
	F32 Encoding = "f32"
)

// Run is a stretch of blocks of Lanes output channels: one row of biases, then K
// rows of weights.
type Run struct {
	Lanes, K, Blocks int
	Data             []float32 // [Blocks][1+K][Lanes] with the bias rows zero, not scaled
	Scale, Bias      []float32 // [Blocks*Lanes]
}

// Param is what one kernel reads: runs that follow each other, or plain numbers.
type Param struct {
	Runs   []Run
	Plain  []float32
	Exact  bool    // every weight of the runs fits float16
	Finish *Finish // what is left to do when the runs are unpacked

	Offset int // from the start of the packed parameters, in bytes; set by Pack
}

// Finish makes the packed parameters of the unpacked runs: a function f(runs, packed),
// addresses that do not overlap.
type Finish struct {
	Func   func(m *emit.Module) *emit.Func
	Floats int // packed numbers
}

// floats counts the numbers of the runs or the plain ones.
func (p *Param) floats() int {
	n := len(p.Plain)
	for _, r := range p.Runs {
		n += len(r.Data)
	}
	return n
}

// Filter cuts packed, which is f's weights as a kernel packs them without scale
// and bias, into runs: blocks of lanes output channels (a multiple of 4), the last
// one narrower, each with k weights a channel.
func Filter(f *ir.Filter, packed []float32, out, k, lanes int) *Param {
	p := &Param{Exact: f.Half}
	whole := out / lanes
	rest := (out%lanes + 3) / 4 * 4
	if rest == lanes {
		whole, rest = whole+1, 0
	}
	cut := whole * lanes * (k + 1)
	if whole > 0 {
		p.Runs = append(p.Runs, run(f, packed[:cut], 0, out, k, lanes, whole))
	}
	if rest > 0 {
		p.Runs = append(p.Runs, run(f, packed[cut:], whole*lanes, out, k, rest, 1))
	}
	return p
}

func run(f *ir.Filter, data []float32, first, out, k, lanes, blocks int) Run {
	r := Run{Lanes: lanes, K: k, Blocks: blocks, Data: data}
	r.Scale, r.Bias = make([]float32, lanes*blocks), make([]float32, lanes*blocks)
	for i := range r.Scale {
		if first+i < out {
			r.Scale[i], r.Bias[i] = f.At(first + i)
		}
	}
	return r
}

// scaled gives the run as the kernels read it.
func (r *Run) scaled() []float32 {
	out := make([]float32, len(r.Data))
	for b := range r.Blocks {
		scale, bias := r.Scale[b*r.Lanes:][:r.Lanes], r.Bias[b*r.Lanes:]
		at := b * (r.K + 1) * r.Lanes
		copy(out[at:at+r.Lanes], bias)
		for i := r.Lanes; i < (r.K+1)*r.Lanes; i++ {
			out[at+i] = r.Data[at+i] * scale[i%r.Lanes]
		}
	}
	return out
}

// Copy is one piece of work of load(): unpacking a run (Lanes, K and Blocks set),
// moving Bytes bytes, or finishing what the pieces before made. From counts from the file's
// start, To from that of the packed parameters, or from that of the bench (Bench set), memory
// beside them of which a Finish reads.
type Copy struct {
	From, To         int
	Lanes, K, Blocks int
	Bytes            int
	Bench            bool
	Finish           func(m *emit.Module) *emit.Func
}

// File is a weights file and how to unpack it.
type File struct {
	Encoding Encoding
	Bytes    []byte
	Packed   int    // bytes of the packed parameters
	Lead     int    // the file may lie Lead bytes behind the packed parameters' start: unpacking in order overwrites nothing unread
	Bench    int    // bytes of the bench
	Copies   []Copy // in order; empty when the file is the packed parameters

	bench  bool // pieces go to the bench
	placed int  // bytes there
}

// Choose is F16 where that loses nothing.
func Choose(params []*Param) Encoding {
	for _, p := range params {
		if len(p.Runs) > 0 && !p.Exact {
			return F32
		}
	}
	return F16
}

// halfMax is the largest finite float16.
const halfMax = 65504

// FitsHalf reports whether no weight of the runs becomes infinite as float16.
func (p *Param) FitsHalf() bool {
	for _, r := range p.Runs {
		for _, v := range r.Data {
			if v > halfMax || v < -halfMax {
				return false
			}
		}
	}
	return true
}

// Pack sets the parameters' offsets and makes the file.
func Pack(params []*Param, e Encoding) *File {
	f := &File{Encoding: e}
	f.reserve(params)
	for _, p := range params {
		f.align(64)
		p.Offset = f.Packed
		if p.Finish == nil {
			f.param(p)
			continue
		}
		f.bench = true
		f.param(p)
		f.Bench = max(f.Bench, 4*p.floats())
		f.bench, f.placed = false, 0
		f.Copies = append(f.Copies, Copy{To: f.Packed, Finish: p.Finish.Func})
		f.Packed += 4 * p.Finish.Floats
		f.lead()
	}
	f.Lead = (f.Lead + 15) / 16 * 16
	if f.Lead == 0 && e == F32 {
		f.Copies = nil
	}
	return f
}

// reserve makes room for the file: at most four bytes a number and the scales.
func (f *File) reserve(params []*Param) {
	n := 0
	for _, p := range params {
		n += 4*p.floats() + 64
		if f.Encoding == F16 && len(p.Runs) > 0 {
			n -= 2 * p.floats()
			for _, r := range p.Runs {
				n += 8 * len(r.Scale)
			}
		}
	}
	f.Bytes = make([]byte, 0, n)
}

// align starts the next parameter at a cache line.
func (f *File) align(n int) {
	gap := (n - f.Packed%n) % n
	f.Packed += gap
	if f.Encoding == F32 {
		f.Bytes = append(f.Bytes, make([]byte, gap)...)
	}
}

func (f *File) param(p *Param) {
	f.plain(p.Plain)
	for i := range p.Runs {
		if f.Encoding == F32 {
			f.plain(p.Runs[i].scaled())
		} else {
			f.half(&p.Runs[i])
		}
	}
}

// to is where the next piece goes.
func (f *File) to(c Copy) Copy {
	c.From, c.To, c.Bench = len(f.Bytes), f.Packed, f.bench
	if f.bench {
		c.To = f.placed
	}
	return c
}

// place counts bytes that were written.
func (f *File) place(bytes int) {
	if f.bench {
		f.placed += bytes
		return
	}
	f.Packed += bytes
	f.lead()
}

func (f *File) plain(values []float32) {
	if len(values) == 0 {
		return
	}
	f.Copies = append(f.Copies, f.to(Copy{Bytes: 4 * len(values)}))
	f.floats(values)
	f.place(4 * len(values))
}

func (f *File) floats(values []float32) {
	for _, v := range values {
		f.Bytes = binary.LittleEndian.AppendUint32(f.Bytes, math.Float32bits(v))
	}
}

func (f *File) half(r *Run) {
	f.Copies = append(f.Copies, f.to(Copy{Lanes: r.Lanes, K: r.K, Blocks: r.Blocks}))
	for b := range r.Blocks {
		f.floats(r.Scale[b*r.Lanes:][:r.Lanes])
		f.floats(r.Bias[b*r.Lanes:][:r.Lanes])
		f.place(4 * r.Lanes)
		for k := 1; k <= r.K; k++ {
			for _, v := range r.Data[(b*(r.K+1)+k)*r.Lanes:][:r.Lanes] {
				f.Bytes = binary.LittleEndian.AppendUint16(f.Bytes, models.FloatToHalf(v))
			}
			f.place(4 * r.Lanes)
		}
	}
}

// lead keeps the file far enough behind: what is written so far ends before what is
// still to be read.
func (f *File) lead() { f.Lead = max(f.Lead, f.Packed-len(f.Bytes)) }
