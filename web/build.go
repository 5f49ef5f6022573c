package web

import (
	"cmp"
	"encoding/json"
	"fmt"
	"path"
	"strings"

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

// ReplaceModels replaces the models of a finished site.
func (s Site) ReplaceModels(models []Model, effort Effort) error {
	if err := s.SetModels(models); err != nil {
		return err
	}
	if err := s.renewServiceWorker(); err != nil {
		return err
	}
	s.compress(effort, func(string) {})
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
