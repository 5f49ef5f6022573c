package web

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/evanw/esbuild/pkg/api"

	"spotter/models/detect"
	"spotter/models/load"
	"spotter/models/zoo"
)

// runTracking runs a script with the tracker's parts on a page and returns its value.
func runTracking[T any](t *testing.T, script string) T {
	t.Helper()
	return runTrackingOn[T](t, withBlank(t), script)
}

func runTrackingOn[T any](t *testing.T, site Site, script string) T {
	t.Helper()
	result := api.Build(api.BuildOptions{
		Stdin: &api.StdinOptions{Contents: `
			export {assign} from "./src/track/assign.ts";
			export {Tracker, iou} from "./src/track/tracker.ts";
			export {Follower} from "./src/track/follow.ts";
			export {LineCounter, ZoneCounter, countByClass, inside} from "./src/track/count.ts";`},
		Bundle: true, Format: api.FormatESModule, Plugins: []api.Plugin{fromFS(sources)},
	})
	if len(result.Errors) > 0 {
		t.Fatal(result.Errors)
	}
	site.add("track.js", result.OutputFiles[0].Contents)
	p := open(t, view{path: "blank.html", site: NewHandler(site)})
	return eval[T](p, `(async () => {`+samplesScript(t, site)+`const track = await import("/track.js");`+script+`})()`)
}

// TestAssignmentIsTheCheapest holds the assignment against all possible ones.
func TestAssignmentIsTheCheapest(t *testing.T) {
	wrong := runTracking[[]string](t, `
		let seed = 1;
		const random = () => (seed = (seed * 48271) % 2147483647) / 2147483647;
		const best = (cost, columns, limit, i = 0, used = 0) => {
			if (i === cost.length) return 0;
			let least = limit + best(cost, columns, limit, i + 1, used); // a pair left out costs the limit
			for (let j = 0; j < columns; j++) {
				if (used & (1 << j) || cost[i][j] > limit) continue;
				least = Math.min(least, cost[i][j] + best(cost, columns, limit, i + 1, used | (1 << j)));
			}
			return least;
		};
		const wrong = [];
		for (let n = 0; n < 500; n++) {
			const [rows, columns] = [Math.floor(random() * 6), Math.floor(random() * 6)];
			const cost = Array.from({length: rows}, () => Array.from({length: columns}, () => random() < 0.2 ? Infinity : random()));
			const got = track.assign(cost, columns, 0.8);
			const taken = got.filter((j) => j >= 0);
			const sum = got.reduce((s, j, i) => s + (j < 0 ? 0.8 : cost[i][j]), 0);
			if (got.length !== rows || new Set(taken).size !== taken.length || Math.abs(sum - best(cost, columns, 0.8)) > 1e-9)
				wrong.push(JSON.stringify({cost, got, sum}));
		}
		return wrong;`)
	if len(wrong) > 0 {
		t.Errorf("%d of 500 are not the cheapest, e.g. %s", len(wrong), wrong[0])
	}
}

// object is one thing on a straight path, for sequences with known identities.
type object struct {
	class        int
	x, y, vx, vy float64 // centre at frame 0, pixels a frame
	w, h         float64
	from, to     int // frames that it is there
	hidden       [2]int
	faint        [2]int // frames in which its score is low
}

// sequence makes the detections of each frame, shuffled, with boxes shaken by up to jitter
// pixels, as a script's literal; truth names the object of each detection.
func sequence(objects []object, frames int, jitter float64, seed uint64) string {
	r := rand.New(rand.NewPCG(seed, 1))
	var all strings.Builder
	all.WriteString("[")
	for f := range frames {
		var list []string
		for k, o := range objects {
			if f < o.from || f >= o.to || (f >= o.hidden[0] && f < o.hidden[1]) {
				continue
			}
			score := 0.7 + 0.25*r.Float64()
			if f >= o.faint[0] && f < o.faint[1] {
				score = 0.15 + 0.2*r.Float64()
			}
			cx, cy := o.x+o.vx*float64(f), o.y+o.vy*float64(f)
			shake := func() float64 { return jitter * (2*r.Float64() - 1) }
			list = append(list, fmt.Sprintf("{classId: %d, score: %.3f, truth: %d, box: [%.1f, %.1f, %.1f, %.1f]}", o.class, score, k,
				cx-o.w/2+shake(), cy-o.h/2+shake(), cx+o.w/2+shake(), cy+o.h/2+shake()))
		}
		r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		all.WriteString("[" + strings.Join(list, ", ") + "],\n")
	}
	return all.String() + "]"
}

