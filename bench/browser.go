package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/chromedp"
)

// page is a tab of a headless Chromium that shows the bench's page.
type page struct {
	ctx    context.Context
	cancel []context.CancelFunc
	url    string
}

// callLimit is the longest that one call into the page may take.
const callLimit = 20 * time.Minute

// openPage starts the browser: the one that the variable CHROME names, else an installed Chromium or Chrome.
func openPage(ctx context.Context, url string, extra ...chromedp.ExecAllocatorOption) (*page, error) {
	opts := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.Flag("disable-gpu", true), chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("autoplay-policy", "no-user-gesture-required"))
	if os.Getuid() == 0 {
		opts = append(opts, chromedp.NoSandbox)
	}
	if path := os.Getenv("CHROME"); path != "" {
		opts = append(opts, chromedp.ExecPath(path))
	}
	opts = append(opts, extra...)
	alloc, cancelAlloc := chromedp.NewExecAllocator(ctx, opts...)
	tab, cancelTab := chromedp.NewContext(alloc, chromedp.WithErrorf(func(string, ...any) {}))
	p := &page{ctx: tab, cancel: []context.CancelFunc{cancelTab, cancelAlloc}, url: url}
	if err := chromedp.Do(tab, chromedp.Navigate(url)); err != nil {
		p.close()
		return nil, fmt.Errorf("starting the browser: %w", err)
	}
	return p, nil
}

func (p *page) close() {
	for _, cancel := range p.cancel {
		cancel()
	}
}

// reload shows the page anew, which frees what the last network took, and gives it its frames.
func (p *page) reload(frames string) error {
	if err := chromedp.Do(p.ctx, chromedp.Navigate(p.url)); err != nil {
		return err
	}
	var isolated bool
	if err := p.call(&isolated, "isolated"); err != nil {
		return err
	}
	if !isolated {
		return errors.New("the page is not cross-origin isolated, so threads and fine timers are missing")
	}
	return p.call(nil, "setFrames", frames, frameCount)
}

// call calls window.bench.NAME(args...) and puts what its promise gives into out (nil to drop it).
func (p *page) call(out any, name string, args ...any) error {
	list := make([]string, len(args))
	for i, a := range args {
		data, err := json.Marshal(a)
		if err != nil {
			return err
		}
		list[i] = string(data)
	}
	ctx, cancel := context.WithTimeout(p.ctx, callLimit)
	defer cancel()
	expr := fmt.Sprintf("(async () => (await window.bench.%s(%s)) ?? null)()", name, strings.Join(list, ","))
	if err := p.evaluate(ctx, expr, out); err != nil {
		return fmt.Errorf("%s in the page: %w", name, err)
	}
	return nil
}

// evaluate puts what the expression's promise gives into out (nil to drop it).
func (p *page) evaluate(ctx context.Context, expr string, out any) error {
	raw, err := chromedp.Run(ctx, chromedp.Evaluate[[]byte](expr, chromedp.EvalAwaitPromise))
	if err != nil || out == nil {
		return err
	}
	return json.Unmarshal(raw, out)
}

// version is the browser's product string, e.g. HeadlessChrome/156.0.
func (p *page) version() string {
	v, err := chromedp.CallBrowser(p.ctx, browser.GetVersion, cdp.Empty{})
	if err != nil {
		return "unknown"
	}
	return v.Product
}
