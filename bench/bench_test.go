package bench

import (
	"context"
	"encoding/json"
	"os/exec"
	"strings"
	"testing"
)

// TestQuickRunsAndAgrees is what continuous integration asks of the bench: that every engine
// runs on the same network and that their outputs agree. Times are not judged.
func TestQuickRunsAndAgrees(t *testing.T) {
	const runs = 2
	report, err := Run(context.Background(), Options{Dir: ".", Quick: true, Runs: runs, Threads: []int{1, 2}, Log: t.Output()})
	if err != nil {
		t.Fatal(err)
	}
	want := 0
	for _, e := range engines {
		want += 2 * len(e.variants)
	}
	if len(report.Results) != want || len(report.Agreement) != want {
		t.Fatalf("%d results and %d comparisons, want %d of each", len(report.Results), len(report.Agreement), want)
	}
	for _, r := range report.Results {
		if r.Runs != runs || r.MinMS <= 0 || r.MedianMS < r.MinMS {
			t.Errorf("%s %s with %d threads: %d runs, minimum %v ms, median %v ms", r.Engine, r.Variant, r.Threads, r.Runs, r.MinMS, r.MedianMS)
		}
	}
	for i, a := range report.Agreement {
		if a.Deviation > Tolerance || (i > 0 && a.Engine != report.Agreement[0].Engine && a.Deviation == 0) {
			t.Errorf("%s %s with %d threads deviates by %v: beyond %v, or not compared at all", a.Engine, a.Variant, a.Threads, a.Deviation, Tolerance)
		}
	}
	for _, e := range engines {
		if v := report.Versions[e.Package]; e.Package != "" && (v == "" || v == "unknown") {
			t.Errorf("no version of %s", e.Package)
		}
	}
	if _, err := json.Marshal(report); err != nil {
		t.Errorf("the report does not become JSON: %v", err)
	}
}

// TestPageIsClean holds the bench's TypeScript to the same checks as the site's.
func TestPageIsClean(t *testing.T) {
	if err := Install(context.Background(), ".", t.Output()); err != nil {
		t.Fatal(err)
	}
	for _, check := range [][]string{{"tsc", "--noEmit"}, {"biome", "check", "."}} {
		if out, err := exec.Command("npx", append([]string{"--no-install"}, check...)...).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", strings.Join(check, " "), err, out)
		}
	}
}
