// Package quicchan carries channels to their home over QUIC.
//
//	import _ "github.com/handoff-go/handoff/quicchan"
//
//	ch, err := handoff.Open[Job](ctx, "quic://host:7443/jobs?ca=ca.pem&cert=me.pem&key=me.key")
//
// It is package netchan over another transport: the same wire, the same resume and
// heartbeat (the parameters of tcp:), the same home, which serves what [Listen]
// returns:
//
//	l, err := quicchan.Listen("localhost:7443", config)
//	go hub.Serve(l)
//
// # One stream per channel
//
// Each channel that a process opens has a stream, and a session, of its own; all
// channels of a process to one home share one QUIC connection. Over TCP they share
// one stream of bytes, and a packet that is lost holds up every channel until it has
// come again; a value of a megabyte is before all that is said after it. Over QUIC a
// lost packet holds up the channels whose bytes were in it, a stream that its peer
// does not read has a window of its own, and a large value shares the line with the
// small ones of other channels.
//
// The price: a handshake of our own for each channel; the home may hear of what a
// process did on two channels in another order than it was done, so that a slot of
// one that was freed before a value is sent on the other may not be free yet; and a
// select over two channels of one home is one over two sessions: to a select each
// stream is a home, so that this process decides it, with the messages of a select
// over several homes. With stream=shared in the URL the channels share one stream
// as over TCP, and the home decides a select over them.
//
// # Who is there
//
// QUIC is always under TLS 1.3. The parameters ca, cert and key name files in PEM;
// without them the environment names them, as for tls: URLs. config=NAME is a tls.Config
// that the program has given a name by [netchan.RegisterTLS]. servername says which name
// the home's certificate has, if not that of the URL; tokenfile names a file with a
// token.
package quicchan

import (
	"time"

	"github.com/quic-go/quic-go"

	"github.com/handoff-go/handoff/internal/fault"
	"github.com/handoff-go/handoff/netchan"
)

func init() {
	netchan.Register("quic", netchan.Transport{
		Protocol: protocol, Parameters: []string{"stream"}, Own: owns, Dial: lines.dial,
	})
}

// protocol is what both sides say in the handshake of TLS that they speak.
const protocol = "handoff/1"

// The windows: what a peer may send that is not read. A stream that nobody reads has
// a sixty-fourth of its connection's, so that it takes as many to hold up another.
const (
	streamWindow     = 1 << 20
	connectionWindow = 64 * streamWindow
	maxStreams       = 1 << 16
)

// A peer that is gone without a word is noticed once keepAlive is over, and then
// idleMost: by a client that says no heartbeat, and by a home. Of two sides that say
// different times the shorter one holds.
const (
	keepAlive = 3 * time.Second
	idleMost  = 10 * time.Second
	leastBeat = time.Second // below it the heartbeats of the streams are sooner anyway
)

// quicConfig is that of a connection over which a peer is to be noticed as gone after
// beat, 0 for what there is without one. It is then over before its sessions find it
// silent, and they resume over another while they still can.
func quicConfig(beat time.Duration) *quic.Config {
	c := &quic.Config{
		MaxStreamReceiveWindow: streamWindow, MaxConnectionReceiveWindow: connectionWindow,
		MaxIncomingStreams: maxStreams, MaxIncomingUniStreams: -1, KeepAlivePeriod: keepAlive, MaxIdleTimeout: idleMost,
	}
	if beat > 0 {
		beat = max(beat, leastBeat)
		c.KeepAlivePeriod, c.MaxIdleTimeout = beat/4, beat-beat/4
	}
	return c
}

// owns reports whether each channel has a stream of its own.
func owns(values map[string]string) (bool, error) {
	switch shared := values["stream"]; shared {
	case "":
		return true, nil
	case "shared":
		return false, nil
	default:
		return false, fault.Malformed("stream=%s: want stream=shared, or nothing", shared)
	}
}
