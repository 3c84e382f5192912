//go:build !unix

package cli

import "os"

// rereadSignal is none here.
var rereadSignal os.Signal
