//go:build unix

package netchan_test

import (
	"bufio"
	"bytes"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/handoff-go/handoff"
	"github.com/handoff-go/handoff/internal/badline"
	"github.com/handoff-go/handoff/internal/testproc"
)

// A campaign: processes send, receive, take and select over TCP, each over a line
// of its own, while their lines fail and they are stopped and killed. What all of
// them said is one history, which is judged by campaign_check_test.go.
//
//	go test ./netchan -run TestCampaign -v                   each fault once
//	go test ./netchan -run TestCampaign -v -campaign 10m     rounds for so long
//	go test ./netchan -run TestCampaign/flap -seed 7         what a seed did
//
// A seed repeats what is done to the processes and when, by what they have said;
// what they do meanwhile is theirs and the system's.

var campaignFor = flag.Duration("campaign", 0, "run campaigns of faults for so long; 0 for one round of each")

// player is one child of a round.
type player struct {
	role, name string
	cmd        *exec.Cmd
	in         io.Closer
	line       *badline.Line // nil for a home
	killed     bool          // guarded by the round's mu
	over       chan struct{}
}

// round is one run of all processes with faults of one kind.
type round struct {
	t      *testing.T
	kind   *faultKind
	slots  int
	dice   *rand.Rand
	home   *player
	at     string // the home's address
	actors []*player
	named  int
	faults int
	died   deaths

	mu      sync.Mutex // guards the rest
	changed *sync.Cond // a line came, or a player ended
	history history
	serves  string // the newest home's address
}

// startPlayer starts a child of a round.
func (r *round) startPlayer(role, url string, line *badline.Line) *player {
	r.named++
	p := &player{role: role, name: fmt.Sprintf("%s%d", strings.ReplaceAll(role, " ", "-"), r.named), line: line, over: make(chan struct{})}
	p.cmd = exec.Command(os.Args[0])
	p.cmd.Env = append(os.Environ(), childEnv+"=campaign "+role, campaignURL+"="+url, campaignName+"="+p.name)
	p.cmd.Stderr = os.Stderr
	in, err := p.cmd.StdinPipe()
	if err != nil {
		r.t.Fatal(err)
	}
	out, err := p.cmd.StdoutPipe()
	if err == nil {
		err = p.cmd.Start()
	}
	if err != nil {
		r.t.Fatal(err)
	}
	p.in = in
	go func() { // ends with the child
		for lines := bufio.NewScanner(out); lines.Scan(); {
			r.hear(p, lines.Text())
		}
		err := p.cmd.Wait()
		r.mu.Lock()
		defer r.mu.Unlock()
		close(p.over)
		r.changed.Broadcast()
		if err != nil && !p.killed {
			r.history.blame("%s ended: %v", p.name, err)
		}
	}()
	return p
}

// hear notes what a child said.
func (r *round) hear(p *player, text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.changed.Broadcast()
	if address, ok := strings.CutPrefix(text, "serves "); ok {
		r.serves = address
		return
	}
	l, err := parseLine(p.name, text)
	if err != nil {
		r.history.blame("%v", err)
		return
	}
	r.history.lines = append(r.history.lines, l)
}

// startHome starts a home and waits until it serves.
func (r *round) startHome() {
	r.mu.Lock()
	r.serves = ""
	r.mu.Unlock()
	r.home = r.startPlayer("home", "", nil)
	r.await("a home", func() bool { return r.serves != "" })
	r.at = r.serves
}

// startActor starts a client behind a line of its own.
func (r *round) startActor(role string) *player {
	line, err := badline.New(r.at, badline.Never)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(line.Close)
	url := fmt.Sprintf("tcp://%s/%%s?slots=%d&resume=%v&heartbeat=%v", line.Address(), r.slots, r.kind.resume, campaignBeat)
	p := r.startPlayer(role, url, line)
	r.actors = append(r.actors, p)
	return p
}

// await waits until something that children say is so.
func (r *round) await(what string, ok func() bool) {
	r.t.Helper()
	timer := time.AfterFunc(3*patience, func() { r.changed.Broadcast() })
	defer timer.Stop()
	for deadline := time.Now().Add(3 * patience); !r.look(ok); {
		if time.Now().After(deadline) {
			r.t.Fatalf("%s: no %s after %v", r.kind.name, what, 3*patience)
		}
	}
}

// look waits for the next change, unless ok is so already, which it reports.
func (r *round) look(ok func() bool) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if ok() {
		return true
	}
	r.changed.Wait()
	return false
}

// more waits until the children have said so many lines more.
func (r *round) more(n int) {
	r.mu.Lock()
	until := len(r.history.lines) + n
	r.mu.Unlock()
	r.await("more lines", func() bool { return len(r.history.lines) >= until })
}

