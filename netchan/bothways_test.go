package netchan_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/handoff-go/handoff/hub"
	"github.com/handoff-go/handoff/internal/badline"
)

// TestBothWaysFull: where more large values than may be unacknowledged go both ways over
// a line that is slow, and at first takes nothing, both sides write until they may not,
// and neither waits for an ACK that is behind what the other cannot write.
func TestBothWaysFull(t *testing.T) {
	const channels, values, long = 4, 6, 1<<20 - 1 // 24 MiB each way: three times what is kept
	_, home := serveTCP(t, hub.Options{})
	p := through(t, home, badline.Never)
	far := func(name string) end { return mustOpenURL(t, tcpURL(p.Address(), name, "resume=20s"), slots(values)) }
	var sent, received []*pending
	var witnesses, ends []end
	for i := range channels {
		for _, name := range []string{"up", "down"} {
			name = fmt.Sprint(name, i)
			witnesses = append(witnesses, mustOpenURL(t, tcpURL(home, name, "resume=19s"), slots(values)))
			ends = append(ends, far(name))
		}
	}
	value := func(i int) string { return fmt.Sprintf("%d%s", i, strings.Repeat("x", long)) }
	for i := range values {
		for c := 1; c < len(ends); c += 2 {
			witnesses[c].send(value(i)).want(t, nil) // into a slot
		}
	}
	p.Mute(badline.Up, true)
	p.Mute(badline.Down, true)
	for i := range values {
		for c := 0; c < len(ends); c += 2 {
			sent = append(sent, ends[c].send(value(i)))
			received = append(received, ends[c+1].recv(1))
		}
	}
	p.Delay(100 * time.Microsecond)
	p.Mute(badline.Up, false)
	p.Mute(badline.Down, false)
	for i, r := range received {
		if got := r.values(t); len(got) != 1 || got[0] != value(i/channels) {
			t.Errorf("receive %d has %d values", i, len(got))
		}
		sent[i].want(t, nil)
	}
}
