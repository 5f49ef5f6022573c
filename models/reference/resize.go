package reference

import (
	"fmt"
	"math"

	"spotter/models"
)

func resize(op *models.Resize, in, out tensor) error {
	switch op.Mode {
	case "nearest", "linear":
	default:
		return fmt.Errorf("there is no way %q to resize", op.Mode)
	}
	ys := resizeAxis(op, 0, in.shape[1], out.shape[1])
	xs := resizeAxis(op, 1, in.shape[2], out.shape[2])
	parallel(in.shape[0], func(c int) {
		src, dst := plane(in, c), plane(out, c)
		for y, ty := range ys {
			for x, tx := range xs {
				row := func(i int) float64 {
					r := src[i*in.shape[2]:]
					return float64(r[tx.a])*(1-tx.f) + float64(r[tx.b])*tx.f
				}
				dst[y*out.shape[2]+x] = float32(row(ty.a)*(1-ty.f) + row(ty.b)*ty.f)
			}
		}
	})
	return nil
}

// tap is where an output reads along an axis: a*(1-f) + b*f.
type tap struct {
	a, b int
	f    float64
}

func resizeAxis(op *models.Resize, axis, in, out int) []tap {
	scale := float64(op.Scale[axis])
	if op.Size != [2]int{} {
		scale = float64(out) / float64(in)
	}
	list := make([]tap, out)
	for i := range list {
		var at float64
		switch {
		case op.Mode == "nearest":
			at = math.Floor(float64(i) / scale)
		case op.Corner:
			at = float64(i) * float64(in-1) / float64(max(out-1, 1))
		default:
			at = (float64(i)+0.5)/scale - 0.5
		}
		at = clamp(at, 0, float64(in-1))
		a := int(at)
		list[i] = tap{a, min(a+1, in-1), at - float64(a)}
	}
	return list
}
