package golden

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
)

// CompareDecoded holds the decoded rows of the network in testdata/formats, on the
// picture of Formats, against every one of PyTorch's values. Boxes are pixels and the
// rest probabilities: each kind has its own deviation.
func CompareDecoded(got []float32, columns int) error {
	want, err := decodedRows()
	if err != nil {
		return err
	}
	if len(got) != len(want) {
		return fmt.Errorf("%d decoded values, want %d", len(got), len(want))
	}
	var kinds [2][]float32
	kind := func(i int) int {
		if i%columns < 4 {
			return 0
		}
		return 1
	}
	for i, v := range want {
		kinds[kind(i)] = append(kinds[kind(i)], v)
	}
	var limits [2]float64
	for k, values := range kinds {
		_, std, _, _ := statistics(values)
		limits[k] = Tolerance * std
	}
	for i, v := range got {
		if d := math.Abs(float64(v) - float64(want[i])); !(d <= limits[kind(i)]) {
			return fmt.Errorf("row %d column %d: %v, want %v (tolerance %.2g)", i/columns, i%columns, v, want[i], limits[kind(i)])
		}
	}
	return nil
}

// decodedRows is the only tensor of formats/expected.safetensors, [1, rows, columns] in
// float32. It is read here by itself: the readers are what it is there to test.
func decodedRows() ([]float32, error) {
	data, err := Format("expected.safetensors")
	if err != nil {
		return nil, err
	}
	body := 8 + int(binary.LittleEndian.Uint64(data))
	var header map[string]struct {
		Offsets [2]int `json:"data_offsets"`
	}
	if err := json.Unmarshal(data[8:body], &header); err != nil {
		return nil, err
	}
	delete(header, "__metadata__")
	for _, t := range header {
		bytes := data[body+t.Offsets[0] : body+t.Offsets[1]]
		values := make([]float32, len(bytes)/4)
		for i := range values {
			values[i] = math.Float32frombits(binary.LittleEndian.Uint32(bytes[4*i:]))
		}
		return values, nil
	}
	return nil, fmt.Errorf("expected.safetensors holds no tensor")
}
