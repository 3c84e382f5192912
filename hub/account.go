package hub

import (
	"strings"
	"sync"

	"github.com/handoff-go/handoff/internal/fault"
	"github.com/handoff-go/handoff/internal/wire"
)

// account is what one identity has of a home. Those who come through a file of the
// home's own user, and those without identity, have none, which is a nil account:
// the home's own limits bound all of them together.
type account struct {
	limits *Options
	who    string

	sessions int // guarded by the hub's mu

	mu          sync.Mutex // guards the rest
	attachments int
	channels    int // made for it; they stay
	bytes       int // values in its sends that wait
}

// account returns the account of who, nil if it has none. h.mu is held.
func (h *Hub) account(who string) *account {
	if !strings.HasPrefix(who, byCert) && !strings.HasPrefix(who, byToken) {
		return nil
	}
	a := h.accounts[who]
	if a == nil {
		a = &account{limits: &h.opts, who: who}
		h.accounts[who] = a
	}
	return a
}

// enter counts a session in, or says that there are enough. The hub's mu is held.
func (a *account) enter() error {
	if a == nil {
		return nil
	}
	if a.sessions >= a.limits.MaxIdentitySessions {
		return &wire.Error{Code: wire.CodeLimit, Text: "this identity has as many sessions as the home allows it, broken ones that are waited for included"}
	}
	a.sessions++
	return nil
}

// leave counts a session out. h.mu is held.
func (h *Hub) leave(a *account) {
	if a == nil {
		return
	}
	a.sessions--
	h.drop(a)
}

// forget is leave of one who had no session.
func (h *Hub) forget(a *account) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if a != nil {
		h.drop(a)
	}
}

// drop forgets an account with nothing in it. h.mu is held.
func (h *Hub) drop(a *account) {
	a.mu.Lock()
	idle := a.sessions == 0 && a.channels == 0
	a.mu.Unlock()
	if idle {
		delete(h.accounts, a.who)
	}
}

// attach counts an attachment in, or says that there are enough.
func (a *account) attach() error {
	if a == nil {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.attachments >= a.limits.MaxIdentityAttachments {
		return fault.Because(fault.ErrFull, "%s has %d attachments and no more", a.who, a.attachments)
	}
	a.attachments++
	return nil
}

// detach counts n attachments out.
func (a *account) detach(n int) {
	if a == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.attachments -= n
}

// room says whether one more channel may be made beside those that are being made.
// The names' mu is held, so that it holds until made.
func (a *account) room(making int) error {
	if a == nil {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.channels+making >= a.limits.MaxIdentityChannels {
		return fault.Because(fault.ErrFull, "%s has made %d channels and may make no more", a.who, a.channels)
	}
	return nil
}

// made counts a channel.
func (a *account) made() {
	if a == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.channels++
}

// hold counts the bytes of a send that may wait in, or says that there are enough;
// one send is always taken.
func (a *account) hold(bytes int) error {
	if a == nil || bytes == 0 {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.bytes > 0 && a.bytes+bytes > a.limits.MaxIdentityBytes {
		return fault.Because(fault.ErrFull, "the sends of %s that wait have %d bytes, and %d are allowed", a.who, a.bytes, a.limits.MaxIdentityBytes)
	}
	a.bytes += bytes
	return nil
}

// release counts the bytes of a send out that waits no more.
func (a *account) release(bytes int) {
	if a == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.bytes -= bytes
}
