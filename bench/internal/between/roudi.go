package between

import (
	"bufio"
	"os/exec"
	"strings"
	"syscall"
)

func init() { roles["roudi"] = roudi }

// roudi runs the daemon of iceoryx, which keeps its memory.
func roudi([]string) part {
	cmd := exec.Command("iox-roudi")
	out, err := cmd.StdoutPipe()
	must(err)
	must(cmd.Start())
	said := bufio.NewScanner(out)
	ready := false
	for !ready && said.Scan() {
		ready = strings.Contains(said.Text(), "ready for clients")
	}
	check(ready, "iox-roudi ended before it was ready")
	go func() {
		for said.Scan() { // it must not wait for a reader
		}
	}()
	return part{pids: []int{cmd.Process.Pid}, end: func() {
		cmd.Process.Signal(syscall.SIGTERM)
		cmd.Wait()
	}}
}
