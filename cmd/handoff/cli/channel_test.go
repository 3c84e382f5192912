package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/handoff-go/handoff"
)

// url is a channel of the home that s serves.
func (s *serving) url(params string) string {
	return (&url.URL{Scheme: "unix", Path: filepath.ToSlash(s.path), OmitHost: true}).String() + "?" + params
}

// runIn is run with something on standard input.
func runIn(ctx context.Context, in io.Reader, args ...string) (code int, out, errs string) {
	var o, e bytes.Buffer
	code = Run(ctx, args, Streams{In: in, Out: &o, Err: &e})
	return code, o.String(), e.String()
}

// wants runs a command that is to end so.
func wants(t *testing.T, code int, out, says string, in string, args ...string) {
	t.Helper()
	gotCode, gotOut, gotErrs := runIn(t.Context(), strings.NewReader(in), args...)
	if gotCode != code || gotOut != out || !strings.Contains(gotErrs, says) || (says == "") != (gotErrs == "") {
		t.Errorf("%q: code %d, out %q, err %q, want %d, %q, %q", args, gotCode, gotOut, gotErrs, code, out, says)
	}
	if gotErrs != "" {
		checkOneLine(t, gotErrs)
	}
}

func TestSendRecv(t *testing.T) {
	s := startServe(t)
	c := s.url("chan=c&slots=8")
	wants(t, codeDone, "", "", "", "send", c, "one", "", "three words")
	wants(t, codeDone, "one\n", "", "", "recv", "-n", "1", c)
	wants(t, codeDone, "", "", "4\n5\n6", "send", c)
	wants(t, codeDone, "\nthree words\n4\n5\n", "", "", "recv", "-n", "4", c)
	wants(t, codeDone, "", "", "", "close", c)
	wants(t, codeClosed, "", "close c: channel is closed", "", "close", c)
	wants(t, codeClosed, "6\n", ": channel is closed", "", "recv", "-n", "2", c)
	wants(t, codeDone, "", "", "", "recv", c)
	wants(t, codeClosed, "", "send c: channel is closed; 0 lines sent, line 1 was not, nor", "a\nb\nc\n", "send", c)
	wants(t, codeClosed, "", "0 values sent, value 1 was not, nor was 1 more", "", "send", c, "a", "b")
	s.end(t)
}

func TestForms(t *testing.T) {
	s := startServe(t)
	text := s.url("chan=text&slots=8")
	wants(t, codeDone, "", "", "a\nb\x00c", "send", "--null", text)
	wants(t, codeError, "", "value 1: it has a line feed in it", "", "recv", text)
	wants(t, codeDone, "a\nb\x00", "", "", "recv", "-0", "-n", "1", text)
	wants(t, codeDone, "\x00\x00\x00\x01c", "", "", "recv", "--length-prefixed", "-n", "1", text)
	wants(t, codeDone, "", "", "\x00\x01\n", "send", "--raw", text)
	wants(t, codeDone, "\x00\x01\n", "", "", "recv", "--raw", "-n", "1", text)

	raw := s.url("chan=raw&slots=8")
	wants(t, codeDone, "", "", "\x00\x00\x00\x02a\n\x00\x00\x00\x00", "send", "--length-prefixed", raw)
	wants(t, codeDone, "a\n", "", "", "recv", "--raw", "-n", "2", raw)
	wants(t, codeError, "", "value 1: the input ends before its 9 bytes", "\x00\x00\x00\x09a", "send", "--length-prefixed", raw)

	js := s.url("chan=json&slots=8")
	wants(t, codeDone, "", "", "{\"a\": 1}\n[2]", "send", "--json", js)
	wants(t, codeError, "", "line 2: it is not JSON: unexpected end of JSON input; 1 line sent", "3\n{\"a\": 1", "send", "--json", js)
	wants(t, codeUsage, "", "value 2: it is not JSON", "", "send", "--json", js, "1", "x y")
	wants(t, codeDone, "{\"a\": 1}\n[2]\n3\n", "", "", "recv", "--json", "-n", "3", js)
	s.end(t)
}

type order struct {
	ID   int
	Item string
}

