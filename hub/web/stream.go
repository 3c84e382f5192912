package web

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/handoff-go/handoff/internal/event"
)

// flow is a response of server-sent events.
type flow struct {
	w  http.ResponseWriter
	rc *http.ResponseController
}

// flow begins one, for a client that asked for just that: what a page of another
// site can have a browser fetch without a word does not.
func (c *call) flow() (*flow, error) {
	if !strings.Contains(strings.Join(c.r.Header.Values("Accept"), ","), "text/event-stream") {
		return nil, wrong(http.StatusNotAcceptable, "not acceptable", "this is a stream of events: say Accept: text/event-stream")
	}
	c.w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	c.w.WriteHeader(http.StatusOK)
	f := &flow{c.w, c.rc}
	return f, f.write(": here is handoff\n\n")
}

// write writes text and reports whether the system took all of it.
func (f *flow) write(text string) error {
	f.rc.SetWriteDeadline(time.Now().Add(writeTime))
	if _, err := f.w.Write([]byte(text)); err != nil {
		return err
	}
	return f.rc.Flush()
}

// tell writes an event. data is one line, as JSON without space is.
func (f *flow) tell(kind string, data []byte) error {
	return f.write(fmt.Sprintf("event: %s\ndata: %s\n\n", kind, data))
}

// alive shows a client that waits, and what lies between, that the stream goes on.
func (f *flow) alive() error { return f.write(":\n\n") }

// maxFlowHolds is how many values of one stream are held at once.
const maxFlowHolds = 16

// values receives one value after the other.
func (c *call) values() error {
	held := make(chan struct{}, maxFlowHolds)
	if c.ask.Lease != nil {
		c.ask.Op = "take"
	}
	// What is wrong with the request is told before the stream begins.
	if _, err := c.channel(c.ask.Channel, Receive, &c.ask.makeAsk, ""); err != nil {
		return err
	}
	f, err := c.flow()
	if err != nil {
		return err
	}
	c.beat = f.alive
	c.ask.makeAsk = makeAsk{}
	for c.ctx.Err() == nil && err == nil {
		if c.ask.Lease != nil && !c.takePlace(f, held) {
			break
		}
		err = c.next(f, func() { <-held })
	}
	return c.end(f, err)
}

// takePlace waits for room for one more hold.
func (c *call) takePlace(f *flow, held chan struct{}) bool {
	tick := time.NewTicker(beatTime)
	defer tick.Stop()
	for {
		select {
		case held <- struct{}{}:
			return true
		case <-tick.C:
			if f.alive() != nil {
				return false
			}
		case <-c.ctx.Done():
			return false
		}
	}
}

// next receives one value and tells it. settled is called when a hold is over.
func (c *call) next(f *flow, settled func()) error {
	wait, err := c.begin(c.ctx, &c.ask)
	if err != nil {
		return err
	}
	r, err := wait()
	if err != nil || r.Nothing {
		return err
	}
	if c.ask.Lease != nil {
		r.delivery.ended = settled
	}
	text, err := r.append(nil, nil)
	if err != nil {
		r.lost("its receiver could not be shown it: " + err.Error())
		return err
	}
	if err := f.tell("value", text); err != nil {
		r.lost("its receiver's connection broke")
		return err
	}
	r.arrived()
	return nil
}

// end tells the client why the stream ends, if it is still there.
func (c *call) end(f *flow, err error) error {
	if c.r.Context().Err() != nil {
		return nil
	}
	if err == nil {
		err = errEnding
	}
	o := object{b: []byte{'{'}}
	o.add("error", explain(c.ask.Op, c.ask.Channel, err))
	f.tell("end", append(o.b, '}'))
	return nil
}

// maxUnread is how many events a reader may be behind.
const maxUnread = 256

// events tells what happens to the channels, but for those that c may not inspect.
func (c *call) events() error {
	happened := make(chan event.Event, maxUnread)
	var missed atomic.Int64
	defer event.Listen(func(e event.Event) {
		select {
		case happened <- e:
		default:
			missed.Add(1)
		}
	})()
	f, err := c.flow()
	if err != nil {
		return err
	}
	tick := time.NewTicker(beatTime)
	defer tick.Stop()
	for err == nil {
		select {
		case e := <-happened:
			if c.hub.May(c.who, string(Inspect), e.Channel) == nil {
				err = f.tell(string(e.Kind), eventText(e))
			}
			if n := missed.Swap(0); n > 0 && err == nil {
				err = f.tell("missed", fmt.Appendf(nil, `{"events":%d}`, n))
			}
		case <-tick.C:
			err = f.alive()
		case <-c.ctx.Done():
			return c.end(f, nil)
		}
	}
	return nil
}

func eventText(e event.Event) []byte {
	o := object{b: []byte{'{'}}
	o.add("kind", e.Kind)
	o.add("channel", e.Channel)
	o.add("operation", e.Op)
	o.add("reason", e.Reason)
	o.add("attempt", e.Attempt)
	o.add("at", e.At.UTC())
	return append(o.b, '}')
}
