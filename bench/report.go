package bench

import (
	"bufio"
	"math"
	"os"
	"os/exec"
	"runtime"

	"slices"
	"strings"
	"time"
)

// Report is what --json prints.
type Report struct {
	Machine   Machine           `json:"machine"`
	Date      string            `json:"date"` // RFC 3339, UTC
	Versions  map[string]string `json:"versions"`
	Results   []Result          `json:"results"`
	Ratios    []Ratio           `json:"ratios"`
	Scaling   []Scaling         `json:"scaling"`
	Agreement []Agreement       `json:"agreement"`
	Limits    []Limit           `json:"limits"`
	Networks  []Network         `json:"networks"`
	Layers    []LayerTime       `json:"layers"`
	Frame     []Frame           `json:"frame"`
	Start     []Start           `json:"start"`
	Download  []Download        `json:"download"`
	Growth    []Result          `json:"growth"`
	Tiles     []Tile            `json:"tiles,omitempty"` // of Tune
}

// Machine is where the figures were measured.
type Machine struct {
	CPU   string `json:"cpu"`
	Cores int    `json:"cores"`
	OS    string `json:"os"`
	Load  string `json:"load,omitempty"` // of the system at the start, over 1, 5 and 15 minutes: above 0 others compute too
}

// Result is the time of one engine on one network: a frame's network alone, from input in
// JavaScript to outputs readable there.
type Result struct {
	Engine   string  `json:"engine"`
	Variant  string  `json:"variant"`
	Threads  int     `json:"threads"`
	Model    string  `json:"model"`
	ImgSz    int     `json:"imgsz"` // larger side, pixels
	Width    int     `json:"width"`
	Height   int     `json:"height"`
	Runs     int     `json:"runs"`
	MinMS    float64 `json:"min_ms"`
	MedianMS float64 `json:"median_ms"`
}

// Agreement is how far an engine's outputs are from the first engine's: largest difference
// in a map over the map's standard deviation.
type Agreement struct {
	Engine    string  `json:"engine"`
	Variant   string  `json:"variant"`
	Threads   int     `json:"threads"`
	Model     string  `json:"model"`
	Width     int     `json:"width"`
	Height    int     `json:"height"`
	Deviation float64 `json:"deviation"`
}

func newReport(dir string, p *page) *Report {
	r := &Report{
		Machine:  Machine{CPU: cpuName(), Cores: runtime.NumCPU(), OS: runtime.GOOS + "/" + runtime.GOARCH, Load: loadAverage()},
		Date:     time.Now().UTC().Format(time.RFC3339),
		Versions: map[string]string{"spotter": ownVersion(dir), "go": runtime.Version(), "browser": p.version()},
	}
	for _, e := range engines {
		if e.Package != "" {
			r.Versions[e.Package] = packageVersion(dir, e.Package)
		}
	}
	return r
}

// result sums an engine's times up.
func result(m Model, c benchCase, times []float64) Result {
	return Result{
		Engine: c.engine.Name, Variant: c.variant, Threads: c.threads, Model: m.Name(), ImgSz: max(m.Width, m.Height),
		Width: m.Width, Height: m.Height, Runs: len(times), MinMS: round(slices.Min(times)), MedianMS: round(median(times)),
	}
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	n := len(v)
	return (v[(n-1)/2] + v[n/2]) / 2
}

// round keeps microseconds.
func round(ms float64) float64 { return math.Round(ms*1000) / 1000 }

// ownVersion is the commit of the sources that the bench runs from.
func ownVersion(dir string) string {
	git := func(args ...string) (string, error) {
		out, err := exec.Command("git", append([]string{"-C", dir}, args...)...).Output()
		return strings.TrimSpace(string(out)), err
	}
	commit, err := git("rev-parse", "--short=12", "HEAD")
	if err != nil {
		return "unknown"
	}
	if changes, err := git("status", "--porcelain", "--untracked-files=no"); err != nil || changes != "" {
		commit += "+changes"
	}
	return commit
}

// loadAverage is the system's own, where it tells it in a file.
func loadAverage() string {
	text, err := os.ReadFile("/proc/loadavg")
	if fields := strings.Fields(string(text)); err == nil && len(fields) >= 3 {
		return strings.Join(fields[:3], " ")
	}
	return ""
}

// cpuName reads the processor's name where the system tells it in a file.
func cpuName() string {
	f, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return runtime.GOARCH
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		if key, value, ok := strings.Cut(s.Text(), ":"); ok && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}
