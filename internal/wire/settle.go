package wire

import (
	"time"

	"github.com/handoff-go/handoff/driver"
)

// How is what becomes of a held value.
type How uint8

// The ways to settle.
const (
	HowDone How = iota + 1
	HowReturn
	HowReject
	HowExtend
)

// Settle settles a hold, or extends it.
type Settle struct {
	Channel uint32
	Op      uint64
	How     How
	Hold    driver.Hold
	Delay   time.Duration
	Reason  string
}

// Length implements Frame.
func (f *Settle) Length() int { return HeaderLength + 4 + 8 + 1 + 16 + 8 + 2 + len(cut(f.Reason)) }

// Append implements Frame.
func (f *Settle) Append(b []byte) []byte {
	b, start := begin(b, TypeSettle, 0)
	b = appendU64(appendU32(b, f.Channel), f.Op)
	b = append(b, byte(f.How))
	b = appendU64(appendU64(b, f.Hold.ID), f.Hold.Generation)
	b = appendU64(b, uint64(f.Delay))
	return finish(appendStr(b, cut(f.Reason)), start)
}

// ParseSettle reads the body of a SETTLE.
func ParseSettle(h Header, body []byte) (*Settle, error) {
	f := new(Settle)
	return f, f.Parse(h, body)
}

// Parse is ParseSettle into f.
func (f *Settle) Parse(h Header, body []byte) error {
	if err := flags(h, 0); err != nil {
		return err
	}
	c := cursor{b: body}
	*f = Settle{
		Channel: c.u32(), Op: c.u64(), How: How(c.u8()), Hold: driver.Hold{ID: c.u64(), Generation: c.u64()},
		Delay: time.Duration(c.u64()), Reason: c.text(),
	}
	if !c.bad && (f.How < HowDone || f.How > HowExtend) {
		return broken("SETTLE: unknown way %d", f.How)
	}
	return c.end(h.Type)
}