// followed is what a tracker made of a sequence: for each object the ids it had, in order.
type followed struct {
	IDs     map[string][]int
	Missed  int // detections of confirmed objects that had no id
	Longest int // trail
}

const followScript = `
	const follow = (frames, options, fps = 30) => {
		const tracker = new track.Tracker(options);
		const result = {ids: {}, missed: 0, longest: 0};
		frames.forEach((seen, f) => {
			const tracks = tracker.update(seen, f / fps);
			for (const t of tracks) {
				const ids = (result.ids[seen[t.detection].truth] ??= []);
				if (ids.at(-1) !== t.id) ids.push(t.id);
				result.longest = Math.max(result.longest, t.trail.length);
			}
			result.missed += seen.length - tracks.length;
		});
		return result;
	};`

func TestIdentitiesLast(t *testing.T) {
	people := func(o ...object) []object {
		for i := range o {
			if o[i].to == 0 {
				o[i].to = 90
			}
		}
		return o
	}
	for _, c := range []struct {
		name    string
		objects []object
		fps     int
		want    map[string]int // ids that each object has
		missed  int
	}{
		{"two pass each other", people(object{x: 60, y: 200, vx: 6, w: 60, h: 160}, object{x: 580, y: 230, vx: -6, w: 60, h: 160}), 30,
			map[string]int{"0": 1, "1": 1}, 0},
		{"a crowd walks side by side", people(object{x: 50, y: 100, vx: 4, w: 50, h: 90}, object{x: 50, y: 170, vx: 4.2, w: 50, h: 90},
			object{x: 60, y: 240, vx: 3.9, w: 50, h: 90}, object{x: 40, y: 310, vx: 4.1, w: 50, h: 90}), 30,
			map[string]int{"0": 1, "1": 1, "2": 1, "3": 1}, 0},
		{"one is hidden for half a second", people(object{x: 60, y: 200, vx: 5, w: 80, h: 160, hidden: [2]int{30, 45}}), 30,
			map[string]int{"0": 1}, 0},
		{"one is gone for two seconds", people(object{x: 60, y: 200, vx: 1, w: 80, h: 160, hidden: [2]int{10, 72}}), 30,
			map[string]int{"0": 2}, 1},
		{"one is doubtful for a second", people(object{x: 60, y: 200, vx: 5, w: 80, h: 160, faint: [2]int{20, 50}}), 30,
			map[string]int{"0": 1}, 0},
		{"one comes later", people(object{x: 60, y: 200, vx: 5, w: 80, h: 160}, object{x: 400, y: 120, vx: -3, w: 60, h: 120, from: 40}), 30,
			map[string]int{"0": 1, "1": 1}, 1},
		{"a dog walks in front of a man", people(object{class: 0, x: 100, y: 200, vx: 4, w: 80, h: 200}, object{class: 16, x: 300, y: 240, vx: 1, w: 90, h: 100}), 30,
			map[string]int{"0": 1, "1": 1}, 0},
		{"five frames a second", people(object{x: 60, y: 200, vx: 10, w: 90, h: 160, to: 40}, object{x: 560, y: 210, vx: -10, w: 90, h: 160, to: 40}), 5,
			map[string]int{"0": 1, "1": 1}, 0},
		{"it appears once", people(object{x: 60, y: 200, vx: 5, w: 80, h: 160}, object{x: 400, y: 120, w: 60, h: 120, from: 40, to: 41}), 30,
			map[string]int{"0": 1}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			var sequences []string
			for seed := range uint64(20) {
				sequences = append(sequences, sequence(c.objects, 90, 2, seed))
			}
			all := runTracking[[]followed](t, fmt.Sprintf("%s return [%s].map((frames) => follow(frames, {}, %d));",
				followScript, strings.Join(sequences, ","), c.fps))
			for seed, got := range all {
				for object, n := range c.want {
					if len(got.IDs[object]) != n {
						t.Errorf("seed %d: object %s had the ids %v, want %d", seed, object, got.IDs[object], n)
					}
				}
				if len(got.IDs) != len(c.want) || got.Missed != c.missed {
					t.Errorf("seed %d: ids %v, %d detections without, want %d", seed, got.IDs, got.Missed, c.missed)
				}
			}
		})
	}
}

