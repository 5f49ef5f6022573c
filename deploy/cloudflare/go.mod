module spotter/deploy/cloudflare

go 1.26.0

require (
	github.com/syumai/workers v0.32.0
	spotter v0.0.0
)

replace spotter => ../..
