package wire

import (
	"time"

	"github.com/handoff-go/handoff/driver"
)

// MaxCases is how many cases a SELECT may have.
const MaxCases = 1024

// The flags of SELECT, beside FlagTry.
const (
	FlagFirst uint8 = 2 << iota
	FlagOffer       // the select is decided by its owner: Ticket names it
	FlagLook        // only say which cases are ready
)

// CaseKind is what a case of a SELECT does.
type CaseKind uint8

// The kinds.
const (
	CaseReady CaseKind = iota // it is ready at once
	CaseSend
	CaseRecv
	CaseTake
	CaseStop
	caseKinds
)

// Case is one case of a SELECT.
type Case struct {
	Kind    CaseKind
	Channel uint32
	Item    driver.Item // CaseSend: Value and Header
}

// Select asks for exactly one of its cases.
type Select struct {
	Channel uint32
	Op      uint64
	Flags   uint8
	After   time.Duration
	Ticket  uint64 // FlagOffer: above 0, the same in all offers of one turn
	Cases   []Case
}

// caseMin is the least a case takes.
const caseMin = 1 + 4

// CaseLength is how many bytes a case takes in a SELECT.
func CaseLength(c *Case) int {
	if c.Kind == CaseSend {
		return caseMin + SendLength(&c.Item)
	}
	return caseMin
}

// Length implements Frame.
func (f *Select) Length() int {
	n := HeaderLength + 4 + 8 + 8 + 2
	if f.Flags&FlagOffer != 0 {
		n += 8
	}
	for i := range f.Cases {
		n += CaseLength(&f.Cases[i])
	}
	return n
}

// Append implements Frame. The headers must fit, and there are at most MaxCases.
func (f *Select) Append(b []byte) []byte {
	b, start := begin(b, TypeSelect, f.Flags)
	b = appendU64(appendU32(b, f.Channel), f.Op)
	b = appendU64(b, uint64(f.After))
	if f.Flags&FlagOffer != 0 {
		b = appendU64(b, f.Ticket)
	}
	b = appendU16(b, uint16(len(f.Cases)))
	for i := range f.Cases {
		c := &f.Cases[i]
		b = appendU32(append(b, byte(c.Kind)), c.Channel)
		if c.Kind == CaseSend {
			b = appendBlob(appendHeaders(b, c.Item.Header), c.Item.Value)
		}
	}
	return finish(b, start)
}

// ParseSelect reads the body of a SELECT. The values lie in body.
func ParseSelect(h Header, body []byte) (*Select, error) {
	if err := flags(h, FlagTry|FlagFirst|FlagOffer|FlagLook); err != nil {
		return nil, err
	}
	c := cursor{b: body}
	f := &Select{Flags: h.Flags, Channel: c.u32(), Op: c.u64(), After: time.Duration(c.u64())}
	if f.Flags&FlagOffer != 0 {
		if f.Ticket = c.u64(); f.Ticket == 0 && !c.bad {
			return nil, broken("SELECT that is offered without a ticket")
		}
	}
	if k := f.Flags & (FlagTry | FlagOffer | FlagLook); k&(k-1) != 0 {
		return nil, broken("SELECT with flags %d", f.Flags)
	}
	n := int(c.u16())
	if (n == 0 || n > MaxCases || f.After < 0) && !c.bad {
		return nil, broken("SELECT of %d cases and after %d ns", n, f.After)
	}
	if n*caseMin > len(c.b) {
		c.bad = true
	}
	for range n {
		if c.bad {
			break
		}
		one := Case{Kind: CaseKind(c.u8()), Channel: c.u32()}
		if one.Kind >= caseKinds || one.Kind == CaseReady && one.Channel != 0 {
			return nil, broken("SELECT with a case of kind %d", one.Kind)
		}
		if one.Kind == CaseSend {
			one.Item = driver.Item{Header: c.headers(), Value: c.blob()}
		}
		f.Cases = append(f.Cases, one)
	}
	return f, c.end(h.Type)
}

// The flags of CHOSEN.
const (
	ChosenValue uint8 = 1 << iota
	ChosenInDoubt
)

// Chosen says which case of a SELECT took effect, and how it ended.
type Chosen struct {
	Channel uint32
	Op      uint64
	Flags   uint8
	Case    uint16
	Code    Code
	Text    string
	Item    driver.Item // with ChosenValue
}

// N is how many values crossed by the case: 1 if it took effect.
func (f *Chosen) N() uint32 {
	if f.Code == CodeDone {
		return 1
	}
	return 0
}

// Length implements Frame.
func (f *Chosen) Length() int {
	n := HeaderLength + 4 + 8 + 2 + 2 + 2 + len(cut(f.Text))
	if f.Flags&ChosenValue != 0 {
		n += DeliverLength(&f.Item)
	}
	return n
}

// Append implements Frame. The headers must fit.
func (f *Chosen) Append(b []byte) []byte {
	b, start := begin(b, TypeChosen, f.Flags)
	b = appendU64(appendU32(b, f.Channel), f.Op)
	b = appendStr(appendU16(appendU16(b, f.Case), uint16(f.Code)), cut(f.Text))
	if f.Flags&ChosenValue != 0 {
		b = appendDelivered(b, &f.Item)
	}
	return finish(b, start)
}

// ParseChosen reads the body of a CHOSEN. The value lies in body.
func ParseChosen(h Header, body []byte) (*Chosen, error) {
	if err := flags(h, ChosenValue|ChosenInDoubt); err != nil {
		return nil, err
	}
	c := cursor{b: body}
	f := &Chosen{Flags: h.Flags, Channel: c.u32(), Op: c.u64(), Case: c.u16(), Code: Code(c.u16()), Text: c.text()}
	if f.Flags&ChosenValue != 0 {
		f.Item = c.delivered()
	}
	return f, c.end(h.Type)
}

// Looked answers a SELECT that only looks.
type Looked struct {
	Channel uint32
	Op      uint64
	Ready   uint16 // cases that are
	Times   uint64 // how often one of them was, since somebody looked for the first time
}

// Length implements Frame.
func (f *Looked) Length() int { return HeaderLength + 4 + 8 + 2 + 8 }

// Append implements Frame.
func (f *Looked) Append(b []byte) []byte {
	b, start := begin(b, TypeLooked, 0)
	b = appendU64(appendU32(b, f.Channel), f.Op)
	return finish(appendU64(appendU16(b, f.Ready), f.Times), start)
}

// ParseLooked reads the body of a LOOKED.
func ParseLooked(h Header, body []byte) (*Looked, error) {
	if err := flags(h, 0); err != nil {
		return nil, err
	}
	c := cursor{b: body}
	f := &Looked{Channel: c.u32(), Op: c.u64(), Ready: c.u16(), Times: c.u64()}
	return f, c.end(h.Type)
}
