// Package models says what a network is: a graph of operations with its
// detection head and the way pictures are fed to it. Everything that brings a
// network in (YAML, checkpoints, ONNX) makes a Graph; everything that uses one
// (the scalar reference, the compiler, the summary) takes a Graph.
package models

// Shape is a value's shape without the batch dimension, in the framework's
// order: [C, H, W] for feature maps, any other rank for the rest.
type Shape []int

// Graph is a network with one picture as input, operations in order of computation.
type Graph struct {
	Name    string
	Input   *Value  // [3, H, W]; H and W may be set anew before InferShapes
	Nodes   []*Node // each node's inputs come from earlier nodes
	Outputs []*Value
	Head    Head
	Feed    Feed
	Classes []string // class names by id; may be empty
	Layers  []Layer  // rows of the summary; Node.Layer indexes it
}

// Value is the result of a node, or the input.
type Value struct {
	Name  string
	Shape Shape
	From  *Node // nil for the input
}

// Node is one operation. Parameters are named, not held: Weights gives them.
type Node struct {
	Name  string // module path, e.g. model.0.layer3.uib_0._start_dw_.conv, or the ONNX node's name
	Op    Op
	In    []*Value
	Out   *Value
	Layer int // index in Graph.Layers, -1 when none
}

// Layer is one row of the network's summary (a line of the YAML, or a block).
type Layer struct {
	Index  int    // YOLO index as the YAML counts it
	From   string // as printed, e.g. "-1" or "[-1, 3]"
	Repeat int
	Module string // e.g. models.common.SPPF
	Args   string // as printed
	Params int    // trainable parameters
	// Modules is the number of torch modules in the row, containers included: what YOLOv5's
	// summary counts as layers. 0 where the network did not come from a YAML.
	Modules int
	Out     []*Value
}

// Op is one of the op structs below.
type Op interface{ OpName() string }

// Conv is a 2-D convolution. Weight is [Out, In/Groups, KH, KW]; Bias [Out] or "".
type Conv struct {
	Out            int
	Kernel, Stride [2]int // height, width
	Pad            [4]int // top, left, bottom, right; zeros
	Dilation       [2]int // 1 is dense; 0 counts as 1
	Groups         int
	Weight, Bias   string
}

// ConvTranspose is a transposed convolution. Weight is [In, Out/Groups, KH, KW].
type ConvTranspose struct {
	Out            int
	Kernel, Stride [2]int
	Pad            [4]int
	OutPad         [2]int
	Groups         int
	Weight, Bias   string
}

// BatchNorm normalises per channel: (x-mean)/sqrt(var+eps)*weight+bias.
type BatchNorm struct {
	Weight, Bias, Mean, Var string
	Eps                     float32
}

// ActKind names an elementwise function.
type ActKind int

// Elementwise functions. Clip uses Lo and Hi; LeakyReLU and ELU use Lo as the slope.
// HardSigmoid is clamp(Lo*x+Hi, 0, 1) (ONNX alpha, beta); GELU is the exact erf form.
const (
	ActNone ActKind = iota
	ActReLU
	ActReLU6
	ActSiLU
	ActSigmoid
	ActHardSwish
	ActHardSigmoid
	ActLeakyReLU
	ActGELU
	ActClip
	ActTanh
	ActExp
	ActSqrt
	ActNeg
)

// Activation applies an elementwise function.
type Activation struct {
	Kind   ActKind
	Lo, Hi float32
}

// MaxPool and AvgPool slide a window; padding never wins (max) or is not counted
// unless CountPad (average).
type MaxPool struct {
	Kernel, Stride [2]int
	Pad            [4]int
}

// AvgPool is the mean over a window.
type AvgPool struct {
	Kernel, Stride [2]int
	Pad            [4]int
	CountPad       bool
}

// GlobalAvgPool is the mean over all pixels: [C,H,W] to [C,1,1].
type GlobalAvgPool struct{}

// Resize scales the picture by whole or fractional factors.
type Resize struct {
	Scale  [2]float32 // height, width; ignored where Size is set
	Size   [2]int
	Mode   string // "nearest" (floor of dst/scale) or "linear" (half-pixel centres)
	Corner bool   // linear with align_corners
}

// Concat joins along a dimension of the Shape (0 is channels).
type Concat struct{ Axis int }

// Slice takes Start, Start+Step, ... < End along one dimension of the Shape.
type Slice struct{ Axis, Start, End, Step int }

// Binary is an elementwise operation of two values with broadcasting, or of a
// value and a constant (one input; Const names the parameter, broadcast as
// numpy does over the Shape; ConstFirst puts it on the left).
type Binary struct {
	Kind       BinaryKind
	Const      string
	ConstFirst bool
}

// BinaryKind is the function of a Binary.
type BinaryKind int

// Functions of Binary.
const (
	Add BinaryKind = iota
	Sub
	Mul
	Div
	Pow
	Max
	Min
)

// Scale multiplies each channel of [C,H,W] by a constant [C]: layer scale.
type Scale struct{ Weight string }

