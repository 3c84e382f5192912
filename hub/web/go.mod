module github.com/handoff-go/handoff/hub/web

go 1.26.0

require (
	github.com/coder/websocket v1.8.15
	github.com/handoff-go/handoff v0.0.0
)

require (
	github.com/fxamacker/cbor/v2 v2.10.0 // indirect
	github.com/x448/float16 v0.8.4 // indirect
	golang.org/x/sys v0.49.0 // indirect
)

replace github.com/handoff-go/handoff => ../..
