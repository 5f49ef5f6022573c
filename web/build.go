package web

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"html/template"
	"image"
	"image/jpeg"
	"io/fs"
	"path"
	"strings"

	"golang.org/x/image/draw"

	"spotter/wasm/abi"
)

// Model is a compiled network: modules that share one weights file.
type Model struct {
	ID      string // short name for addresses, e.g. yolov5n-mnv4s-seg
	Name    string // for people; the network's own when empty
	Licence string // of the weights; the one in the manifest when empty
	Weights []byte
	Modules []Module
	Source  *Source // what it was compiled from; nil keeps the page from other input sizes
}

// Source is a network's own file, from which the page compiles it for other sizes.
type Source struct {
	Name    string // of the file
	Data    []byte
	Fixed   string // why it runs at its own size only, "" when it runs at any
	Savable bool   // as .safetensors
}

// Module is one form of a model.
type Module struct {
	Manifest abi.Manifest
	Wasm     []byte
}

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
		page, err = page.ParseFS(sources, "page/bring.html")
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
		"CSS": b.style, "JS": b.app, "Icon": s.addHashed("assets/icon.svg", icon), "Apple": apple, "Samples": samples,
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

// catalog is models.json; src/core/catalog.ts mirrors it.
type catalog struct {
	Default string         `json:"default"`
	Models  []catalogModel `json:"models"`
}

type catalogModel struct {
	ID       string    `json:"id"`
	Name     string    `json:"name"`
	Task     string    `json:"task"`
	Width    int       `json:"width"`
	Height   int       `json:"height"`
	Params   int       `json:"params"`
	MACs     int       `json:"macs"`
	Classes  int       `json:"classes"`
	Licence  string    `json:"licence,omitempty"`
	Note     string    `json:"note,omitempty"`
	Source   *source   `json:"source,omitempty"`
	Weights  download  `json:"weights"`
	Variants []variant `json:"variants"`
}

type download struct {
	URL   string `json:"url"`
	Bytes int    `json:"bytes"`
}

type source struct {
	download
	Name    string   `json:"name"`
	Feed    abi.Feed `json:"feed"`
	Fixed   string   `json:"fixed,omitempty"`
	Savable bool     `json:"savable"`
}

type variant struct {
	Features []string `json:"features"`
	download
}

// SetModels replaces the models of a site.
func (s Site) SetModels(models []Model) error {
	for name := range s {
		if strings.HasPrefix(name, "models/") {
			delete(s, name)
		}
	}
	var list catalog
	for _, m := range models {
		entry, err := s.addModel(m)
		if err != nil {
			return err
		}
		list.Models = append(list.Models, entry)
	}
	if len(models) > 0 {
		list.Default = models[0].ID
	}
	data, err := json.Marshal(list)
	if err != nil {
		return err
	}
	s.add("models.json", data)
	return nil
}

func (s Site) addModel(m Model) (catalogModel, error) {
	if len(m.Modules) == 0 {
		return catalogModel{}, fmt.Errorf("web: model %s has no modules", m.ID)
	}
	f := m.Modules[0].Manifest
	entry := catalogModel{
		ID: m.ID, Name: cmp.Or(m.Name, f.Name), Task: f.Task, Width: f.Width, Height: f.Height, Params: f.Params, MACs: f.MACs,
		Classes: len(f.Classes), Licence: cmp.Or(m.Licence, f.Licence), Note: f.Note,
		Weights: download{s.addHashed("models/"+m.ID+".bin", m.Weights), len(m.Weights)},
	}
	if f := m.Source; f != nil {
		ext := path.Ext(f.Name)
		file := s.addHashed("models/"+m.ID+ext, f.Data)
		entry.Source = &source{download{file, len(f.Data)}, f.Name, m.Modules[0].Manifest.Feed, f.Fixed, f.Savable}
	}
	for _, v := range m.Modules {
		if v.Manifest.Weights.Bytes != len(m.Weights) || v.Manifest.Weights.SHA256 != f.Weights.SHA256 {
			return entry, fmt.Errorf("web: model %s: the %s module asks for other weights than the rest",
				m.ID, strings.Join(v.Manifest.Features, "+"))
		}
		name := fmt.Sprintf("models/%s-%s.wasm", m.ID, strings.Join(v.Manifest.Features, "-"))
		entry.Variants = append(entry.Variants, variant{v.Manifest.Features, download{s.addHashed(name, v.Wasm), len(v.Wasm)}})
	}
	return entry, nil
}
