package wire

import "github.com/handoff-go/handoff/driver"

// MaxNames is how many channels one NAMES tells of.
const MaxNames = 1024

// List asks for channels of the home in the order of their names. It belongs to
// no attachment: its channel is 0.
type List struct {
	Op    uint64
	Max   uint32 // how many at most; 1 or more
	After string // those behind this name; "" for the first
}

// Length implements Frame.
func (f *List) Length() int { return HeaderLength + 4 + 8 + 4 + 2 + len(f.After) }

// Append implements Frame. After must be within MaxText.
func (f *List) Append(b []byte) []byte {
	b, start := begin(b, TypeList, 0)
	b = appendU64(appendU32(b, 0), f.Op)
	b = appendU32(b, f.Max)
	return finish(appendStr(b, f.After), start)
}

// ParseList reads the body of a LIST.
func ParseList(h Header, body []byte) (*List, error) {
	if err := flags(h, 0); err != nil {
		return nil, err
	}
	c := cursor{b: body}
	channel := c.u32()
	f := &List{Op: c.u64(), Max: c.u32(), After: c.text()}
	if !c.bad && (channel != 0 || f.Max == 0) {
		return nil, broken("LIST: a field is out of its range")
	}
	return f, c.end(h.Type)
}

// Names answers LIST. AsOf of the figures does not cross.
type Names struct {
	Op       uint64
	More     bool // there are channels behind the last of these
	Channels []driver.Listed
}

// namedLength is a channel in NAMES without its texts.
const namedLength = 2 + 2 + 1 + figuresLength

// NamedCost is how many bytes of a NAMES a channel takes.
func NamedCost(c *driver.Listed) int { return namedLength + len(c.Name) + len(c.Type) }

// Length implements Frame.
func (f *Names) Length() int {
	n := HeaderLength + 4 + 8 + 4
	for i := range f.Channels {
		n += NamedCost(&f.Channels[i])
	}
	return n
}

// Append implements Frame. Names and types must be within MaxText.
func (f *Names) Append(b []byte) []byte {
	var more uint8
	if f.More {
		more = FlagMore
	}
	b, start := begin(b, TypeNames, more)
	b = appendU64(appendU32(b, 0), f.Op)
	b = appendU32(b, uint32(len(f.Channels)))
	for i := range f.Channels {
		c := &f.Channels[i]
		b = appendStr(appendStr(b, c.Name), c.Type)
		b = append(b, figuresFlags(&c.Stats))
		b = appendFigures(b, &c.Stats)
	}
	return finish(b, start)
}

// ParseNames reads the body of a NAMES. Its names are in order, each once, and it
// is empty only if there are no more.
func ParseNames(h Header, body []byte) (*Names, error) {
	if err := flags(h, FlagMore); err != nil {
		return nil, err
	}
	c := cursor{b: body}
	channel := c.u32()
	f := &Names{Op: c.u64(), More: h.Flags&FlagMore != 0}
	n := c.count(namedLength)
	if !c.bad && (channel != 0 || n > MaxNames || n == 0 && f.More) {
		return nil, broken("NAMES: a field is out of its range")
	}
	f.Channels = make([]driver.Listed, n)
	for i := range f.Channels {
		l := &f.Channels[i]
		l.Name, l.Type = c.text(), c.text()
		known := c.u8()
		l.Stats = c.figures(known)
		if !c.bad && (known&^knownFigures != 0 || l.Name == "" || i > 0 && l.Name <= f.Channels[i-1].Name) {
			return nil, broken("NAMES: channel %d is out of order or out of its range", i)
		}
	}
	return f, c.end(h.Type)
}
