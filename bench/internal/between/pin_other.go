//go:build !linux

package between

func lacksPins() string { return "processes are kept on cores on Linux only" }

func pin(pid, nth int) {}
