package wire

// The flags of END.
const (
	EndNotReady uint8 = 1 << iota
	EndInDoubt
)

// End ends an operation.
type End struct {
	Channel uint32
	Op      uint64
	Flags   uint8
	Code    Code
	N       uint32 // values that left the custody of the sender
	Text    string // the reason
}

// Length implements Frame.
func (f *End) Length() int { return HeaderLength + 4 + 8 + 2 + 4 + 2 + len(cut(f.Text)) }

// Append implements Frame.
func (f *End) Append(b []byte) []byte {
	b, start := begin(b, TypeEnd, f.Flags)
	b = appendU64(appendU32(b, f.Channel), f.Op)
	b = appendU32(appendU16(b, uint16(f.Code)), f.N)
	return finish(appendStr(b, cut(f.Text)), start)
}

// ParseEnd reads the body of an END.
func ParseEnd(h Header, body []byte) (*End, error) {
	f := new(End)
	return f, f.Parse(h, body)
}

// Parse is ParseEnd into f.
func (f *End) Parse(h Header, body []byte) error {
	if err := flags(h, EndNotReady|EndInDoubt); err != nil {
		return err
	}
	c := cursor{b: body}
	*f = End{Flags: h.Flags, Channel: c.u32(), Op: c.u64(), Code: Code(c.u16()), N: c.u32(), Text: c.text()}
	return c.end(h.Type)
}
