package passes

import (
	"slices"

	"spotter/models"
	"spotter/wasm/ir"
)

// splitJoins takes the upsampled part out of a concatenation that one pointwise
// convolution reads: its share of the sums is computed before the upsampling, at a
// quarter of the work, and the sums over the rest begin with it.
func splitJoins(p *ir.Program) {
	for _, s := range snapshot(p) {
		conv, ok := s.Op.(*ir.Conv)
		if !ok || !conv.Pointwise() || conv.Residual || conv.Pre {
			continue
		}
		uses := p.Uses()
		join := s.In[0].From
		if join == nil || uses[join.Out] != 1 || len(join.In) < 2 {
			continue
		}
		if c, ok := join.Op.(*models.Concat); !ok || c.Axis != 0 {
			continue
		}
		i := slices.IndexFunc(join.In, func(v *ir.Value) bool { return doubled(v) && uses[v] == 1 })
		if i >= 0 {
			splitJoin(p, s, join, i)
		}
	}
}

// doubled says whether v is a nearest upsampling by two.
func doubled(v *ir.Value) bool {
	if v.From == nil {
		return false
	}
	r, ok := v.From.Op.(*models.Resize)
	if !ok || r.Mode != "nearest" {
		return false
	}
	small := v.From.In[0].Shape
	return v.Shape[1] == 2*small[1] && v.Shape[2] == 2*small[2]
}

// splitJoin removes input i, an upsampling, from the join in front of s.
func splitJoin(p *ir.Program, s, join *ir.Step, i int) {
	conv := s.Op.(*ir.Conv)
	up := join.In[i].From
	first := channelsBefore(join, i)
	small := up.In[0]
	part := &ir.Conv{Conv: conv.Conv, Filter: conv.Filter}
	part.Filter.Data = columns(&conv.Filter, conv.Out, first, small.Shape[0], true)
	part.Filter.Bias = nil
	conv.Filter.Data = columns(&conv.Filter, conv.Out, first, small.Shape[0], false)

	begin := &ir.Step{Name: s.Name, Layer: s.Layer, Op: part, In: []*ir.Value{small}}
	sums := begin.NewValue(s.Name+" upsampled part", models.Shape{conv.Out, small.Shape[1], small.Shape[2]})
	p.InsertBefore(up, begin)
	p.Remove(up)
	conv.Pre, conv.PreUp = true, 2

	join.In = slices.Delete(slices.Clone(join.In), i, i+1)
	rest := join.In[0]
	if len(join.In) == 1 {
		p.Remove(join)
	} else {
		rest = join.NewValue(join.Name+" without "+up.Name, models.Shape{join.Out.Shape[0] - small.Shape[0], join.Out.Shape[1], join.Out.Shape[2]})
	}
	s.In = []*ir.Value{rest, sums}
}

// columns takes the weights of n input channels from first on, or all but those.
func columns(f *ir.Filter, out, first, n int, inside bool) []float32 {
	in := f.Values() / out
	var data []float32
	for o := range out {
		row := f.Data[o*in : (o+1)*in]
		if inside {
			data = append(data, row[first:first+n]...)
		} else {
			data = append(append(data, row[:first]...), row[first+n:]...)
		}
	}
	return data
}
