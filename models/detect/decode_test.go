package detect

import (
	"math"
	"slices"
	"strings"
	"testing"

	"spotter/models"
)

// rowsNear compares decoded rows with wanted ones.
func rowsNear(t *testing.T, got *Rows, want [][]float32) {
	t.Helper()
	if got.N != len(want) {
		t.Fatalf("%d rows, want %d", got.N, len(want))
	}
	for r, w := range want {
		row := got.Row(r)
		if len(row) != len(w) {
			t.Fatalf("row %d has %d columns, want %d", r, len(row), len(w))
		}
		for c, v := range w {
			if math.Abs(float64(row[c]-v)) > 1e-4 {
				t.Errorf("row %d column %d is %g, want %g", r, c, row[c], v)
			}
		}
	}
}

func logit(p float64) float32 { return float32(math.Log(p / (1 - p))) }

// TestDecodeYOLOv5 has two anchors in one map of two cells, with masks.
func TestDecodeYOLOv5(t *testing.T) {
	head := &models.Head{Kind: models.HeadYOLOv5, Classes: 1, Masks: 1, Proto: -1, Levels: []models.Level{{
		Stride: 8, Anchors: [][2]float32{{10, 20}, {30, 40}}, AnchorStep: 7,
		Obj: models.Part{Channel: 4}, Cls: models.Part{Channel: 5}, Coef: models.Part{Channel: 6},
	}}}
	m := Map{C: 14, H: 1, W: 2, Data: make([]float32, 28)}
	set := func(channel, cell int, v float32) { m.Data[channel*2+cell] = v }
	set(0, 1, logit(0.75)) // anchor 0, cell 1: x
	set(3, 1, logit(0.25)) // height
	set(4, 1, logit(0.9))
	set(5, 1, logit(0.2))
	set(6, 1, -3)
	set(7+2, 0, logit(0.75)) // anchor 1, cell 0: width
	set(7+6, 0, 5)
	rows, err := Decode(head, []Map{m})
	if err != nil {
		t.Fatal(err)
	}
	rowsNear(t, rows, [][]float32{
		{4, 4, 10, 20, 0.5, 0.5, 0},
		{(2*0.75 - 0.5 + 1) * 8, 4, 10, 0.25 * 20, 0.9, 0.2, -3},
		{4, 4, 2.25 * 30, 40, 0.5, 0.5, 5},
		{12, 4, 30, 40, 0.5, 0.5, 0},
	})
	if got := rows.Coefficients(1); !slices.Equal(got, []float32{-3}) {
		t.Errorf("coefficients %v", got)
	}
}

// TestDecodeYOLOX has its parts in three maps; the classes are probabilities already.
func TestDecodeYOLOX(t *testing.T) {
	head := &models.Head{Kind: models.HeadYOLOX, Classes: 2, Proto: -1, Levels: []models.Level{{
		Stride: 16, Box: models.Part{Map: 0}, Obj: models.Part{Map: 1}, Cls: models.Part{Map: 2, Channel: 1},
		Coef: models.Part{Map: -1}, ClsSigmoid: true,
	}}}
	rows, err := Decode(head, []Map{
		{C: 4, H: 2, W: 1, Data: []float32{0.5, -0.25, 0, 1, 0, 1, -1, 0}},
		{C: 1, H: 2, W: 1, Data: []float32{logit(0.3), logit(0.8)}},
		{C: 3, H: 2, W: 1, Data: []float32{9, 9, 0.1, 0.2, 0.6, 0.7}},
	})
	if err != nil {
		t.Fatal(err)
	}
	rowsNear(t, rows, [][]float32{
		{8, 0, 16, 16 / math.E, 0.3, 0.1, 0.6},
		{-4, 32, 16 * math.E, 16, 0.8, 0.2, 0.7},
	})
}

// TestDecodeDistances: sides are expectations over bins, from the cell's centre.
func TestDecodeDistances(t *testing.T) {
	const bins = 4
	for _, kind := range []models.HeadKind{models.HeadGFL, models.HeadYOLOv8} {
		head := &models.Head{Kind: kind, Classes: 1, Bins: bins, Proto: -1, Levels: []models.Level{{
			Stride: 8, Cls: models.Part{Channel: 4 * bins}, Obj: models.Part{Map: -1}, Coef: models.Part{Map: -1},
		}}}
		m := Map{C: 4*bins + 1, H: 1, W: 1, Data: make([]float32, 4*bins+1)}
		m.Data[0*bins+2] = 50 // left: bin 2 alone
		m.Data[1*bins+0] = 50 // top: bin 0
		// right and bottom: all bins alike, the mean bin
		m.Data[4*bins] = logit(0.7)
		rows, err := Decode(head, []Map{m})
		if err != nil {
			t.Fatal(err)
		}
		// x from 0.5-2 to 0.5+1.5, y from 0.5 to 0.5+1.5, in strides.
		rowsNear(t, rows, [][]float32{{8 * 0.25, 8 * 1.25, 8 * 3.5, 8 * 1.5, 1, 0.7}})
	}
}

