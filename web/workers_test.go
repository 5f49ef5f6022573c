package web

import (
	"fmt"
	"strings"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
)

// Names of the workers that tests look for.
const (
	engineWorker = "spotter engine"
	threadWorker = "spotter thread 1"
)

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

// worker waits for the worker of that name and returns a tab of it, which evaluates scripts there.
func (p *tab) worker(name string) *tab {
	p.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(30 * time.Millisecond) {
		for _, w := range p.workers() {
			if w.Title == name {
				return p.attached(w.TargetID)
			}
		}
	}
	p.t.Fatalf("there is no worker %q", name)
	return nil
}

func (p *tab) attached(id target.ID) *tab {
	p.t.Helper()
	ctx, cancel := chromedp.NewContext(p.ctx, chromedp.WithTargetID(id), chromedp.WithDetachOnCancel())
	p.t.Cleanup(cancel)
	p.must(chromedp.Do(ctx))
	return &tab{t: p.t, ctx: ctx, console: p.console}
}

// beforeWorkers runs a script in each dedicated worker that starts from now on, before its
// own, and in those that workers start. Those whose name starts with held never get to run.
func (p *tab) beforeWorkers(script, held string) {
	p.t.Helper()
	p.must(chromedp.Listen(p.ctx, func(event any) {
		if e, ok := event.(*target.EventAttachedToTarget); ok && e.TargetInfo.Type == "worker" {
			go p.prepare(e.TargetInfo, script, held)
		}
	}))
	p.holdWorkers()
}

// holdWorkers has the workers that the tab starts wait for prepare.
func (p *tab) holdWorkers() {
	p.t.Helper()
	yes := true
	call(p, target.SetAutoAttach, target.SetAutoAttachParams{
		AutoAttach: true, WaitForDebuggerOnStart: true, Flatten: &yes, Filter: target.Filter{{Type: "worker"}},
	})
}

// prepare lets a worker that waits at its start run, if it is to.
func (p *tab) prepare(info *target.Info, script, held string) {
	if held != "" && strings.HasPrefix(info.Title, held) {
		return
	}
	ctx, _ := chromedp.NewContext(p.ctx, chromedp.WithTargetID(info.TargetID), chromedp.WithDetachOnCancel()) // ends with the tab
	err := func() error {
		if err := chromedp.Do(ctx); err != nil {
			return err
		}
		if _, err := chromedp.Call(ctx, runtime.Evaluate, runtime.EvaluateParams{Expression: script}); err != nil {
			return err
		}
		w := &tab{t: p.t, ctx: ctx, console: p.console}
		w.beforeWorkers(script, held)
		_, err := chromedp.Call(ctx, runtime.RunIfWaitingForDebugger, cdp.Empty{})
		return err
	}()
	if err != nil && p.ctx.Err() == nil {
		fmt.Printf("worker %q: %v\n", info.Title, err)
	}
}
