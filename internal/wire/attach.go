package wire

import "time"

// The flags of OPEN.
const (
	OpenSend uint8 = 1 << iota
	OpenReceive
	OpenCloseWhenSendersGone
)

// The flags of OPENED: what the channel can do.
const (
	CanRendezvous uint8 = 1 << iota
	CanHold
	CanStop
	CanDeadLetter
)

// Open asks for an attachment.
type Open struct {
	Channel     uint32
	Op          uint64
	Flags       uint8
	Create      uint8
	Slots       int32 // -1: not said
	MaxValue    uint32
	MaxHold     time.Duration
	SendTimeout time.Duration
	MaxAttempts uint32
	Name        string
	Type        string
	DeadLetter  string
}

// Length implements Frame.
func (f *Open) Length() int {
	return HeaderLength + 4 + 8 + 1 + 4 + 4 + 8 + 8 + 4 + 6 + len(f.Name) + len(f.Type) + len(f.DeadLetter)
}

// Append implements Frame. The three texts must be within MaxText.
func (f *Open) Append(b []byte) []byte {
	b, start := begin(b, TypeOpen, f.Flags)
	b = appendU64(appendU32(b, f.Channel), f.Op)
	b = append(b, f.Create)
	b = appendU32(b, uint32(f.Slots))
	b = appendU32(b, f.MaxValue)
	b = appendU64(b, uint64(f.MaxHold))
	b = appendU64(b, uint64(f.SendTimeout))
	b = appendU32(b, f.MaxAttempts)
	b = appendStr(b, f.Name)
	b = appendStr(b, f.Type)
	b = appendStr(b, f.DeadLetter)
	return finish(b, start)
}

// ParseOpen reads the body of an OPEN.
func ParseOpen(h Header, body []byte) (*Open, error) {
	if err := flags(h, OpenSend|OpenReceive|OpenCloseWhenSendersGone); err != nil {
		return nil, err
	}
	c := cursor{b: body}
	f := &Open{
		Flags: h.Flags, Channel: c.u32(), Op: c.u64(), Create: c.u8(), Slots: int32(c.u32()), MaxValue: c.u32(),
		MaxHold: time.Duration(c.u64()), SendTimeout: time.Duration(c.u64()), MaxAttempts: c.u32(),
		Name: c.text(), Type: c.text(), DeadLetter: c.text(),
	}
	if !c.bad && (f.Create > 2 || f.Slots < -1 || f.MaxHold < 0 || f.SendTimeout < 0 || f.MaxAttempts > 1<<31-1) {
		return nil, broken("OPEN: a field is out of its range")
	}
	return f, c.end(h.Type)
}

// Opened grants an attachment.
type Opened struct {
	Channel  uint32
	Op       uint64
	Flags    uint8
	Slots    uint32
	MaxValue uint32
	Ops      uint32 // operations that may wait, per class
	Bytes    uint32 // values in sends that wait
	Select   uint8
	Survives uint8
	Name     string
}

// Length implements Frame.
func (f *Opened) Length() int { return HeaderLength + 4 + 8 + 16 + 2 + 2 + len(f.Name) }

// Append implements Frame. Name must be within MaxText.
func (f *Opened) Append(b []byte) []byte {
	b, start := begin(b, TypeOpened, f.Flags)
	b = appendU64(appendU32(b, f.Channel), f.Op)
	b = appendU32(b, f.Slots)
	b = appendU32(b, f.MaxValue)
	b = appendU32(b, f.Ops)
	b = appendU32(b, f.Bytes)
	b = append(b, f.Select, f.Survives)
	b = appendStr(b, f.Name)
	return finish(b, start)
}

// ParseOpened reads the body of an OPENED.
func ParseOpened(h Header, body []byte) (*Opened, error) {
	if err := flags(h, CanRendezvous|CanHold|CanStop|CanDeadLetter); err != nil {
		return nil, err
	}
	c := cursor{b: body}
	f := &Opened{
		Flags: h.Flags, Channel: c.u32(), Op: c.u64(), Slots: c.u32(), MaxValue: c.u32(), Ops: c.u32(), Bytes: c.u32(),
		Select: c.u8(), Survives: c.u8(), Name: c.text(),
	}
	if !c.bad && (f.Ops == 0 || f.MaxValue == 0 || f.MaxValue > MaxValueLimit || f.Slots > 1<<31-1) {
		return nil, broken("OPENED: a field is out of its range")
	}
	return f, c.end(h.Type)
}
