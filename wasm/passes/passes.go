// Package passes rewrites a program so that it runs in fewer and cheaper steps.
//
// Each pass is one file and keeps what the program computes, up to float32
// rounding. The order matters: folding and fusing make the steps that the later
// passes recognise, and placement comes last, when the steps are settled.
package passes

import "spotter/wasm/ir"

// Pass is one rewriting.
type Pass struct {
	Name string
	Run  func(p *ir.Program)
}

// All is the pipeline, in order.
var All = []Pass{
	{"drop dead code", dropDead},
	{"fold normalisation into convolutions", foldAffine},
	{"recognise activations", recogniseActivations},
	{"fuse activations", fuseActivations},
	{"fuse residual adds", fuseResiduals},
	{"fuse activations behind adds", fuseLateActivations},
	{"move pointwise before upsampling", hoistPointwise},
	{"merge pointwise siblings", mergeSiblings},
	{"split pointwise over upsampled joins", splitJoins},
	{"drop dead code again", dropDead},
	{"fit layouts", fitLayouts},
	{"slice without copies", placeSlices},
	{"join without copies", placeConcats},
	{"compute in place", placeInPlace},
	{"spread pixels that alias", spreadPixels},
}

// Run applies the pipeline.
func Run(p *ir.Program) {
	for _, pass := range All {
		pass.Run(p)
	}
}
