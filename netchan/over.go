package netchan

import (
	"context"
	"net"
	"net/url"
	"time"

	"github.com/handoff-go/handoff/driver"
)

// Place is where a home is reached over a transport that another package brings,
// such as quicchan.
type Place struct {
	// Home is equal for two URLs of one home that are reached in the same way.
	Home string
	// Key is equal for two URLs that share a session, and the stream under it. Where
	// it has the channel's name in it, each channel has a stream of its own.
	Key  string
	Name string // for people
	// Dial makes a stream to the home: one that keeps order, loses nothing and tells
	// its end.
	Dial func(context.Context) (net.Conn, error)
	// How long a broken stream is resumed, and how long it may be silent: see
	// SetTimes.
	resume, beat time.Duration
}

// SetTimes reads the parameters resume and heartbeat, "" for what they are over TCP.
func (p *Place) SetTimes(resume, heartbeat string) (err error) {
	if p.resume, err = parseResume(resume); err == nil {
		p.beat, err = parseHeartbeat(heartbeat)
	}
	return err
}

// Register makes the URLs of a scheme mean channels at homes that are reached over
// another transport. parse splits a URL into the place of the home and the
// channel's name, and refuses parameters it does not know; what it returns of a URL
// that is malformed is ErrConflict.
func Register(scheme string, parse func(*url.URL) (Place, string, error)) {
	driver.Register(scheme, medium{func(u *url.URL) (place, string, error) {
		p, name, err := parse(u)
		return place{key: p.Key, home: p.Home, name: p.Name, dial: p.Dial, resume: p.resume, beat: p.beat}, name, err
	}})
}
