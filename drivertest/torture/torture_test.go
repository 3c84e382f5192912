//go:build unix

package torture

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/handoff-go/handoff"
	"github.com/handoff-go/handoff/drivertest"
	"github.com/handoff-go/handoff/hub"
)

// kills is small where CI runs it; docs/faults.md has a long run.
var kills = flag.Int("kills", 300, "how many processes are killed in a run")

// crewRoles are the processes that are at work at any time.
var crewRoles = []string{"send", "send-batch", "send-select", "take", "take-select", "receive", "take"}

// patience is how long one who is waited for may say nothing.
const patience = 30 * time.Second

// torture is one run.
type torture struct {
	*judge
	urls    []string
	roles   []string
	dice    *rand.Rand
	crew    []*member // at work; changed by the goroutine of the test, under the judge's lock
	count   int       // members that there were
	tally   struct{ killed, stopped, holding, receiving int }
	show    func() string // what is in the channels, nil if nobody knows
	pointed bool          // what it runs over has points
	ends    chan struct{} // a member has ended; one slot
	wg      sync.WaitGroup
}

// member is one process of the crew.
type member struct {
	process
	cmd   *exec.Cmd
	in    io.Closer
	ended chan struct{} // closed when it has, and all it said is noted
	err   error         // of Wait, read after ended
	point string        // where it kills itself, "" for nowhere
	since time.Time
	due   time.Time // when it must have said something, or ended; guarded by the judge's lock
}

// TestUnix: sockets to a home in this process.
func TestUnix(t *testing.T) {
	path := filepath.Join(t.TempDir(), "home")
	l, err := hub.ListenUnix(path)
	if err != nil {
		t.Fatal(err)
	}
	h := hub.New(hub.Options{})
	served := make(chan error, 1)
	go func() { served <- h.Serve(l) }()
	newTorture(t, "unix:"+path+"?chan=a&slots=3", "unix:"+path+"?chan=b&slots=0").run()
	if err := h.Close(context.Background()); err != nil {
		t.Error(err)
	}
	<-served
}

// newTorture is a run over two channels.
func newTorture(t *testing.T, urls ...string) *torture {
	seed := drivertest.NewSeed()
	t.Logf("seed %d (repeat with -drivertest.seed=%d)", seed, seed)
	return &torture{judge: newJudge(t), urls: urls, roles: crewRoles, dice: rand.New(rand.NewPCG(seed, 0)), ends: make(chan struct{}, 1)}
}

// start starts a member. One with a point kills itself there, at one of the first
// times that it comes by.
func (tr *torture) start(role, point string) {
	tr.count++
	m := &member{ended: make(chan struct{}), point: point, since: time.Now()}
	m.process = process{name: fmt.Sprintf("%s%d", role[:1], tr.count), role: role, held: map[string]int{}, last: map[lane]int{}}
	m.cmd = exec.Command(os.Args[0])
	m.cmd.Env = append(os.Environ(), envRole+"="+role, envName+"="+m.name, envURLs+"="+strings.Join(tr.urls, " "),
		fmt.Sprint(envSeed, "=", tr.dice.Uint64()))
	if point != "" {
		m.cmd.Env = append(m.cmd.Env, fmt.Sprintf("%s=%s:%d", envPoint, point, tr.passages(point)))
	}
	m.cmd.Stderr = os.Stderr
	out, in := pipes(tr.t, m.cmd)
	m.in = in
	if err := m.cmd.Start(); err != nil {
		tr.t.Fatal(err)
	}
	tr.mu.Lock()
	tr.crew = append(tr.crew, m)
	tr.mu.Unlock()
	tr.wg.Go(func() {
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			tr.note(&m.process, lines.Text())
		}
		m.err = m.cmd.Wait()
		tr.mu.Lock()
		defer tr.mu.Unlock()
		if m.err != nil && !m.dead && !m.atPoint() {
			tr.t.Errorf("%s (%s): %v", m.name, m.role, m.err)
		}
		close(m.ended)
		tr.more.Broadcast()
		select {
		case tr.ends <- struct{}{}:
		default:
		}
	})
}

// atPoint reports whether m, which has ended, killed itself at its point.
func (m *member) atPoint() bool {
	status, ok := m.cmd.ProcessState.Sys().(syscall.WaitStatus)
	return ok && m.point != "" && !m.dead && status.Signaled() && status.Signal() == syscall.SIGKILL
}

func pipes(t testing.TB, cmd *exec.Cmd) (out io.Reader, in io.Closer) {
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	w, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	return out, w
}

// run has the crew at work, kills and replaces its members, and judges.
func (tr *torture) run() {
	t := tr.t
	var ch [2]handoff.Chan[string]
	for i, url := range tr.urls {
		var err error
		if ch[i], err = handoff.Open[string](context.Background(), url); err != nil {
			t.Fatal(err)
		}
		defer ch[i].Detach()
	}
	stuck := tr.watch()
	defer stuck()
	if tr.pointed && len(points) > 0 {
		tr.atPoints(ch)
	} else {
		for _, role := range tr.roles {
			tr.start(role, "")
		}
		for tr.tally.killed < *kills && !t.Failed() {
			tr.strike(ch, func(string) string { return "" })
		}
	}
	tr.finish(ch)
}

