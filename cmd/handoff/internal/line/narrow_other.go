//go:build !linux

package line

import "os"

// narrow does nothing: pipes have the size they have here.
func narrow(*os.File, int) {}
