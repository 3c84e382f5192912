package netchan_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/handoff-go/handoff/driver"
	"github.com/handoff-go/handoff/hub"
	"github.com/handoff-go/handoff/internal/wire"
)

func list(ctx context.Context, path string) ([]driver.Listed, error) {
	m, _ := driver.Lookup("unix")
	return m.(driver.Lister).List(ctx, &url.URL{Scheme: "unix", Path: path})
}

func mustList(t *testing.T, path string) []driver.Listed {
	t.Helper()
	ctx, stop := context.WithTimeout(context.Background(), patience)
	defer stop()
	all, err := list(ctx, path)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestList: a home with thousands of channels tells of each, once and in order,
// whether a link to it is there or not; and looking changes nothing.
func TestList(t *testing.T) {
	h, path := serve(t, hub.Options{})
	if all := mustList(t, path); len(all) != 0 {
		t.Fatalf("a new home has %+v", all)
	}
	const n = 3*wire.MaxNames + 7
	ends := make([]end, n)
	var want []string
	for i := range n {
		cfg := slots(2)
		cfg.Type = fmt.Sprint("raw:", i)
		name := fmt.Sprint("channel-", i)
		ends[i] = open(t, path, name, cfg)
		want = append(want, name)
	}
	slices.Sort(want)
	ends[5].send("a").want(t, nil)
	ends[6].do(driver.OpClose).want(t, nil)
	check := func() {
		t.Helper()
		all := mustList(t, path)
		var got []string
		for _, c := range all {
			got = append(got, c.Name)
			i := strings.TrimPrefix(c.Name, "channel-")
			wantLen := 0
			if i == "5" {
				wantLen = 1
			}
			if c.Type != "raw:"+i || c.Stats.Slots != 2 || c.Stats.Len != wantLen || c.Stats.Closed != (i == "6") || c.Stats.AsOf.IsZero() {
				t.Errorf("%+v", c)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%d names, want %d: %q", len(got), n, got)
		}
	}
	check()
	for _, e := range ends {
		if err := e.Detach(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	check() // over a link of its own
	for name, s := range h.Channels() {
		if s.Senders+s.Receivers != 0 {
			t.Errorf("%s: %+v", name, s)
		}
	}
}

// TestFind: one channel is found among any others, and asked for alone.
func TestFind(t *testing.T) {
	_, path := serve(t, hub.Options{})
	m, _ := driver.Lookup("unix")
	find := func(at, name string) (driver.Listed, error) {
		ctx, stop := context.WithTimeout(t.Context(), patience)
		defer stop()
		u := &url.URL{Scheme: "unix", Path: at, RawQuery: url.Values{"chan": {name}}.Encode()}
		return m.(driver.Lister).Find(ctx, u)
	}
	names := []string{
		" ", "a", "a ", "a!", "ab", "a\U0010FFFFb", "a\U0010FFFF\U0010FFFF", "b", "channel-9", "channel-99", "é", "\uE000", "\uE001",
		strings.Repeat("x", wire.MaxText), strings.Repeat("x", wire.MaxText-1) + "y",
	}
	for i, name := range names {
		if _, err := find(path, name); !errors.Is(err, driver.ErrNotFound) {
			t.Fatalf("%.20q before it is there: %v", name, err)
		}
		open(t, path, name, slots(i))
		for i, name := range names[:i+1] {
			if l, err := find(path, name); err != nil || l.Name != name || l.Stats.Slots != i {
				t.Fatalf("%.20q: %+v, %v", name, l, err)
			}
		}
	}
	if _, err := find(path, ""); !errors.Is(err, driver.ErrConflict) {
		t.Errorf("without a name: %v", err)
	}
	once := fake(t, func(conn net.Conn) {
		r := welcome(t, conn)
		h, body, _ := r.Next()
		if f, err := wire.ParseList(h, body); err != nil || f.Max != 1 || f.After >= "jobs" {
			t.Errorf("%+v, %v", f, err)
		}
		conn.Write((&wire.Names{Op: 1, More: true, Channels: []driver.Listed{{Name: "jobs", Type: "raw:bytes"}}}).Append(nil))
		r.Next() // BYE
	})
	if l, err := find(once, "jobs"); err != nil || l.Type != "raw:bytes" {
		t.Errorf("%+v, %v", l, err)
	}
}

// TestListOverTCP: the same over another scheme, whose URL has no name then.
func TestListOverTCP(t *testing.T) {
	h := hub.New(hub.Options{})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- h.Serve(l) }()
	m, _ := driver.Lookup("tcp")
	for _, path := range []string{"", "/", "/jobs"} {
		all, err := m.(driver.Lister).List(t.Context(), &url.URL{Scheme: "tcp", Host: l.Addr().String(), Path: path})
		if err != nil || len(all) != 0 {
			t.Errorf("%q: %v, %v", path, all, err)
		}
	}
	if _, err := m.Open(t.Context(), &url.URL{Scheme: "tcp", Host: l.Addr().String()}, both); !errors.Is(err, driver.ErrConflict) {
		t.Errorf("opening without a name: %v", err)
	}
	h.Close(t.Context())
	<-served
}

// TestListRefused: nobody there, too late, or not a URL.
func TestListRefused(t *testing.T) {
	if _, err := list(t.Context(), t.TempDir()+"/none"); !errors.Is(err, driver.ErrUnreachable) {
		t.Errorf("without a home: %v", err)
	}
	_, path := serve(t, hub.Options{})
	gone, stop := context.WithCancel(t.Context())
	stop()
	if _, err := list(gone, path); !errors.Is(err, context.Canceled) {
		t.Errorf("with a context that has ended: %v", err)
	}
	m, _ := driver.Lookup("unix")
	if _, err := m.(driver.Lister).List(t.Context(), &url.URL{Scheme: "unix", Path: path, RawQuery: "colour=red"}); !errors.Is(err, driver.ErrConflict) {
		t.Errorf("with an unknown parameter: %v", err)
	}
}

// TestListOfABadHome: a home that answers LIST with nonsense is told from one
// that has no channels, and cannot make us ask for ever.
func TestListOfABadHome(t *testing.T) {
	more := &wire.Names{Op: 1, More: true, Channels: []driver.Listed{{Name: "b"}}}
	for _, c := range []struct {
		name string
		b    []byte
		says string
	}{
		{"the same again", more.Append(nil), "again"},
		{"done, and no names", (&wire.End{Op: 1}).Append(nil), "lists nothing"},
		{"refused", (&wire.End{Op: 1, Code: wire.CodeUnreachable, Text: "no list today"}).Append(nil), "no list today"},
		{"figures", (&wire.Figures{Op: 1}).Append(nil), "something else"},
		{"nothing", nil, "closed the connection"},
		{"out of order", (&wire.Names{Op: 1, Channels: []driver.Listed{{Name: "b"}, {Name: "a"}}}).Append(nil), "out of order"},
	} {
		path := fake(t, func(conn net.Conn) {
			welcome(t, conn)
			conn.Read(make([]byte, 1024)) // LIST
			conn.Write(c.b)
			if c.says == "again" {
				conn.Read(make([]byte, 1024)) // the second LIST
				more.Op = 2
				conn.Write(more.Append(nil))
			}
			conn.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
			for err := error(nil); err == nil; { // what it still says, until it leaves
				_, err = conn.Read(make([]byte, 1024))
			}
		})
		ctx, stop := context.WithTimeout(t.Context(), patience)
		if all, err := list(ctx, path); !errors.Is(err, driver.ErrUnreachable) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, %v, want it to say %q", c.name, all, err, c.says)
		}
		stop()
	}
}

// welcome shakes hands as a home does, and returns what reads on. It is nil if that
// failed.
func welcome(t *testing.T, conn net.Conn) *wire.Reader {
	r := wire.NewReader(conn, wire.DefaultMaxBody)
	r.Preface()
	h, body, _ := r.Next()
	hello, err := wire.ParseHello(h, body)
	if err != nil {
		t.Error(err)
		return nil
	}
	conn.Write(preface(&wire.Welcome{MaxBody: wire.DefaultMaxBody, Attachments: 9, Session: hello.Session, Epoch: 1}))
	return r
}

// TestOpenAnsweredWithNothing: a home that says done to OPEN has not opened.
func TestOpenAnsweredWithNothing(t *testing.T) {
	path := fake(t, func(conn net.Conn) {
		welcome(t, conn)
		conn.Read(make([]byte, 1024)) // OPEN
		conn.Write((&wire.End{Channel: 1, Op: 1}).Append(nil))
		conn.Read(make([]byte, 1024))
	})
	if _, err := tryOpen(path, "jobs", both); !errors.Is(err, driver.ErrUnreachable) {
		t.Errorf("%v", err)
	}
}
