package golden

import (
	"embed"
	"encoding/json"
	"fmt"
	"path"
	"strings"
)

//go:embed testdata/*.json testdata/formats
var files embed.FS

// Model is one network's expectations.
type Model struct {
	File      string `json:"-"`
	Backbone  string
	Size      string // n, s, m, l, x
	Task      string // detect or segment
	NC        int
	Residual  bool
	Config    json.RawMessage // the network as YOLOv5's YAML has it, in JSON
	Params    int
	Weights   map[string]WeightSample
	WeightsID string `json:"weights_sha256"`
	Runs      []Run
}

// WeightSample is what is known of one parameter.
type WeightSample struct {
	Shape []int
	First []float64
	Sum   float64
}

// Run is one picture through the network.
type Run struct {
	Width, Height int
	ImageSeed     uint64 `json:"image_seed"`
	ImageID       string `json:"image_sha256"`
	Layers        Checks
	Raw           []Check // the head's maps before decode
	Proto         *Check
	Decoded       *Check
	NMS           *NMSResult
}

// Checks are named expectations, in the order of computation.
type Checks []NamedCheck

// NamedCheck is the expectation for one layer's output.
type NamedCheck struct {
	Name string
	Check
}

// UnmarshalJSON reads a JSON object and keeps its order.
func (c *Checks) UnmarshalJSON(b []byte) error {
	d := json.NewDecoder(strings.NewReader(string(b)))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return fmt.Errorf("an object of checks begins with %v: %w", t, err)
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return err
		}
		check := NamedCheck{Name: name.(string)}
		if err := d.Decode(&check.Check); err != nil {
			return fmt.Errorf("check %s: %w", check.Name, err)
		}
		*c = append(*c, check)
	}
	return nil
}

// NMSResult is the suppression's result on a run: the number of boxes and the
// first of them, x1 y1 x2 y2 score class.
type NMSResult struct {
	Conf, IOU float32
	MaxDet    int `json:"max_det"`
	Count     int
	First     [][6]float32
}

// Models gives the expectations of all networks.
func Models() ([]*Model, error) {
	names, err := files.ReadDir("testdata")
	if err != nil {
		return nil, err
	}
	var list []*Model
	for _, n := range names {
		if !strings.HasPrefix(n.Name(), "model-") {
			continue
		}
		m := &Model{File: strings.TrimSuffix(n.Name(), ".json")}
		if err := load(n.Name(), m); err != nil {
			return nil, err
		}
		list = append(list, m)
	}
	return list, nil
}

// NMSCase is a suppression with exact input and result.
type NMSCase struct {
	Name       string
	Conf, IOU  float64
	MultiLabel bool `json:"multi_label"`
	Agnostic   bool
	MaxDet     int `json:"max_det"`
	MaxNMS     int `json:"max_nms"`
	Columns    int
	Input      []float32    // rows of cx cy w h obj and class scores
	Output     [][6]float64 // x1 y1 x2 y2 score class, in eight digits
}

// NMSCases gives the cases of non-maximum suppression.
func NMSCases() (list []NMSCase, err error) {
	err = load("nms.json", &list)
	return list, err
}

// LetterboxCase is a picture of Width x Height (Image with ImageSeed) fitted into Net.
type LetterboxCase struct {
	Width, Height            int
	Net                      [2]int // width, height
	Auto, ScaleUp            bool
	ImageSeed                uint64 `json:"image_seed"`
	Ratio                    float64
	Resized                  [2]int
	Pad                      [2]float64
	Top, Bottom, Left, Right int
	Output                   [2]int
	Samples, Corners         [][5]int // x, y, R, G, B
	Mean                     [3]float64
	Error                    string
	ScaleBoxes               []ScaledBox `json:"scale_boxes"`
}

// ScaledBox is a box of the network's input brought back to the picture.
type ScaledBox struct {
	NetBox   [4]float32 `json:"net_box"`
	ImageBox [4]float32 `json:"image_box"`
}

// LetterboxCases gives the cases of fitting a picture.
func LetterboxCases() ([]LetterboxCase, error) {
	var f struct{ Cases []LetterboxCase }
	err := load("letterbox.json", &f)
	return f.Cases, err
}

// MaskCase is the assembly of masks from prototypes and coefficients.
type MaskCase struct {
	Net        [2]int // width, height
	ProtoShape []int  `json:"proto_shape"`
	ProtoTimes []int  `json:"proto_times_256"`
	CoefName   string `json:"coef_name"`
	N          int
	Boxes      [][4]float32
	LowSamples [][]float32 `json:"low_samples"` // every 61st
	UpSamples  [][]float32 `json:"up_samples"`  // every 997th
	Area       []int
	RLE        [][]int
}

// Proto is the prototypes' values.
func (c *MaskCase) Proto() []float32 {
	p := make([]float32, len(c.ProtoTimes))
	for i, v := range c.ProtoTimes {
		p[i] = float32(v) / 256
	}
	return p
}

// MaskCases gives the cases of mask assembly.
func MaskCases() (list []MaskCase, err error) {
	err = load("mask.json", &list)
	return list, err
}

// Format reads a file of testdata/formats: one tiny network as training and
// export tools write it.
func Format(name string) ([]byte, error) { return files.ReadFile(path.Join("testdata/formats", name)) }

// FormatExpectation is what the network of testdata/formats gives.
type FormatExpectation struct {
	Width, Height int
	ImageSeed     uint64                     `json:"image_seed"`
	Spec          map[string]json.RawMessage // the backbone's blocks
	Config        json.RawMessage
	Residual      bool
	Params        int
	Raw           []Check
	Decoded       Check
	Rows          map[string][]float64
}

// Formats gives the expectation for the files of Format.
func Formats() (*FormatExpectation, error) {
	e := &FormatExpectation{}
	if err := load("formats/expected.json", e); err != nil {
		return nil, err
	}
	e.Decoded.Rows = e.Rows
	return e, nil
}

func load(name string, into any) error {
	b, err := files.ReadFile(path.Join("testdata", name))
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, into); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}
