#!/usr/bin/env bash
# One script for everything: sets up what is missing, then builds, serves, tests or measures.
set -euo pipefail
cd "$(dirname "$0")"

usage() {
  cat <<'EOF'
Usage: ./build.sh <command> [flags]

  serve [flags]   build and serve the page with the default model (flags as of `go run . serve --help`)
  build           make ./spotter, one binary with the whole site in it
  site [flags]    write the site into dist/site, for any static host (flags as of `go run . site --help`)
  release         make dist/release: binaries for Linux, macOS and Windows with checksums
  test            run every check and test
  load            measure the server under 500 clients
  bench [flags]   measure in Chromium beside other runtimes (flags as of `go run . bench --help`)
  soak [minutes]  run the camera in Chromium, 10 minutes by default, and see whether anything grows
  parity [flags]  serve a page that compares a model with onnxruntime-web (flags as of `go run . parity --help`)
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

# need_servers gets nginx and Caddy, whose settings docs/deploy.md shows. Packages are
# unpacked, not installed: installed, they would run as services.
need_servers() {
  command -v nginx >/dev/null && command -v caddy >/dev/null && return
  [ -x build/servers/usr/sbin/nginx ] && [ -x build/servers/usr/bin/caddy ] && return
  unpack build/servers nginx nginx-common caddy ||
    die "nginx or Caddy is missing (only tests need them): install both, https://nginx.org and https://caddyserver.com"
}

# unpack DIR NAME... puts Debian packages into a folder.
unpack() {
  command -v apt-get >/dev/null && command -v dpkg >/dev/null || return 1
  local dir="$1" sudo="" file
  shift
  [ "$(id -u)" = 0 ] || sudo="sudo"
  say "unpacking $* ..."
  mkdir -p "$dir"
  (cd "$dir" && { apt-get download -qq "$@" 2>/dev/null || { $sudo apt-get update -qq && apt-get download -qq "$@"; }; }) >&2 || return 1
  for file in "$dir"/*.deb; do
    dpkg -x "$file" "$dir" && rm "$file" || return 1
  done
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

# embed_site puts the whole site where the build tag "embed" takes it from.
embed_site() { go run . site --for-binary -o web/dist "$@"; }

cmd_release() {
  embed_site
  local version out="dist/release" target os arch name
  version=$(git describe --tags --always --dirty 2>/dev/null || echo unknown)
  rm -rf "$out" && mkdir -p "$out"
  for target in linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64; do
    os=${target%/*} arch=${target#*/}
    name="spotter-$version-$os-$arch"
    [ "$os" = windows ] && name="$name.exe"
    say "building $name ..."
    CGO_ENABLED=0 GOOS=$os GOARCH=$arch go build -tags embed -trimpath -ldflags="-s -w" -o "$out/$name" .
  done
  (cd "$out" && sha256sum spotter-* >SHA256SUMS 2>/dev/null || shasum -a 256 spotter-* >SHA256SUMS)
  say "made $out:"
  ls -l "$out" >&2
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
  (cd deploy/cloudflare && GOOS=js GOARCH=wasm go vet ./...)
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
  need_go; need_browser; need_node; need_servers
  check_go
  check_web
  gate go test
  go test -timeout 20m "$@" ./...
}

case "${1:-}" in
  serve) shift; need_go; exec go run . serve "$@" ;;
  build) shift; need_go; embed_site "$@" && CGO_ENABLED=0 go build -tags embed -trimpath -ldflags="-s -w" -o spotter . && say "made ./spotter" ;;
  site)  shift; need_go; exec go run . site -o dist/site "$@" ;;
  release) need_go; cmd_release ;;
  load)  need_go; SPOTTER_LOAD=1 exec go test -count=1 -v -run 'TestServerUnderLoad' ./web ;;
  test)  shift; cmd_test "$@" ;;
  bench) shift; need_go; need_browser; need_node; exec go run . bench "$@" ;;
  soak) shift; need_go; need_browser; exec go run . soak "$@" ;;
  parity) shift; need_go; need_node; exec go run . parity "$@" ;;
  ""|help|-h|--help) usage ;;
  *) usage; die "there is no command \"$1\"" ;;
esac
