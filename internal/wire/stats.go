package wire

import "github.com/handoff-go/handoff/driver"

// The flags of FIGURES.
const (
	FiguresClosed uint8 = 1 << iota
	FiguresStopped
	FiguresMatching
	knownFigures = 1<<iota - 1
)

// Figures answers STATS. AsOf of the figures does not cross: they are as old as
// their arrival.
type Figures struct {
	Channel uint32
	Op      uint64
	Stats   driver.Stats
}

// figuresLength is what appendFigures adds.
const figuresLength = 7*4 + 4*8

// figuresFlags are the flags of s.
func figuresFlags(s *driver.Stats) (flags uint8) {
	if s.Closed {
		flags |= FiguresClosed
	}
	if s.Stopped {
		flags |= FiguresStopped
	}
	if s.Matching {
		flags |= FiguresMatching
	}
	return flags
}

// appendFigures adds the numbers of s.
func appendFigures(b []byte, s *driver.Stats) []byte {
	for _, n := range [...]int{s.Slots, s.Len, s.Held, s.SendersWaiting, s.ReceiversWaiting, s.Senders, s.Receivers} {
		b = appendU32(b, uint32(n))
	}
	for _, n := range [...]uint64{s.Sent, s.Received, s.Redelivered, s.Rejected} {
		b = appendU64(b, n)
	}
	return b
}

// figures reads what appendFigures adds; flags are those of the figures.
func (c *cursor) figures(flags uint8) (s driver.Stats) {
	for _, n := range [...]*int{&s.Slots, &s.Len, &s.Held, &s.SendersWaiting, &s.ReceiversWaiting, &s.Senders, &s.Receivers} {
		*n = int(int32(c.u32()))
	}
	for _, n := range [...]*uint64{&s.Sent, &s.Received, &s.Redelivered, &s.Rejected} {
		*n = c.u64()
	}
	s.Closed = flags&FiguresClosed != 0
	s.Stopped = flags&FiguresStopped != 0
	s.Matching = flags&FiguresMatching != 0
	return s
}

// Length implements Frame.
func (f *Figures) Length() int { return HeaderLength + 4 + 8 + figuresLength }

// Append implements Frame.
func (f *Figures) Append(b []byte) []byte {
	b, start := begin(b, TypeFigures, figuresFlags(&f.Stats))
	b = appendU64(appendU32(b, f.Channel), f.Op)
	return finish(appendFigures(b, &f.Stats), start)
}

// ParseFigures reads the body of a FIGURES.
func ParseFigures(h Header, body []byte) (*Figures, error) {
	if err := flags(h, knownFigures); err != nil {
		return nil, err
	}
	c := cursor{b: body}
	f := &Figures{Channel: c.u32(), Op: c.u64(), Stats: c.figures(h.Flags)}
	return f, c.end(h.Type)
}