// MQA is multi-query attention: inputs query [Heads*Dim, H, W], key [Dim, h, w] and
// value [Dim, h, w]; softmax(q.k / sqrt(Dim)) . v per head; output as the query.
// MobileNetV4 paper, section 3.2. Heads are contiguous blocks of Dim channels.
type MQA struct {
	Heads, Dim int
	Scale      float32 // multiplies the products, usually Dim^-0.5
}

// MatMul multiplies the last two dimensions, batched over the leading ones;
// with one input, Const is the right (or left, ConstFirst) operand.
type MatMul struct {
	Const      string
	ConstFirst bool
}

// Softmax normalises over one dimension of the Shape.
type Softmax struct{ Axis int }

// Reshape keeps the elements in row-major order of the Shape; one -1 allowed.
type Reshape struct{ Shape Shape }

// Transpose permutes the dimensions of the Shape.
type Transpose struct{ Perm []int }

// OpName gives the operation's name as errors and tables print it.
func (*Conv) OpName() string          { return "Conv" }
func (*ConvTranspose) OpName() string { return "ConvTranspose" }
func (*BatchNorm) OpName() string     { return "BatchNorm" }
func (*Activation) OpName() string    { return "Activation" }
func (*MaxPool) OpName() string       { return "MaxPool" }
func (*AvgPool) OpName() string       { return "AvgPool" }
func (*GlobalAvgPool) OpName() string { return "GlobalAvgPool" }
func (*Resize) OpName() string        { return "Resize" }
func (*Concat) OpName() string        { return "Concat" }
func (*Slice) OpName() string         { return "Slice" }
func (*Binary) OpName() string        { return "Binary" }
func (*Scale) OpName() string         { return "Scale" }
func (*MQA) OpName() string           { return "MQA" }
func (*MatMul) OpName() string        { return "MatMul" }
func (*Softmax) OpName() string       { return "Softmax" }
func (*Reshape) OpName() string       { return "Reshape" }
func (*Transpose) OpName() string     { return "Transpose" }

// Tensor is a parameter: row-major float32, whatever the file held.
type Tensor struct {
	Shape []int
	Data  []float32
	Half  bool // every value came from (and fits) float16
}

// Weights gives parameters by name.
type Weights map[string]*Tensor

// HeadKind is how a network's outputs become boxes.
type HeadKind string

// Heads. See Head for the meaning of the levels' fields.
const (
	HeadYOLOv5   HeadKind = "yolov5"   // anchors; decode: xy=(2s-0.5+grid)*stride, wh=(2s)^2*anchor; obj*cls
	HeadYOLOX    HeadKind = "yolox"    // anchor-free; xy=(t+grid)*stride, wh=exp(t)*stride; obj*cls
	HeadGFL      HeadKind = "gfl"      // PicoDet, NanoDet: distances as expectation over bins, centre (x+0.5)*stride; cls
	HeadYOLOv8   HeadKind = "yolov8"   // as GFL with bins, centre (x+0.5), in strides; cls
	HeadClassify HeadKind = "classify" // one vector of logits, softmax
)

// Head describes the raw outputs: maps before sigmoid and decode.
type Head struct {
	Kind    HeadKind `json:"kind"`
	Classes int      `json:"classes"`
	Masks   int      `json:"masks"` // mask coefficients an anchor; 0 for plain detection
	Bins    int      `json:"bins"`  // bins a side for GFL and YOLOv8
	Proto   int      `json:"proto"` // index in Outputs of the prototypes [Masks, H/4, W/4]; -1 when none
	Levels  []Level  `json:"levels"`
}

// Level is one stride of a head. Each part names an output map and the first
// channel in it; the anchor's stride in channels is AnchorStep.
// YOLOv5: all parts lie in one map, per anchor: 4 box, 1 objectness, classes, mask coefficients.
type Level struct {
	Stride     int          `json:"stride"`
	Anchors    [][2]float32 `json:"anchors,omitempty"` // width, height in pixels of the network's input; empty when anchor-free
	AnchorStep int          `json:"anchorStep"`
	Box        Part         `json:"box"`
	Cls        Part         `json:"cls"`
	Obj        Part         `json:"obj"` // Map < 0 when there is none
	Coef       Part         `json:"coef"`
	ClsSigmoid bool         `json:"clsSigmoid"` // the class map already is a probability
	ObjSigmoid bool         `json:"objSigmoid"` // likewise objectness
}

// Part is a run of channels in an output map.
type Part struct {
	Map     int `json:"map"`
	Channel int `json:"channel"`
}

// Fit is how a picture is laid into the network's input.
type Fit string

// Ways to fit. Letterbox centres with padding as YOLOv5 does; TopLeft pads right and
// bottom; Squash ignores the aspect; CropCentre resizes the short side and crops.
const (
	FitLetterbox  Fit = "letterbox"
	FitTopLeft    Fit = "topleft"
	FitSquash     Fit = "squash"
	FitCropCentre Fit = "crop"
)

// Feed is the preprocessing: value = (byte*Scale - Mean[c]) / Std[c].
type Feed struct {
	Fit   Fit        `json:"fit"`
	BGR   bool       `json:"bgr"`
	Pad   byte       `json:"pad"` // grey level around a letterboxed picture (114)
	Scale float32    `json:"scale"`
	Mean  [3]float32 `json:"mean"`
	Std   [3]float32 `json:"std"`
}
