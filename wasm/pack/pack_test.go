package pack

import (
	"encoding/binary"
	"math"
	"slices"
	"testing"

	"spotter/kernels"
	"spotter/models"
	"spotter/wasm/ir"
)

// example is parameters of several kinds: wide, narrow, thin, plain.
func example(half bool) []*Param {
	var params []*Param
	for _, c := range []struct{ out, k, lanes int }{{20, 9, 8}, {3, 1, 8}, {8, 1, 8}, {17, 30, 12}, {4, 2, 4}} {
		f := &ir.Filter{Half: half, Scale: make([]float32, c.out), Bias: make([]float32, c.out)}
		for i := range c.out * c.k {
			f.Data = append(f.Data, models.HalfToFloat(uint16(0x2000+97*i%0x4000)))
		}
		for o := range c.out {
			f.Scale[o], f.Bias[o] = 1/float32(o+1), float32(o)/3
		}
		params = append(params, Filter(f, kernels.PackGemm(f.Data, nil, c.out, c.k, c.lanes), c.out, c.k, c.lanes))
	}
	return append(params, &Param{Plain: []float32{1, 2, 3}})
}

// TestFilterIsWhatTheKernelPacks: scaled runs are the scaled weights, packed.
func TestFilterIsWhatTheKernelPacks(t *testing.T) {
	f := &ir.Filter{Data: []float32{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, Scale: []float32{1, 2, 3, 4, 5}, Bias: []float32{-1, -2, -3, -4, -5}}
	p := Filter(f, kernels.PackGemm(f.Data, nil, 5, 2, 4), 5, 2, 4)
	var got []float32
	for i := range p.Runs {
		got = append(got, p.Runs[i].scaled()...)
	}
	scaled := slices.Clone(f.Data)
	for i := range scaled {
		scaled[i] *= f.Scale[i/2]
	}
	if want := kernels.PackGemm(scaled, f.Bias, 5, 2, 4); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestUnpackingInPlace follows load(): with the file Lead bytes behind the start of the
// packed parameters, no piece is overwritten before it is read, and both
// encodings unpack to the same numbers.
func TestUnpackingInPlace(t *testing.T) {
	half, whole := Pack(example(true), F16), Pack(example(true), F32)
	if half.Packed != whole.Packed {
		t.Fatalf("%d packed bytes, and %d", half.Packed, whole.Packed)
	}
	memory := make([]byte, max(half.Packed, half.Lead+len(half.Bytes)))
	copy(memory[half.Lead:], half.Bytes)
	for _, c := range half.Copies {
		unpack(memory, half.Lead, c)
	}
	want := make([]byte, whole.Packed)
	copy(want, whole.Bytes)
	for i := range example(true) { // gaps between parameters hold anything
		p := example(true)
		Pack(p, F16)
		at, n := p[i].Offset, 4*p[i].floats()
		if !slices.Equal(memory[at:at+n], want[at:at+n]) {
			t.Errorf("parameter %d differs", i)
		}
	}
	if len(half.Bytes) >= len(whole.Bytes) {
		t.Errorf("the half file has %d bytes, the whole one %d", len(half.Bytes), len(whole.Bytes))
	}
}

func unpack(memory []byte, lead int, c Copy) {
	from, to := lead+c.From, c.To
	if c.Bytes > 0 {
		copy(memory[to:to+c.Bytes], memory[from:])
		return
	}
	get := func() float32 {
		from += 4
		return math.Float32frombits(binary.LittleEndian.Uint32(memory[from-4:]))
	}
	put := func(v float32) {
		binary.LittleEndian.PutUint32(memory[to:], math.Float32bits(v))
		to += 4
	}
	for range c.Blocks {
		var scale, bias []float32
		for range c.Lanes {
			scale = append(scale, get())
		}
		for range c.Lanes {
			bias = append(bias, get())
		}
		for _, v := range bias {
			put(v)
		}
		for range c.K {
			row := slices.Clone(memory[from : from+2*c.Lanes])
			from += 2 * c.Lanes
			for i := range c.Lanes {
				put(models.HalfToFloat(binary.LittleEndian.Uint16(row[2*i:])) * scale[i])
			}
		}
	}
}

func TestChoose(t *testing.T) {
	if e := Choose(example(true)); e != F16 {
		t.Errorf("weights that fit float16 are packed as %s", e)
	}
	if e := Choose(example(false)); e != F32 {
		t.Errorf("weights that do not fit float16 are packed as %s", e)
	}
}