// TestIdsAreNeverUsedAgain: also not after a reset, and trails stay as short as they should.
func TestIdsAreNeverUsedAgain(t *testing.T) {
	got := runTracking[map[string]any](t, `
		const tracker = new track.Tracker({trail: 10});
		const box = (x) => [{classId: 0, score: 0.9, box: [x, 10, x + 50, 110]}];
		const ids = new Set();
		let longest = 0;
		for (let life = 0; life < 5; life++) {
			for (let f = 0; f < 30; f++) {
				for (const t of tracker.update(box(10 + 2 * f), life * 10 + f / 30)) {
					ids.add(t.id);
					longest = Math.max(longest, t.trail.length);
				}
			}
			if (life === 2) tracker.reset();
		}
		return {ids: [...ids], longest};`)
	if fmt.Sprint(got["ids"]) != "[1 2 3 4 5]" || got["longest"] != 10.0 {
		t.Errorf("%v", got)
	}
}

func TestLinesAndZonesCount(t *testing.T) {
	got := runTracking[map[string]any](t, `
		const at = (id, classId, from, to) => ({id, classId, trail: [from, to]});
		// A line down the middle, seen from its top: its right is where x is less.
		const line = new track.LineCounter({a: [100, 0], b: [100, 200]});
		const crossed = line.update([
			at(1, 0, [90, 50], [110, 50]), at(2, 0, [110, 60], [90, 60]), at(3, 0, [80, 20], [99, 20]),
			at(4, 2, [90, 300], [110, 300]), at(5, 2, [120, 10], [20, 190]), {id: 6, classId: 0, trail: [[100, 50]]},
		]);
		line.update([at(1, 0, [110, 50], [130, 50])]);
		line.update([at(1, 0, [130, 50], [90, 55])]);
		const zone = new track.ZoneCounter([[0, 0], [100, 0], [100, 100], [50, 40], [0, 100]]);
		const here = zone.update([at(1, 0, [0, 0], [20, 20]), at(2, 0, [0, 0], [50, 80]), at(3, 7, [0, 0], [90, 50])]).map((t) => t.id);
		const later = zone.update([at(1, 0, [20, 20], [200, 20]), at(4, 0, [0, 0], [30, 10])]).map((t) => t.id);
		return {
			crossed, lines: [...line.crossings].map(([id, c]) => [id, c.left, c.right]), here, later,
			visitors: [...zone.visitors].map(([id, seen]) => [id, seen.size]),
			classes: [...track.countByClass([{classId: 3}, {classId: 3}, {classId: 1}])],
		};`)
	for key, want := range map[string]string{
		"crossed": "[1 2 5]", "lines": "[[0 1 2] [2 0 1]]", "here": "[1 3]", "later": "[4]", "visitors": "[[0 2] [7 1]]", "classes": "[[3 2] [1 1]]",
	} {
		if fmt.Sprint(got[key]) != want {
			t.Errorf("%s: %v, want %s", key, got[key], want)
		}
	}
}

