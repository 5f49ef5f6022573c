package ir

// Refine cuts both shapes, which have equally many elements, into common dimensions:
// [6, 4] and [2, 12] into [2, 3, 4]. It fails where a cut would fall inside
// a dimension that does not divide so.
func Refine(a, b []int) ([]int, bool) {
	var dims []int
	i, j := 0, 0
	x, y := 1, 1 // what is left of the dimensions at work
	for {
		for x == 1 && i < len(a) {
			x = a[i]
			i++
		}
		for y == 1 && j < len(b) {
			y = b[j]
			j++
		}
		switch {
		case x == 1 && y == 1:
			return dims, true
		case y%x == 0:
			dims = append(dims, x)
			x, y = 1, y/x
		case x%y == 0:
			dims = append(dims, y)
			x, y = x/y, 1
		default:
			return nil, false
		}
	}
}
