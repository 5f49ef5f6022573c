package pickle

import (
	"encoding/binary"
	"math"
	"strconv"
	"strings"

	"spotter/models/say"
)

// step runs one operation (Python's Lib/pickletools.py describes them). Extension codes
// (0x82 to 0x84) and out-of-band buffers (0x97, 0x98) have no meaning in a checkpoint.
func (m *machine) step() error {
	switch m.op {
	case 0x80: // PROTO
		_, err := m.take(1)
		return err
	case 0x95: // FRAME: its size
		n, err := m.number(8)
		if err == nil && n > uint64(len(m.data)-m.pos) {
			err = say.Errorf("a frame of %d bytes where %d are left", n, len(m.data)-m.pos)
		}
		return err
	case '.':
		m.stop = true
		return nil
	case 'N':
		return m.push(nil)
	case 0x88, 0x89:
		return m.push(m.op == 0x88)
	case 'I', 'L', 'J', 'K', 'M', 0x8a, 0x8b:
		return m.integer()
	case 'F', 'G':
		return m.float()
	case 'S', 'V', 'T', 'U', 'X', 0x8c, 0x8d, 'B', 'C', 0x8e, 0x96:
		return m.text()
	case 'p', 'q', 'r', 0x94, 'g', 'h', 'j':
		return m.memoOp()
	case '(', '0', '1', '2':
		return m.stackOp()
	case 'c', 0x93, 'i', 'o', 'R', 0x81, 0x92, 'b', 'Q':
		return m.build()
	}
	return m.container()
}

func (m *machine) integer() error {
	switch m.op {
	case 'K', 'M', 'J':
		n, err := m.number(map[byte]int{'K': 1, 'M': 2, 'J': 4}[m.op])
		if err != nil {
			return err
		}
		if m.op == 'J' {
			return m.push(int(int32(n)))
		}
		return m.push(int(n))
	case 'I', 'L':
		s, err := m.line()
		if err != nil {
			return err
		}
		if m.op == 'I' && (s == "00" || s == "01") {
			return m.push(s == "01")
		}
		n, err := strconv.Atoi(strings.TrimSuffix(s, "L"))
		if err != nil {
			return say.Errorf("the integer %.40q", s)
		}
		return m.push(n)
	}
	width := 1
	if m.op == 0x8b {
		width = 4
	}
	n, err := m.number(width)
	if err != nil {
		return err
	}
	if n > maxLong {
		return say.Errorf("an integer of %d bytes", n)
	}
	b, err := m.take(int(n))
	if err != nil {
		return err
	}
	return m.push(long(b))
}

// long is an int where the bytes fit one.
func long(b []byte) any {
	if len(b) > 8 {
		return Long(b)
	}
	var wide [8]byte
	copy(wide[:], b)
	if len(b) > 0 && b[len(b)-1] >= 0x80 {
		for i := len(b); i < 8; i++ {
			wide[i] = 0xff
		}
	}
	return int(binary.LittleEndian.Uint64(wide[:]))
}

func (m *machine) float() error {
	if m.op == 'G' {
		b, err := m.take(8)
		if err != nil {
			return err
		}
		return m.push(math.Float64frombits(binary.BigEndian.Uint64(b)))
	}
	s, err := m.line()
	if err != nil {
		return err
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return say.Errorf("the number %.40q", s)
	}
	return m.push(f)
}

// text reads strings and bytes. Python 2's strings of bytes count as text.
func (m *machine) text() error {
	width := 0
	switch m.op {
	case 'U', 'C', 0x8c:
		width = 1
	case 'T', 'X', 'B':
		width = 4
	case 0x8d, 0x8e, 0x96:
		width = 8
	default:
		s, err := m.line()
		if err != nil {
			return err
		}
		if m.op == 'S' {
			if len(s) < 2 || s[0] != s[len(s)-1] || s[0] != '\'' && s[0] != '"' {
				return say.Errorf("a text without quotes")
			}
			s = s[1 : len(s)-1]
		}
		return m.push(s)
	}
	b, err := m.counted(width)
	if err != nil {
		return err
	}
	switch m.op {
	case 'B', 'C', 0x8e, 0x96:
		return m.push(b)
	}
	return m.push(string(b))
}

// memoOp stores the top of the stack under an index, or pushes what is stored.
func (m *machine) memoOp() error {
	index := uint64(len(m.memo))
	var err error
	switch m.op {
	case 'q', 'h':
		index, err = m.number(1)
	case 'r', 'j':
		index, err = m.number(4)
	case 'p', 'g':
		var s string
		if s, err = m.line(); err == nil {
			index, err = strconv.ParseUint(s, 10, 31)
		}
	}
	if err != nil {
		return err
	}
	switch m.op {
	case 'g', 'h', 'j':
		v, ok := m.memo[int(index)]
		if !ok {
			return say.Errorf("memo entry %d is read before it is stored", index)
		}
		return m.push(v)
	}
	v, err := m.top()
	if err == nil {
		m.memo[int(index)] = v
	}
	return err
}

func (m *machine) stackOp() error {
	switch m.op {
	case '(':
		if len(m.marks) >= maxMarks {
			return say.Errorf("nesting deeper than %d", maxMarks)
		}
		m.marks = append(m.marks, len(m.stack))
		return nil
	case '1':
		_, err := m.popMark()
		return err
	case '2':
		v, err := m.top()
		if err != nil {
			return err
		}
		return m.push(v)
	}
	if len(m.stack) == m.floor() { // POP takes a mark where nothing is behind it
		_, err := m.popMark()
		return err
	}
	_, err := m.pop()
	return err
}
