package module

import (
	"spotter/kernels"
	"spotter/models/say"
	"spotter/wasm/abi"
	"spotter/wasm/plan"
)

// Limits of a module.
const (
	maxResults   = 1000
	maxThreads   = 8 // each needs memory of its own; maps of this size hardly share further
	maxPages     = 65536
	picturePages = 4096 // that the memory may grow by for pictures and masks: 256 MiB
)

// layout is the memory map: what the manifest tells, and what only the module knows.
type layout struct {
	abi.Memory
	Control     int // words of the threads, see threads.go
	Placement   int // of the last picture
	Scratch     int // of thread 0; ScratchStep bytes a thread
	ScratchStep int
	Detect      int // scratch of detect or classify
	Mask        int // scratch of mask
	Bench       int // where load() works, behind the weights file
}

// lay fixes the addresses. The weights file lies over the end of the packed weights and
// what follows them: it is gone once load() has run.
func (b *builder) lay(h *head) error {
	l := &b.layout
	at := 64 // nothing lies at 0
	take := func(bytes int) int {
		start := at
		at = align(at+bytes, plan.Align)
		return start
	}
	l.Control = take(controlBytes)
	l.Placement = take(kernels.PlacementBytes)
	l.Flags = take(4)
	l.MaskRect = take(16)
	l.ClassMask = take((max(h.classes, 1) + 31) / 32 * 4)
	l.MaxResults = maxResults
	l.Results = take(maxResults * abi.ResultBytes)
	l.Weights = take(b.file.Packed)
	l.Wire = l.Weights + b.file.Lead
	l.ArenaBytes = b.arena.Bytes
	l.Arena = take(b.arena.Bytes)
	l.MaxThreads = 1
	if b.o.Shared {
		l.MaxThreads = maxThreads
	}
	l.ScratchStep = align(b.scratch(), plan.Align)
	l.Scratch = take(l.ScratchStep * l.MaxThreads)
	h.place(b)
	detect, mask := h.scratch()
	l.Detect = take(detect)
	l.Mask = take(mask)
	take(plan.Align) // letterboxing reads a little before the picture
	l.Pixels = at
	in := b.p.Input.Shape
	l.Bench = align(max(l.Weights+b.file.Packed, l.Wire+len(b.file.Bytes)), plan.Align)
	end := max(at+in[1]*in[2]*4, l.Bench+b.file.Bench)
	l.Pages = (end + abi.PageSize - 1) / abi.PageSize
	if l.Pages > maxPages {
		return say.Errorf("the network needs %d MiB of memory, WebAssembly has 4096", end>>20)
	}
	l.MaxPages = min(l.Pages+picturePages, maxPages)
	return nil
}

func align(n, to int) int { return (n + to - 1) / to * to }
