package wire

import "github.com/handoff-go/handoff/driver"

// The flags of FIGURES.
const (
	FiguresClosed uint8 = 1 << iota
	FiguresStopped
)

// Figures answers STATS. AsOf of the figures does not cross: they are as old as
// their arrival.
type Figures struct {
	Channel uint32
	Op      uint64
	Stats   driver.Stats
}

// Length implements Frame.
func (f *Figures) Length() int { return HeaderLength + 4 + 8 + 7*4 + 4*8 }

// Append implements Frame.
func (f *Figures) Append(b []byte) []byte {
	var flags uint8
	if f.Stats.Closed {
		flags |= FiguresClosed
	}
	if f.Stats.Stopped {
		flags |= FiguresStopped
	}
	b, start := begin(b, TypeFigures, flags)
	b = appendU64(appendU32(b, f.Channel), f.Op)
	s := &f.Stats
	for _, n := range [...]int{s.Slots, s.Len, s.Held, s.SendersWaiting, s.ReceiversWaiting, s.Senders, s.Receivers} {
		b = appendU32(b, uint32(n))
	}
	for _, n := range [...]uint64{s.Sent, s.Received, s.Redelivered, s.Rejected} {
		b = appendU64(b, n)
	}
	return finish(b, start)
}

// ParseFigures reads the body of a FIGURES.
func ParseFigures(h Header, body []byte) (*Figures, error) {
	if err := flags(h, FiguresClosed|FiguresStopped); err != nil {
		return nil, err
	}
	c := cursor{b: body}
	f := &Figures{Channel: c.u32(), Op: c.u64()}
	s := &f.Stats
	for _, n := range [...]*int{&s.Slots, &s.Len, &s.Held, &s.SendersWaiting, &s.ReceiversWaiting, &s.Senders, &s.Receivers} {
		*n = int(int32(c.u32()))
	}
	for _, n := range [...]*uint64{&s.Sent, &s.Received, &s.Redelivered, &s.Rejected} {
		*n = c.u64()
	}
	s.Closed = h.Flags&FiguresClosed != 0
	s.Stopped = h.Flags&FiguresStopped != 0
	return f, c.end(h.Type)
}