// Ends in Go and ends on the command line understand each other, or do not open.
func TestTypes(t *testing.T) {
	s := startServe(t)
	bytesCh, err := handoff.Open[[]byte](t.Context(), s.url("chan=bytes&slots=8"))
	if err != nil {
		t.Fatal(err)
	}
	orders, err := handoff.Open[order](t.Context(), s.url("chan=orders&slots=8&schema=order"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := handoff.Open[int64](t.Context(), s.url("chan=ints&slots=8")); err != nil {
		t.Fatal(err)
	}
	// Bytes are lines too.
	wants(t, codeDone, "", "", "", "send", s.url("chan=bytes"), "a", "b")
	wants(t, codeDone, "a\n", "", "", "recv", "-n", "1", s.url("chan=bytes"))
	if v, err := bytesCh.Recv(t.Context()); err != nil || string(v) != "b" {
		t.Errorf("%q, %v", v, err)
	}
	// JSON under its schema.
	if err := orders.Send(t.Context(), order{1, "pear"}); err != nil {
		t.Fatal(err)
	}
	wants(t, codeDone, `{"ID":1,"Item":"pear"}`+"\n", "", "", "recv", "-n", "1", s.url("chan=orders"))
	wants(t, codeError, "", "say so with schema=", "", "send", s.url("chan=orders"), `{"ID":2}`)
	wants(t, codeUsage, "", "value 1: it is not JSON", "", "send", s.url("chan=orders&schema=order&codec=json"), `{"ID":`)
	wants(t, codeDone, "", "", "", "send", s.url("chan=orders&schema=order"), `{"ID":2}`)
	if v, err := orders.Recv(t.Context()); err != nil || v.ID != 2 {
		t.Errorf("%+v, %v", v, err)
	}
	// Memory is shown as bytes, and only made by who has the type.
	wants(t, codeError, "", "it carries memory (mem:le:8:int64), which only a program with that type can make", "", "send", s.url("chan=ints"), "1")
	wants(t, codeError, "", "only --raw and --length-prefixed show it", "", "recv", s.url("chan=ints"))
	wants(t, codeError, "", "it carries bytes: leave out --json, codec=json and schema=", "", "recv", "--json", s.url("chan=bytes"))
	s.end(t)
}

// What nobody could handle is shown with its fate.
func TestDeadLetters(t *testing.T) {
	s := startServe(t)
	c := s.url("chan=c&slots=4&deadletter=" + url.QueryEscape(s.url("chan=dead&slots=4")))
	wants(t, codeDone, "", "", "x\n\xff\n\n", "send", c)
	rs, err := handoff.OpenReceiver[string](t.Context(), s.url("chan=c"))
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		d, err := rs.Take(t.Context())
		if err != nil || d.Reject("it is odd") != nil {
			t.Fatal(err)
		}
	}
	rs.Detach()
	dead := s.url("chan=dead")
	fate := `"reason":"it is odd","attempts":1,"from":"c"}`
	wants(t, codeDone, `{"value":"x",`+fate+"\n"+`{"bytes":"/w==",`+fate+"\n", "", "", "recv", "-n", "2", dead)
	wants(t, codeError, "", "it carries dead text", "", "send", dead, "x")
	wants(t, codeDone, `{"index":1,"channel":"dead","url":"`+dead+`","attempt":1,"value":{"value":"",`+fate+"}\n", "", "", "select", "--json", dead)
	s.end(t)
}

func TestTryAndTimeout(t *testing.T) {
	s := startServe(t)
	c := s.url("chan=c")
	wants(t, codeFull, "", "channel is full: no slot is free and nobody is there to receive; 0 values sent, value 1 was not", "", "send", "--try", c, "a", "b")
	wants(t, codeTimeout, "", "send c: timed out; 0 values sent", "", "send", "--timeout", "20ms", c, "a")
	wants(t, codeTimeout, "", "recv c: timed out: nothing came within 20ms", "", "recv", "--timeout", "20ms", c)
	wants(t, codeTimeout, "", "recv c: timed out: there is nothing to receive now", "", "recv", "--try", c)

	d := s.url("chan=d&slots=2")
	wants(t, codeFull, "", "2 lines sent, line 3 was not", "1\n2\n3\n4\n", "send", "--try", d)
	wants(t, codeTimeout, "", "0 values sent, value 1 was not, nor was 1 more", "", "send", "--timeout", "20ms", d, "a", "b")
	wants(t, codeDone, "1\n2\n", "", "", "recv", "--try", d)
	wants(t, codeDone, "", "", "5", "send", "--close", d)
	wants(t, codeDone, "5\n", "", "", "recv", "--try", d)
	wants(t, codeClosed, "", "recv d: channel is closed", "", "recv", "--try", d)
	s.end(t)
}

func TestSelect(t *testing.T) {
	s := startServe(t)
	a, b := s.url("chan=a&slots=4"), s.url("chan=b&slots=4")
	wants(t, codeTimeout, "", "select: timed out: there is nothing to receive now", "", "select", "--try", a, b)
	wants(t, codeTimeout, "", "select: timed out", "", "select", "--timeout", "20ms", a, b)
	wants(t, codeDone, "", "", "x", "send", b)
	wants(t, codeDone, "2\tx\n", "", "", "select", a, b)
	wants(t, codeDone, "", "", "y", "send", "--close", a)
	wants(t, codeDone, `{"index":1,"channel":"a","url":"`+jsonText(a)+`","attempt":1,"value":"y"}`+"\n", "", "", "select", "--json", a, b)
	wants(t, codeDone, "", "", "z\nlast", "send", "--close", b)
	wants(t, codeDone, "2\tz\n2\tlast\n", "", "", "select", "-n", "0", a, b)
	wants(t, codeDone, "", "", "", "select", "-n", "0", a, b)
	wants(t, codeClosed, "", "select: channel is closed: all channels are", "", "select", a, b)

	// The same over two homes.
	other := startServe(t)
	c, d := s.url("chan=c&slots=4"), other.url("chan=d&slots=4")
	wants(t, codeTimeout, "", "select: timed out: there is nothing to receive now", "", "select", "--try", c, d)
	wants(t, codeTimeout, "", "select: timed out", "", "select", "--timeout", "20ms", c, d)
	wants(t, codeDone, "", "", "x", "send", "--close", d)
	wants(t, codeDone, "2\tx\n", "", "", "select", c, d)
	wants(t, codeDone, "", "", "y\nz", "send", "--close", c)
	wants(t, codeDone, "1\ty\n1\tz\n", "", "", "select", "-n", "0", c, d)
	wants(t, codeClosed, "", "select: channel is closed: all channels are", "", "select", c, d)
	s.end(t)
	other.end(t)
}

func jsonText(s string) string { return strings.ReplaceAll(s, "&", `\u0026`) }

// A value that cannot be written goes back to its place.
func TestRecvNobodyReads(t *testing.T) {
	s := startServe(t)
	c := s.url("chan=c&slots=8")
	wants(t, codeDone, "", "", "1\n2\n3", "send", c)
	for range 2 {
		var errs bytes.Buffer
		code := Run(t.Context(), []string{"recv", c}, Streams{In: &bytes.Buffer{}, Out: brokenPipe{}, Err: &errs})
		if code != codeError || !strings.Contains(errs.String(), "value 1: the pipe is broken; it") {
			t.Errorf("code %d, err %q", code, errs.String())
		}
		checkOneLine(t, errs.String())
	}
	wants(t, codeDone, "1\n2\n3\n", "", "", "recv", "-n", "3", c)
	s.end(t)
}

// A write that is cut off confirms what is whole.
func TestRecvHalfWritten(t *testing.T) {
	s := startServe(t)
	c := s.url("chan=c&slots=8")
	wants(t, codeDone, "", "", "one\ntwo\nsix\n", "send", c)
	p := &printing{out: shortWriter(9)}
	ch := s.open(t, "chan=c")
	ds := make([]delivery, 3)
	rs, err := handoff.OpenReceiver[[]byte](t.Context(), c, handoff.Codec("encoded"))
	if err != nil {
		t.Fatal(err)
	}
	if n, err := rs.TakeInto(t.Context(), ds); n != 3 || err != nil {
		t.Fatal(n, err)
	}
	if err := p.settle(t.Context(), ds); err == nil || !strings.Contains(err.Error(), "value 3: the disk is full; it went back") {
		t.Error(err)
	}
	if v, err := ch.Recv(t.Context()); v != "six" || err != nil {
		t.Errorf("%q, %v", v, err)
	}
	rs.Detach()
	ch.Detach()
	s.end(t)
}

// shortWriter takes so many bytes and then no more.
type shortWriter int

func (w shortWriter) Write(b []byte) (int, error) {
	if len(b) <= int(w) {
		return len(b), nil
	}
	return int(w), errors.New("the disk is full")
}

// Interrupted while nobody reads what it writes, recv gives back what it holds.
func TestRecvInterrupted(t *testing.T) {
	s := startServe(t)
	c := s.url("chan=c&slots=8")
	wants(t, codeDone, "", "", "1\n2", "send", c)
	ctx, cancel := context.WithCancel(t.Context())
	r, w := io.Pipe()
	var errs bytes.Buffer
	done := make(chan int)
	go func() { done <- Run(ctx, []string{"recv", c}, Streams{In: &bytes.Buffer{}, Out: w, Err: &errs}) }()
	r.Read(make([]byte, 1)) // of the first value, and of no other
	cancel()
	if code := <-done; code != codeInterrupted || errs.Len() > 0 {
		t.Errorf("code %d, err %q", code, errs.String())
	}
	r.Close()
	wants(t, codeDone, "1\n2\n", "", "", "recv", "-n", "2", c)
	s.end(t)
}

// Interrupted, send says what it has read and not sent.
func TestSendInterrupted(t *testing.T) {
	s := startServe(t)
	ctx, cancel := context.WithCancel(t.Context())
	in, feed := io.Pipe()
	var errs bytes.Buffer
	done := make(chan int)
	go func() {
		done <- Run(ctx, []string{"send", s.url("chan=c&slots=2")}, Streams{In: in, Out: io.Discard, Err: &errs})
	}()
	io.WriteString(feed, "1\n2\n3\n4\n")
	// Nothing tells when 3 waits; but 1 and 2 have slots when both are received.
	ch := s.open(t, "chan=c")
	for ch.Stats().SendersWaiting == 0 {
	}
	cancel()
	if code := <-done; code != codeInterrupted || !strings.HasPrefix(errs.String(), "handoff: interrupted; 2 lines sent, line 3 was not") {
		t.Errorf("code %d, err %q", code, errs.String())
	}
	checkOneLine(t, errs.String())
	feed.Close()
	ch.Detach()
	s.end(t)
}

// A home that ends leaves one line to everybody.
func TestHomeEnds(t *testing.T) {
	s := startServe(t)
	errs := make(chan string)
	codes := make(chan int, 3)
	for _, args := range [][]string{
		{"recv", s.url("chan=a")}, {"send", s.url("chan=b"), "x"}, {"select", s.url("chan=c"), s.url("chan=d")},
	} {
		go func() {
			code, _, e := run(t.Context(), args...)
			if !strings.HasPrefix(e, "handoff: "+args[0]) {
				t.Errorf("%q does not begin with what was typed, %s", e, args[0])
			}
			codes <- code
			errs <- e
		}()
	}
	waiting := func(params string, which func(handoff.Stats) int) {
		ch := s.open(t, params)
		for which(ch.Stats()) == 0 {
		}
		ch.Detach()
	}
	receivers := func(s handoff.Stats) int { return s.ReceiversWaiting }
	waiting("chan=a", receivers)
	waiting("chan=b", func(s handoff.Stats) int { return s.SendersWaiting })
	waiting("chan=d", receivers)
	s.end(t)
	for range 3 {
		if e := <-errs; !strings.Contains(e, "home unreachable") {
			t.Errorf("%q", e)
		} else {
			checkOneLine(t, e)
		}
		if code := <-codes; code != codeError {
			t.Errorf("code %d", code)
		}
	}
}

// Ten thousand lines through a home, in order.
func TestManyLines(t *testing.T) {
	s := startServe(t)
	c := s.url("chan=c&slots=32")
	var in strings.Builder
	for i := range 10_000 {
		fmt.Fprintln(&in, i)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		wants(t, codeDone, "", "", in.String(), "send", "--close", c)
	}()
	wants(t, codeDone, in.String(), "", "", "recv", c)
	<-done
	s.end(t)
}
