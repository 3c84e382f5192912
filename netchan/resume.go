package netchan

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/handoff-go/handoff/internal/event"
	"github.com/handoff-go/handoff/internal/fault"
	"github.com/handoff-go/handoff/internal/wire"
)

// The pauses between two tries to come back.
const (
	firstPause = 10 * time.Millisecond
	lastPause  = time.Second
)

// gaveUp is what a link ends with that was not resumed.
type gaveUp struct{ reason string }

func (e gaveUp) Error() string { return e.reason }

// tries is how a link comes back again and again.
type tries struct {
	pause        time.Duration // before the next
	ours, theirs uint64        // what both had when it last came back
}

// outlives reports whether the session goes on although its connection ended
// because of err.
func (l *link) outlives(err error) bool {
	_, gone := errors.AsType[gaveUp](err)
	_, broken := errors.AsType[*wire.Error](err)
	_, bye := errors.AsType[byeError](err)
	return l.to.resume > 0 && !gone && !broken && !bye && l.life.Err() == nil
}

// resume has the next connection in place after the last one ended because of
// broke. An error says that the session has ended, and why.
func (l *link) resume(broke error) error {
	since := time.Now()
	l.tell(event.Broken, fmt.Sprintf("%s; resuming for %v", l.reason(broke), l.to.resume))
	within, stop := context.WithTimeout(l.life, l.to.resume)
	defer stop()
	if l.in.Have() > l.tries.ours {
		l.tries.pause = 0
	}
	var last string
	for n := 1; ; n++ {
		l.tries.rest(within)
		c, err := l.try(within)
		if err == nil {
			l.adopt(c)
			l.tell(event.Resumed, fmt.Sprintf("resumed the connection to the home at %s after %v, try %d", l.name, time.Since(since).Round(time.Millisecond), n))
			return nil
		}
		if n == 1 || within.Err() == nil {
			last = fault.Reason(failed(context.Background(), l.to, err))
		}
		if isFinal(err) {
			return gaveUp{fmt.Sprintf("%s, and the session was not resumed: %s", l.reason(broke), last)}
		}
		if within.Err() != nil {
			return gaveUp{fmt.Sprintf("%s, and did not take it back within %v: %s", l.reason(broke), l.to.resume, last)}
		}
	}
}

// rest pauses before the next try. The first comes at once, unless the last
// connection brought nothing.
func (t *tries) rest(ctx context.Context) {
	if t.pause > 0 {
		// Clients that lost one home together do not come back together.
		timer := time.NewTimer(t.pause/2 + rand.N(t.pause))
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
	}
	t.pause = min(max(2*t.pause, firstPause), lastPause)
}

// try makes a connection and rewinds the stream to where the home has come to.
func (l *link) try(ctx context.Context) (*connection, error) {
	within, stop := context.WithTimeout(ctx, handshakeTime)
	defer stop()
	c, err := l.dial(within)
	if err != nil {
		return nil, err
	}
	if err := l.out.Rewind(c.welcome.Received, l.in.Have()); err != nil {
		c.conn.Close()
		return nil, err
	}
	return c, nil
}

// adopt makes c the connection.
func (l *link) adopt(c *connection) {
	if c.welcome.Received > l.tries.theirs {
		l.tries.pause = 0
	}
	l.tries.ours, l.tries.theirs = l.in.Have(), c.welcome.Received
	l.in.Switch(c.in)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conn = c.conn
	if l.life.Err() != nil {
		c.conn.Close() // cut, perhaps, when there was none
	}
}

// isFinal reports whether trying again is of no use: the home has answered, and
// does not want the session.
func isFinal(err error) bool {
	_, broken := errors.AsType[*wire.Error](err)
	_, bye := errors.AsType[byeError](err)
	return broken || bye || errors.Is(err, fault.ErrUnsupported)
}

// tell emits an event of the link, if it is of any channel.
func (l *link) tell(to event.State, reason string) {
	l.mu.Lock()
	holders := len(l.attached)
	l.mu.Unlock()
	if holders > 0 {
		event.Emit(event.Event{Kind: event.Link, Channel: l.name, Op: "link", State: to, Reason: reason})
	}
}
