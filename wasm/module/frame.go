package module

import (
	"spotter/kernels"
	"spotter/kernels/emit"
	"spotter/models"
	"spotter/wasm/plan"
)

// letterbox is how the network wants its pictures.
func (b *builder) letterbox() kernels.LetterboxParams {
	feed := b.p.Graph.Feed
	fits := map[models.Fit]kernels.Fit{
		models.FitTopLeft: kernels.FitTopLeft, models.FitSquash: kernels.FitSquash, models.FitCropCentre: kernels.FitCropCentre,
	}
	return kernels.LetterboxParams{
		Out: plan.View(b.p.Input), Fit: fits[feed.Fit], BGR: feed.BGR, Pad: feed.Pad,
		Scale: feed.Scale, Mean: feed.Mean, Std: feed.Std,
	}
}

// frame emits feed, infer and, for threads, what they share the work by.
func (b *builder) frame() {
	c := &b.sync
	c.b = b
	if b.o.Shared {
		c.barrier = c.barrierFunc()
	}
	c.jobs = []*emit.Func{jobFeed: b.fit(), jobInfer: b.network()}

	f := b.m.NewFunc("feed", []emit.Type{emit.I32, emit.I32}, nil)
	v := f.Params("w", "h")
	f.Do(kernels.PlaceFunc(b.m, b.letterbox()).Call(v[0], v[1], emit.I32Const(b.layout.Placement)))
	c.give(f, jobFeed)
	b.export("feed", f)

	f = b.m.NewFunc("infer", nil, nil)
	c.give(f, jobInfer)
	b.export("infer", f)
	c.exports()
}

// part begins a function part(id, n): a thread's share of a job.
func (b *builder) part(name string) (f *emit.Func, id, n emit.Value) {
	f = b.m.NewFunc(name, []emit.Type{emit.I32, emit.I32}, nil)
	return f, f.Param(0, "id"), f.Param(1, "n")
}

// meet is a barrier where there are threads.
func (b *builder) meet(f *emit.Func, n emit.Value) {
	if b.o.Shared {
		f.Do(b.sync.barrier.Call(n))
	}
}

func (b *builder) fit() *emit.Func {
	p := b.letterbox()
	f, id, n := b.part("fit")
	rows := emit.I32Const(p.Units())
	at := emit.I32Const
	f.Do(kernels.LetterboxFunc(b.m, p).Call(
		at(b.layout.Pixels), at(b.layout.Placement), at(b.layout.Arena+b.arena.Offset(b.p.Input)), b.scratchOf(id),
		emit.I32DivU(emit.I32Mul(rows, id), n), emit.I32DivU(emit.I32Mul(rows, emit.Plus(id, 1)), n)))
	b.meet(f, n)
	return f
}

func (b *builder) network() *emit.Func {
	f, id, n := b.part("network")
	i := f.Local(emit.I32, "i")
	f.For(i, emit.I32Const(0), emit.I32Const(len(b.steps)), 1, func() {
		f.Do(b.run.Call(i, id, n))
		b.meet(f, n)
	})
	return f
}
