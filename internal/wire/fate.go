package wire

// Ask asks what became of an operation of a session, most often one that has
// ended. It belongs to no attachment: its channel is 0.
type Ask struct {
	Op      uint64
	Session ID
	Asked   uint64 // the number of the operation in that session
}

// Length implements Frame.
func (f *Ask) Length() int { return HeaderLength + 4 + 8 + 16 + 8 }

// Append implements Frame.
func (f *Ask) Append(b []byte) []byte {
	b, start := begin(b, TypeAsk, 0)
	b = appendU64(appendU32(b, 0), f.Op)
	b = append(b, f.Session[:]...)
	return finish(appendU64(b, f.Asked), start)
}

// ParseAsk reads the body of an ASK.
func ParseAsk(h Header, body []byte) (*Ask, error) {
	if err := flags(h, 0); err != nil {
		return nil, err
	}
	c := cursor{b: body}
	channel := c.u32()
	f := &Ask{Op: c.u64(), Session: c.id(), Asked: c.u64()}
	if !c.bad && channel != 0 {
		return nil, broken("ASK: a field is out of its range")
	}
	return f, c.end(h.Type)
}

// Knowledge is what a home knows of an operation.
type Knowledge uint8

// What a home may know.
const (
	FateUnknown  Knowledge = iota // nothing, or nothing any more
	FateNever                     // it never came, and had no effect
	FateEnded                     // how it ended
	FateUnderWay                  // its session has not ended: ask later
	knowledges
)

// NoneChosen is the case of an operation that chose none.
const NoneChosen = 0xffff

// Fate answers ASK. N, Chosen, Code, InDoubt and Text are of FateEnded only, and
// mean what they do in END and CHOSEN.
type Fate struct {
	Op      uint64
	Known   Knowledge
	InDoubt bool
	Code    Code
	N       uint32
	Chosen  uint16 // NoneChosen for none
	Text    string
}

// FateInDoubt is the flag of an outcome that was in doubt at the home too.
const FateInDoubt uint8 = 1

// Length implements Frame.
func (f *Fate) Length() int { return HeaderLength + 4 + 8 + 1 + 2 + 4 + 2 + 2 + len(cut(f.Text)) }

// Append implements Frame.
func (f *Fate) Append(b []byte) []byte {
	var flags uint8
	if f.InDoubt {
		flags = FateInDoubt
	}
	b, start := begin(b, TypeFate, flags)
	b = append(appendU64(appendU32(b, 0), f.Op), byte(f.Known))
	b = appendU16(appendU32(appendU16(b, uint16(f.Code)), f.N), f.Chosen)
	return finish(appendStr(b, cut(f.Text)), start)
}

// ParseFate reads the body of a FATE.
func ParseFate(h Header, body []byte) (*Fate, error) {
	if err := flags(h, FateInDoubt); err != nil {
		return nil, err
	}
	c := cursor{b: body}
	channel := c.u32()
	f := &Fate{
		InDoubt: h.Flags&FateInDoubt != 0,
		Op:      c.u64(), Known: Knowledge(c.u8()), Code: Code(c.u16()), N: c.u32(), Chosen: c.u16(), Text: c.text(),
	}
	if !c.bad && (channel != 0 || f.Known >= knowledges) {
		return nil, broken("FATE: a field is out of its range")
	}
	return f, c.end(h.Type)
}

// Outcomes returns, by the number of the operation, how those ended whose ends are
// among frames, as Unacknowledged has them.
func Outcomes(frames []byte) map[uint64]Fate {
	all := map[uint64]Fate{}
	for len(frames) >= HeaderLength {
		h, err := ParseHeader(frames)
		if err != nil || int64(h.Length) > int64(len(frames)-HeaderLength) {
			break
		}
		body := frames[HeaderLength : HeaderLength+int(h.Length)]
		frames = frames[HeaderLength+int(h.Length):]
		switch h.Type {
		case TypeEnd:
			if f, err := ParseEnd(h, body); err == nil {
				all[f.Op] = Fate{Known: FateEnded, Code: f.Code, N: f.N, Chosen: NoneChosen, Text: f.Text, InDoubt: f.Flags&EndInDoubt != 0}
			}
		case TypeChosen:
			if f, err := ParseChosen(h, body); err == nil {
				all[f.Op] = Fate{Known: FateEnded, Code: f.Code, N: f.N(), Chosen: f.Case, Text: f.Text, InDoubt: f.Flags&ChosenInDoubt != 0}
			}
		}
	}
	return all
}
