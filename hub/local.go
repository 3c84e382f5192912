package hub

import (
	"github.com/handoff-go/handoff/driver"
	"github.com/handoff-go/handoff/internal/fault"
)

// Attach attaches to the channel called name from within the home's process, and
// makes it if cfg asks for that. It returns the channel's configuration too, with
// everything said. Whoever attached must detach, and before Close: that does not
// wait for him, and leaves his attachment as it is.
//
// It is for what serves channels in a way of its own, as package hub/web does over
// HTTP. Programs that only use a channel open it with package handoff.
func (h *Hub) Attach(name string, cfg driver.Config) (driver.Channel, driver.Config, error) {
	if h.isClosing() {
		return nil, cfg, fault.Because(fault.ErrUnreachable, "the home is closed")
	}
	return h.names.attach(name, cfg)
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

// List returns the channels behind the name after, in the order of their names, at
// most so many, and whether there are more.
func (h *Hub) List(after string, most int) (channels []driver.Listed, more bool) {
	return h.names.page(after, most, int(^uint(0)>>1))
}
