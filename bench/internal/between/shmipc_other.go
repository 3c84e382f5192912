//go:build !(linux && (amd64 || arm64))

package between

import "runtime"

const lacksShmipc = "shmipc-go on " + runtime.GOOS + "/" + runtime.GOARCH

func shmipcTrip(*Fleet) crew { panic(lacksShmipc) }

func shmipcStream(int) func(*Fleet) crew { panic(lacksShmipc) }
