package main

import (
	"errors"
	"fmt"
	"io"

	"spotter/models/load"
	"spotter/models/zoo"
	"spotter/web"
)

const siteAbout = `Usage: spotter site -o folder [flags]

Writes the page with compiled models as a folder of plain files, compressed forms
beside them, for any static host. The host should send the headers in its _headers file.

`

// runSite is the command site.
func runSite(args []string, stdout, stderr io.Writer) error {
	set := newFlags("site")
	out := set.String("o", "", "folder to write; an earlier site in it is replaced")
	model := set.String("model", "", "model file, or the name of one network that ships ("+zoo.IDs()+"), instead of all that ship")
	lean := set.Bool("for-binary", false, "write what a binary (build tag \"embed\") takes: compressed, and without the networks' own files, which it holds already")
	if err := parseFlags(set, args, siteAbout, stdout); err != nil {
		return err
	}
	if *out == "" {
		return usageError{errors.New("-o names the folder to write")}
	}
	site, err := buildSite(*model, web.Best, stderr)
	if err != nil {
		return err
	}
	for _, name := range site.Over(web.FileLimit) {
		fmt.Fprintf(stderr, "%s is larger than 25 MiB: Cloudflare refuses it\n", name)
	}
	write := site.Write
	if *lean {
		write = site.WriteLean
		for _, m := range zoo.Models() {
			data, err := m.Data()
			if err != nil {
				return err
			}
			site.Without(data)
		}
	}
	if err := write(*out); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "wrote %d files to %s\n", len(site), *out)
	return nil
}

// compileModels compiles a model file, a network that ships, or for "" all of these.
func compileModels(model string, say func(name string)) ([]web.Model, error) {
	chosen := zoo.Models()
	if model != "" {
		m := zoo.Find(model)
		if m == nil {
			say(model)
			compiled, err := web.CompileFile(model)
			return []web.Model{compiled}, fileError(err)
		}
		chosen = []zoo.Model{*m}
	}
	var list []web.Model
	for _, m := range chosen {
		say(m.Title)
		read, err := m.Open(load.Options{})
		if err != nil {
			return nil, err
		}
		compiled, err := web.Compile(m.ID, read)
		if err != nil {
			return nil, err
		}
		data, err := m.Data()
		if err != nil {
			return nil, err
		}
		compiled.Source = web.SourceOf(m.File, data, read)
		list = append(list, compiled)
	}
	return list, nil
}
