// Package session is the compiler as a page uses it: one file is opened, described,
// asked about and compiled, as often as sizes and answers change. It knows nothing of
// the browser; package browser puts it behind JavaScript functions.
package session

import (
	"runtime/debug"
	"slices"

	"spotter/models"
	"spotter/models/config"
	"spotter/models/load"
	"spotter/models/say"
	"spotter/wasm"
	"spotter/wasm/pack"
)

// Options are a person's answers, and what a site knows of a model that it offers.
// Zero values leave everything to the file.
type Options struct {
	YAML     string   `js:"yaml"`    // the network's text
	Builtin  string   `js:"builtin"` // or the name of one that comes with Spotter
	Scale    string   `js:"scale"`
	Residual string   `js:"residual"` // true, false or ""
	Classes  []string `js:"classes"`
	Task     string   `js:"task"`
	Head     string   `js:"head"`
	Width    int      `js:"width"`
	Height   int      `js:"height"`
	Title    string   `js:"title"` // of the network instead of the file's name
	Licence  string   `js:"licence"`
	Note     string   `js:"note"`
	Feed     *Feed    `js:"feed"`
}

// Feed is a models.Feed as a site's list of models gives it.
type Feed struct {
	Fit   string    `js:"fit"`
	BGR   bool      `js:"bgr"`
	Pad   int       `js:"pad"`
	Scale float64   `js:"scale"`
	Mean  []float64 `js:"mean"`
	Std   []float64 `js:"std"`
}

// Form is the variant to compile.
type Form struct {
	Relaxed   bool   `js:"relaxed"`
	Threads   bool   `js:"threads"`
	Precision string `js:"precision"` // f16, f32 or ""
}

// Session holds one file. The zero value holds none.
type Session struct {
	Stage func(name string) // called as a stage of the work begins; may be nil

	name  string
	data  []byte
	model *load.Model
}

// Open reads a file, which becomes the session's own, and says what it holds. When it
// needs an answer first, the description has the question and nothing else, and Reopen is
// to be called with the answer. Errors are sentences about the file.
func (s *Session) Open(name string, data []byte, o Options) (*Description, error) {
	s.Close()
	s.name, s.data = name, data
	return s.Reopen(o)
}

// Reopen reads the file again with other options: answers, another size or task. After an
// error the model is the one before.
func (s *Session) Reopen(o Options) (d *Description, err error) {
	defer catch(&err)
	if s.data == nil {
		return nil, say.Errorf("no file is open")
	}
	m, err := s.read(o)
	if err != nil {
		if d := needs(s.name, err); d != nil {
			return d, nil
		}
		return nil, err
	}
	s.model = m
	d = describe(m)
	d.Questions = open(m, s.data, o)
	if slices.ContainsFunc(d.Questions, func(q Question) bool { return q.Kind == AskResidual }) {
		d.Notes = slices.DeleteFunc(slices.Clone(d.Notes), saysOfResidual) // the question says it
	}
	return d, nil
}

func (s *Session) read(o Options) (*load.Model, error) {
	s.begin("read")
	lo, err := o.load()
	if err != nil {
		return nil, err
	}
	m, err := load.Open(s.name, s.data, lo)
	if err != nil {
		return nil, err
	}
	if o.Feed != nil {
		m.Graph.Feed = o.Feed.feed()
	}
	if o.Title != "" {
		m.Graph.Name = o.Title
	}
	set := func(key, value string) {
		if value != "" {
			m.Meta[key] = value
		}
	}
	set("licence", o.Licence)
	set("map", o.Note)
	return m, nil
}

func (o *Options) load() (load.Options, error) {
	lo := load.Options{
		Scale: o.Scale, Classes: o.Classes, Width: o.Width, Height: o.Height, Task: o.Task, Head: models.HeadKind(o.Head),
	}
	if o.YAML != "" {
		lo.YAML = []byte(o.YAML)
	} else if o.Builtin != "" {
		text, err := config.Builtin(o.Builtin)
		if err != nil {
			return lo, err
		}
		lo.YAML = text
	}
	if o.Residual != "" {
		on := o.Residual == "true"
		lo.Residual = &on
	}
	return lo, nil
}

func (f *Feed) feed() models.Feed {
	feed := models.Feed{Fit: models.Fit(f.Fit), BGR: f.BGR, Pad: byte(f.Pad), Scale: float32(f.Scale)}
	for i := range 3 {
		if i < len(f.Mean) {
			feed.Mean[i] = float32(f.Mean[i])
		}
		if i < len(f.Std) {
			feed.Std[i] = float32(f.Std[i])
		}
	}
	return feed
}

// Compile makes one form of the open model: the same bytes that the command compile
// writes for the same file and options.
func (s *Session) Compile(f Form) (out *wasm.Output, err error) {
	defer catch(&err)
	if s.model == nil {
		return nil, say.Errorf("no model is open")
	}
	return wasm.Compile(s.model.Graph, s.model.Weights, wasm.Options{
		Relaxed: f.Relaxed, Threads: f.Threads, Precision: pack.Encoding(f.Precision), Task: s.model.Task,
		Licence: s.model.Meta["licence"], Note: s.model.Meta["map"], Stage: s.begin,
	})
}

// Safetensors is the open model as a .safetensors file, its weights in half precision
// where that loses nothing.
func (s *Session) Safetensors() (file []byte, err error) {
	defer catch(&err)
	if s.model == nil {
		return nil, say.Errorf("no model is open")
	}
	s.begin("save")
	return s.model.Safetensors(s.model.Encoding())
}

// Close lets go of the file and the model.
func (s *Session) Close() {
	s.name, s.data, s.model = "", nil, nil
}

func (s *Session) begin(stage string) {
	if s.Stage != nil {
		s.Stage(stage)
	}
}

// catch turns a panic into an error: a mistake of the compiler's must not take the
// page's other work with it.
func catch(err *error) {
	if p := recover(); p != nil {
		*err = say.Errorf("the compiler met a mistake of its own: %v\n%s", p, debug.Stack())
	}
}
