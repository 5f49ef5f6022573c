package web

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"spotter/models/detect"
)

// keepThreads lets tests reach the workers that a worker starts.
const keepThreads = `
	globalThis.started = [];
	globalThis.Worker = class extends Worker {
		constructor(...given) { super(...given); started.push(this); }
	};`

const (
	saidScript    = `document.querySelector("#said").textContent`
	threadsScript = `document.querySelector("#threads").value`
)

// goesOn waits for a few more frames of the camera.
func (p *tab) goesOn() {
	p.t.Helper()
	p.wait(fmt.Sprintf("found.length > %d", eval[int](p, "found.length")+3))
}

// endWorkers ends the next so many workers that are to get a picture.
const endWorkers = `
	globalThis.ends = 0;
	globalThis.Worker = class extends Worker {
		constructor(...given) {
			super(...given);
			this.lives = new Promise((resolve) => this.addEventListener("message", ({data}) => data.kind === "alive" && resolve()));
		}
		postMessage(message, transfer) {
			if (message.kind !== "run" || ends-- <= 0) super.postMessage(message, transfer);
			else this.lives.then(() => this.terminate());
		}
	};`

// TestEngineWorkerEnds: browsers tell nothing when a worker ends. The page notices, starts
// another and goes on, with the camera as with a picture; workers that keep ending are given up.
func TestEngineWorkerEnds(t *testing.T) {
	ref := want(t, detect.FromImage(samplePicture(t, "astronaut")), 0.25)
	p := openReady(t, view{before: endWorkers, expects: "the worker has ended|VideoFrame was garbage collected"})
	end := func() {
		t.Helper()
		p.inWorker(engineWorker, "setTimeout(close, 300), undefined")
	}
	p.click("#camera")
	p.next(0)
	end()
	p.wait(saidScript + " === 'The engine stopped and was started anew.'")
	p.goesOn()
	p.screenshot("engine-restarted")
	p.click("#stop")
	eval[bool](p, "(ends = 1) > 0")
	compare(t, "a picture that went with its worker", p.sample("astronaut").Detections, ref, 0.25)
	end()
	n := eval[int](p, "found.length")
	p.set("confidence", "value", 0.3) // asks an engine that has seen no picture yet
	p.next(n)
	eval[bool](p, "(ends = 9) > 0")
	p.click("[data-name=portrait]")
	if code := p.notice(); code != "engine" {
		t.Errorf("after many ends the notice tells of %s", code)
	}
}

// TestThreadEnds: a thread that is killed in mid-run stops all others at the next barrier, until
// the engine goes on without threads and the page says so.
func TestThreadEnds(t *testing.T) {
	if runtime.NumCPU() < 2 {
		return // there is no thread to lose
	}
	p := openReady(t, view{worker: keepThreads, language: "zh-CN"})
	p.click("#camera")
	p.next(0)
	p.inWorker(engineWorker, "started.at(-1).terminate()")
	p.wait(threadsScript + " === '1'")
	p.screenshot("thread-lost")
	if said := eval[string](p, saidScript); said != "有一个线程不再响应，引擎改用单线程继续运行。" {
		t.Errorf("the page says %q", said)
	}
	p.goesOn()
	p.click("#stop")
	compare(t, "on one thread", p.sample("astronaut").Detections, want(t, detect.FromImage(samplePicture(t, "astronaut")), 0.25), 0.25)
	p.set("threads", "value", 2) // a person may try again
	p.wait(threadsScript + " === '2' && document.querySelector('#facts').innerText.includes('2')")
	compare(t, "on two threads again", p.sample("portrait").Detections, want(t, detect.FromImage(samplePicture(t, "portrait")), 0.25), 0.25)
}

// TestThreadsThatNeverStart: the engine goes on without them, and the page says why.
func TestThreadsThatNeverStart(t *testing.T) {
	p := openReady(t, view{held: "spotter thread"})
	if n := eval[string](p, threadsScript); n != "1" {
		t.Errorf("%s threads run", n)
	}
	if facts := p.text("#facts"); !strings.Contains(facts, "the threads did not start in time") {
		t.Errorf("the page says %q", facts)
	}
	compare(t, "without its threads", p.sample("astronaut").Detections, want(t, detect.FromImage(samplePicture(t, "astronaut")), 0.25), 0.25)
}
