package main

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"spotter/models/detect"
	"spotter/models/eval"
	"spotter/models/load"
	"spotter/models/reference"
	"spotter/wasm"
	"spotter/wasm/run"
)

// looker finds objects in pictures, one at a time.
type looker interface {
	look(p *detect.Picture, f *evalFlags) ([]eval.Prediction, error)
	Close() error
}

// lookers makes one looker for each job.
func (f *evalFlags) lookers(m *load.Model) ([]looker, error) {
	if f.reference {
		return []looker{interpreted{m}}, nil // it uses all processors itself
	}
	compiled, err := wasm.Compile(m.Graph, m.Weights, wasm.Options{Task: m.Task})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", *f.model.file, err)
	}
	var list []looker
	for range f.jobs {
		e, err := run.New(context.Background(), compiled.Module, compiled.Weights, run.Options{})
		if err != nil {
			return nil, errors.Join(err, closeAll(list))
		}
		list = append(list, native{e})
	}
	return list, nil
}

func closeAll(list []looker) error {
	var errs []error
	for _, l := range list {
		errs = append(errs, l.Close())
	}
	return errors.Join(errs...)
}

// native looks with the compiled module.
type native struct{ *run.Engine }

func (n native) look(p *detect.Picture, f *evalFlags) ([]eval.Prediction, error) {
	if err := n.Feed(p.Pix, p.W, p.H); err != nil {
		return nil, err
	}
	if err := n.Infer(); err != nil {
		return nil, err
	}
	results, err := n.Detect(run.DetectOptions{Conf: float32(f.conf), IoU: float32(f.iou), Max: f.most, MultiLabel: true})
	if err != nil {
		return nil, err
	}
	var list []eval.Prediction
	for i, r := range results {
		one := eval.Prediction{Box: r.Box, Score: r.Score, Class: r.Class}
		if f.masks {
			m, err := n.Mask(i, p.W, p.H)
			if err != nil {
				return nil, err
			}
			one.Mask = encoded(m)
		}
		list = append(list, one)
	}
	return list, nil
}

func encoded(m *detect.Mask) *detect.RLE {
	rle := m.RLE()
	return &rle
}

// interpreted looks with the scalar reference.
type interpreted struct{ *load.Model }

func (i interpreted) look(p *detect.Picture, f *evalFlags) ([]eval.Prediction, error) {
	o := detect.NMSOptions{Conf: float32(f.conf), IOU: f.iou, MaxDet: f.most, MultiLabel: true}
	r, err := reference.Detect(i.Graph, i.Weights, p, o)
	if err != nil {
		return nil, err
	}
	var list []eval.Prediction
	for k, d := range r.Detections {
		one := eval.Prediction{Box: r.Box(k), Score: d.Score, Class: d.Class}
		if f.masks {
			one.Mask = encoded(r.Mask(k, p.W, p.H))
		}
		list = append(list, one)
	}
	return list, nil
}

func (interpreted) Close() error { return nil }

// share calls work for 0 to n-1 by several workers, and done, one at a time, after each.
// After an error no more is begun; it gives the first.
func share(workers, n int, work func(worker, i int) error, done func()) (failure error) {
	var lock sync.Mutex
	var wait sync.WaitGroup
	next := 0
	take := func() (int, bool) {
		lock.Lock()
		defer lock.Unlock()
		next++
		return next - 1, failure == nil && next <= n
	}
	for worker := range workers {
		wait.Go(func() {
			for i, ok := take(); ok; i, ok = take() {
				err := work(worker, i)
				lock.Lock()
				if failure == nil {
					failure = err
				}
				done()
				lock.Unlock()
			}
		})
	}
	wait.Wait()
	return failure
}
