//go:build !embed

package web

import (
	"bytes"
	"fmt"
	"html/template"
	"image"
	"image/jpeg"
	"io/fs"
	"path"
	"strings"

	"golang.org/x/image/draw"
)

// Options of Build.
type Options struct {
	Models []Model // the first is the one that the page starts with
	// Compiler for models that people bring; nil makes a page that takes none.
	Compiler *Compiler
	// Effort of compression: Fast for a site that is served once, Best for one that is kept.
	Effort Effort
	// Progress, if set, is called with a few words on each step.
	Progress func(step string)
}

// Build makes a site from the sources and models. It fails when the sources don't
// bundle, or when modules and weights of a model don't belong together.
func Build(o Options) (Site, error) {
	say := o.Progress
	if say == nil {
		say = func(string) {}
	}
	s := Site{}
	say("bundling the page")
	b, err := s.addBundle(o.Compiler)
	if err != nil {
		return nil, err
	}
	if err := s.addPage(b); err != nil {
		return nil, err
	}
	if err := s.SetModels(o.Models); err != nil {
		return nil, err
	}
	if err := s.addServiceWorker(b); err != nil {
		return nil, err
	}
	say("compressing")
	s.compress(o.Effort, say)
	return s, nil
}

// sample is a picture that the page offers, as the template sees it.
type sample struct{ Name, URL, Thumb string }

// addPage adds index.html with all that it names.
func (s Site) addPage(b bundle) error {
	text, err := fs.ReadFile(sources, "page/index.html")
	if err != nil {
		return err
	}
	page, err := template.New("index").Parse(string(text))
	if err == nil {
		page, err = page.ParseFS(sources, "page/bring.html", "page/keep.html")
	}
	if err != nil {
		return fmt.Errorf("web: page: %w", err)
	}
	icon, err := fs.ReadFile(sources, "page/icon.svg")
	if err != nil {
		return err
	}
	samples, err := s.addSamples()
	if err != nil {
		return err
	}
	apple, err := s.addManifest()
	if err != nil {
		return err
	}
	var out bytes.Buffer
	err = page.Execute(&out, map[string]any{
		"CSS": b.style, "JS": b.app, "Shared": b.shared, "Icon": s.addHashed("assets/icon.svg", icon), "Apple": apple, "Samples": samples,
	})
	if err != nil {
		return fmt.Errorf("web: page: %w", err)
	}
	s.add("index.html", out.Bytes())
	return nil
}

func (s Site) addSamples() ([]sample, error) {
	names, err := fs.Glob(sources, "samples/*.jpg")
	if err != nil {
		return nil, err
	}
	var list []sample
	for _, name := range names {
		data, err := fs.ReadFile(sources, name)
		if err != nil {
			return nil, err
		}
		small, err := thumbnail(data)
		if err != nil {
			return nil, fmt.Errorf("web: %s: %w", name, err)
		}
		base := strings.TrimSuffix(name, path.Ext(name))
		list = append(list, sample{
			Name:  path.Base(base),
			URL:   s.addHashed(name, data),
			Thumb: s.addHashed(base+"-small.jpg", small),
		})
	}
	return list, nil
}

// thumbSide is the width and height of a thumbnail in pixels: 56 in the page, twice that on fine screens.
const thumbSide = 112

// thumbnail is the middle of a picture, square and small.
func thumbnail(data []byte) ([]byte, error) {
	img, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	r := img.Bounds()
	side := min(r.Dx(), r.Dy())
	corner := r.Min.Add(image.Pt((r.Dx()-side)/2, (r.Dy()-side)/4))
	small := image.NewRGBA(image.Rect(0, 0, thumbSide, thumbSide))
	draw.CatmullRom.Scale(small, small.Bounds(), img, image.Rectangle{corner, corner.Add(image.Pt(side, side))}, draw.Src, nil)
	var out bytes.Buffer
	err = jpeg.Encode(&out, small, &jpeg.Options{Quality: 78})
	return out.Bytes(), err
}
