#!/usr/bin/env bash
# One script for everything: sets up what is missing, then builds, serves, tests or measures.
set -euo pipefail
cd "$(dirname "$0")"

usage() {
  cat <<'EOF'
Usage: ./build.sh <command> [flags]

  serve [flags]   build and serve the page with the default model (flags as of `go run . serve --help`)
  build           make ./spotter, one binary with the whole site in it
  test            run every check and test
  bench [flags]   measure in Chromium beside other runtimes (flags as of `go run . bench --help`)
EOF
}

say() { printf '%s\n' "$*" >&2; }
die() { say "build.sh: $*"; exit 1; }

# apt NAME... installs Debian packages where that is possible.
apt() {
  command -v apt-get >/dev/null || return 1
  local sudo=""
  [ "$(id -u)" = 0 ] || { command -v sudo >/dev/null || return 1; sudo="sudo"; }
  say "installing $* ..."
  $sudo apt-get update -qq >&2 && DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends "$@" >&2
}

need_go() {
  command -v go >/dev/null || die "Go is missing: install Go 1.26 or newer from https://go.dev/dl and try again"
}

need_node() {
  command -v npm >/dev/null && return
  apt nodejs npm || die "Node.js is missing (only tests and benchmarks need it): install Node 20 or newer from https://nodejs.org"
}

need_browser() {
  local b
  for b in chromium chromium-browser google-chrome google-chrome-stable chrome; do
    command -v "$b" >/dev/null && return
  done
  [ -d "/Applications/Google Chrome.app" ] && return
  [ -n "${CHROME:-}" ] && return
  apt chromium || die "a browser is missing: install Chromium or Chrome, or name one in the variable CHROME"
}

# npm_ci DIR installs the pinned packages of DIR once for each lock file.
npm_ci() {
  local stamp="$1/node_modules/.lock-sum" sum
  sum=$(cksum <"$1/package-lock.json")
  [ "$(cat "$stamp" 2>/dev/null)" = "$sum" ] && return
  say "npm ci in $1 ..."
  (cd "$1" && npm ci --no-audit --no-fund --silent)
  printf '%s' "$sum" >"$stamp"
}

gate() { say "== $*"; }

check_go() {
  gate gofmt
  local unformatted
  unformatted=$(git ls-files -co --exclude-standard '*.go' | while read -r f; do [ -f "$f" ] && gofmt -l "$f"; done)
  [ -z "$unformatted" ] || die "not formatted: $unformatted"
  gate go vet
  go vet ./...
  gate "go vet (js/wasm)"
  GOOS=js GOARCH=wasm go vet ./models/... ./kernels/... ./wasm/...
  gate staticcheck
  go run honnef.co/go/tools/cmd/staticcheck ./...
}

check_web() {
  npm_ci web
  gate tsc
  (cd web && npx --no-install tsc --noEmit)
  gate biome
  (cd web && npx --no-install biome check .)
}

cmd_test() {
  need_go; need_browser; need_node
  check_go
  check_web
  gate go test
  go test -timeout 20m "$@" ./...
}

case "${1:-}" in
  serve) shift; need_go; exec go run . serve "$@" ;;
  build) shift; need_go; go run . site -o web/dist "$@" && go build -tags embed -o spotter . && say "made ./spotter" ;;
  test)  shift; cmd_test "$@" ;;
  bench) shift; need_go; need_browser; need_node; exec go run . bench "$@" ;;
  ""|help|-h|--help) usage ;;
  *) usage; die "there is no command \"$1\"" ;;
esac
