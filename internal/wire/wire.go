// Package wire is the form in which operations on channels cross a stream of
// bytes. The specification is docs/spec/wire.md; this package is nothing but
// that page in Go: it appends and parses frames and knows no connection, no
// channel and no goroutine but those of [Outbox] and [Reader], which move frames
// in bulk.
//
// # Frames
//
//	┌──────────────┬──────┬───────┬──────┬─────────────────┐
//	│ body length  │ type │ flags │ zero │ body            │
//	│ u32          │ u8   │ u8    │ u16  │ as long as said │
//	└──────────────┴──────┴───────┴──────┴─────────────────┘
//
// Every frame type has an Append, which adds the whole frame to a buffer, and a
// Parse, which reads one body. A parsed frame borrows the bytes it was parsed
// from. Parsing never panics and never allocates more than the body is long
// before it has checked the lengths in it; whatever it does not expect is an
// [*Error] with code [CodeProtocol].
package wire

import (
	"encoding/binary"
	"fmt"
)

// Magic and Version are the preface of a connection in each direction.
const (
	Magic         = "handoff"
	Version       = 1
	PrefaceLength = len(Magic) + 1
)

// HeaderLength is the length of a frame before its body.
const HeaderLength = 8

// The limits that do not depend on a channel.
const (
	MaxHandshake    = 1024              // body of a handshake frame
	Overhead        = 64 << 10          // what a body may have beside its one value
	DefaultMaxValue = 1 << 20           // encoded value, where nothing else was said
	DefaultMaxBody  = 1<<20 + Overhead  // body, where nothing else was said
	MaxValueLimit   = 1<<31 - 1 - 1<<20 // the largest MaxValue that can be asked for
	MaxText         = 1024              // name, type, URL, reason
	MaxGreeting     = 512               // name, home and text in a handshake frame
	MaxToken        = 256               // the secret in a HELLO
	MaxHeaders      = 64                // pairs with one value
	MaxHeaderBytes  = 32 << 10          // keys and values of them together
	MaxBatch        = 1024              // values in one frame, and of one receive
)

// Type is the type of a frame.
type Type uint8

// The frame types.
const (
	TypeHello     Type = 0x01
	TypeWelcome   Type = 0x02
	TypeBye       Type = 0x03
	TypeAck       Type = 0x04
	TypePing      Type = 0x05
	TypeOpen      Type = 0x10
	TypeOpened    Type = 0x11
	TypeDetach    Type = 0x12
	TypeEnd       Type = 0x13
	TypeSend      Type = 0x20
	TypeRecv      Type = 0x21
	TypeTake      Type = 0x22
	TypeDeliver   Type = 0x23
	TypeTaken     Type = 0x24
	TypeSettle    Type = 0x25
	TypeClose     Type = 0x26
	TypeStop      Type = 0x27
	TypeAwaitStop Type = 0x28
	TypeCancel    Type = 0x29
	TypeStats     Type = 0x2a
	TypeFigures   Type = 0x2b
	TypeList      Type = 0x2c
	TypeNames     Type = 0x2d
	TypeAsk       Type = 0x2e
	TypeFate      Type = 0x2f
	TypeSelect    Type = 0x30
	TypeChosen    Type = 0x31
	TypeClaim     Type = 0x32
	TypeGrant     Type = 0x33
	TypeRelease   Type = 0x34
	TypeBind      Type = 0x35
	TypeLooked    Type = 0x36
	TypeAside     Type = 0x37
	TypeBack      Type = 0x38
	TypeSchema    Type = 0x80
)

var typeNames = map[Type]string{
	TypeHello: "HELLO", TypeWelcome: "WELCOME", TypeBye: "BYE", TypeAck: "ACK", TypePing: "PING",
	TypeOpen: "OPEN", TypeOpened: "OPENED", TypeDetach: "DETACH", TypeEnd: "END",
	TypeSend: "SEND", TypeRecv: "RECV", TypeTake: "TAKE", TypeDeliver: "DELIVER",
	TypeTaken: "TAKEN", TypeSettle: "SETTLE", TypeClose: "CLOSE", TypeStop: "STOP",
	TypeAwaitStop: "AWAITSTOP", TypeCancel: "CANCEL", TypeStats: "STATS", TypeFigures: "FIGURES",
	TypeList: "LIST", TypeNames: "NAMES", TypeAsk: "ASK", TypeFate: "FATE",
	TypeSelect: "SELECT", TypeChosen: "CHOSEN", TypeSchema: "SCHEMA",
	TypeClaim: "CLAIM", TypeGrant: "GRANT", TypeRelease: "RELEASE", TypeBind: "BIND", TypeLooked: "LOOKED",
	TypeAside: "ASIDE", TypeBack: "BACK",
}

