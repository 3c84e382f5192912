package web

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/handoff-go/handoff/driver"
	"github.com/handoff-go/handoff/hub"
)

// patience bounds every wait of a target: reaching it is a failure.
const patience = 20 * time.Second

// FuzzSpan: any text is a time that can be asked for, which reads back as itself, or a
// bad request.
func FuzzSpan(f *testing.F) {
	for _, text := range []string{"250ms", "1.5s", "1h", "1h1ns", "-1s", "", "0", "9223372036854775807ns", "1e9s", ".s"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := parseSpan(text)
		if err != nil {
			if explain("", "", err).status != http.StatusBadRequest {
				t.Errorf("%q: %v", text, err)
			}
			return
		}
		quoted, _ := json.Marshal(time.Duration(d).String())
		var again span
		if err := json.Unmarshal(quoted, &again); err != nil || again != d || d < 0 || time.Duration(d) > maxSpan {
			t.Errorf("%q is %v, and reads back as %v, %v", text, time.Duration(d), time.Duration(again), err)
		}
	})
}

var askSeeds = []string{
	`{"id":1,"op":"send","channel":"jobs","value":{"n":1},"headers":{"k":"v"},"timeout":"0s"}`,
	`{"id":2,"op":"take","channel":"jobs","lease":"1s","slots":2,"carries":"json","maxhold":"1m","autoclose":true}`,
	`{"id":3,"op":"select","first":true,"cases":[{"receive":"jobs"},{"take":"b","lease":"1s"},{"send":"jobs","value":"x"},{"stop":"jobs"},{"after":"1s"},{"default":true}]}`,
	`{"id":4,"op":"open","channel":"jobs","slots":-1}`, `{"id":5,"op":"reject","hold":"x","reason":"no"}`,
	`{"id":6,"op":"return","hold":"1","after":"1h"}`, `{"id":1}]`, `{"id":1} {}`, `null`, `[]`,
}

// FuzzAsk: any bytes are one JSON text that asks for something, and asks for the same
// when it is written again, or a bad request.
func FuzzAsk(f *testing.F) {
	for _, text := range askSeeds {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var a, again ask
		if err := strictly(text, &a); err != nil {
			if explain("", "", err).status != http.StatusBadRequest {
				t.Errorf("%q: %v", text, err)
			}
			return
		}
		if !json.Valid(text) {
			t.Errorf("%q is not one JSON text", text)
		}
		first, err := json.Marshal(withoutSpans(&a))
		if err == nil {
			err = strictly(first, &again)
		}
		second, _ := json.Marshal(&again)
		if err != nil || !bytes.Equal(first, second) {
			t.Errorf("%q asks for %s, written again for %s, %v", text, first, second, err)
		}
	})
}

// withoutSpans is a without its times, which are not written as they are read.
func withoutSpans(a *ask) *ask {
	b := *a
	b.Timeout, b.Lease, b.After, b.MaxHold = nil, nil, nil, nil
	b.Cases = nil
	for _, c := range a.Cases {
		c.After, c.Lease = nil, nil
		b.Cases = append(b.Cases, c)
	}
	return &b
}

// FuzzForm: whatever a channel says it carries, a JSON text becomes a value that
// becomes a JSON text for the same value; or something is wrong with the text.
func FuzzForm(f *testing.F) {
	for _, typ := range []string{textType, bytesType, jsonType, "dead:json", "", "mem:le:8:{A@0 int64}", "cbor:x", "json:x"} {
		f.Add(typ, "", []byte(`{"A":1}`))
		f.Add(typ, `{"type":"object","properties":{"A":{"type":"integer"}}}`, []byte(`"AQ=="`))
	}
	f.Fuzz(func(t *testing.T, typ, announced string, text []byte) {
		form := newForm(typ, announced)
		form.describe()
		form.toJSON(text) // as a value that somebody sent: no more than an error
		value, err := form.fromJSON("v", text)
		if err != nil {
			return
		}
		again, err := form.toJSON(value)
		if err != nil || !json.Valid(again) {
			t.Fatalf("%q: %q is shown as %q, %v", typ, text, again, err)
		}
		back, err := form.fromJSON("v", again)
		if third, _ := form.toJSON(back); err != nil || !bytes.Equal(third, again) {
			t.Fatalf("%q: %q is shown as %s and reads back as %s, %v", typ, text, again, third, err)
		}
	})
}

// small are limits that a target can reach.
var small = Options{MaxBody: 1 << 14, MaxWaiting: 8, MaxHolds: 4, MaxRequests: 8}

// quiet ends a home, of which nothing must be left waiting or held.
func quiet(t *testing.T, h *hub.Hub, s *Server) {
	ctx, stop := context.WithTimeout(context.Background(), patience)
	defer stop()
	if err := s.Close(ctx); err != nil {
		t.Error(err)
	}
	for name, c := range h.Channels() {
		if c.Senders+c.Receivers+c.SendersWaiting+c.ReceiversWaiting+c.Held != 0 {
			t.Errorf("%q: %+v", name, c)
		}
	}
	h.Close(ctx)
}

