//go:build unix

package netchan_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/handoff-go/handoff"
	"github.com/handoff-go/handoff/driver"
	"github.com/handoff-go/handoff/hub"
	"github.com/handoff-go/handoff/internal/wire"
)

// Death in every phase of a claim: two processes select, one of which sends to the other
// over a home, and one of the three is killed exactly before a frame arrives, which then
// is lost, or does arrive. What the others are told must be what docs/spec/select.md
// says: the value with exactly one, or in doubt, never with both, and nobody stuck.

func init() {
	// phase selects as it is told on its input, and says what came of it.
	roles["phase"] = func(path string) {
		ch, err := handoff.Open[string](context.Background(), urlOf(path, "phase"))
		must(err)
		say("open")
		what, err := bufio.NewReader(os.Stdin).ReadString('\n')
		must(err)
		var got string
		mine := ch.OnSend("v", nil)
		if strings.TrimSpace(what) == "receive" {
			mine = ch.OnRecv(func(v string, _ bool) { got = v })
		}
		_, err = handoff.Select(context.Background(), mine, handoff.OnNative(make(chan int), nil))
		switch {
		case errors.Is(err, handoff.ErrInDoubt):
			say("in doubt")
		case errors.Is(err, handoff.ErrUnreachable):
			say("unreachable")
		case err != nil:
			say("%v", err)
		case got != "":
			say("got %s", got)
		default:
			say("sent")
		}
	}
}

var partyNames = [...]string{"sender", "receiver", "home"}

// meeting are the frames by which the two meet, the sender asked first or the receiver.
func meeting(receiverFirst bool) []step {
	s, r := theSender, theReceiver
	steps := []step{{"OFFER of the send", s, true, anOffer}, {"OFFER of the receive", r, true, anOffer}}
	if receiverFirst {
		steps = append(steps, step{"CLAIM of the receiver", r, false, ofType(wire.TypeClaim)}, step{"GRANT of the receiver", r, true, ofType(wire.TypeGrant)})
	}
	return append(steps,
		step{"CLAIM", s, false, ofType(wire.TypeClaim)}, step{"GRANT", s, true, ofType(wire.TypeGrant)},
		step{"TRY", r, false, ofType(wire.TypeChosen)}, step{"WON", r, true, ofType(wire.TypeTaken)},
		step{"CONFIRM", s, false, ofType(wire.TypeChosen)})
}

// phase is one run.
type phase struct {
	receiverFirst bool
	at            int // the frame that does not get through before the kill
	victim        int
	arrives       bool // it gets through after it
}

func (p phase) step() step { return meeting(p.receiverFirst)[p.at] }

// sentBy reports whether who sends the frame, and gotBy whether it is for him.
func (p phase) sentBy(who int) bool {
	if st := p.step(); st.up {
		return who == st.from
	}
	return who == theHome
}

func (p phase) gotBy(who int) bool {
	if st := p.step(); !st.up {
		return who == st.from
	}
	return who == theHome
}

// reached reports whether the frame called name came to where it goes.
func (p phase) reached(name string) bool {
	for i, st := range meeting(p.receiverFirst) {
		if st.name == name {
			return i < p.at || i == p.at && p.arrives
		}
	}
	return false
}

// wants is what the specification says, section 8, of those who live: what the sender
// and the receiver are told, and what a plain receive finds in the channel afterwards
// with which attempt, "" for nothing.
func (p phase) wants() (sender, receiver, left string) {
	const none = "killed"
	switch p.victim {
	case theHome:
		sender, receiver = "unreachable", "unreachable"
		if p.reached("CLAIM") { // then the GRANT was given to the transport
			sender = "in doubt"
		}
		if p.reached("CONFIRM") {
			sender = "sent"
		}
		if p.reached("TRY") {
			receiver = "got v"
		}
		return sender, receiver, ""
	case theSender:
		if p.reached("GRANT") {
			return none, "got v", ""
		}
		return none, "got fill", "" // it still waits, and is met by another
	}
	switch {
	case p.reached("WON"):
		return "sent", none, ""
	case p.reached("GRANT") && p.step().name != "GRANT": // on its way to the receiver, who may have seen it
		return "sent", none, "v, attempt 2"
	}
	return "sent", none, "v, attempt 1"
}

// puppet is a process in such a run.
type puppet struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
	g   *turnstile
}

func newPuppet(t *testing.T, home string) *puppet {
	t.Helper()
	g := newTurnstile(t, home)
	cmd, in, out := spawn(t, "phase", g.path)
	p := &puppet{cmd, in, bufio.NewReader(out), g}
	t.Cleanup(func() {
		in.Close()
		cmd.Process.Kill()
		cmd.Wait()
	})
	p.says(t, "open")
	<-g.known
	return p
}

