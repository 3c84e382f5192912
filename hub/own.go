package hub

import (
	"context"
	"encoding/hex"
	"maps"
	"math"
	"net/url"
	"strings"
	"sync"

	"github.com/handoff-go/handoff/driver"
	"github.com/handoff-go/handoff/internal/fault"
	"github.com/handoff-go/handoff/internal/wire"
)

// This file is for programs that are a home themselves: they need no socket to their
// own channels.

func init() { driver.Register("home", ownMedium{}) }

// owned are the hubs that have told their URL, until they close.
var owned sync.Map // incarnation -> *Hub

// URL is what this process opens the channel called name by, for handoff.Open and its
// like, whose parameters may follow it:
//
//	jobs, err := handoff.OpenReceiver[Job](ctx, h.URL("jobs")+"?slots=64")
//
// It is the shortest way to a channel of h: nothing is written or read, and there is no
// identity, so that rights and limits of identities are not asked. It takes part in
// selects whose other channels were opened by URL of h too; with any other channel in
// one select it is ErrUnsupported, and the way is a URL that others have. A dead letter
// is named by URL of h too.
//
// After Close nothing more is opened, and what is open goes on, without others. Another
// process understands the URL as little as another hub.
func (h *Hub) URL(name string) string {
	if !h.isClosing() {
		owned.Store(h.incarnation, h)
	}
	if h.isClosing() {
		owned.Delete(h.incarnation)
	}
	return "home:" + hex.EncodeToString(h.incarnation[:]) + "/" + url.PathEscape(name)
}

// ownMedium opens channels by such URLs.
type ownMedium struct{}

// parse splits u into the hub and the name.
func (ownMedium) parse(u *url.URL) (h *Hub, name string, err error) {
	id, escaped, ok := strings.Cut(u.Opaque, "/")
	if name, err = url.PathUnescape(escaped); !ok || err != nil || u.Fragment != "" {
		return nil, "", fault.Malformed("malformed URL: want what hub.Hub.URL returns")
	}
	var of wire.ID
	n, err := hex.Decode(of[:], []byte(id[:min(len(id), 2*len(of))]))
	at, ok := owned.Load(of)
	if !ok || err != nil || n < len(of) {
		return nil, "", fault.Because(fault.ErrUnreachable, "this process has no such home, or no more")
	}
	return at.(*Hub), name, nil
}

// Open implements driver.Medium. Nothing is waited for.
func (m ownMedium) Open(ctx context.Context, u *url.URL, cfg driver.Config) (driver.Channel, error) {
	h, name, err := m.parse(u)
	if err != nil {
		return nil, err
	}
	for parameter := range u.Query() {
		return nil, fault.Malformed("unknown parameter %s", parameter)
	}
	if ctx.Err() != nil {
		return nil, fault.Cancelled(ctx)
	}
	if cfg.DeadLetter, err = m.deadLetter(h, cfg.DeadLetter); err != nil {
		return nil, err
	}
	ch, made, err := h.Attach("", name, cfg)
	if err != nil {
		return nil, err
	}
	return &own{Channel: ch, hub: h, send: cfg.Send, receive: cfg.Receive, maxValue: made.MaxValue}, nil
}

// deadLetter is what names.deadLetter reads.
func (m ownMedium) deadLetter(h *Hub, letter string) (string, error) {
	if letter == "" {
		return "", nil
	}
	u, err := url.Parse(letter)
	if err != nil {
		return "", fault.Malformed("malformed URL of the dead letter: %v", err)
	}
	if u.Scheme != "home" {
		return "", fault.Because(fault.ErrUnsupported, "a dead letter at another home than the channel's")
	}
	at, name, err := m.parse(u)
	switch {
	case err != nil:
		return "", err
	case at != h:
		return "", fault.Because(fault.ErrUnsupported, "a dead letter at another home than the channel's")
	}
	query := u.Query()
	query.Set("chan", name)
	return query.Encode(), nil
}

// List implements driver.Lister.
func (m ownMedium) List(_ context.Context, u *url.URL) ([]driver.Listed, error) {
	h, _, err := m.parse(u)
	if err != nil {
		return nil, err
	}
	all, _ := h.List("", "", math.MaxInt)
	return all, nil
}

// Find implements driver.Lister.
func (m ownMedium) Find(_ context.Context, u *url.URL) (driver.Listed, error) {
	h, name, err := m.parse(u)
	if err != nil {
		return driver.Listed{}, err
	}
	made, stats, err := h.Find(name)
	return driver.Listed{Name: name, Type: made.Type, Stats: stats}, err
}

// own is an attachment of the home's own process. It refuses what a session refuses
// for others.
type own struct {
	driver.Channel
	hub           *Hub
	send, receive bool
	maxValue      int
}

// Info implements driver.Channel.
func (o *own) Info() driver.Info {
	info := o.Channel.Info()
	info.Home = "this process, home " + hex.EncodeToString(o.hub.incarnation[:])
	info.Can.Select = min(info.Can.Select, driver.SelectHome)
	return info
}

// Start implements driver.Channel.
func (o *own) Start(op *driver.Op) {
	if op.Err = o.refuse(op); op.Err != nil {
		op.Finish()
		return
	}
	switch op.Kind {
	case driver.OpSend:
		op.Items = copied(op.Items)
	case driver.OpSelect, driver.OpLook:
		op.Cases = inner(op.Cases)
	}
	o.Channel.Start(op)
}

// copied are items in memory of their own, as the sender's may be used again once the
// send has ended, and the value is in its slot.
func copied(items []driver.Item) []driver.Item {
	kept := wire.Keep(make([]driver.Item, 0, len(items)), items, math.MaxInt)
	for i := range kept {
		kept[i].Header = maps.Clone(kept[i].Header)
	}
	return kept
}

// inner are cases with the home's own attachments in place of these.
func inner(cases []driver.Case) []driver.Case {
	all := make([]driver.Case, len(cases))
	for i, c := range cases {
		if at, ok := c.Channel.(*own); ok {
			c.Channel = at.Channel
		}
		if c.Op != nil && c.Op.Kind == driver.OpSend {
			c.Op.Items = copied(c.Op.Items)
		}
		all[i] = c
	}
	return all
}

// refuse says why op cannot be begun, if so.
func (o *own) refuse(op *driver.Op) error {
	switch op.Kind {
	case driver.OpSend:
		if !o.send {
			return fault.Because(fault.ErrDenied, "opened without the right to send")
		}
		for i := range op.Items {
			if n := len(op.Items[i].Value); n > o.maxValue {
				return fault.Because(fault.ErrTooLarge, "%d bytes, at most %d can be", n, o.maxValue)
			}
			if !wire.HeadersFit(op.Items[i].Header) {
				return fault.Because(fault.ErrTooLarge, "headers: at most %d of %d bytes together can be", wire.MaxHeaders, wire.MaxHeaderBytes)
			}
		}
	case driver.OpRecv, driver.OpTake:
		if !o.receive {
			return fault.Because(fault.ErrDenied, "opened without the right to receive")
		}
	case driver.OpSelect:
		for _, c := range op.Cases {
			at, ok := c.Channel.(*own)
			if !ok {
				continue // it is ready at once, or the home refuses it
			}
			if err := at.refuse(c.Op); err != nil {
				return err
			}
		}
	}
	return nil
}
