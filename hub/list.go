package hub

import (
	"slices"

	"github.com/handoff-go/handoff/driver"
	"github.com/handoff-go/handoff/internal/wire"
)

// list answers a LIST with one page of the channels there are. The home keeps
// nothing between two pages: a client asks again, for those behind the last name.
func (s *session) list(h wire.Header, body []byte) error {
	f, err := wire.ParseList(h, body)
	if err != nil {
		return err
	}
	if err := s.number(h.Type, f.Op); err != nil {
		return err
	}
	rights := s.hub.rights.Load().concerning(s.who, mayInspect) // once, not for each name
	see := func(name string) bool { return rights.of(s.who, name)&mayInspect != 0 }
	page, more := s.hub.names.page(see, f.After, int(min(f.Max, wire.MaxNames)), s.chunk)
	s.out.Send(&wire.Names{Op: f.Op, More: more, Channels: page})
	return nil
}

// page returns the channels behind the name after that are to be seen, at most n
// and of at most so many bytes in a frame, but one at least; and whether there are
// more.
func (n *names) page(see func(name string) bool, after string, most, bytes int) (page []driver.Listed, more bool) {
	homes, page, more := n.pick(see, after, most, bytes)
	for i, home := range homes {
		page[i].Stats = home.Stats()
	}
	return page, more
}

// pick is page without the figures, whose locks are not taken under this one.
func (n *names) pick(see func(name string) bool, after string, most, bytes int) (homes []Home, page []driver.Listed, more bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	from, found := slices.BinarySearch(n.ordered, after)
	if found {
		from++
	}
	for _, name := range n.ordered[from:] {
		if !see(name) {
			continue
		}
		e := n.named[name]
		c := driver.Listed{Name: name, Type: e.made.Type}
		bytes -= wire.NamedCost(&c)
		if len(page) == most || len(page) > 0 && bytes < 0 {
			return homes, page, true
		}
		homes, page = append(homes, e.home), append(page, c)
	}
	return homes, page, false
}

// add notes that the channel called name is e. mu is held.
func (n *names) add(name string, e *entry) {
	n.named[name] = e
	n.slots += e.made.Slots
	at, _ := slices.BinarySearch(n.ordered, name)
	n.ordered = slices.Insert(n.ordered, at, name)
}