// lively waits until each living sender has sent once more: nothing is stuck.
func (r *round) lively() {
	r.mu.Lock()
	from := len(r.history.lines)
	r.mu.Unlock()
	for _, p := range r.actors {
		if p.killed || !strings.HasSuffix(p.role, "sender") {
			continue
		}
		seen := from
		r.await("send by "+p.name, func() bool {
			for ; seen < len(r.history.lines); seen++ {
				l := &r.history.lines[seen]
				if l.who == p.name && (l.what == "sent" || l.what == "chose") {
					return true
				}
			}
			return false
		})
	}
}

// any returns a living actor, of a role if that is not "".
func (r *round) any(role string) *player {
	var some []*player
	for _, p := range r.actors {
		if !p.killed && (role == "" || p.role == role) {
			some = append(some, p)
		}
	}
	return some[r.dice.IntN(len(some))]
}

// kill kills a player and waits for its end.
func (r *round) kill(p *player) {
	r.mu.Lock()
	p.killed = true
	r.mu.Unlock()
	p.cmd.Process.Kill()
	<-p.over
}

// play runs the round.
func (r *round) play() figures {
	r.changed = sync.NewCond(&r.mu)
	r.startHome()
	defer func() {
		r.kill(r.home)
		for _, p := range r.actors {
			r.kill(p)
		}
	}()
	for _, role := range []string{"sender", "sender", "receiver", "taker", "select sender", "select receiver"} {
		r.startActor(role)
	}
	r.lively()
	r.kind.do(r)
	for _, p := range r.actors { // the lines are good again
		p.line.Set(badline.Never)
		p.line.Mute(badline.Up, false)
		p.line.Mute(badline.Down, false)
		p.line.Delay(0)
		p.line.Up(r.at)
	}
	r.lively()
	return r.end()
}

// end has all that was sent received, and judges.
func (r *round) end() figures {
	r.finish("sender")
	var all []handoff.Chan[string]
	for _, name := range []string{"jobs", "left", "right"} {
		ch, err := handoff.Open[string](r.t.Context(), fmt.Sprintf("tcp://%s/%s?slots=%d", r.at, name, r.slots))
		if err != nil {
			r.t.Fatal(err)
		}
		defer ch.Detach()
		if err := ch.Close(); err != nil {
			r.t.Error(err)
		}
		all = append(all, ch)
	}
	r.finish("")
	var told uint64
	for _, ch := range all {
		told += ch.Stats().Redelivered
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	f := r.history.judge(r.slots, told, r.died, r.kind.strict)
	f.faults = r.faults
	for i, why := range r.history.bad {
		if r.t.Error(why); i == 20 {
			r.t.Fatalf("and %d more", len(r.history.bad)-i-1)
		}
	}
	return f
}

// finish has the actors whose role ends so end, and waits for that.
func (r *round) finish(suffix string) {
	for _, p := range r.actors {
		if !p.killed && strings.HasSuffix(p.role, suffix) {
			p.in.Close()
			r.await("end of "+p.name, func() bool {
				select {
				case <-p.over:
					return true
				default:
					return false
				}
			})
		}
	}
}

// TestCampaign runs a round of each kind of fault, or more until it is time.
func TestCampaign(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	if testproc.Apart(t) {
		return
	}
	dice := randomly(t)
	until := time.Now().Add(*campaignFor)
	table := map[string]*figures{}
	for first := true; first || time.Now().Before(until) && !t.Failed(); first = false {
		for i := range faultKinds {
			k := &faultKinds[i]
			seed := dice.Uint64()
			t.Run(k.name, func(t *testing.T) {
				r := &round{t: t, kind: k, slots: k.slots(seed), dice: rand.New(rand.NewPCG(seed, 2))}
				f := r.play()
				if table[k.name] == nil {
					table[k.name] = &figures{}
				}
				table[k.name].add(f)
			})
		}
	}
	t.Logf("\n%s", tabulate(table))
}

// tabulate is the table of a campaign.
func tabulate(table map[string]*figures) string {
	var b bytes.Buffer
	w := tabwriter.NewWriter(&b, 0, 0, 1, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "| fault |\trounds |\tfaults |\tvalues |\tin doubt |\tof these told |\tcame again |\tdied with receiver |\tlost |\tduplicated |\t")
	var all figures
	row := func(name string, f *figures) {
		fmt.Fprintf(w, "| %s |\t%d |\t%d |\t%d |\t%d |\t%d |\t%d |\t%d |\t%d |\t%d |\t\n",
			name, f.rounds, f.faults, f.values, f.doubts, f.known, f.again, f.buried, f.lost, f.duplicated)
	}
	for i := range faultKinds {
		if f := table[faultKinds[i].name]; f != nil {
			row(faultKinds[i].name, f)
			all.add(*f)
		}
	}
	row("all", &all)
	w.Flush()
	return b.String()
}
