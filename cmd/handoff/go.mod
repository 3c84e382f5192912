module github.com/handoff-go/handoff/cmd/handoff

go 1.26.0

require (
	github.com/handoff-go/handoff v0.0.0
	github.com/handoff-go/handoff/hub/web v0.0.0
	github.com/spf13/cobra v1.10.2
	github.com/spf13/pflag v1.0.9
	golang.org/x/term v0.47.0
)

require (
	github.com/quic-go/quic-go v0.65.0 // indirect
	golang.org/x/crypto v0.54.0 // indirect
	golang.org/x/net v0.56.0 // indirect
)

require (
	github.com/coder/websocket v1.8.15 // indirect
	github.com/handoff-go/handoff/quicchan v0.0.0
	github.com/inconshreveable/mousetrap v1.1.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
)

replace (
	github.com/handoff-go/handoff => ../..
	github.com/handoff-go/handoff/hub/web => ../../hub/web
)

replace github.com/handoff-go/handoff/quicchan => ../../quicchan
