package golden

// Image is a picture of w x h pixels: RGB bytes, row by row, that depend on the
// seed only. Blocks of 16 x 16 of one colour with noise on them.
func Image(w, h int, seed uint64) []byte {
	pix := make([]byte, 0, w*h*3)
	for y := range uint64(h) {
		for x := range uint64(w) {
			for c := range uint64(3) {
				block := mix((((y>>4)*65536+(x>>4))*4+c+seed<<40)*gamma) >> 56
				noise := mix(((y*65536+x)*4+c+seed<<40+1<<60)*gamma) >> 56
				pix = append(pix, byte((3*block+noise)>>2))
			}
		}
	}
	return pix
}

// Input is the network's input for a picture of RGB bytes: [3, H, W], byte/255.
func Input(pix []byte) []float32 {
	n := len(pix) / 3
	in := make([]float32, 3*n)
	for i := range n {
		for c := range 3 {
			in[c*n+i] = float32(pix[3*i+c]) / 255
		}
	}
	return in
}
