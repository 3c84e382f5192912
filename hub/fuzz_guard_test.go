package hub

import (
	"context"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/handoff-go/handoff/internal/wire"
)

// FuzzHandshake: whatever comes instead of HELLO, the home lives, nobody gets in by
// the name of a token without that token, and the connection ends.
func FuzzHandshake(f *testing.F) {
	for _, first := range []*wire.Hello{hello, showing(hello, aliceToken), showing(patient(1, time.Minute), "nobody-nobody-no")} {
		b := first.Append(wire.AppendPreface(nil))
		f.Add(b)
		f.Add(b[:len(b)-1])
	}
	tokens := testTokens(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		h := New(Options{Tokens: tokens, MaxResume: -1})
		server, client := net.Pipe()
		client.SetDeadline(time.Now().Add(patience))
		h.enter(h.inner)
		over := h.accept(server, h.inner)
		heard := make(chan []byte, 1)
		go func() {
			said, _ := io.ReadAll(client)
			heard <- said
		}()
		client.Write(b)
		client.Close()
		said := <-heard
		<-over
		if len(said) > wire.PrefaceLength+1024 {
			t.Errorf("%d bytes answer a handshake", len(said))
		}
		r := wire.NewReader(strings.NewReader(string(said)), wire.DefaultMaxBody)
		if _, err := r.Preface(); err == nil {
			if head, body, err := r.Next(); err == nil && head.Type == wire.TypeWelcome {
				w, err := wire.ParseWelcome(head, body)
				if err == nil && w.Features&wire.FeatureToken != 0 && !strings.Contains(string(b), aliceToken) && !strings.Contains(string(b), bobToken) {
					t.Errorf("a token was accepted: %q", b)
				}
			}
		}
		h.Close(context.Background())
	})
}

// FuzzRights: any text is rights or an error with a line. Rights that were read
// decide, and a name that they deny is denied to all.
func FuzzRights(f *testing.F) {
	f.Add("allow * all *\ndeny cert:[a-c]* close,send x/?\n", "cert:abc", "x/y")
	f.Add("deny token:a all \\*", "token:a", "*")
	f.Add("allow uid:0 create a[", "uid:0", "a[")
	f.Fuzz(func(t *testing.T, text, who, name string) {
		r, err := ParseRights(strings.NewReader(text))
		if err != nil {
			if !strings.HasPrefix(err.Error(), "line ") {
				t.Errorf("%v", err)
			}
			return
		}
		if got, want := r.concerning(who, mayAll).of(who, name), r.of(who, name); got != want {
			t.Errorf("%v and %v", got, want)
		}
		shut, err := ParseRights(strings.NewReader(text + "\ndeny * all *\n"))
		if err == nil && shut.of(who, name) != 0 {
			t.Errorf("%v in spite of a line that denies all", shut.of(who, name))
		}
	})
}

// FuzzTokens: any text is tokens or an error with a line, which says nothing of it.
func FuzzTokens(f *testing.F) {
	f.Add("alice 0123456789abcdef\n", "0123456789abcdef")
	f.Add("a sha256:00\n", "sha256:00")
	f.Fuzz(func(t *testing.T, text, said string) {
		tokens, err := ParseTokens(strings.NewReader(text))
		if err != nil {
			if !strings.HasPrefix(err.Error(), "line ") {
				t.Errorf("%v", err)
			}
			return
		}
		if name, ok := tokens.find(said); ok && (!strings.Contains(text, name) || !strings.Contains(text, said) && !strings.Contains(text, "sha256:")) {
			t.Errorf("%q names %q", said, name)
		}
	})
}

// FuzzDeadLetter: any query names a channel that can be, or is refused.
func FuzzDeadLetter(f *testing.F) {
	f.Add("chan=lost&slots=3")
	f.Add("chan=%ff&slots=-1")
	f.Add("chan=a;b")
	f.Fuzz(func(t *testing.T, query string) {
		name, slots, err := parseDeadLetter(query)
		if err == nil && (checkName(name) != nil || slots < -1) {
			t.Errorf("%q, %d slots", name, slots)
		}
	})
}
