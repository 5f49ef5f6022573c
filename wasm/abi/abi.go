// Package abi is the contract between an emitted module and its hosts (the page's
// worker, the native runner): what the module imports and exports, and the
// manifest in its custom section that describes it. web/src/abi.ts mirrors it.
//
// Imports
//
//	env.memory   the linear memory, made by the host: Manifest.Memory.Pages initially
//	             (max MaxPages; shared when Features has "threads")
//
// Exports (all numbers i32 unless said; addresses are bytes)
//
//	load()                      unpack the weights: the host has written the weights file's bytes at
//	                            Memory.Wire; afterwards the packed float32 weights stand at Memory.Weights.
//	                            Call once per memory.
//	feed(w, h)                  RGBA bytes of a w x h picture stand at Memory.Pixels (row by row, no gaps);
//	                            fits them into the network's input and remembers the mapping
//	infer()                     run the network on the input. With threads: as thread 0 of the count set.
//	step(i)                     run Layers[i] alone on one thread (profiles, feature maps)
//	detect(conf f32, iou f32, max) -> count
//	                            decode and suppress: Result records at Memory.Results, best first, in pixels of the
//	                            picture of the last feed, clipped to it. Classes switched off in the bit set at
//	                            Memory.ClassMask (bit id%32 of word id/32; all on after load) are dropped.
//	                            Flags at Memory.Flags: bit 0 class-agnostic, bit 1 multi-label.
//	mask(i, w, h, dst)          the mask of result i of the last detect, on a grid of w x h over the whole picture:
//	                            writes four i32 x0, y0, x1, y1 (the box on the grid, half open) at Memory.MaskRect and
//	                            (x1-x0)*(y1-y0) bytes 0 or 255, row by row, at dst. With w, h the picture's
//	                            size this is YOLOv5's mask (process_mask: sigmoid, crop, bilinear, > 0.5).
//	classify(max) -> count      classifiers: softmax; Result records with score and class, best first
//	threads(n)                  (threads) how many threads infer uses from now on, 1..Memory.MaxThreads; all of
//	                            1..n-1 must be in worker()
//	worker(id)                  (threads) serve as thread id; returns after stop(). A thread that comes in after
//	                            threads(n) still takes part: the first infer waits for it
//	stop()                      (threads) end all workers; infer goes on with one thread
//
// Modules with detect, and mask where Head.Masks is not 0, are detectors; those with
// classify classifiers; a network whose head is not known has neither.
//
// When a thread was killed, the others trap in infer or feed after 20 seconds: the host ends
// them, calls stop() and goes on with one thread or new workers.
//
// A host that feeds pictures larger than the memory left grows the memory first:
// Pixels lies behind everything else and needs w*h*4 bytes; mask's dst may lie behind the picture.
package abi

// Section is the custom section's name; its payload is the Manifest as JSON.
const Section = "spotter"

// Version of this contract.
const Version = 1

// PageSize of WebAssembly memory.
const PageSize = 65536

// Manifest describes a module.
type Manifest struct {
	ABI      int      `json:"abi"`
	Build    string   `json:"build"` // id of the compiler that made it
	Name     string   `json:"name"`
	Task     string   `json:"task"`     // detect, segment, classify
	Features []string `json:"features"` // simd, relaxed, threads
	Width    int      `json:"width"`    // network input, pixels
	Height   int      `json:"height"`
	Classes  []string `json:"classes"`
	Head     Head     `json:"head"`
	Feed     Feed     `json:"feed"`
	Weights  Weights  `json:"weights"`
	Memory   Memory   `json:"memory"`
	Layers   []Layer  `json:"layers"`
	Outputs  []Tensor `json:"outputs"` // raw maps before decode
	Input    Tensor   `json:"input"`
	Params   int      `json:"params"`
	MACs     int      `json:"macs"` // of the plain graph
	Licence  string   `json:"licence,omitempty"`
	Note     string   `json:"note,omitempty"`
}

// Head as the page shows it.
type Head struct {
	Kind    string      `json:"kind"`
	Classes int         `json:"classes"`
	Masks   int         `json:"masks"`
	Strides []int       `json:"strides"`
	Anchors [][]float32 `json:"anchors,omitempty"` // per level: w, h, w, h...
}

// Feed is the preprocessing built into the module.
type Feed struct {
	Fit   string     `json:"fit"`
	BGR   bool       `json:"bgr,omitempty"`
	Pad   int        `json:"pad"`
	Scale float32    `json:"scale"`
	Mean  [3]float32 `json:"mean"`
	Std   [3]float32 `json:"std"`
}

// Weights describes the weights file that belongs to the module.
type Weights struct {
	SHA256   string `json:"sha256"` // of the file's bytes, hex
	Bytes    int    `json:"bytes"`
	Encoding string `json:"encoding"` // f16 or f32
}

// Memory is the memory map, byte addresses.
type Memory struct {
	Pages      int `json:"pages"` // initial, pixels of a Width x Height picture included
	MaxPages   int `json:"maxPages"`
	Weights    int `json:"weights"` // packed float32
	Wire       int `json:"wire"`    // where the host writes the weights file
	Arena      int `json:"arena"`
	ArenaBytes int `json:"arenaBytes"`
	Results    int `json:"results"`
	MaxResults int `json:"maxResults"`
	ClassMask  int `json:"classMask"`
	Flags      int `json:"flags"`
	MaskRect   int `json:"maskRect"`
	MaxThreads int `json:"maxThreads"`
	Pixels     int `json:"pixels"`
}

// Result is one record at Memory.Results: 8 words of 4 bytes, little endian.
// x1 y1 x2 y2 score (float32), class (int32), two reserved.
const ResultBytes = 32

// Layer is one step of the network after the passes.
type Layer struct {
	Name   string `json:"name"`   // of the (first) graph node it came from
	Op     string `json:"op"`     // e.g. conv3x3s2+silu
	Kernel string `json:"kernel"` // e.g. pw_f32_6x8_relaxed
	In     []int  `json:"in"`     // H, W, C
	Out    []int  `json:"out"`
	MACs   int    `json:"macs"`
	Params int    `json:"params"`
	Row    int    `json:"row"`    // row of the model's summary table, -1 when none
	Tensor Tensor `json:"tensor"` // its result, valid until overwritten by a later step
}

// Tensor is a feature map in memory: float32, channels contiguous. A value of another
// rank counts as one row of pixels, each its last dimension.
type Tensor struct {
	Name        string `json:"name,omitempty"`
	Address     int    `json:"address"`
	H           int    `json:"h"`
	W           int    `json:"w"`
	C           int    `json:"c"`
	PixelStride int    `json:"pixelStride"` // bytes
	RowStride   int    `json:"rowStride"`   // bytes
}
