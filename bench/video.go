package bench

import (
	"bufio"
	"fmt"
	"image"
	"image/color"
	"io"

	"golang.org/x/image/draw"
)

// The camera's frames: what most cameras give when asked for no more.
const (
	videoWidth  = 640
	videoHeight = 480
	videoRate   = 60 // faster than any engine here, so that the camera never is the limit
	videoRun    = 60 // frames of each picture
)

// writeVideo writes the pictures one after the other as uncompressed YUV4MPEG2, which
// Chromium's fake camera plays in a loop.
func writeVideo(f io.WriteCloser, pattern string) error {
	files, err := pictures(pattern)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(f)
	fmt.Fprintf(w, "YUV4MPEG2 W%d H%d F%d:1 Ip A1:1 C420jpeg\n", videoWidth, videoHeight, videoRate)
	for _, name := range files {
		planes, err := videoFrame(name)
		if err != nil {
			return err
		}
		for range videoRun {
			w.WriteString("FRAME\n")
			w.Write(planes)
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return f.Close()
}

// videoFrame gives a picture's planes Y, U, V, chroma at half resolution.
func videoFrame(name string) ([]byte, error) {
	picture, err := decodePicture(name)
	if err != nil {
		return nil, err
	}
	frame := image.NewRGBA(image.Rect(0, 0, videoWidth, videoHeight))
	draw.BiLinear.Scale(frame, frame.Bounds(), picture, picture.Bounds(), draw.Src, nil)
	var y, u, v []byte
	for row := range videoHeight {
		for column := range videoWidth {
			c := frame.RGBAAt(column, row)
			luma, blue, red := color.RGBToYCbCr(c.R, c.G, c.B)
			y = append(y, luma)
			if row%2 == 0 && column%2 == 0 {
				u, v = append(u, blue), append(v, red)
			}
		}
	}
	return append(append(y, u...), v...), nil
}
