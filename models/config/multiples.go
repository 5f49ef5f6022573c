package config

// Multiples gives the depth_multiple and width_multiple of size n, s, m, l or x.
func Multiples(size string) (depth, width float64, ok bool) {
	m, ok := scales[size]
	return m[0], m[1], ok
}
