//go:build !linux

package bench

import "os"

// resident is known on Linux alone.
func resident(*os.Process) float64 { return 0 }