func (t Type) String() string {
	if s, ok := typeNames[t]; ok {
		return s
	}
	return fmt.Sprintf("type 0x%02x", uint8(t))
}

// Optional reports whether a peer that does not know the type may skip it.
func (t Type) Optional() bool { return t >= 0x80 }

// counted reports whether frames of the type are in the stream of a session, whose
// positions ACK and a resume speak of.
func (t Type) counted() bool { return t > 0x0f }

// OfSession reports whether frames of the type are about the session and the
// connection, and no operation's.
func (t Type) OfSession() bool { return !t.counted() }

// Header is the head of a frame.
type Header struct {
	Length uint32 // of the body
	Type   Type
	Flags  uint8
}

// ParseHeader reads the first HeaderLength bytes of b, which must be there. It
// does not judge the length: the limit is the connection's.
func ParseHeader(b []byte) (Header, error) {
	h := Header{
		Length: binary.LittleEndian.Uint32(b),
		Type:   Type(b[4]),
		Flags:  b[5],
	}
	if b[6] != 0 || b[7] != 0 {
		return h, broken("%v: the zero field is not zero", h.Type)
	}
	return h, nil
}

// AppendRaw adds the frame of a head and a body, as they were read, to b.
func AppendRaw(b []byte, h Header, body []byte) []byte {
	b, start := begin(b, h.Type, h.Flags)
	return finish(append(b, body...), start)
}

// Frame is one frame of any type.
type Frame interface {
	// Append adds the frame to b.
	Append(b []byte) []byte
	// Length is how many bytes Append adds.
	Length() int
}

// Parse reads the body of any frame. The hot paths call the Parse function of
// the frame they expect instead.
func Parse(h Header, body []byte) (Frame, error) {
	switch h.Type {
	case TypeHello:
		return parseAs(ParseHello(h, body))
	case TypeWelcome:
		return parseAs(ParseWelcome(h, body))
	case TypeBye:
		return parseAs(ParseBye(h, body))
	case TypeAck:
		return parseAs(ParseAck(h, body))
	case TypePing:
		return parseAs(ParsePing(h, body))
	case TypeOpen:
		return parseAs(ParseOpen(h, body))
	case TypeOpened:
		return parseAs(ParseOpened(h, body))
	case TypeEnd:
		return parseAs(ParseEnd(h, body))
	case TypeSend:
		return parseAs(ParseSend(h, body))
	case TypeRecv, TypeTake:
		return parseAs(ParseReceive(h, body))
	case TypeDeliver:
		return parseAs(ParseDeliver(h, body))
	case TypeSettle:
		return parseAs(ParseSettle(h, body))
	case TypeStop:
		return parseAs(ParseStop(h, body))
	case TypeFigures:
		return parseAs(ParseFigures(h, body))
	case TypeList:
		return parseAs(ParseList(h, body))
	case TypeNames:
		return parseAs(ParseNames(h, body))
	case TypeAsk:
		return parseAs(ParseAsk(h, body))
	case TypeFate:
		return parseAs(ParseFate(h, body))
	case TypeSelect:
		return parseAs(ParseSelect(h, body))
	case TypeChosen:
		return parseAs(ParseChosen(h, body))
	case TypeLooked:
		return parseAs(ParseLooked(h, body))
	case TypeSchema:
		return parseAs(ParseSchema(h, body))
	case TypeDetach, TypeTaken, TypeClose, TypeAwaitStop, TypeCancel, TypeStats, TypeClaim, TypeGrant, TypeRelease, TypeBind,
		TypeAside, TypeBack:
		return parseAs(ParseOrder(h, body))
	}
	return nil, Unknown(h.Type)
}

// parseAs turns what a Parse function returns into what Parse does.
func parseAs[F Frame](f F, err error) (Frame, error) {
	if err != nil {
		return nil, err
	}
	return f, nil
}

// Unknown is the error of a critical frame type this side does not know.
func Unknown(t Type) error { return broken("critical frame of %v is not known here", t) }

// Unexpected is the error of a frame that has no place where it came.
func Unexpected(t Type, where string) error { return broken("%v %s", t, where) }

// broken returns a protocol error.
func broken(format string, args ...any) error {
	return &Error{Code: CodeProtocol, Text: fmt.Sprintf(format, args...)}
}

// Overlong is the error of a body that is longer than the limit.
func Overlong(h Header, limit int) error {
	return &Error{Code: CodeLimit, Text: fmt.Sprintf("%v of %d bytes, at most %d are taken", h.Type, h.Length, limit)}
}
