//go:build js && wasm

package main

import (
	"context"
	"net/http"

	"github.com/syumai/workers"
	"github.com/syumai/workers/cloudflare"
	"github.com/syumai/workers/cloudflare/fetch"
)

func main() {
	workers.Serve(newHandler(fromBinding))
}

// fromBinding fetches from the worker's static assets; their host name does not matter.
func fromBinding(path string, header http.Header) (*http.Response, error) {
	request, err := fetch.NewRequest(context.Background(), http.MethodGet, "https://assets.invalid"+path, nil)
	if err != nil {
		return nil, err
	}
	request.Header = header
	client := fetch.NewClient(fetch.WithBinding(cloudflare.GetBinding("ASSETS")))
	return client.Do(request, &fetch.RequestInit{Redirect: fetch.RedirectModeManual})
}
