package passes

import "spotter/wasm/ir"

// dropDead removes steps whose result nothing reads.
func dropDead(p *ir.Program) {
	uses := p.Uses()
	kept := p.Steps[:0:0]
	for i := len(p.Steps) - 1; i >= 0; i-- {
		s := p.Steps[i]
		if uses[s.Out] > 0 {
			kept = append(kept, s)
			continue
		}
		for _, v := range s.In {
			ir.Count(uses, v, -1)
		}
	}
	for i, j := 0, len(kept)-1; i < j; i, j = i+1, j-1 {
		kept[i], kept[j] = kept[j], kept[i]
	}
	p.Steps = kept
}