func TestDecodeWithoutBinsReadsDistances(t *testing.T) {
	head := &models.Head{Kind: models.HeadYOLOv8, Classes: 1, Bins: 1, Proto: -1, Levels: []models.Level{{
		Stride: 8, Cls: models.Part{Channel: 4}, Obj: models.Part{Map: -1}, Coef: models.Part{Map: -1},
	}}}
	rows, err := Decode(head, []Map{{C: 5, H: 1, W: 1, Data: []float32{1, 2, 3, 4, 0}}})
	if err != nil {
		t.Fatal(err)
	}
	rowsNear(t, rows, [][]float32{{8 * 1.5, 8 * 1.5, 8 * 4, 8 * 6, 1, 0.5}})
}

func TestDecodeNamesWhatDoesNotFit(t *testing.T) {
	level := models.Level{Stride: 8, Anchors: [][2]float32{{1, 1}}, AnchorStep: 6,
		Obj: models.Part{Channel: 4}, Cls: models.Part{Channel: 5}, Coef: models.Part{Map: -1}}
	full := Map{C: 6, H: 1, W: 1, Data: make([]float32, 6)}
	for want, c := range map[string]struct {
		kind models.HeadKind
		edit func(l *models.Level)
		maps []Map
	}{
		`kind "classify"`:                 {models.HeadClassify, func(*models.Level) {}, []Map{full}},
		"box part lies in output 0 of 0":  {models.HeadYOLOv5, func(*models.Level) {}, nil},
		"class part lies in output 3":     {models.HeadYOLOv5, func(l *models.Level) { l.Cls.Map = 3 }, []Map{full}},
		"class part needs 7 channels":     {models.HeadYOLOv5, func(l *models.Level) { l.Cls.Channel = 6 }, []Map{full}},
		"objectness part needs 1 channel": {models.HeadYOLOv5, func(l *models.Level) { l.Obj = models.Part{Map: 1} }, []Map{full, {C: 1, H: 2, W: 1, Data: make([]float32, 2)}}},
		"with 5 values":                   {models.HeadYOLOv5, func(*models.Level) {}, []Map{{C: 6, H: 1, W: 1, Data: make([]float32, 5)}}},
	} {
		l := level
		c.edit(&l)
		head := &models.Head{Kind: c.kind, Classes: 1, Proto: -1, Levels: []models.Level{l}}
		if _, err := Decode(head, c.maps); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
}

func TestDetectNeedsPrototypesForMasks(t *testing.T) {
	head := &models.Head{Kind: models.HeadYOLOv5, Classes: 1, Masks: 1, Proto: 7}
	if _, err := Detect(head, nil, nil, NMSOptions{}); err == nil || !strings.Contains(err.Error(), "no prototypes") {
		t.Errorf("error %v", err)
	}
}

func TestMapsTakeTheOutputsShapes(t *testing.T) {
	g := &models.Graph{Outputs: []*models.Value{{Shape: models.Shape{2, 3, 4}}, {Shape: models.Shape{5}}}}
	m := Maps(g, [][]float32{make([]float32, 24), make([]float32, 5)})
	if m[0].C != 2 || m[0].H != 3 || m[0].W != 4 || m[1].C != 5 || m[1].H != 1 || m[1].W != 1 {
		t.Errorf("maps %dx%dx%d and %dx%dx%d", m[0].C, m[0].H, m[0].W, m[1].C, m[1].H, m[1].W)
	}
}

func TestClassify(t *testing.T) {
	got := Classify([]float32{1000, 1002, -5, 1002}, 3)
	if len(got) != 3 || got[0].ID != 1 || got[1].ID != 3 || got[2].ID != 0 {
		t.Fatalf("classes %+v", got)
	}
	e := math.Exp(-2)
	for i, want := range []float64{1 / (2 + e), 1 / (2 + e), e / (2 + e)} {
		if math.Abs(float64(got[i].Score)-want) > 1e-6 {
			t.Errorf("score %d is %g, want %g", i, got[i].Score, want)
		}
	}
}