// FuzzRequest: any request gets an answer that is not the home's own fault, and
// nothing of it stays.
func FuzzRequest(f *testing.F) {
	for _, r := range table {
		path := strings.NewReplacer("{channel}", "jobs", "{hold}", "1").Replace(r.pattern)
		for _, text := range askSeeds {
			f.Add(r.method, path+"?timeout=0s&slots=1&carries=text", "text/plain", "k=v%20w", "text/plain", text)
			f.Add(r.method, path, "application/json", "", "text/event-stream", text)
		}
	}
	f.Fuzz(func(t *testing.T, method, target, as, header, accept, text string) {
		r, err := http.NewRequest(method, "http://localhost/", strings.NewReader(text))
		if err != nil {
			return
		}
		if r.URL, err = r.URL.Parse(target); err != nil || r.URL.Host != "localhost" {
			return
		}
		h := hub.New(hub.Options{})
		s := New(h, small)
		ch, _, err := h.Attach("", "jobs", driver.Config{Slots: 2, Send: true})
		if err != nil {
			t.Fatal(err)
		}
		sent := make(chan struct{})
		op := driver.NewOp(driver.OpSend, func(*driver.Op) { close(sent) })
		op.Items = []driver.Item{{Value: []byte("1")}}
		ch.Start(op)
		<-sent
		ch.Detach(context.Background())
		ctx, stop := context.WithTimeout(t.Context(), time.Millisecond) // what waits
		defer stop()
		r = r.WithContext(ctx)
		r.Header = http.Header{"Content-Type": {as}, "Handoff-Header": {header}, "Accept": {accept}}
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code >= 500 && w.Code != http.StatusServiceUnavailable && w.Code != http.StatusGatewayTimeout && w.Code != http.StatusNotImplemented {
			t.Errorf("%d %s", w.Code, w.Body)
		}
		quiet(t, h, s)
	})
}

// FuzzSocket: whatever a client says over its WebSocket, line by line, it is answered
// or told why not, and nothing of it stays.
func FuzzSocket(f *testing.F) {
	f.Add(strings.Join(askSeeds[:6], "\n"))
	f.Add(`{"id":1,"op":"receive","channel":"a"}` + "\n" + `{"id":2,"op":"send","channel":"a","value":1}` + "\n" + `{"id":1,"op":"cancel"}`)
	f.Add(`{"id":1,"op":"take","channel":"a"}` + "\n" + `{"id":1,"op":"take","channel":"b"}`)
	f.Add(`{"id":1,"op":"open","channel":"a","slots":9,"carries":"bytes"}` + "\n" + `{"id":1,"op":"send","channel":"a","value":"AQ=="}` + "\n" + `{"id":3,"op":"take","channel":"a","lease":"1ms"}`)
	const last = 1<<64 - 1
	f.Fuzz(func(t *testing.T, text string) {
		h := hub.New(hub.Options{})
		s := New(h, small)
		l := &pipeListener{conns: make(chan net.Conn, 1), over: make(chan struct{})}
		served := make(chan error, 1)
		go func() { served <- s.Serve(l) }()
		ctx, stop := context.WithTimeout(t.Context(), patience)
		defer stop()
		client := &http.Client{Transport: &http.Transport{DialContext: l.dial}}
		conn, _, err := websocket.Dial(ctx, "http://localhost/v1/socket", &websocket.DialOptions{HTTPClient: client})
		if err != nil {
			t.Fatal(err)
		}
		said := make(chan struct{})
		go func() {
			defer close(said)
			for line := range strings.SplitSeq(text, "\n") {
				conn.Write(ctx, websocket.MessageText, []byte(line))
			}
			conn.Write(ctx, websocket.MessageText, fmt.Appendf(nil, `{"id":%d,"op":"info","channel":"none"}`, uint64(last)))
		}()
		for {
			_, answer, err := conn.Read(ctx)
			if err != nil {
				if status := websocket.CloseStatus(err); status != websocket.StatusPolicyViolation && status != websocket.StatusMessageTooBig {
					t.Errorf("the socket ends with %v", err)
				}
				break
			}
			var of struct{ ID *uint64 }
			if err := json.Unmarshal(answer, &of); err != nil || of.ID == nil {
				t.Errorf("%q: %v", answer, err)
			} else if *of.ID == last {
				break
			}
		}
		conn.CloseNow()
		<-said
		quiet(t, h, s)
		<-served
	})
}

// pipeListener takes connections of this process, which cost no port.
type pipeListener struct {
	conns chan net.Conn
	once  sync.Once
	over  chan struct{}
}

func (l *pipeListener) dial(context.Context, string, string) (net.Conn, error) {
	server, client := net.Pipe()
	l.conns <- server
	return client, nil
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.conns:
		return conn, nil
	case <-l.over:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error { l.once.Do(func() { close(l.over) }); return nil }

func (l *pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "fuzz", Net: "unix"} }
