#!/usr/bin/env bash
# Builds the worker into build/; wrangler calls it before it runs or deploys the worker.
set -euo pipefail
cd "$(dirname "$0")"
go run github.com/syumai/workers/cmd/workers-assets-gen -mode=go
GOOS=js GOARCH=wasm go build -trimpath -ldflags="-s -w" -o build/app.wasm .
