package hub

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/handoff-go/handoff/driver"
	"github.com/handoff-go/handoff/internal/wire"
)

// namesOf makes channels so called, of the type of their name.
func namesOf(t *testing.T, names ...string) *names {
	t.Helper()
	h := New(Options{})
	for _, name := range names {
		if _, _, err := h.names.attach(opener{}, name, driver.Config{Send: true, Slots: 1, Type: "raw:" + name}); err != nil {
			t.Fatal(err)
		}
	}
	return &h.names
}

// TestPages: page by page the channels are all there, in order, however they
// were made and however large a page is.
func TestPages(t *testing.T) {
	var want []string
	for i := range 500 {
		want = append(want, fmt.Sprint("n", i))
	}
	mixed := slices.Clone(want)
	rand.Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
	n := namesOf(t, mixed...)
	slices.Sort(want)
	for _, size := range []struct{ most, bytes int }{{1, 1 << 20}, {7, 1 << 20}, {500, 1 << 20}, {501, 1 << 20}, {1000, 1000}, {1000, 0}} {
		var got []string
		for after, more := "", true; more; {
			var page []driver.Listed
			page, more = n.page(everything, after, size.most, size.bytes)
			if len(page) == 0 || len(page) > size.most {
				t.Fatalf("%+v: a page of %d", size, len(page))
			}
			for _, c := range page {
				got = append(got, c.Name)
				if c.Type != "raw:"+c.Name || c.Stats.Slots != 1 || c.Stats.Senders != 1 {
					t.Errorf("%+v", c)
				}
			}
			after = got[len(got)-1]
		}
		if !slices.Equal(got, want) {
			t.Errorf("%+v: %d names, want %d: %q", size, len(got), len(want), got)
		}
	}
	if page, more := n.page(everything, "n3a", 1, 1000); len(page) != 1 || page[0].Name != "n4" || !more {
		t.Errorf("behind a name that is not there: %+v, %v", page, more)
	}
	if page, more := n.page(everything, "zz", 1, 1000); len(page) != 0 || more {
		t.Errorf("behind the last: %+v, %v", page, more)
	}
}

// TestListFrames: what a client may ask, and that no page is longer than it takes.
func TestListFrames(t *testing.T) {
	h, path := start(t, Options{})
	c := dial(t, path).greet()
	for i := range 100 { // each takes more than 2,000 bytes
		name := fmt.Sprintf("%03d", i) + strings.Repeat("n", wire.MaxText-3)
		cfg := driver.Config{Send: true, Slots: -1, Type: strings.Repeat("t", wire.MaxText)}
		if _, _, err := h.names.attach(opener{}, name, cfg); err != nil {
			t.Fatal(err)
		}
	}
	c.say(&wire.List{Op: 2, Max: 1000})
	if f := hear[*wire.Names](c); len(f.Channels) != 101 || f.More || f.Channels[100].Name != "jobs" || f.Channels[100].Type != "" {
		t.Errorf("%d channels, more %v", len(f.Channels), f.More)
	}
	small := dial(t, path)
	small.Write(wire.AppendPreface(nil))
	small.say(&wire.Hello{MaxBody: wire.Overhead, Epoch: 1, Name: "small"}, &wire.List{Op: 1, Max: 1000})
	small.r.Preface()
	hear[*wire.Welcome](small)
	if f := hear[*wire.Names](small); !f.More || f.Length() > wire.Overhead+wire.HeaderLength || len(f.Channels) < 20 {
		t.Errorf("%d channels in %d bytes, more %v", len(f.Channels), f.Length(), f.More)
	}
	for name, frame := range map[string][]byte{
		"an old number": (&wire.List{Op: 1, Max: 1}).Append(nil),
		"of nothing":    (&wire.List{Op: 9}).Append(nil),
		"the answer":    (&wire.Names{Op: 9}).Append(nil),
	} {
		c := dial(t, path).greet()
		c.Write(frame)
		if bye := hear[*wire.Bye](c); bye.Code != wire.CodeProtocol {
			t.Errorf("%s: %v", name, bye)
		}
	}
}
