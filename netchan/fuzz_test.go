package netchan

import (
	"net/url"
	"testing"

	"github.com/handoff-go/handoff/internal/fault"
)

// FuzzURL: any URL is a place and the name of a channel, or is refused as
// malformed; a token or a key is never part of what people see of it.
func FuzzURL(f *testing.F) {
	for _, text := range []string{
		"unix:/a/b.sock?chan=jobs", "unix:a%20b?chan=x", "tcp://localhost:1/jobs?resume=5s", "tcp://[::1]:07/a%2fb?tokenfile=/t",
		"tls://h:1/x?ca=a&cert=b&key=c&servername=d", "tls://h:1/x?config=none", "pipe:/p?chan=x", "pipe:?in=3&out=4&chan=x",
		"tcp://h:0/", "tls://u@h:1/x", "pipe:?in=-1&out=4", "unix:@x?chan=y",
	} {
		f.Add(text)
	}
	parsers := map[string]func(*url.URL) (place, string, error){"unix": parseUnix, "tcp": parseTCP, "tls": parseTLS, "pipe": parsePipe}
	f.Fuzz(func(t *testing.T, text string) {
		u, err := url.Parse(text)
		if err != nil || parsers[u.Scheme] == nil {
			return
		}
		at, _, err := parsers[u.Scheme](u)
		switch {
		case err != nil:
			if !fault.IsMalformed(err) {
				t.Errorf("%q: %v", text, err)
			}
		case at.key == "" || at.name == "" || at.dial == nil || at.resume < 0 || at.resume > maxResume:
			t.Errorf("%q: %+v", text, at)
		}
	})
}
