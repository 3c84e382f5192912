//go:build !handoff_portable && !race && go1.26 && !go1.27 && (amd64 || arm64)

// The empty assembly file lets fast_unsafe.go declare functions without a body.
