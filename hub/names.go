package hub

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/handoff-go/handoff/codec"
	"github.com/handoff-go/handoff/driver"
	"github.com/handoff-go/handoff/internal/fault"
	"github.com/handoff-go/handoff/internal/home"
	"github.com/handoff-go/handoff/internal/schema"
	"github.com/handoff-go/handoff/internal/wire"
)

// names are the channels of a hub.
type names struct {
	opts Options

	mu      sync.Mutex // guards the rest and the entries
	named   map[string]*entry
	ordered []string // its keys, in order
	making  int      // channels that are on their way into it: one, and its dead letter
	slots   int      // of all, those on their way included
}

// entry is one channel.
type entry struct {
	home Home
	made driver.Config // as it was made: everything is said
}

func (n *names) init(opts Options) {
	n.opts = opts
	n.named = map[string]*entry{}
}

// attach attaches to the channel called name, which it makes if cfg asks for
// that and by may, and returns the channel's configuration too.
func (n *names) attach(by opener, name string, cfg driver.Config) (driver.Channel, driver.Config, error) {
	if err := checkName(name); err != nil {
		return nil, cfg, err
	}
	if err := fits(cfg); err != nil {
		return nil, cfg, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	e := n.named[name]
	fresh := e == nil
	var err error
	if fresh {
		e, err = n.make(by, name, cfg)
	} else {
		err = e.agrees(cfg)
	}
	if err != nil {
		return nil, cfg, err
	}
	ch, err := e.home.Attach(cfg)
	if err != nil {
		return nil, cfg, err
	}
	if fresh {
		n.add(name, e)
		by.account.made()
	}
	e.carries(cfg.Type, cfg.Schema, cfg.Receive)
	return ch, e.made, nil
}

// carries notes the type of the channel, and what more is known of it, if the first
// openers had none to say.
//
// Types of JSON evolve: there the last one that receives says what it reads.
func (e *entry) carries(fingerprint, of string, receives bool) {
	if e.made.Type == "" {
		e.made.Type = fingerprint
	}
	if e.made.Type == fingerprint && of != "" && (e.made.Schema == "" || receives && schema.IsJSON(fingerprint)) {
		e.made.Schema = of
	}
}

// fits refuses a schema that is not of its type: it would stand in the way of a
// right one.
func fits(cfg driver.Config) error {
	of := cfg.Type
	if value, ok := codec.DeadOf(of); ok {
		of = value
	}
	var err error
	switch {
	case cfg.Schema == "":
	case schema.IsMemory(of):
		_, err = schema.Parse(of, cfg.Schema)
	case schema.IsJSON(of):
		_, err = schema.ParseJSON(cfg.Schema)
	}
	if err != nil {
		return fault.Because(fault.ErrTypeMismatch, "its schema: %v", err)
	}
	return nil
}

// make makes the channel called name as cfg wishes.
func (n *names) make(by opener, name string, cfg driver.Config) (*entry, error) {
	if cfg.Create != driver.CreateNo {
		if err := by.needs(name, mayCreate); err != nil {
			return nil, err
		}
		if err := by.account.room(n.making); err != nil {
			return nil, err
		}
	}
	switch {
	case cfg.Create == driver.CreateNo:
		return nil, fault.ErrNotFound
	case len(n.named)+n.making >= n.opts.MaxChannels:
		return nil, fault.Because(fault.ErrFull, "the home keeps %d channels and no more", n.opts.MaxChannels)
	case cfg.Slots > n.opts.MaxSlots:
		return nil, fault.Because(fault.ErrTooLarge, "%d slots, the home allows %d", cfg.Slots, n.opts.MaxSlots)
	case cfg.Slots > n.opts.MaxAllSlots-n.slots:
		return nil, fault.Because(fault.ErrFull, "%d slots, the home has %d of %d left", cfg.Slots, n.opts.MaxAllSlots-n.slots, n.opts.MaxAllSlots)
	case cfg.MaxValue > n.opts.MaxValue:
		return nil, fault.Because(fault.ErrTooLarge, "maxvalue=%d, the home allows %d", cfg.MaxValue, n.opts.MaxValue)
	}
	cfg.Name = name
	cfg.Slots = max(cfg.Slots, 0)
	if cfg.MaxValue == 0 {
		cfg.MaxValue = min(wire.DefaultMaxValue, n.opts.MaxValue)
	}
	n.making++
	n.slots += cfg.Slots
	home, err := n.makeHome(by, cfg)
	n.making--
	n.slots -= cfg.Slots
	if err != nil {
		return nil, err
	}
	return &entry{home, cfg}, nil
}

// makeHome makes the home of a channel of cfg, where everything is said.
func (n *names) makeHome(by opener, cfg driver.Config) (Home, error) {
	if n.opts.New != nil {
		return n.opts.New(cfg)
	}
	dead, err := n.deadLetter(by, cfg)
	if err != nil {
		return nil, err
	}
	return home.New(cfg, n.opts.Name, dead)
}

// agrees says how the second opener sees the channel differently from the
// first. What he does not say, he accepts.
func (e *entry) agrees(cfg driver.Config) error {
	if cfg.Create == driver.CreateNew {
		return fault.Because(fault.ErrConflict, "it exists already")
	}
	if cfg.Type != "" && e.made.Type != "" && cfg.Type != e.made.Type {
		return fault.Because(fault.ErrTypeMismatch, "it carries %s, not %s", spoken(e.made.Type), spoken(cfg.Type))
	}
	differs := func(name string, said bool, was, is any) error {
		if said && was != is {
			return fault.Because(fault.ErrConflict, "it has %s=%v, not %v", name, was, is)
		}
		return nil
	}
	made := e.made
	for _, err := range []error{
		differs("slots", cfg.Slots >= 0, made.Slots, cfg.Slots),
		differs("maxvalue", cfg.MaxValue != 0, made.MaxValue, cfg.MaxValue),
		differs("maxhold", cfg.MaxHold != 0, made.MaxHold, cfg.MaxHold),
		differs("maxattempts", cfg.MaxAttempts != 0, made.MaxAttempts, cfg.MaxAttempts),
		differs("deadletter", cfg.DeadLetter != "", made.DeadLetter, cfg.DeadLetter),
		differs("autoclose", cfg.CloseWhenSendersGone, made.CloseWhenSendersGone, cfg.CloseWhenSendersGone),
	} {
		if err != nil {
			return err
		}
	}
	return nil
}

// spoken is a type as it crosses the wire, behind what people call it where that
// is shorter.
func spoken(fingerprint string) string {
	name := ""
	switch how, what, _ := strings.Cut(fingerprint, ":"); {
	case fingerprint == "raw:string":
		name = "text"
	case fingerprint == "raw:bytes":
		name = "bytes"
	case how == "mem":
		_, what, _ = strings.Cut(what, ":") // the byte order
		_, name, _ = strings.Cut(what, ":") // the size
		if strings.ContainsAny(name, "{…") {
			name = "the memory of a struct"
		}
	}
	if name == "" {
		return strconv.Quote(fingerprint)
	}
	return fmt.Sprintf("%s (%q)", name, fingerprint)
}

// all returns the channels there are now, by name.
func (n *names) all() iter.Seq2[string, Home] {
	n.mu.Lock()
	defer n.mu.Unlock()
	ordered := slices.Clone(n.ordered)
	homes := make([]Home, len(ordered))
	for i, name := range ordered {
		homes[i] = n.named[name].home
	}
	return func(yield func(string, Home) bool) {
		for i, name := range ordered {
			if !yield(name, homes[i]) {
				return
			}
		}
	}
}

var errName = errors.New("a channel's name is 1 to 1,024 bytes of UTF-8 without control characters")

// checkName refuses names that could not be shown.
func checkName(name string) error {
	if name == "" || len(name) > wire.MaxText || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\uFFFD' }) {
		return fault.Because(fault.ErrConflict, "%v", errName)
	}
	return nil
}

// Channels returns the channels of the hub and their figures at this moment, in
// the order of their names.
func (h *Hub) Channels() iter.Seq2[string, driver.Stats] {
	return func(yield func(string, driver.Stats) bool) {
		for name, home := range h.names.all() {
			if !yield(name, home.Stats()) {
				return
			}
		}
	}
}
