package kernels

// attentionScalar is multi-query attention of packed tensors, in float64 but for softmax's result.
func attentionScalar(p AttentionParams, query, key, value []float32) []float32 {
	keys := p.keys()
	var out []float32
	for i := range p.Query.H * p.Query.W * p.Heads {
		q := query[i*p.Dim:][:p.Dim]
		scores := make([]float32, keys)
		for k := range keys {
			var sum float64
			for c, v := range q {
				sum += float64(v) * float64(key[k*p.Dim+c])
			}
			scores[k] = float32(sum * float64(p.Scale))
		}
		weights := softmaxScalar(scores, keys)
		for c := range p.Dim {
			var sum float64
			for k, w := range weights {
				sum += float64(w) * float64(value[k*p.Dim+c])
			}
			out = append(out, float32(sum))
		}
	}
	return out
}
