package web

import (
	"testing"

	"github.com/evanw/esbuild/pkg/api"
)

// withAPI is the tests' site with a script that puts the detector's API on the page.
func withAPI(t *testing.T) Site {
	t.Helper()
	site := Site{}
	for name, f := range testSite(t) {
		site[name] = f
	}
	result := api.Build(api.BuildOptions{
		Stdin: &api.StdinOptions{Contents: `
			export {Detector} from "./src/core/detector.ts";
			export {readCatalog, pick} from "./src/core/catalog.ts";
			export {Latest} from "./src/core/latest.ts";
			export {MaskLayer} from "./src/core/masklayer.ts";
			export {plainStyle} from "./src/core/style.ts";`},
		Bundle: true, Format: api.FormatESModule, Plugins: []api.Plugin{fromFS(sources)},
		Define: map[string]string{"WORKER_URL": `"./` + find(t, site, "assets/worker-") + `"`},
	})
	if len(result.Errors) > 0 {
		t.Fatal(result.Errors)
	}
	site.add("api.js", result.OutputFiles[0].Contents)
	site.add("blank.html", []byte("<!doctype html><title>blank</title><link rel=\"icon\" href=\"data:,\">"))
	return site
}

// setUp gives scripts the API, the model and a picture.
const setUp = `
	const {Detector, Latest, MaskLayer, plainStyle, readCatalog, pick} = await import("/api.js");
	const model = pick(await readCatalog("/models.json", new AbortController().signal));
	const sample = await (await fetch("/" + SAMPLE)).blob();
	const picture = () => createImageBitmap(sample);
	const outcome = (promise) => promise.then(() => "done", (e) => e.code);`

// runAPI runs a script with the API and returns its value.
func runAPI[T any](t *testing.T, script string) T {
	t.Helper()
	site := withAPI(t)
	p := open(t, view{path: "blank.html", site: NewHandler(site)})
	return eval[T](p, `(async () => { const SAMPLE = "`+find(t, site, "samples/portrait-fd")+`";`+setUp+script+`})()`)
}

func TestDetectorCanBeCalledOff(t *testing.T) {
	got := runAPI[map[string]string](t, `
		const during = new AbortController();
		const loading = outcome(Detector.load(model, {signal: during.signal, onprogress: () => during.abort()}));
		const before = AbortSignal.abort();
		const detector = await Detector.load(model);
		const running = new AbortController();
		const run = outcome(detector.detect(await picture(), {}, running.signal));
		running.abort();
		const answers = {
			load: await loading,
			early: await outcome(Detector.load(model, {signal: before})),
			run: await run,
			again: await outcome(detector.detect(await picture())),
		};
		const last = outcome(detector.detect(await picture()));
		detector.close();
		return {...answers, closing: await last, closed: await outcome(detector.detect(await picture()))};`)
	for name, code := range map[string]string{
		"load": "aborted", "early": "aborted", "run": "aborted", "again": "done", "closing": "closed", "closed": "closed",
	} {
		if got[name] != code {
			t.Errorf("%s: %q, want %q", name, got[name], code)
		}
	}
}

func TestPictureComesBackWithItsResult(t *testing.T) {
	got := runAPI[[]int](t, `
		const detector = await Detector.load(model);
		const result = await detector.detect(await picture(), {confidence: 0.25, masks: 0});
		return [result.picture.width, result.picture.height, result.width, result.height, result.detections.length, result.masks ? 1 : 0];`)
	if got[0] != got[2] || got[1] != got[3] || got[0] == 0 || got[4] == 0 || got[5] != 0 {
		t.Errorf("picture %dx%d for a result of %dx%d, %d detections, masks %d", got[0], got[1], got[2], got[3], got[4], got[5])
	}
}

func TestLatestWins(t *testing.T) {
	got := runAPI[map[string][]int](t, `
		const worked = [], dropped = [];
		let finish = () => {};
		const latest = new Latest(
			(item) => { worked.push(item); return new Promise((done) => { finish = done; }); },
			(item) => dropped.push(item));
		const step = async () => { finish(); await new Promise((r) => setTimeout(r)); };
		for (const item of [1, 2, 3, 4]) latest.offer(item);
		await step();
		latest.offer(5);
		latest.offer(6);
		latest.clear();
		await step();
		latest.offer(7);
		await step();
		return {worked, dropped};`)
	want := map[string][]int{"worked": {1, 4, 7}, "dropped": {2, 3, 5, 6}}
	for name := range want {
		if len(got[name]) != len(want[name]) {
			t.Fatalf("%s %v, want %v", name, got[name], want[name])
		}
		for i := range want[name] {
			if got[name][i] != want[name][i] {
				t.Errorf("%s %v, want %v", name, got[name], want[name])
			}
		}
	}
}

// TestWhatIsFinishedWaitsForTheNext: a result is shown when the engine has its next picture.
func TestWhatIsFinishedWaitsForTheNext(t *testing.T) {
	got := runAPI[string](t, `
		const events = [];
		const latest = new Latest(
			async (item) => { events.push("work " + item); await null; return () => events.push("show " + item); },
			() => {});
		latest.offer(1);
		latest.offer(2);
		await new Promise((r) => setTimeout(r));
		latest.offer(3);
		await new Promise((r) => setTimeout(r));
		return events.join(", ");`)
	if want := "work 1, work 2, show 1, show 2, work 3, show 3"; got != want {
		t.Errorf("%s; want %s", got, want)
	}
}

// TestMasksAreClearedWhereTheyWere draws frames of masks on one layer and each on a fresh one:
// what is kept from frame to frame must not show.
func TestMasksAreClearedWhereTheyWere(t *testing.T) {
	got := runAPI[[]int](t, `
		const [width, height] = [40, 30];
		const frame = (...rects) => ({width, height, rects: Int32Array.from(rects.flat()), data: Uint8Array.from(
			rects.flatMap(([x0, y0, x1, y1]) => Array.from({length: (x1 - x0) * (y1 - y0)}, (_, i) => i % 7 ? 255 : 0)))});
		const frames = [
			frame([0, 0, 40, 30]), frame([2, 3, 20, 20], [10, 10, 30, 29]), frame([38, 28, 40, 30]), frame([5, 5, 5, 5]),
			frame([0, 0, 2, 1]), frame([0, 10, 40, 11]), frame(),
		];
		const drawn = (layer, masks) => {
			const context = new OffscreenCanvas(80, 60).getContext("2d");
			const found = Array.from({length: masks.rects.length / 4}, (_, classId) => ({classId}));
			layer.paint(context, 80, 60, masks, found, plainStyle);
			return context.getImageData(0, 0, 80, 60).data;
		};
		const kept = new MaskLayer();
		return frames.flatMap((masks) => {
			const [a, b] = [drawn(kept, masks), drawn(new MaskLayer(), masks)];
			return [a.filter((v) => v).length, a.filter((v, i) => v !== b[i]).length];
		});`)
	for i := 0; i < len(got); i += 2 {
		if painted := got[i] > 0; painted != (i/2 != 3 && i/2 != 6) || got[i+1] > 0 {
			t.Errorf("frame %d: %d values painted, %d other than on a fresh layer", i/2, got[i], got[i+1])
		}
	}
}
