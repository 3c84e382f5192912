package between

import (
	"bufio"
	"fmt"
	"os"
	"os/signal"
	"runtime"
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
	if p.end != nil {
		p.end()
	}
	os.Exit(0)
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
