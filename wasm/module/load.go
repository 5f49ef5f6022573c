package module

import (
	"spotter/kernels"
	"spotter/kernels/emit"
)

// load emits load(): unpacks the weights file in its order, and turns all classes on.
func (b *builder) load() *emit.Func {
	f := b.m.NewFunc("load", nil, nil)
	at := func(n int) emit.Value { return emit.I32Const(n) }
	for _, c := range b.file.Copies {
		from, to := at(b.layout.Wire+c.From), at(b.layout.Weights+c.To)
		if c.Bench {
			to = at(b.layout.Bench + c.To)
		}
		switch {
		case c.Finish != nil:
			f.Do(c.Finish(b.m).Call(at(b.layout.Bench), to))
		case c.Bytes > 0:
			f.Do(emit.MemoryCopy(to, from, at(c.Bytes)))
		default:
			unpack := kernels.UnpackFunc(b.m, kernels.UnpackParams{Lanes: c.Lanes})
			f.Do(unpack.Call(from, to, at(c.K), at(c.Blocks)))
		}
	}
	f.Do(emit.MemoryFill(at(b.layout.ClassMask), at(255), at(b.layout.Results-b.layout.ClassMask)))
	f.Do(emit.I32Store(at(b.layout.Flags), 0, at(0)))
	return f
}
