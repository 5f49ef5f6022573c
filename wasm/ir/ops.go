package ir

import "spotter/models"

// The operations below take the place of the graph's where parameters are held
// rather than named; all others are the graph's own.

// Conv is a convolution with everything that is fused into it:
//
//	out = act(conv(In[0]) * Filter.Scale + Filter.Bias + pre) + residual
//
// Its inputs are, in this order: what is convolved, the residual and pre, where it has them.
type Conv struct {
	models.Conv // the geometry
	Filter      Filter
	Act         models.Activation
	Residual    bool
	Pre         bool // sums that another convolution began; pointwise only
	PreUp       int  // each pixel of pre stands for PreUp x PreUp of the output; 0 is 1
}

// Filter is a convolution's parameters: weights [Out, In/Groups, KH, KW] as the
// checkpoint holds them, and what is applied to each output channel afterwards.
type Filter struct {
	Data  []float32
	Half  bool      // every weight fits float16
	Scale []float32 // nil is one
	Bias  []float32 // nil is zero
}

// Values counts the weights.
func (f *Filter) Values() int { return len(f.Data) }

func (f *Filter) params() int { return len(f.Data) + len(f.Bias) }

// Apply follows the filter with y = x*scale + shift for each of n output channels.
func (f *Filter) Apply(n int, scale, shift []float32) {
	was := Filter{Scale: f.Scale, Bias: f.Bias}
	f.Scale, f.Bias = make([]float32, n), make([]float32, n)
	for o := range n {
		s := at(scale, o, 1)
		f.Scale[o] = at(was.Scale, o, 1) * s
		f.Bias[o] = float32(float64(at(was.Bias, o, 0))*float64(s) + float64(at(shift, o, 0)))
	}
}

// At gives the scale and bias of output channel o.
func (f *Filter) At(o int) (scale, bias float32) { return at(f.Scale, o, 1), at(f.Bias, o, 0) }

func at(list []float32, i int, none float32) float32 {
	if list == nil {
		return none
	}
	return list[i]
}

// Pointwise says whether the convolution is a plain product at each pixel.
func (c *Conv) Pointwise() bool { return c.Product() && c.Stride == [2]int{1, 1} }

// Product says whether the convolution is a plain product at each pixel that it reads.
func (c *Conv) Product() bool {
	return c.Kernel == [2]int{1, 1} && c.Pad == [4]int{} && c.Groups <= 1
}

// Depthwise says whether each channel is convolved by itself.
func (c *Conv) Depthwise(in int) bool { return c.Groups > 1 && c.Groups == in && c.Out == in }

// ConvTranspose is a transposed convolution, weights [In, Out/Groups, KH, KW], with its activation.
type ConvTranspose struct {
	models.ConvTranspose
	Filter Filter
	Act    models.Activation
}

// Affine is x*Scale + Shift for each channel (the first dimension): normalisation
// or layer scale that nothing took in. Nil means one and zero.
type Affine struct{ Scale, Shift []float32 }

// Binary is models.Binary with its constant.
type Binary struct {
	Kind       models.BinaryKind
	Const      *models.Tensor // nil for two inputs
	ConstFirst bool
}

// MatMul is models.MatMul with its constant.
type MatMul struct {
	Const      *models.Tensor // nil for two inputs
	ConstFirst bool
}

// Depth is the length of the sums.
func (m *MatMul) Depth(s *Step) int {
	left := s.In[0].Shape
	if m.Const != nil && m.ConstFirst {
		left = m.Const.Shape
	}
	return left[len(left)-1]
}

// Copy moves the input to where the output lies.
type Copy struct{}

// OpName gives the name that errors and the layer table print.
func (*Affine) OpName() string { return "Affine" }

// OpName gives the name that errors and the layer table print.
func (*Binary) OpName() string { return "Binary" }

// OpName gives the name that errors and the layer table print.
func (*MatMul) OpName() string { return "MatMul" }

// OpName gives the name that errors and the layer table print.
func (*Copy) OpName() string { return "Copy" }