// TestFollowerKeepsTheDoubtfulInside: doubtful detections stay only where they belong to a
// track, and the masks that are left are theirs.
func TestFollowerKeepsTheDoubtfulInside(t *testing.T) {
	got := runTracking[map[string]any](t, `
		const follower = new track.Follower(0.4);
		const detection = (score, x) => ({classId: 0, label: "person", score, box: [x, 0, x + 50, 100]});
		const frame = (...detections) => ({width: 640, height: 480, detections, tracks: null, masks: {width: 640, height: 480,
			rects: Int32Array.from(detections.flatMap((_, i) => [0, 0, i + 1, 1])),
			data: Uint8Array.from(detections.flatMap((_, i) => Array(i + 1).fill(i + 1)))}});
		follower.update(frame(detection(0.9, 10), detection(0.2, 300)), 0);
		const {detections, masks, tracks} = follower.update(frame(detection(0.8, 500), detection(0.2, 300), detection(0.15, 11)), 1 / 30);
		return {asked: follower.options({confidence: 0.4, iou: 0.45}).confidence,
			detections: detections.map((d) => [d.score, d.id]), rects: [...masks.rects], data: [...masks.data],
			tracks: tracks.map((t) => [t.id, t.label])};`)
	for key, want := range map[string]string{
		"asked": "0.1", "detections": "[[0.8 <nil>] [0.15 1]]", "rects": "[0 0 1 1 0 0 3 1]", "data": "[1 3 3 3]", "tracks": "[[1 person]]",
	} {
		if fmt.Sprint(got[key]) != want {
			t.Errorf("%s: %v, want %s", key, got[key], want)
		}
	}
}

// TestRealPicturesAreFollowed moves two sample pictures over a ground, lets the network detect
// people in each frame, and looks whether each person keeps one id while they pass each other.
func TestRealPicturesAreFollowed(t *testing.T) {
	type step struct {
		Boxes [2][4]float64 // where the people are
		Found []struct {
			ID  int
			Box [4]float64
		}
	}
	m, err := zoo.Find(zoo.Default).Open(load.Options{})
	if err != nil {
		t.Fatal(err)
	}
	model, err := Compile(zoo.Default, m)
	if err != nil {
		t.Fatal(err)
	}
	site := withBlank(t)
	if err := site.SetModels([]Model{model}); err != nil {
		t.Fatal(err)
	}
	got := runTrackingOn[[]step](t, site, `
		const {Detector} = await import("/spotter.js");
		const detector = await Detector.load();
		const picture = async (name) => createImageBitmap(await (await fetch(SAMPLES[name])).blob());
		const [astronaut, portrait] = [await picture("astronaut"), await picture("portrait")];
		const canvas = document.createElement("canvas");
		[canvas.width, canvas.height] = [960, 640];
		const context = canvas.getContext("2d");
		const place = (image, x, y, height) => {
			const width = height * image.width / image.height;
			context.drawImage(image, x, y, width, height);
			return [x, y, x + width, y + height];
		};
		const tracker = new track.Tracker({high: 0.3, fresh: 0.3});
		const steps = [];
		for (let f = 0; f < 45; f++) {
			const sky = context.createLinearGradient(0, 0, 0, 640);
			sky.addColorStop(0, "#8fb2c9");
			sky.addColorStop(1, "#55605a");
			context.fillStyle = sky;
			context.fillRect(0, 0, 960, 640);
			const boxes = [place(astronaut, 20 + 13 * f, 10, 290), place(portrait, 680 - 13 * f, 330, 290)];
			const {detections} = await detector.detect(canvas, {conf: 0.1, classes: ["person"]});
			const found = tracker.update(detections, f / 15).map(({id, box}) => ({id, box}));
			steps.push({boxes, found});
		}
		return steps;`)
	ids := [2]map[int]int{{}, {}}
	for f, s := range got {
		for k, b := range s.Boxes {
			best, id := 0.0, 0
			for _, d := range s.Found {
				if iou := overlapOf(b, d.Box); iou > best {
					best, id = iou, d.ID
				}
			}
			if best > 0.2 {
				ids[k][id]++
			} else if f > 2 {
				t.Logf("frame %d: person %d is not followed", f, k)
			}
		}
	}
	for k, name := range []string{"astronaut", "portrait"} {
		if len(ids[k]) != 1 {
			t.Errorf("%s had the ids %v", name, ids[k])
		}
		for id, n := range ids[k] {
			if n < 40 {
				t.Errorf("%s was followed as %d in %d of 45 frames", name, id, n)
			}
		}
	}
}

func overlapOf(a, b [4]float64) float64 {
	to := func(v [4]float64) (r [4]float32) {
		for i := range v {
			r[i] = float32(v[i])
		}
		return r
	}
	return float64(detect.IOU(to(a), to(b)))
}
