package between

import (
	"bufio"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"

	"github.com/handoff-go/handoff/internal/bench/measure"
)

// roleEnv names what this program is to be instead of a bench.
const roleEnv = "HANDOFF_BENCH_ROLE"

// part is what a process does in its role.
type part struct {
	at   string                     // where it is reached, "" if nowhere
	pids []int                      // processes that work for it
	work func(n int) measure.Sample // nil if it only serves
	end  func()                     // before it ends; may be nil
}

// roles are what a process can be, by name.
var roles = map[string]func(args []string) part{}

// Play plays the role that this process was started for, and does not return; in
// any other process it does nothing. It comes first in main.
func Play() {
	name := os.Getenv(roleEnv)
	if name == "" {
		return
	}
	begin, ok := roles[name]
	check(ok, "there is no role %q", name)
	// An interrupt is for the bench, which ends its processes itself.
	signal.Ignore(os.Interrupt)
	profiled := profile(name)
	p := begin(os.Args[1:])
	fmt.Println("ready", p.at, strings.Trim(fmt.Sprint(p.pids), "[]"))
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		if in.Text() == figuresOf {
			fmt.Println(figures())
			continue
		}
		n, err := strconv.Atoi(in.Text())
		must(err)
		answer(p.work(n))
	}
	profiled()
	if p.end != nil {
		p.end()
	}
	os.Exit(0)
}

// profileEnv names a folder for the CPU profiles of all processes.
const profileEnv = "HANDOFF_BENCH_PROFILE"

// profile begins the profile of this process, if one is asked for.
func profile(name string) (stop func()) {
	dir := os.Getenv(profileEnv)
	if dir == "" {
		return func() {}
	}
	name = fmt.Sprintf("%s-%d.pprof", strings.Join(append(strings.Fields(name), roleWords(os.Args[1:])...), "-"), os.Getpid())
	file, err := os.Create(filepath.Join(dir, name))
	must(err)
	must(pprof.StartCPUProfile(file))
	return func() {
		pprof.StopCPUProfile()
		must(file.Close())
	}
}

// roleWords are the arguments that are no addresses.
func roleWords(args []string) []string {
	return slices.DeleteFunc(strings.Fields(strings.Join(args, " ")), func(s string) bool { return strings.ContainsAny(s, "/:") })
}

// answer says what was measured, in a line.
func answer(s measure.Sample) {
	out := bufio.NewWriter(os.Stdout)
	fmt.Fprint(out, s.Elapsed.Nanoseconds())
	for _, d := range s.Each {
		fmt.Fprint(out, " ", d.Nanoseconds())
	}
	fmt.Fprintln(out)
	out.Flush()
}

// figuresOf asks a process what it weighs.
const figuresOf = "figures"

// figures are the live bytes of the heap and of stacks, and the goroutines.
func figures() string {
	runtime.GC()
	runtime.GC() // what the first has found dead may keep more alive
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return fmt.Sprint(m.HeapAlloc+m.StackInuse, " ", runtime.NumGoroutine())
}
