// Package kernels emits the WebAssembly functions that a network runs on: SIMD128
// kernels, each specialised to one shape, beside scalar twins in Go.
//
// Tensors are float32 with one picture, pixel by pixel, the channels of a pixel
// contiguous (NHWC). A View gives the shape and the strides, which become
// constants of the code; addresses are parameters at run time.
//
// Every kernel F has parameters FParams and an emitter FFunc(m, params), which
// gives a function of the module, the same one for the same parameters. Its
// i32 parameters are in this order: addresses of the inputs, of the packed
// weights, of the output, of a residual to add, of sums to start from and of scratch
// memory of the thread where there are any, then begin and end of the units to compute.
// Any split of 0..Units() over threads gives the same result. FParams.Tuned() fills in
// tiles and blocks that were measured to be good.
//
// Kernels are named op_dtype_tile_features (pw_f32_6x8_relaxed: pointwise, tiles of
// 6 pixels and 8 channels); a function's name adds the activation and shapes.
package kernels
