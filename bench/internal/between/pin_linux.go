package between

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	sys "golang.org/x/sys/unix"
)

// lacksPins says why processes cannot be kept on cores, "" if they can.
func lacksPins() string {
	var set sys.CPUSet
	if err := sys.SchedGetaffinity(0, &set); err != nil || set.Count() < 2 {
		return fmt.Sprintf("it needs two cores and has %d (%v)", set.Count(), err)
	}
	return ""
}

// pin keeps all threads of a process on the nth core of those this process may use.
// Threads that it makes later are where their makers are.
func pin(pid, nth int) {
	var mine sys.CPUSet
	must(sys.SchedGetaffinity(0, &mine))
	core := 0
	for seen := -1; ; core++ {
		if mine.IsSet(core) {
			seen++
		}
		if seen == nth%mine.Count() {
			break
		}
	}
	var only sys.CPUSet
	only.Set(core)
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*", pid))
	must(err)
	for _, task := range tasks {
		tid, err := strconv.Atoi(filepath.Base(task))
		must(err)
		if err := sys.SchedSetaffinity(tid, &only); err != nil {
			_, gone := os.Stat(task)
			check(gone != nil, "thread %d stays where it is: %v", tid, err)
		}
	}
}
