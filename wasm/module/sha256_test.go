package module

import (
	"crypto/sha256"
	"testing"
)

// TestSum256 agrees with the standard library for every length around the blocks.
func TestSum256(t *testing.T) {
	data := make([]byte, 300)
	for i := range data {
		data[i] = byte(i * 37)
	}
	for n := range data {
		if got, want := sum256(data[:n]), sha256.Sum256(data[:n]); got != want {
			t.Fatalf("%d bytes: %x, want %x", n, got, want)
		}
	}
}

func BenchmarkSum256(b *testing.B) {
	data := make([]byte, 1<<20)
	b.SetBytes(1 << 20)
	for b.Loop() {
		sum256(data)
	}
}
