package pickle

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strconv"
)

// Limits of one pickle. A checkpoint of YOLOv5x with its optimizer takes about
// half a million operations and a mark depth of a few dozen.
const (
	maxMarks  = 1000      // marks open at once: the nesting of what is being built
	maxMemory = 256 << 20 // bytes that the objects may take, by the estimates of cost
	maxLong   = 64        // bytes of an integer
)

// argument says what follows an opcode in the stream.
type argument byte

const (
	argUnknown argument = iota // no such opcode
	argNone
	arg1 // that many bytes
	arg2
	arg4
	arg8
	argLine  // up to a newline
	argLines // two lines
	argLen1  // a length of that many bytes, then as many bytes
	argLen4
	argLen8
	argPut1 // an index of the memo that is written
	argPut4
	argPutLine
	argGet1 // an index of the memo that is read
	argGet4
	argGetLine
	argLong1 // the little-endian bytes of an integer
	argLong4
	argFrame // the size of a frame
)

// arguments by opcode, protocols 0 to 5 (Python's Lib/pickletools.py lists them).
// Extension codes (0x82 to 0x84) and out-of-band buffers (0x97, 0x98) have no
// meaning in a checkpoint and stay unknown.
var arguments = func() (t [256]argument) {
	for op, a := range map[string]argument{
		"(.012NQRabd}eloste]ut)\x81\x85\x86\x87\x88\x89\x8f\x90\x91\x92\x93\x94": argNone,
		"K\x80": arg1, "M": arg2, "J": arg4, "G": arg8,
		"FILPSV": argLine, "ci": argLines,
		"UC\x8c": argLen1, "BTX": argLen4, "\x8d\x8e\x96": argLen8,
		"q": argPut1, "r": argPut4, "p": argPutLine,
		"h": argGet1, "j": argGet4, "g": argGetLine,
		"\x8a": argLong1, "\x8b": argLong4, "\x95": argFrame,
	} {
		for i := 0; i < len(op); i++ {
			t[op[i]] = a
		}
	}
	return t
}()

// cost estimates the bytes that an operation makes the unpickler take, its argument apart.
func cost(op byte) int {
	switch op {
	case '(':
		return 320 // a new stack
	case 'R', 'i', 'o', 0x81, 0x92:
		return 480 // an object, a dictionary with both of its indices
	case '}', 'd', ']', 'l', 0x8f, 0x91:
		return 240
	case 'p', 'q', 'r', 0x94:
		return 96 // a memo entry
	}
	return 64
}

// guard reads through a pickle without building anything, and refuses what the
// unpickler would take on trust: lengths beyond the data, unknown opcodes, memo
// entries that were never stored, deep nesting, more objects than a checkpoint has.
type guard struct {
	data   []byte
	pos    int
	marks  int
	memory int
	memo   map[int]bool
}

// check gives the length of the pickle at the start of data.
func check(data []byte) (int, error) {
	g := &guard{data: data, memo: map[int]bool{}}
	for {
		at := g.pos
		op, err := g.take(1)
		if err != nil {
			return 0, fmt.Errorf("pickle: it ends at byte %d without its STOP: the file is cut off", at)
		}
		if err := g.step(op[0]); err != nil {
			return 0, fmt.Errorf("pickle: byte %d, opcode 0x%02x: %w", at, op[0], err)
		}
		if op[0] == '.' {
			return g.pos, nil
		}
	}
}

func (g *guard) step(op byte) error {
	if g.memory += cost(op); g.memory > maxMemory {
		return fmt.Errorf("its objects would take more than %d MB: no checkpoint does", maxMemory>>20)
	}
	if err := g.argument(op); err != nil {
		return err
	}
	switch op {
	case '(':
		g.marks++
	case '1', 't', 'l', 'd', 'e', 'u', 'o', 'i', 0x90, 0x91:
		g.marks--
	case 0x94:
		g.memo[len(g.memo)] = true
	}
	if g.marks < 0 {
		return fmt.Errorf("it closes a mark that was never set")
	}
	if g.marks > maxMarks {
		return fmt.Errorf("nesting deeper than %d", maxMarks)
	}
	return nil
}

func (g *guard) argument(op byte) error {
	switch a := arguments[op]; a {
	case argNone:
		return nil
	case arg1, arg2, arg4, arg8:
		_, err := g.take(1 << (a - arg1))
		return err
	case argLine, argLines:
		for ; a >= argLine; a-- {
			line, err := g.line()
			if err != nil {
				return err
			}
			if op == 'L' && len(line) > maxLong {
				return fmt.Errorf("an integer of %d digits", len(line))
			}
		}
		return nil
	case argLen1, argLen4, argLen8:
		return g.counted(a)
	case argPut1, argPut4, argPutLine, argGet1, argGet4, argGetLine:
		return g.memoIndex(a)
	case argLong1, argLong4:
		return g.long(a)
	case argFrame:
		n, err := g.number(8)
		if err == nil && n > uint64(len(g.data)-g.pos) {
			err = fmt.Errorf("a frame of %d bytes where %d are left", n, len(g.data)-g.pos)
		}
		return err
	}
	return fmt.Errorf("there is no such operation in a checkpoint")
}

func (g *guard) counted(a argument) error {
	width := map[argument]int{argLen1: 1, argLen4: 4, argLen8: 8}[a]
	n, err := g.number(width)
	if err != nil {
		return err
	}
	if n > uint64(len(g.data)-g.pos) {
		return fmt.Errorf("a text of %d bytes where %d are left", n, len(g.data)-g.pos)
	}
	g.memory += int(n)
	g.pos += int(n)
	return nil
}

// long refuses the empty integer too, which the unpickler does not expect.
func (g *guard) long(a argument) error {
	width := 1
	if a == argLong4 {
		width = 4
	}
	n, err := g.number(width)
	if err != nil {
		return err
	}
	if n == 0 || n > maxLong {
		return fmt.Errorf("an integer of %d bytes", n)
	}
	_, err = g.take(int(n))
	return err
}

func (g *guard) memoIndex(a argument) error {
	var n uint64
	var err error
	switch a {
	case argPut1, argGet1:
		n, err = g.number(1)
	case argPut4, argGet4:
		n, err = g.number(4)
	default:
		var line []byte
		if line, err = g.line(); err == nil {
			n, err = strconv.ParseUint(string(line), 10, 31)
		}
	}
	if err != nil {
		return err
	}
	if a >= argGet1 && !g.memo[int(n)] {
		return fmt.Errorf("memo entry %d is read before it is stored", n)
	}
	g.memo[int(n)] = true
	return nil
}

func (g *guard) take(n int) ([]byte, error) {
	if n > len(g.data)-g.pos {
		return nil, fmt.Errorf("%d bytes wanted where %d are left", n, len(g.data)-g.pos)
	}
	g.pos += n
	return g.data[g.pos-n : g.pos], nil
}

func (g *guard) number(width int) (uint64, error) {
	b, err := g.take(width)
	if err != nil {
		return 0, err
	}
	var wide [8]byte
	copy(wide[:], b)
	return binary.LittleEndian.Uint64(wide[:]), nil
}

func (g *guard) line() ([]byte, error) {
	n := bytes.IndexByte(g.data[g.pos:], '\n')
	if n < 0 {
		return nil, fmt.Errorf("a line without its end")
	}
	g.memory += n
	g.pos += n + 1
	return g.data[g.pos-n-1 : g.pos-1], nil
}
