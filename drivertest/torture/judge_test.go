//go:build unix

package torture

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
)

// judge knows what every process has said and what became of it.
type judge struct {
	mu     sync.Mutex // guards the rest
	t      testing.TB
	values map[string]*fate
	more   *sync.Cond // something was said, or a process has ended
	lines  int
	exact  bool // a value that comes back unseen comes before the next is handed out
}

// fate is what is known of one value.
type fate struct {
	tried          bool
	sent, kept     bool
	attempts       []int // in the order they were heard of
	done, received int
	confirmed      int      // the attempt that was confirmed
	said           []string // by whom, and what
	settling       bool     // a receiver said that it confirms, and not that it did
}

// process is one child, as the judge knows it.
type process struct {
	name, role string
	dead       bool           // killed
	said       int            // lines
	held       map[string]int // what it holds, by the attempt
	last       map[lane]int   // the last value seen at its first attempt
}

// lane is what one sender sends by one channel: it comes in order.
type lane struct {
	sender string
	on     int
}

func newJudge(t testing.TB) *judge {
	j := &judge{t: t, values: map[string]*fate{}}
	j.more = sync.NewCond(&j.mu)
	return j
}

func (j *judge) fate(id string) *fate {
	f := j.values[id]
	if f == nil {
		f = &fate{}
		j.values[id] = f
	}
	return f
}

// note notes what p said.
func (j *judge) note(p *process, line string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines++
	p.said++
	j.more.Broadcast()
	what, rest, _ := strings.Cut(line, " ")
	var id string
	var on, attempt int
	if what == "got" || what == "received" {
		fmt.Sscan(rest, &id, &on, &attempt)
	} else {
		fmt.Sscan(rest, &id, &attempt)
	}
	if id == "torn" {
		j.t.Errorf("%s: a value is not what was sent: %s", p.name, line)
		return
	}
	f := j.fate(id)
	f.said = append(f.said, p.name+": "+line)
	switch what {
	case "ready", "bye":
		delete(j.values, id)
	case "try":
		f.tried = true
	case "sent", "kept":
		f.sent, f.kept = what == "sent", what == "kept"
	case "got":
		j.handedOut(p, id, f, on, attempt)
		p.held[id] = attempt
	case "return":
		delete(p.held, id)
	case "keep":
		p.held[id] = attempt
	case "settle":
		f.settling = true
	case "done":
		f.done++
		f.confirmed = p.held[id]
		delete(p.held, id)
	case "received":
		f.received++
	default:
		j.t.Errorf("%s (%s) says %q", p.name, p.role, line)
	}
}

// handedOut notes a hand-out. Of two processes it is not known who spoke first, so
// most is judged at the end; what one says is heard in order.
func (j *judge) handedOut(p *process, id string, f *fate, on, attempt int) {
	f.attempts = append(f.attempts, attempt)
	if attempt != 1 || !j.exact {
		return // a receive that is cancelled over a link sends its value back, and late
	}
	var n int
	sender, number, _ := strings.Cut(id, ".")
	fmt.Sscan(number, &n)
	line := lane{sender, on}
	if p.last[line] >= n {
		j.t.Errorf("%s came to %s by channel %d after %s.%d, at their first attempts", id, p.name, on, sender, p.last[line])
	}
	p.last[line] = n
}

// verdict judges the whole, when every process has ended. mayLose is how
// many plain receives may have been lost with their receivers.
func (j *judge) verdict(mayLose int) (sent, doubt int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	unseen := 0
	for id, f := range j.values {
		j.check(id, f)
		switch {
		case f.sent && f.done+f.received > 0:
			sent++
		case f.sent && f.settling:
			sent++ // its receiver was killed between the confirmation and its word
		case f.sent: // never seen, or given back, and then received by a plain receiver that was killed
			sent++
			unseen++
		case !f.kept:
			doubt++
		}
	}
	if unseen > mayLose {
		j.t.Errorf("%d values were lost, and plain receivers that were killed can have had %d", unseen, mayLose)
	}
	return sent, doubt
}

// check judges one value.
func (j *judge) check(id string, f *fate) {
	bad := func(format string, args ...any) {
		j.t.Errorf("%s "+format+"; what was said, in the order it was heard: %q", append(append([]any{id}, args...), f.said)...)
	}
	slices.Sort(f.attempts)
	switch n := len(f.attempts); {
	case f.kept && n+f.received > 0:
		bad("was seen, and its sender kept it")
	case !f.tried:
		bad("was seen, and nobody sent it")
	case f.done+f.received > 1:
		bad("was confirmed %d times and received %d times", f.done, f.received)
	case f.done == 1 && f.confirmed != f.attempts[n-1]:
		bad("was confirmed at attempt %d of %v", f.confirmed, f.attempts)
	case len(slices.Compact(f.attempts)) != n:
		bad("had one attempt twice: %v", f.attempts)
	}
}