// strike does something to one member, at any instant, and has it replaced if it is
// dead then. Its successor kills itself at a point.
func (tr *torture) strike(ch [2]handoff.Chan[string], point func(role string) string) {
	m := tr.crew[tr.dice.IntN(len(tr.crew))]
	if !tr.hear(m, 3+tr.dice.IntN(10)) {
		return
	}
	for range tr.dice.IntN(20000) { // no order: at any instruction
	}
	if tr.dice.IntN(4) == 0 {
		tr.tally.stopped++
		m.cmd.Process.Signal(syscall.SIGSTOP)
		time.Sleep(time.Duration(tr.dice.IntN(3000)) * time.Microsecond) // no order: the others go on meanwhile
		if tr.dice.IntN(2) == 0 {
			m.cmd.Process.Signal(syscall.SIGCONT)
			return
		}
	}
	tr.replace(m, point(m.role))
	tr.slots(ch)
}

// replace kills m, and starts another one in its place.
func (tr *torture) replace(m *member, point string) {
	tr.mu.Lock()
	m.dead = true
	tr.mu.Unlock()
	m.cmd.Process.Kill()
	<-m.ended
	tr.bury(m)
	tr.start(m.role, point)
}

// bury counts a member that was killed and takes it out of the crew.
func (tr *torture) bury(m *member) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.tally.killed++
	if len(m.held) > 0 {
		tr.tally.holding++
	}
	if m.role == "receive" {
		tr.tally.receiving++
	}
	tr.crew = slices.DeleteFunc(tr.crew, func(other *member) bool { return other == m })
	m.in.Close()
}

// slots judges that no channel has more values than slots.
func (tr *torture) slots(ch [2]handoff.Chan[string]) {
	for i := range ch {
		// Values that have left their senders and are not confirmed have a slot each.
		if s := ch[i].Sender.Stats(); int64(s.Sent-s.Received) > int64(s.Slots) {
			tr.t.Errorf("%d values were sent, %d confirmed: more than %d slots", s.Sent, s.Received, s.Slots)
		}
	}
}

// hear waits until m has said n more lines, or somebody has ended of its own, who is to be replaced. It
// reports whether m lives.
func (tr *torture) hear(m *member, n int) bool {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	m.due = time.Now().Add(patience)
	for until := m.said + n; m.said < until && !tr.t.Failed() && !slices.ContainsFunc(tr.crew, (*member).hasEnded); {
		tr.more.Wait()
	}
	m.due = time.Time{}
	return !m.hasEnded()
}

func (m *member) hasEnded() bool {
	select {
	case <-m.ended:
		return true
	default:
		return false
	}
}

// watch ends the test when a member that is waited for does not say a word for long.
// The function ends the watch.
func (tr *torture) watch() func() {
	over := make(chan struct{})
	tr.wg.Go(func() {
		tick := time.NewTicker(patience / 20)
		defer tick.Stop()
		for {
			select {
			case <-over:
				return
			case now := <-tick.C:
				tr.judgeStuck(now)
			}
		}
	})
	return func() {
		close(over)
		tr.wg.Wait()
	}
}

func (tr *torture) judgeStuck(now time.Time) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	for _, m := range tr.crew {
		if m.due.IsZero() || now.Before(m.due) {
			continue
		}
		m.due = time.Time{}
		tr.t.Errorf("%s (%s) is stuck: it holds %v", m.name, m.role, m.held)
		if tr.show != nil {
			tr.t.Log(tr.show())
		}
		m.cmd.Process.Signal(syscall.SIGQUIT) // it says where it is
		tr.more.Broadcast()
	}
}

// expect waits until m ends, which it soon does.
func (tr *torture) expect(m *member) {
	tr.mu.Lock()
	m.due = time.Now().Add(patience)
	tr.mu.Unlock()
	<-m.ended
	tr.mu.Lock()
	m.due = time.Time{}
	tr.mu.Unlock()
}

// finish has the senders end, closes, and judges when all have ended.
func (tr *torture) finish(ch [2]handoff.Chan[string]) {
	t := tr.t
	for _, m := range tr.crew {
		if strings.HasPrefix(m.role, "send") {
			m.in.Close()
			tr.expect(m)
		}
	}
	for i := range ch {
		if err := ch[i].Close(); err != nil {
			t.Error(err)
		}
	}
	for _, m := range tr.crew {
		tr.expect(m)
		m.in.Close()
	}
	again := uint64(0)
	for i := range ch {
		s := ch[i].Receiver.Stats()
		again += s.Redelivered
		// A value that was held without a slot when its sender was killed is confirmed, and
		// was never sent.
		orphans := int64(s.Received - s.Sent)
		if s.Len+s.Held+s.SendersWaiting+s.ReceiversWaiting != 0 || orphans < 0 || orphans > int64(tr.tally.killed) || s.Senders > 1 || s.Receivers > 1 {
			t.Errorf("something is left: %+v", s)
		}
	}
	sent, doubt := tr.verdict(tr.tally.receiving * receiveMost)
	t.Logf("%d processes killed, %d of them while they held values, %d stopped; %d values sent, %d in doubt as their senders were killed, %d came again",
		tr.tally.killed, tr.tally.holding, tr.tally.stopped, sent, doubt, again)
}
