package web

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
)

// engineWorker is the name of the worker that holds the engine.
const engineWorker = "spotter engine"

// workers lists the tab's dedicated workers, and those that they started.
func (p *tab) workers() []*target.Info {
	p.t.Helper()
	found, err := chromedp.CallBrowser(p.ctx, target.GetTargets, target.GetTargetsParams{Filter: target.Filter{{Type: "worker"}}})
	p.must(err)
	parents := map[target.ID]bool{p.target(): true}
	var list []*target.Info
	for more := true; more; {
		more = false
		for _, w := range found.TargetInfos {
			if parents[w.ParentID] && !parents[w.TargetID] {
				parents[w.TargetID], more = true, true
				list = append(list, w)
			}
		}
	}
	return list
}

func (p *tab) target() target.ID { return chromedp.FromContext(p.ctx).Target.TargetID }

// inWorker evaluates a script in the worker of that name, as soon as there is one. Workers
// that are on their way out are still listed: so it tries again where one goes meanwhile.
func (p *tab) inWorker(name, script string) {
	p.t.Helper()
	err := fmt.Errorf("there is no worker %q", name)
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(30 * time.Millisecond) {
		for _, w := range p.workers() {
			if w.Title != name {
				continue
			}
			ctx, cancel := chromedp.NewContext(p.ctx, chromedp.WithTargetID(w.TargetID), chromedp.WithDetachOnCancel())
			err = chromedp.Do(ctx, chromedp.Evaluate[chromedp.Void](script))
			cancel()
			if err == nil {
				return
			}
		}
	}
	p.t.Fatal(err)
}

// beforeWorkers calls a function with each dedicated worker that starts from now on, before its
// script runs, and with those that workers start. Those whose name starts with held never get to run.
func (p *tab) beforeWorkers(do func(worker context.Context) error, held string) {
	p.t.Helper()
	p.must(holdWorkers(p.ctx, func(info *target.Info, err error) {
		if err != nil && p.ctx.Err() == nil {
			p.t.Errorf("worker %q: %v", info.Title, err)
		}
	}, do, held))
}

// holdWorkers has the workers that a page or worker starts wait until do has returned.
func holdWorkers(ctx context.Context, done func(*target.Info, error), do func(context.Context) error, held string) error {
	err := chromedp.Listen(ctx, func(event any) {
		e, ok := event.(*target.EventAttachedToTarget)
		if !ok || e.TargetInfo.Type != "worker" || held != "" && strings.HasPrefix(e.TargetInfo.Title, held) {
			return
		}
		go func() {
			worker, _ := chromedp.NewContext(ctx, chromedp.WithTargetID(e.TargetInfo.TargetID), chromedp.WithDetachOnCancel()) // ends with the tab
			err := chromedp.Do(worker)
			if err == nil {
				err = do(worker)
			}
			if err == nil {
				err = holdWorkers(worker, done, do, held)
			}
			if err == nil {
				_, err = chromedp.Call(worker, runtime.RunIfWaitingForDebugger, cdp.Empty{})
			}
			done(e.TargetInfo, err)
		}()
	})
	if err != nil {
		return err
	}
	flat := true
	_, err = chromedp.Call(ctx, target.SetAutoAttach, target.SetAutoAttachParams{
		AutoAttach: true, WaitForDebuggerOnStart: true, Flatten: &flat, Filter: target.Filter{{Type: "worker"}},
	})
	return err
}
