package hub

import (
	"math"

	"github.com/handoff-go/handoff/driver"
	"github.com/handoff-go/handoff/internal/fault"
)

// Attach attaches to the channel called name from within the home's process, and
// makes it if cfg asks for that. It returns the channel's configuration too, with
// everything said. Whoever attached must detach, and before Close: that does not
// wait for him, and leaves his attachment as it is.
//
// It is done for who, as Identify calls him, and ErrDenied says what he has no
// right to: a channel that is to be made is made for him, and counts as his. For ""
// it is done for the home itself, which may do everything.
//
// It is for what serves channels in a way of its own, as package hub/web does over
// HTTP. Programs that only use a channel open it with package handoff.
func (h *Hub) Attach(who, name string, cfg driver.Config) (driver.Channel, driver.Config, error) {
	if h.isClosing() {
		return nil, cfg, fault.Because(fault.ErrUnreachable, "the home is closed")
	}
	if who == "" {
		return h.names.attach(opener{}, name, cfg)
	}
	h.mu.Lock()
	by := opener{who, h.rights.Load(), h.account(who)}
	h.mu.Unlock()
	defer h.forget(by.account)
	if asked := asks(cfg.Send, cfg.Receive, cfg.CloseWhenSendersGone) &^ mayInspect; asked != 0 {
		if err := by.needs(name, asked); err != nil {
			return nil, cfg, err
		}
	}
	return h.names.attach(by, name, cfg)
}

// May is nil if who has the right called what, which is create, send, receive,
// close or inspect, to the channel called name; else ErrDenied, which says it.
func (h *Hub) May(who, what, name string) error {
	asked, err := parseRight(what)
	if err != nil {
		return err
	}
	return opener{who: who, rights: h.rights.Load()}.needs(name, asked)
}

// Find returns the configuration of the channel called name, with everything said
// that is known by now, and its figures; ErrNotFound if it is not there.
func (h *Hub) Find(name string) (driver.Config, driver.Stats, error) {
	made, home, ok := h.names.find(name)
	if !ok {
		return driver.Config{}, driver.Stats{}, fault.ErrNotFound
	}
	return made, home.Stats(), nil
}

func (n *names) find(name string) (driver.Config, Home, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	e := n.named[name]
	if e == nil {
		return driver.Config{}, nil, false
	}
	return e.made, e.home, true
}

// List returns the channels behind the name after that who may inspect, in the order
// of their names, at most so many, and whether there are more.
func (h *Hub) List(who, after string, most int) (channels []driver.Listed, more bool) {
	by := opener{who: who, rights: h.rights.Load()}
	see := func(name string) bool { return by.needs(name, mayInspect) == nil }
	return h.names.page(see, after, most, math.MaxInt)
}
