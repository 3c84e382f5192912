package demo

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/handoff-go/handoff"
	"github.com/handoff-go/handoff/internal/badline"
)

// cutter cuts the line between the home and everybody else, so many times.
type cutter struct {
	line    *badline.Line
	times   int // how often it shall be cut
	done    int // how often it was
	broken  int // connections that broke
	resumed atomic.Int64
	unhear  func()
}

// newCutter puts a line in the way to the home, if it is to be cut.
func newCutter(h *home, times int) (*cutter, error) {
	c := &cutter{times: times, unhear: func() {}}
	if times == 0 {
		return c, nil
	}
	line, err := h.behindLine()
	if err != nil {
		return nil, err
	}
	c.line = line
	// The home is in this process, and tells of each client that comes back. So does
	// this process's own client, under the name of the line.
	c.unhear = handoff.Events(func(e handoff.Event) {
		if e.Kind == handoff.EventLink && e.State == handoff.LinkResumed && e.Channel != line.Address() {
			c.resumed.Add(1)
		}
	})
	return c, nil
}

// stop ends the line.
func (c *cutter) stop() {
	c.unhear()
	if c.line != nil {
		c.line.Close()
	}
}

// reached cuts the line as often as is due when so many results of all have come:
// the cuts lie evenly between the first and the last.
func (c *cutter) reached(ctx context.Context, results, all int) error {
	for c.done < c.times && results*(c.times+1) >= (c.done+1)*all {
		n := c.line.Cut(false)
		if n == 0 { // the last cut was just now, and nobody is back yet
			select {
			case <-time.After(time.Millisecond):
				continue
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		c.done++
		c.broken += n
	}
	return nil
}