// line is what p says next.
func (p *puppet) line() string {
	s, _ := p.out.ReadString('\n')
	return strings.TrimSpace(s)
}

func (p *puppet) says(t *testing.T, want string) {
	t.Helper()
	if got := soon(t, p.later()); got != want {
		t.Errorf("it says %q, want %q", got, want)
	}
}

func (p *puppet) later() <-chan string {
	said := make(chan string, 1)
	go func() { said <- p.line() }()
	return said
}

// TestDeathInEveryPhase prints the table.
func TestDeathInEveryPhase(t *testing.T) {
	t.Logf("%-22s | %-9s | %-8s | %-8s | %-12s | %-12s | %s", "killed before", "and it", "first", "killed", "sender", "receiver", "left")
	for _, receiverFirst := range []bool{false, true} {
		for at := range meeting(receiverFirst) {
			for victim := range partyNames {
				for _, arrives := range []bool{false, true} {
					p := phase{receiverFirst, at, victim, arrives}
					if arrives && p.gotBy(victim) || !arrives && !p.sentBy(victim) && !p.gotBy(victim) {
						continue // nobody gets it who is dead, and a line loses nothing between two who live
					}
					p.run(t)
				}
			}
		}
	}
}

func (p phase) run(t *testing.T) {
	name := fmt.Sprintf("%s/%s/%v/%v", p.step().name, partyNames[p.victim], p.receiverFirst, p.arrives)
	sender, receiver, left := p.wants()
	ok := t.Run(name, func(t *testing.T) { p.play(t, sender, receiver, left) })
	if !ok {
		return
	}
	and, first := "is lost", "sender"
	if p.arrives {
		and = "arrives"
	}
	if p.receiverFirst {
		first = "receiver"
	}
	t.Logf("%-22s | %-9s | %-8s | %-8s | %-12s | %-12s | %s", p.step().name, and, first, partyNames[p.victim], sender, receiver, left)
}

// play lets it happen and checks what comes of it.
func (p phase) play(t *testing.T, sender, receiver, left string) {
	var home *exec.Cmd
	var path string
	if p.victim == theHome {
		a := awayUnix(t)
		home, path = a.process, a.here
	} else {
		_, path = serve(t, hub.Options{})
	}
	near := open(t, path, "phase", both)
	s, r := newPuppet(t, path), newPuppet(t, path)
	if (bytes.Compare(s.g.node[:], r.g.node[:]) > 0) != p.receiverFirst {
		s, r = r, s // the lower ticket is asked first
	}
	play := newScript(p.at, meeting(p.receiverFirst)...)
	play.together = true
	s.g.under(play, theSender)
	r.g.under(play, theReceiver)
	fmt.Fprintln(s.in, "send")
	fmt.Fprintln(r.in, "receive")
	if !play.stopped() {
		t.Fatalf("%q did not come", p.step().name)
	}
	kill(t, []*exec.Cmd{s.cmd, r.cmd, home}[p.victim])
	play.died(p.victim)
	if !p.sentBy(p.victim) && !p.gotBy(p.victim) {
		near.until(t, "the dead one gone", func(s driver.Stats) bool { return s.Senders == 2 })
	}
	play.goOn(!p.arrives)
	switch p.victim {
	case theHome:
		s.says(t, sender)
		r.says(t, receiver)
		return
	case theSender:
		p.fills(t, near, r, receiver)
	default:
		p.drains(t, near, s, sender, left)
	}
	near.until(t, "nothing left", func(s driver.Stats) bool {
		return s.SendersWaiting+s.ReceiversWaiting+s.Held+s.Len == 0 && !s.Matching
	})
	if again := near.tryRecv().want(t, nil); !again.NotReady {
		t.Errorf("and %q is left", again.Got[0].Value)
	}
}

// fills sees to it that the receiver, if it still waits, gets something.
func (p phase) fills(t *testing.T, near end, r *puppet, receiver string) {
	if receiver != "got fill" {
		r.says(t, receiver)
		return
	}
	fill := near.send("fill")
	r.says(t, receiver)
	fill.want(t, nil)
}

// drains finds what is left in the channel.
func (p phase) drains(t *testing.T, near end, s *puppet, sender, left string) {
	if left != "" {
		it := near.recv(1).wantGot(t, "v").Got[0]
		// What the dead receiver said may come before the home has heard that he is dead, and what follows from
		// it, too: then the value was on its way to him.
		if p.arrives && p.sentBy(p.victim) && it.Attempt == 2 {
			left = "v, attempt 2"
		}
		if got := fmt.Sprintf("%s, attempt %d", it.Value, it.Attempt); got != left {
			t.Errorf("left is %s, want %s", got, left)
		}
	}
	s.says(t, sender)
}
