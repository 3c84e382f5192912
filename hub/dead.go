package hub

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"

	"github.com/handoff-go/handoff/codec"
	"github.com/handoff-go/handoff/driver"
	"github.com/handoff-go/handoff/internal/fault"
	"github.com/handoff-go/handoff/internal/home"
)

// deadLetter returns what buries the values of a channel made as cfg says, nil if
// cfg names no dead letter. That is another channel of this hub, made here if it
// is not there. n.mu is held.
func (n *names) deadLetter(by opener, cfg driver.Config) (func(it driver.Item, reason string, attempts int) error, error) {
	if cfg.DeadLetter == "" {
		return nil, nil
	}
	name, slots, err := parseDeadLetter(cfg.DeadLetter)
	if err != nil {
		return nil, err
	}
	if name == cfg.Name {
		return nil, fault.Because(fault.ErrConflict, "a channel that is its own dead letter")
	}
	// What is buried there is sent there, by him who has it so.
	if err := by.needs(name, maySend); err != nil {
		return nil, fmt.Errorf("dead letter %q: %w", name, err)
	}
	e, err := n.grave(by, name, driver.Config{
		Slots: slots, Type: deadType(cfg.Type), Schema: cfg.Schema, MaxValue: cfg.MaxValue,
	})
	if err != nil {
		return nil, fmt.Errorf("dead letter %q: %w", name, err)
	}
	at, ok := e.home.(*home.Channel)
	if !ok {
		return nil, fault.Because(fault.ErrUnsupported, "dead letter %q: it is not kept in memory", name)
	}
	return buryIn(at.Sink(), cfg.Name), nil
}

// buryIn returns what wraps a value of the channel from and puts it where sink
// says.
func buryIn(sink func(driver.Item) error, from string) func(driver.Item, string, int) error {
	return func(it driver.Item, reason string, attempts int) error {
		b := codec.AppendFate(nil, codec.Fate{Reason: reason, Attempts: attempts, From: from})
		it.Value = append(b, it.Value...)
		err := sink(it)
		if err == nil || errors.Is(err, fault.ErrFull) {
			return err
		}
		// Its error is not this channel's: a closed dead letter closes nothing here.
		return fmt.Errorf("dead letter: %v", err)
	}
}

// grave returns the channel called name, to be a dead letter as want says, and
// makes it if it is not there.
func (n *names) grave(by opener, name string, want driver.Config) (*entry, error) {
	e := n.named[name]
	if e == nil {
		if want.Slots <= 0 {
			return nil, fault.Because(fault.ErrConflict, "it has no slots (slots=N): a dead letter needs room")
		}
		e, err := n.make(by, name, want)
		if err == nil {
			n.add(name, e)
			by.account.made()
		}
		return e, err
	}
	// What it was made with stands, but a value that can be sent must be one
	// that can be buried.
	limit := want.MaxValue
	want.MaxValue = 0
	switch err := e.agrees(want); {
	case err != nil:
		return nil, err
	case e.made.Slots == 0:
		return nil, fault.Because(fault.ErrConflict, "it has no slots: a dead letter needs room")
	case e.made.DeadLetter != "":
		return nil, fault.Because(fault.ErrConflict, "a dead letter has no dead letter")
	case e.made.MaxValue < limit:
		return nil, fault.Because(fault.ErrConflict, "it has maxvalue=%d, the channel %d", e.made.MaxValue, limit)
	}
	e.carries(want.Type, want.Schema, false)
	return e, nil
}

func deadType(value string) string {
	if value == "" {
		return ""
	}
	return codec.DeadFingerprint(value)
}

// parseDeadLetter reads the deadLetter of an OPEN.
func parseDeadLetter(query string) (name string, room int, err error) {
	q, err := url.ParseQuery(query)
	if err != nil {
		return "", 0, fault.Because(fault.ErrConflict, "dead letter %q: %v", query, err)
	}
	for key, values := range q {
		if !slices.Contains([]string{"chan", "slots"}, key) || len(values) != 1 {
			return "", 0, fault.Because(fault.ErrConflict, "dead letter %q: unknown or repeated %s", query, key)
		}
	}
	room = -1
	if s := q.Get("slots"); s != "" {
		if room, err = strconv.Atoi(s); err != nil || room < 0 {
			return "", 0, fault.Because(fault.ErrConflict, "dead letter %q: bad slots", query)
		}
	}
	name = q.Get("chan")
	return name, room, checkName(name)
}
