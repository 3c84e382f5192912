// Package rival holds what people reach for instead of a channel of ours: the
// queues of other modules, the language's locks, and a pointer where a copy
// would do. Each is used as its own documentation says and called directly, and
// each run checks that what was sent came across, so that nobody is fast because
// values are dropped.
package rival

import (
	"fmt"
	"slices"
	"strings"

	"github.com/handoff-go/handoff/internal/bench/measure"
)

// native is what Go's own channel is called in the tables.
const native = "go"

// rival is one way to carry ints from senders to receivers.
type rival struct {
	name string
	// laws says which of a channel's laws it drops, and how it is used here.
	laws string
	// lacks says why it cannot run with so many senders, receivers and slots;
	// it is "" if it can.
	lacks func(senders, receivers, slots int) string
	// open makes a queue; it is nil if the rival can never run.
	open func(load) queue
}

// load is what a queue is made for.
type load struct {
	senders, receivers, slots int
	n                         int // values in all
}

// queue is what a rival is asked to do. The loops are the rival's own, so that
// nothing stands between them and its operations.
type queue struct {
	send func(from, n int) // sends from, from+1 and so on, n in all
	recv func(n int) int   // receives n values and returns their sum
	end  func()            // stops and waits for what the queue has running; may be nil
}

// All returns every shape of this package, in the order of the tables.
func All() []*measure.Shape {
	return slices.Concat(bounded(), unbounded(), slow(), jobs(), weights(), collections())
}

// Notes says what each rival drops, in the order of the tables.
func Notes() []string {
	var notes []string
	for _, r := range slices.Concat(bounds, boundless, slows) {
		note := fmt.Sprintf("%s: %s.", r.name, r.laws)
		if !slices.Contains(notes, note) {
			notes = append(notes, note)
		}
	}
	return slices.Concat(notes, []string{slowNote}, jobNotes, weightNotes)
}

// must ends the run: an operation that fails is not one to be timed.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

// check ends the run too: a figure of work that was not done is worth nothing.
func check(done bool, format string, args ...any) {
	if !done {
		panic(fmt.Sprintf(format, args...))
	}
}

// anywhere is for rivals that run with any number of senders, receivers and
// slots.
func anywhere(int, int, int) string { return "" }

// reasons joins those that are not "".
func reasons(all ...string) string { return strings.Join(slices.DeleteFunc(all, isEmpty), "; ") }

func isEmpty(s string) bool { return s == "" }

// unless is the reason why something cannot be, if it cannot.
func unless(ok bool, why string) string {
	if ok {
		return ""
	}
	return why
}
