module github.com/handoff-go/handoff/examples/web

go 1.26.0

require (
	github.com/coder/websocket v1.8.15
	github.com/handoff-go/handoff v0.0.0
	github.com/handoff-go/handoff/hub/web v0.0.0
)

require golang.org/x/sys v0.49.0 // indirect

replace (
	github.com/handoff-go/handoff => ../..
	github.com/handoff-go/handoff/hub/web => ../../hub/web
)
