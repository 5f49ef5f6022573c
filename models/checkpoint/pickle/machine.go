package pickle

import (
	"encoding/binary"

	"spotter/models/say"
)

// Limits of one pickle. A checkpoint of YOLOv5x with its optimizer takes about half a
// million operations and a mark depth of a few dozen.
const (
	maxMarks  = 1000      // marks open at once: the nesting of what is being built
	maxMemory = 256 << 20 // bytes that the values may take, by the estimates in this file
	maxLong   = 64        // bytes of an integer
)

// Estimates of what values take in memory.
const (
	sizeOp     = 48
	sizeObject = 256
)

// machine runs the operations of a pickle on a stack.
type machine struct {
	data   []byte
	pos    int
	loader Loader
	stack  []any
	marks  []int // lengths of the stack where marks stand
	memo   map[int]any
	memory int
	op     byte
	stop   bool
}

// errMark and errStack are stacks that do not hold what an operation needs.
var (
	errMark  = say.Errorf("it closes a mark that was never set")
	errStack = say.Errorf("it takes a value where the stack holds none")
)

func (m *machine) run() (any, error) {
	for {
		at := m.pos
		op, err := m.take(1)
		if err != nil {
			return nil, say.Errorf("pickle: it ends at byte %d without its STOP: the file is cut off", at)
		}
		m.op = op[0]
		if err = m.charge(sizeOp); err == nil {
			err = m.step()
		}
		if err != nil {
			return nil, say.Errorf("pickle: byte %d, opcode 0x%02x: %w", at, m.op, err)
		}
		if m.stop {
			return m.pop()
		}
	}
}

func (m *machine) charge(n int) error {
	if m.memory += n; m.memory > maxMemory {
		return say.Errorf("its values would take more than %d MB: no checkpoint does", maxMemory>>20)
	}
	return nil
}

// take reads n bytes of the stream.
func (m *machine) take(n int) ([]byte, error) {
	if n < 0 || n > len(m.data)-m.pos {
		return nil, say.Errorf("%d bytes wanted where %d are left", n, len(m.data)-m.pos)
	}
	m.pos += n
	return m.data[m.pos-n : m.pos], nil
}

// number reads a little-endian number of up to eight bytes.
func (m *machine) number(width int) (uint64, error) {
	b, err := m.take(width)
	if err != nil {
		return 0, err
	}
	var wide [8]byte
	copy(wide[:], b)
	return binary.LittleEndian.Uint64(wide[:]), nil
}

// counted reads a length of the given width, and as many bytes.
func (m *machine) counted(width int) ([]byte, error) {
	n, err := m.number(width)
	if err != nil {
		return nil, err
	}
	if n > uint64(len(m.data)-m.pos) {
		return nil, say.Errorf("a text of %d bytes where %d are left", n, len(m.data)-m.pos)
	}
	if err := m.charge(int(n)); err != nil {
		return nil, err
	}
	return m.take(int(n))
}

// line reads up to a newline.
func (m *machine) line() (string, error) {
	for i, b := range m.data[m.pos:] {
		if b == '\n' {
			s := string(m.data[m.pos : m.pos+i])
			m.pos += i + 1
			return s, m.charge(len(s))
		}
	}
	return "", say.Errorf("a line without its end")
}

func (m *machine) push(v any) error {
	m.stack = append(m.stack, v)
	return nil
}

// floor is where the innermost mark stands: values below belong to what is around it.
func (m *machine) floor() int {
	if n := len(m.marks); n > 0 {
		return m.marks[n-1]
	}
	return 0
}

func (m *machine) top() (any, error) {
	if len(m.stack) <= m.floor() {
		return nil, errStack
	}
	return m.stack[len(m.stack)-1], nil
}

func (m *machine) pop() (any, error) {
	v, err := m.top()
	if err == nil {
		m.stack = m.stack[:len(m.stack)-1]
	}
	return v, err
}

// popn takes the last n values.
func (m *machine) popn(n int) ([]any, error) {
	if len(m.stack)-n < m.floor() {
		return nil, errStack
	}
	list := append([]any(nil), m.stack[len(m.stack)-n:]...)
	m.stack = m.stack[:len(m.stack)-n]
	return list, nil
}

// popMark takes the values behind the last mark, and the mark.
func (m *machine) popMark() ([]any, error) {
	if len(m.marks) == 0 {
		return nil, errMark
	}
	list, err := m.popn(len(m.stack) - m.floor())
	m.marks = m.marks[:len(m.marks)-1]
	return list, err
}

// object charges for a container and pushes it.
func (m *machine) object(v any) error {
	if err := m.charge(sizeObject); err != nil {
		return err
	}
	return m.push(v)
}
