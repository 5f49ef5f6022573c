package module

import (
	"spotter/kernels/emit"
)

// Words that the threads share, each on a cache line of its own.
const (
	wordThreads = 64 * iota // how many share the work
	wordJob                 // number of the last job given out
	wordBase                // number of the last job that a thread that comes in need not do
	wordKind                // of the job
	wordStops               // how often stop() was called
	wordArrived             // threads at the barrier
	wordPhase               // barriers passed
	wordAsleep              // threads that wait in the barrier
	controlBytes
)

// Kinds of jobs.
const (
	jobFeed = iota
	jobInfer
)

// spins is how often a thread looks again before it sleeps: some ten microseconds.
const spins = 4000

// A thread that nobody joins at a barrier for patience seconds traps: another one was
// killed. Seconds are counted one by one, so that a machine put to sleep counts as one.
const (
	patience = 5
	second   = 1_000_000_000
	timedOut = 2 // what memory.atomic.wait32 gives
)

// control emits the functions by which the threads work together.
type control struct {
	b       *builder
	barrier *emit.Func
	jobs    []*emit.Func // part(id, n) of each kind
}

func (c *control) at() emit.Value { return emit.I32Const(c.b.layout.Control) }

// loads and stores of a word.
func (c *control) load(word int) emit.Value { return emit.I32AtomicLoad(c.at(), word) }
func (c *control) store(word int, v emit.Value) emit.Value {
	return emit.I32AtomicStore(c.at(), word, v)
}

var forever = emit.I64Const(-1)

// await leaves when the word differs from the value: it spins, then sleeps.
func (c *control) await(f *emit.Func, word int, value emit.Value) {
	n := f.Local(emit.I32, "spin")
	f.Set(n, emit.I32Const(spins))
	same := emit.I32Eq(c.load(word), value)
	f.While(emit.I32And(same, emit.I32GtS(n, emit.I32Const(0))), func() { f.Inc(n, -1) })
	f.While(same, func() { f.Do(emit.AtomicWait32(c.at(), word, value, forever)) })
}

// barrierFunc emits barrier(n): returns when n threads have called it. The last one
// resets the count and moves the phase on, which the others wait for.
func (c *control) barrierFunc() *emit.Func {
	f := c.b.m.NewFunc("barrier", []emit.Type{emit.I32}, nil)
	n := f.Param(0, "n")
	f.If(emit.I32LeU(n, emit.I32Const(1)), func() { f.Return() })
	one := emit.I32Const(1)
	phase := f.Define("phase", c.load(wordPhase))
	f.If(emit.I32Eq(emit.Plus(emit.I32AtomicRmwAdd(c.at(), wordArrived, one), 1), n), func() {
		f.Do(c.store(wordArrived, emit.I32Const(0)))
		f.Do(c.store(wordPhase, emit.Plus(phase, 1)))
		f.If(c.load(wordAsleep), func() {
			f.Do(emit.AtomicNotify(c.at(), wordPhase, emit.I32Const(-1)))
		})
		f.Return()
	})
	spin := f.Define("spin", emit.I32Const(spins))
	f.While(emit.I32GtS(spin, emit.I32Const(0)), func() {
		f.If(emit.I32Ne(c.load(wordPhase), phase), func() { f.Return() })
		f.Inc(spin, -1)
	})
	f.Do(emit.I32AtomicRmwAdd(c.at(), wordAsleep, one))
	left := f.Define("left", emit.I32Const(patience))
	f.While(emit.I32Eq(c.load(wordPhase), phase), func() {
		woken := emit.AtomicWait32(c.at(), wordPhase, phase, emit.I64Const(second))
		f.If(emit.I32Eq(woken, emit.I32Const(timedOut)), func() {
			f.Inc(left, -1)
			f.If(emit.I32Eqz(left), func() { f.Do(emit.Unreachable()) })
		})
	})
	f.Do(emit.I32AtomicRmwSub(c.at(), wordAsleep, one))
	return f
}

// give emits the caller's side of a job: all threads set take part, and it is done
// when this returns.
func (c *control) give(f *emit.Func, kind int) {
	if !c.b.o.Shared {
		f.Do(c.jobs[kind].Call(emit.I32Const(0), emit.I32Const(1)))
		return
	}
	n := f.Define("n", c.load(wordThreads))
	f.If(emit.I32LeU(n, emit.I32Const(1)), func() {
		f.Do(c.jobs[kind].Call(emit.I32Const(0), emit.I32Const(1)))
		f.Return()
	})
	f.Do(c.store(wordKind, emit.I32Const(kind)))
	f.Do(emit.I32AtomicRmwAdd(c.at(), wordJob, emit.I32Const(1)))
	f.Do(emit.AtomicNotify(c.at(), wordJob, emit.I32Const(-1)))
	f.Do(c.jobs[kind].Call(emit.I32Const(0), n))
}

// exports emits threads(n), worker(id) and stop(). A thread that comes in late still
// does the first job given to it: it counts jobs from wordBase.
func (c *control) exports() {
	if !c.b.o.Shared {
		return
	}
	i := emit.I32
	settle := func(f *emit.Func) { f.Do(c.store(wordBase, c.load(wordJob))) }
	f := c.b.m.NewFunc("threads", []emit.Type{i}, nil)
	n := f.Param(0, "n")
	f.If(emit.I32LtS(n, emit.I32Const(1)), func() { f.Set(n, emit.I32Const(1)) })
	f.If(emit.I32GtS(n, emit.I32Const(maxThreads)), func() { f.Set(n, emit.I32Const(maxThreads)) })
	settle(f)
	f.Do(c.store(wordThreads, n))
	c.b.export("threads", f)

	f = c.b.m.NewFunc("stop", nil, nil)
	settle(f)
	f.Do(c.store(wordThreads, emit.I32Const(1)))
	f.Do(c.store(wordArrived, emit.I32Const(0))) // after a trap
	f.Do(c.store(wordAsleep, emit.I32Const(0)))
	f.Do(emit.I32AtomicRmwAdd(c.at(), wordStops, emit.I32Const(1)))
	f.Do(emit.I32AtomicRmwAdd(c.at(), wordJob, emit.I32Const(1)))
	f.Do(emit.AtomicNotify(c.at(), wordJob, emit.I32Const(-1)))
	settle(f)
	c.b.export("stop", f)
	c.b.export("worker", c.worker())
}

// worker emits worker(id).
func (c *control) worker() *emit.Func {
	f := c.b.m.NewFunc("worker", []emit.Type{emit.I32}, nil)
	id := f.Param(0, "id")
	stops := f.Define("stops", c.load(wordStops))
	job, n := f.Define("job", c.load(wordBase)), f.Local(emit.I32, "n")
	f.Loop(func() {
		c.await(f, wordJob, job)
		f.If(emit.I32Ne(c.load(wordStops), stops), func() { f.Return() })
		f.Set(job, emit.Plus(job, 1))
		f.Set(n, c.load(wordThreads))
		f.If(emit.I32LtU(id, n), func() {
			var cases []func()
			for _, part := range c.jobs {
				cases = append(cases, func() { f.Do(part.Call(id, n)) })
			}
			f.Switch(c.load(wordKind), cases...)
		})
	})
	return f
}
