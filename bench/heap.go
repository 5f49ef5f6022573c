package bench

import (
	"context"
	"fmt"
	"io"
	"math"
	"strings"
	"text/tabwriter"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/heapprofiler"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// Heaps is what camera frames take of the JavaScript heaps, bytes a frame.
type Heaps struct {
	HeapFrames    int     `json:"heap_frames"`
	Garbage       float64 `json:"allocated_bytes_per_frame"` // in the page
	WorkerGarbage float64 `json:"worker_allocated_bytes_per_frame"`
	Heap          float64 `json:"heap_bytes_per_frame"`        // in the page after a collection
	WorkerHeap    float64 `json:"worker_heap_bytes_per_frame"` // in the engine's worker after a collection
}

// garbageFrames are enough to add up what is allocated, by samples.
const garbageFrames = 100

// heaps measures over count frames of the camera, which runs.
func (p *page) heaps(count int) (Heaps, error) {
	worker, release, err := p.worker("spotter engine")
	if err != nil {
		return Heaps{}, err
	}
	defer release()
	h := Heaps{HeapFrames: count}
	for at, each := range map[context.Context]struct{ garbage, heap *float64 }{
		p.ctx: {&h.Garbage, &h.Heap}, worker: {&h.WorkerGarbage, &h.WorkerHeap},
	} {
		if *each.garbage, err = p.allocated(at, garbageFrames); err != nil {
			return Heaps{}, err
		}
		if *each.heap, err = usedHeap(at); err != nil {
			return Heaps{}, err
		}
	}
	if err := p.watch(count); err != nil {
		return Heaps{}, err
	}
	for at, heap := range map[context.Context]*float64{p.ctx: &h.Heap, worker: &h.WorkerHeap} {
		after, err := usedHeap(at)
		if err != nil {
			return Heaps{}, err
		}
		*heap = math.Round((after - *heap) / float64(count))
	}
	return h, nil
}

// watch lets the camera run for so many frames.
func (p *page) watch(count int) error {
	ctx, cancel := context.WithTimeout(p.ctx, frameLimit(count))
	defer cancel()
	return p.evaluate(ctx, fmt.Sprintf(collectScript, count), nil)
}

// allocated is what is put on the heap for a frame, collected or not.
func (p *page) allocated(at context.Context, count int) (float64, error) {
	all := true
	if _, err := chromedp.Call(at, heapprofiler.StartSampling, heapprofiler.StartSamplingParams{
		SamplingInterval: 512, IncludeObjectsCollectedByMajorGC: &all, IncludeObjectsCollectedByMinorGC: &all}); err != nil {
		return 0, err
	}
	if err := p.watch(count); err != nil {
		return 0, err
	}
	got, err := chromedp.Call(at, heapprofiler.StopSampling, cdp.Empty{})
	if err != nil {
		return 0, err
	}
	return math.Round(sizeOf(got.Profile.Head) / float64(count)), nil
}

// sizeOf adds up the bytes of a profile.
func sizeOf(n *heapprofiler.SamplingHeapProfileNode) float64 {
	size := n.SelfSize
	for _, child := range n.Children {
		size += sizeOf(child)
	}
	return size
}

// worker attaches to the page's worker of that name.
func (p *page) worker(name string) (context.Context, context.CancelFunc, error) {
	targets, err := chromedp.Targets(p.ctx)
	if err != nil {
		return nil, nil, err
	}
	for _, t := range targets {
		if t.Type == "worker" && strings.Contains(t.Title, name) {
			ctx, cancel := chromedp.NewContext(p.ctx, chromedp.WithTargetID(t.TargetID))
			return ctx, cancel, chromedp.Do(ctx)
		}
	}
	return nil, nil, fmt.Errorf("the page has no worker %q among %d targets", name, len(targets))
}

// usedHeap is a context's JavaScript heap in bytes after a collection.
func usedHeap(ctx context.Context) (float64, error) {
	if _, err := chromedp.Call(ctx, heapprofiler.CollectGarbage, cdp.Empty{}); err != nil {
		return 0, err
	}
	usage, err := chromedp.Call(ctx, runtime.GetHeapUsage, cdp.Empty{})
	return usage.UsedSize, err
}

func (r *Report) printHeaps(w io.Writer) {
	fmt.Fprintf(w, "\nJavaScript heaps over %d frames, bytes a frame\n", r.Frame[0].HeapFrames)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "  threads\tallocated in the page\tin the worker\tkept in the page\tin the worker\t")
	for _, f := range r.Frame {
		fmt.Fprintf(t, "  %d\t%.0f\t%.0f\t%.0f\t%.0f\t\n", f.Threads, f.Garbage, f.WorkerGarbage, f.Heap, f.WorkerHeap)
	}
	t.Flush()
}
