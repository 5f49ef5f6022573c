package checkpoint

import (
	"math"

	"spotter/models"
	"spotter/models/say"
)

// elements counts a tensor's elements; false when they are more than its storage has.
func (t *tensor) elements() (int, bool) {
	n := 1
	for _, d := range t.size {
		if d == 0 {
			return 0, true
		}
		if d > t.available()/n {
			return 0, false
		}
		n *= d
	}
	return n, true
}

// available is the number of the tensor's elements in the storage.
func (t *tensor) available() int {
	if t.kind.width == 0 {
		return 0
	}
	return t.storage.count * t.storage.kind.width / t.kind.width
}

// last is the index of the tensor's last element in the storage.
func (t *tensor) last() (int, error) {
	last := t.offset
	for i, d := range t.size {
		if t.stride[i] > t.available() || last > t.available() {
			return 0, say.Errorf("its strides %v from %d lead out of its storage, which has %d elements", t.stride, t.offset, t.available())
		}
		last += (d - 1) * t.stride[i]
	}
	if last < 0 || last >= t.available() {
		return 0, say.Errorf("its size %v with strides %v from %d needs %d elements of its storage, which has %d",
			t.size, t.stride, t.offset, last+1, t.available())
	}
	return last, nil
}

// read converts the tensor to float32, row-major.
func (t *tensor) read() (*models.Tensor, error) {
	if t.ready != nil {
		return t.ready, nil
	}
	if t.kind.get == nil {
		return nil, say.Errorf("its elements are %s, which is not read", t.kind.name)
	}
	n, ok := t.elements()
	if !ok {
		return nil, say.Errorf("its size %v has more elements than its storage, which has %d", t.size, t.available())
	}
	out := &models.Tensor{Shape: t.size, Half: t.kind == float16Type}
	if n == 0 {
		return out, nil
	}
	last, err := t.last()
	if err != nil {
		return nil, err
	}
	if n > last+1-t.offset {
		// Such a tensor (stride 0) is no parameter, and would grow without bound.
		return nil, say.Errorf("its size %v with strides %v repeats elements of its storage", t.size, t.stride)
	}
	s, width := t.storage, t.kind.width
	skip := s.offset * s.kind.width
	b, err := s.archive.bytes(s.key, int64(skip+(last+1)*width))
	if err != nil {
		return nil, err
	}
	t.convert(out, b[skip:], n)
	return out, nil
}

// convert walks the elements in row-major order.
func (t *tensor) convert(out *models.Tensor, b []byte, n int) {
	order, width, get := t.storage.archive.order, t.kind.width, t.kind.get
	out.Data = make([]float32, n)
	index := make([]int, len(t.size))
	at := t.offset
	for i := range out.Data {
		out.Data[i] = get(order, b[at*width:])
		for d := len(index) - 1; d >= 0; d-- {
			index[d]++
			at += t.stride[d]
			if index[d] < t.size[d] {
				break
			}
			at -= index[d] * t.stride[d]
			index[d] = 0
		}
	}
}

// notFinite counts the values that are NaN, and those that are infinite.
func notFinite(values []float32) (nan, inf int) {
	for _, v := range values {
		switch {
		case v != v:
			nan++
		case v > math.MaxFloat32 || v < -math.MaxFloat32:
			inf++
		}
	}
	return nan, inf
}
