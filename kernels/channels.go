package kernels

import "spotter/kernels/emit"

// loadChannels loads n channels, 1 to 4, and touches nothing behind them.
func loadChannels(at emit.Value, offset, n int) emit.Value {
	switch n {
	case 1:
		return emit.V128Load32Zero(at, offset, 4)
	case 2:
		return emit.V128Load64Zero(at, offset, 4)
	case 3:
		return emit.V128Load32Lane(at, offset+8, 2, emit.V128Load64Zero(at, offset, 4))
	}
	return emit.V128Load(at, offset, 4)
}

// storeChannels stores the first n lanes, 1 to 4.
func storeChannels(f *emit.Func, at emit.Value, offset, n int, v emit.Value) {
	if n == 4 {
		f.Do(emit.V128Store(at, offset, v, 4))
		return
	}
	lanes := f.Define("lanes", v)
	if n >= 2 {
		f.Do(emit.V128Store64Lane(at, offset, 0, lanes))
	}
	if n != 2 {
		f.Do(emit.V128Store32Lane(at, offset+4*(n-1), n-1, lanes))
	}
}
