package wire

import (
	"fmt"
	"time"
)

// ID is 128 random bits.
type ID [16]byte

// The feature bits.
const (
	FeatureResume uint64 = 1 << iota
	FeaturePing
	FeatureSelect
	FeatureFate
	FeatureToken // HELLO has a token; WELCOME: it was accepted
)

// AppendPreface adds the preface of this version to b.
func AppendPreface(b []byte) []byte { return append(append(b, Magic...), Version) }

// ParsePreface reads the PrefaceLength bytes of a preface and returns the
// version of its sender. It fails if the magic is not there.
func ParsePreface(b []byte) (version uint8, err error) {
	if len(b) != PrefaceLength || string(b[:len(Magic)]) != Magic {
		return 0, broken("no preface: the peer does not speak handoff")
	}
	return b[len(Magic)], nil
}

// Chunk is how many bytes of values go into one frame to a peer that takes bodies
// of maxBody, so that a batch does not keep others waiting and fits; a larger
// value goes alone.
func Chunk(maxBody uint32) int { return int(min(256<<10, max(maxBody, 2048)-1024)) }

// Hello is the first frame of a client.
type Hello struct {
	Features    uint64
	MaxBody     uint32 // the longest body the client takes
	Session     ID
	Epoch       uint32        // 1 on the first connection of the session
	Incarnation ID            // of the client's process
	PID         uint32        // the number the client's process has for itself; 0 not said
	Resume      time.Duration // how long the session is to outlive a broken connection
	Received    uint64        // of the home's stream, so far
	Name        string        // for people
	Token       string        // a secret, never to be written; only with FeatureToken
}

// Length implements Frame.
func (f *Hello) Length() int {
	n := HeaderLength + 8 + 4 + 16 + 4 + 16 + 4 + 8 + 8 + 2 + len(greeting(f.Name))
	if f.Features&FeatureToken != 0 {
		n += 2 + len(f.Token)
	}
	return n
}

// String leaves the token out, so that nothing that prints a frame tells it.
func (f *Hello) String() string {
	return fmt.Sprintf("HELLO of %q, session %x, connection %d", f.Name, f.Session, f.Epoch)
}

// GoString is String.
func (f *Hello) GoString() string { return f.String() }

// Append implements Frame.
func (f *Hello) Append(b []byte) []byte {
	b, start := begin(b, TypeHello, 0)
	b = appendU64(b, f.Features)
	b = appendU32(b, f.MaxBody)
	b = append(b, f.Session[:]...)
	b = appendU32(b, f.Epoch)
	b = append(b, f.Incarnation[:]...)
	b = appendU32(b, f.PID)
	b = appendU64(appendU64(b, uint64(f.Resume)), f.Received)
	b = appendStr(b, greeting(f.Name))
	if f.Features&FeatureToken != 0 {
		b = appendStr(b, f.Token)
	}
	return finish(b, start)
}

// ParseHello reads the body of a HELLO.
func ParseHello(h Header, body []byte) (*Hello, error) {
	if err := flags(h, 0); err != nil {
		return nil, err
	}
	c := cursor{b: body}
	f := &Hello{
		Features: c.u64(), MaxBody: c.u32(), Session: c.id(), Epoch: c.u32(), Incarnation: c.id(), PID: c.u32(),
		Resume: time.Duration(c.u64()), Received: c.u64(), Name: c.text(),
	}
	if f.Features&FeatureToken != 0 {
		f.Token = c.text()
		if n := len(f.Token); !c.bad && (n == 0 || n > MaxToken) {
			return nil, broken("HELLO: a token of %d bytes", n)
		}
	}
	if !c.bad && (f.Resume < 0 || f.Epoch == 0) {
		return nil, broken("HELLO: no session can be so")
	}
	return f, c.end(h.Type)
}

// Welcome is the home's answer to Hello.
type Welcome struct {
	Features    uint64
	MaxBody     uint32
	Attachments uint32 // how many the connection may have
	Session     ID
	Epoch       uint32
	Incarnation ID            // of the home
	Resume      time.Duration // what is granted of what was asked for
	Received    uint64        // of the client's stream, so far
	Home        string        // names the home, for people and for telling homes apart
}

// Length implements Frame.
func (f *Welcome) Length() int {
	return HeaderLength + 8 + 4 + 4 + 16 + 4 + 16 + 8 + 8 + 2 + len(greeting(f.Home))
}

// Append implements Frame.
func (f *Welcome) Append(b []byte) []byte {
	b, start := begin(b, TypeWelcome, 0)
	b = appendU64(b, f.Features)
	b = appendU32(b, f.MaxBody)
	b = appendU32(b, f.Attachments)
	b = append(b, f.Session[:]...)
	b = appendU32(b, f.Epoch)
	b = append(b, f.Incarnation[:]...)
	b = appendU64(appendU64(b, uint64(f.Resume)), f.Received)
	b = appendStr(b, greeting(f.Home))
	return finish(b, start)
}

// ParseWelcome reads the body of a WELCOME.
func ParseWelcome(h Header, body []byte) (*Welcome, error) {
	if err := flags(h, 0); err != nil {
		return nil, err
	}
	c := cursor{b: body}
	f := &Welcome{
		Features: c.u64(), MaxBody: c.u32(), Attachments: c.u32(), Session: c.id(), Epoch: c.u32(), Incarnation: c.id(),
		Resume: time.Duration(c.u64()), Received: c.u64(), Home: c.text(),
	}
	switch {
	case c.bad:
	case f.MaxBody < Overhead:
		return nil, broken("WELCOME: a limit of %d bytes is too small", f.MaxBody)
	case f.Resume < 0:
		return nil, broken("WELCOME: no session can be so")
	}
	return f, c.end(h.Type)
}

// Bye is the last frame of its sender.
type Bye struct {
	Code Code
	Text string
}

// Length implements Frame.
func (f *Bye) Length() int { return HeaderLength + 2 + 2 + len(greeting(f.Text)) }

// Append implements Frame.
func (f *Bye) Append(b []byte) []byte {
	b, start := begin(b, TypeBye, 0)
	b = appendU16(b, uint16(f.Code))
	b = appendStr(b, greeting(f.Text))
	return finish(b, start)
}

// ParseBye reads the body of a BYE.
func ParseBye(h Header, body []byte) (*Bye, error) {
	if err := flags(h, 0); err != nil {
		return nil, err
	}
	c := cursor{b: body}
	f := &Bye{Code: Code(c.u16()), Text: c.text()}
	return f, c.end(h.Type)
}

// String says why the peer left.
func (f *Bye) String() string { return fmt.Sprintf("%v: %s", f.Code, f.Text) }

// Ack says what of the stream of its receiver has arrived and was done.
type Ack struct{ Received uint64 }

// Length implements Frame.
func (f *Ack) Length() int { return HeaderLength + 8 }

// Append implements Frame.
func (f *Ack) Append(b []byte) []byte {
	b, start := begin(b, TypeAck, 0)
	return finish(appendU64(b, f.Received), start)
}

// ParseAck reads the body of an ACK.
func ParseAck(h Header, body []byte) (*Ack, error) {
	if err := flags(h, 0); err != nil {
		return nil, err
	}
	c := cursor{b: body}
	f := &Ack{c.u64()}
	return f, c.end(h.Type)
}
